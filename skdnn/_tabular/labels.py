"""Classes: found among labels, and encoded as their positions."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.sparse import issparse


def check_no_label_missing(y: Any) -> None:
    """Raise ``ValueError`` for missing labels, in whatever container they come."""
    if y is None or issparse(y):
        return
    # a frame or series of any library, whose missing values are of many kinds
    values = y.to_numpy() if hasattr(y, "to_numpy") else np.asarray(y, dtype=object)
    # a label per row, or one column per label
    missing = np.atleast_2d(np.asarray(pd.isna(values)).T).any(axis=0)
    if missing.any():
        raise ValueError(
            "y must have a class for every row. Got missing ones for "
            f"{missing.sum()} of {missing.size} rows, the first at position "
            f"{int(missing.argmax())}. Drop these rows; only X may have missing cells."
        )


def label_names(y: Any) -> np.ndarray | None:
    """Return the names of labels if y is a frame of one column per label, else None."""
    if not hasattr(y, "columns") or len(y.columns) < 2:
        return None
    names = np.empty(len(y.columns), dtype=object)
    names[:] = [str(name) for name in y.columns]
    return names


def sorted_classes(labels: np.ndarray) -> np.ndarray:
    """Return the distinct labels, sorted."""
    try:
        return np.unique(labels)
    except TypeError as error:
        kinds = sorted({type(label).__name__ for label in labels.ravel()})
        raise ValueError(
            "Classes must be of one type, without missing values. Got labels of the "
            f"types {kinds}. Convert them to strings, and drop rows without a label."
        ) from error


def find_classes(labels: np.ndarray, n_samples: int) -> np.ndarray:
    """Return the classes among the labels, sorted, at least two."""
    classes = sorted_classes(labels)
    if len(classes) < 2:
        raise ValueError(
            "DNNClassifier needs rows of at least 2 classes. Got 1 class: "
            f"{classes[0]!r} (n_samples={n_samples})."
        )
    return classes


def class_codes(labels: ArrayLike, classes: ArrayLike) -> np.ndarray:
    """Return the position in `classes` of each label, int32; -1 for any other label.

    This is the only definition of label encoding: classes may be in any order and of
    any hashable types.
    """
    positions = {label: code for code, label in enumerate(np.asarray(classes).tolist())}
    places, distinct = pd.factorize(np.asarray(labels))
    codes = [positions.get(label, -1) for label in distinct.tolist()]
    return np.array([*codes, -1], dtype=np.int32)[places]  # missing: the last


def encode(y: np.ndarray, classes: np.ndarray, name: str = "y") -> np.ndarray:
    """Return `class_codes`; ``ValueError`` for a label that is none of the classes."""
    codes = class_codes(y, classes)
    if len(codes) and codes.min() < 0:
        raise ValueError(
            f"`{name}` must hold classes of the network: {list(classes)}. Got also "
            f"{list(np.unique(y[codes < 0]))}. Name all classes in the first fit, with "
            "`classes=` in partial_fit."
        )
    return codes


def check_same_classes(labels: np.ndarray, classes: np.ndarray) -> None:
    """Raise ``ValueError`` unless the labels hold exactly the known classes."""
    given = np.unique(labels)
    if not np.array_equal(given, classes):
        raise ValueError(
            "Classes must be the same as in the first fit: "
            f"{classes.tolist()}. Got {given.tolist()}. Set warm_start=False, or "
            "clone the estimator, to train from scratch."
        )


def classes_of_partial_fit(
    known: np.ndarray | None, named: ArrayLike | None
) -> np.ndarray:
    """Return the classes of a `partial_fit`: named at first, then always the same."""
    if known is None:
        if named is None:
            raise ValueError(
                "classes must be passed on the first call to partial_fit: all classes, "
                "also those that only later calls contain."
            )
        return np.asarray(named)
    if named is not None:
        check_same_classes(np.asarray(named), known)
    return known


def class_weights(
    class_weight: Mapping[Any, float] | str | None,
    weight: np.ndarray,
    codes: np.ndarray,
    classes: np.ndarray,
) -> np.ndarray | None:
    """Return the factor of each class, None if there is no `class_weight`.

    "balanced" gives all classes the same total weight.
    """
    if class_weight is None:
        return None
    if isinstance(class_weight, str):  # "balanced"
        totals = np.bincount(codes, weights=weight, minlength=len(classes))
        present = totals > 0
        factors = np.zeros(len(classes))
        factors[present] = totals.sum() / (present.sum() * totals[present])
        return factors
    labels = classes.tolist()
    unknown = [label for label in class_weight if label not in labels]
    if unknown:
        raise ValueError(
            f"The keys of `class_weight` must be classes: {labels}. Got {unknown}."
        )
    factors = np.array([float(class_weight.get(label, 1)) for label in labels])
    if np.any(factors < 0) or not np.any(factors > 0):
        raise ValueError(
            "The values of `class_weight` must not be negative, nor all zero. Got "
            f"{class_weight!r}."
        )
    return factors
