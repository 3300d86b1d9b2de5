"""Class labels as positions among the classes of the estimator."""

from typing import Any

import numpy as np

_MAX_LISTED = 10


def class_codes(y: Any, classes: np.ndarray, n_samples: int | None = None) -> Any:
    """Return the position in `classes` of each label, of shape (n_samples,).

    ValueError for labels of another shape, or that are not among the classes.
    """
    labels = np.asarray(y)
    if labels.ndim != 1 or (n_samples is not None and len(labels) != n_samples):
        shape = "(n_samples,)" if n_samples is None else f"({n_samples},)"
        raise ValueError(
            f"`y` must have one class for each row of X: shape {shape}. Got "
            f"{labels.shape}."
        )
    position = {label: code for code, label in enumerate(np.asarray(classes).tolist())}
    codes = np.array([position.get(v, -1) for v in labels.tolist()], dtype=np.intp)
    if (codes < 0).any():
        unknown = list(dict.fromkeys(labels[codes < 0].tolist()))[:_MAX_LISTED]
        raise ValueError(
            "`y` must hold classes that the estimator knows: "
            f"{list(position)[:_MAX_LISTED]}. Got {unknown} instead. Leave such rows "
            "out, or fit the estimator with them."
        )
    return codes
