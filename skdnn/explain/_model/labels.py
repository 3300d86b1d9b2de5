"""Labels as positions among the classes of the estimator, and weights of rows."""

from typing import Any

import numpy as np

_MAX_LISTED = 10


def row_weights(sample_weight: Any, n_samples: int) -> np.ndarray:
    """Return one weight per row, of mean 1; ValueError unless they are weights."""
    if sample_weight is None:
        return np.ones(n_samples)
    weight = np.asarray(sample_weight, dtype=np.float64)
    if weight.shape != (n_samples,):
        raise ValueError(
            f"`sample_weight` must have one weight for each row of X: shape "
            f"({n_samples},). Got {weight.shape}."
        )
    if not np.isfinite(weight).all() or weight.min() < 0 or weight.max() == 0:
        raise ValueError(
            "`sample_weight` must be finite, not negative, and positive for at least "
            f"one row. Got weights from {weight.min()} to {weight.max()}."
        )
    weight = weight / weight.max()
    return np.asarray(weight / weight.mean())


def effective_rows(weight: np.ndarray) -> float:
    """Return the number of equally weighted rows with means as precise (Kish, 1965)."""
    return float(weight.sum() ** 2 / (weight**2).sum())


def label_indicators(y: Any, names: np.ndarray, n_samples: int) -> np.ndarray:
    """Return zeros and ones of shape (n_samples, n_labels); ValueError for others.

    Several labels per row; a frame has the columns that the estimator was fitted to.
    """
    given = [str(name) for name in getattr(y, "columns", names)]
    if len(given) == len(names) and given != [str(name) for name in names]:
        raise ValueError(
            f"The columns of `y` must be the labels of the estimator: {list(names)}. "
            f"Got {given}."
        )
    labels = np.asarray(y.toarray() if hasattr(y, "toarray") else y)
    if labels.shape != (n_samples, len(names)) or not np.isin(labels, (0, 1)).all():
        raise ValueError(
            "`y` must have a zero or one for each row of X and each label: shape "
            f"({n_samples}, {len(names)}). Got {labels.shape}, of {labels.dtype}."
        )
    return labels.astype(np.intp)


def class_codes(
    y: Any, classes: np.ndarray, n_samples: int | None = None, name: str = "y"
) -> Any:
    """Return the position in `classes` of each label, of shape (n_samples,).

    ValueError for labels of another shape, or that are not among the classes.
    """
    labels = np.asarray(y)
    if labels.ndim != 1 or (n_samples is not None and len(labels) != n_samples):
        shape = "(n_samples,)" if n_samples is None else f"({n_samples},)"
        raise ValueError(
            f"`{name}` must have one class for each row: shape {shape}. Got "
            f"{labels.shape}."
        )
    position = {label: code for code, label in enumerate(np.asarray(classes).tolist())}
    codes = np.array([position.get(v, -1) for v in labels.tolist()], dtype=np.intp)
    if (codes < 0).any():
        unknown = list(dict.fromkeys(labels[codes < 0].tolist()))[:_MAX_LISTED]
        raise ValueError(
            f"`{name}` must hold classes that the estimator knows: "
            f"{list(position)[:_MAX_LISTED]}. Got {unknown} instead. Leave such rows "
            "out, or fit the estimator with them."
        )
    return codes
