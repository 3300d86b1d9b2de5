"""The one place where probabilities of any classifier are checked."""

from typing import Any

import numpy as np

# How far probabilities and their sums may be off, in the two usual precisions.
_TOLERANCE = 1e-3
# In half precision: as often the distance of neighbouring numbers below 1.
_HALF_PRECISION_STEPS = 8


def check_probabilities(
    proba: Any, n_rows: int, n_classes: int, *, sum_to_one: bool = True
) -> np.ndarray:
    """Return what `predict_proba` returned for `n_rows` rows as float64.

    Numbers of half precision are normalised in float32. ValueError, with the usual
    cause, unless there is one row per row and one column per class, all finite and
    between 0 and 1, with rows that sum to one. Several labels per row need no sum.
    """
    shape = _shape(proba)
    if shape[1:] != (n_classes,):
        raise ValueError(
            "predict_proba must return one array of shape (n_samples, n_classes), here "
            f"({n_rows}, {n_classes}). Got shape {shape}."
        )
    if shape[0] != n_rows:
        raise ValueError(
            "predict_proba must return one row for each row of X. Got "
            f"{_rows(shape[0])} for {_rows(n_rows)}. A first step that takes texts, "
            "such as a vectorizer, reads a frame as the list of its column names; give "
            "it its column in a ColumnTransformer."
        )
    given = np.asarray(proba)
    is_half = given.dtype.itemsize == 2
    tolerance = _TOLERANCE
    if is_half:
        step = 2**-10 if given.dtype == np.float16 else 2**-7  # bfloat16
        tolerance = _HALF_PRECISION_STEPS * step
        given = given.astype(np.float32)
    checked = given.astype(np.float64)
    _check_range(checked, tolerance)
    if not sum_to_one or not n_rows:
        return checked
    sums = checked.sum(axis=1)
    if np.abs(sums - 1).max() > tolerance:
        raise ValueError(
            "predict_proba must return rows that sum to 1. Got sums from "
            f"{sums.min():.4g} to {sums.max():.4g}. Usual causes are a last layer "
            "without softmax, and classifiers of one class each whose probabilities "
            "are not normalised."
        )
    if is_half:
        checked = (given / given.sum(axis=1, keepdims=True)).astype(np.float64)
    return checked


def _check_range(proba: np.ndarray, tolerance: float) -> None:
    """Raise ValueError for NaN, infinity, and numbers outside of 0 to 1."""
    is_finite = np.isfinite(proba)
    if not is_finite.all():
        raise ValueError(
            "predict_proba must return finite numbers. Got NaN or infinity for "
            f"{(~is_finite).any(axis=1).sum()} of {len(proba)} rows made of cells of "
            "X and of `background`."
        )
    low, high = proba.min(initial=0), proba.max(initial=0)
    if low < -tolerance or high > 1 + tolerance:
        raise ValueError(
            "predict_proba must return numbers from 0 to 1. Got numbers from "
            f"{low:.4g} to {high:.4g}. The usual cause is a network that returns "
            "logits: give its last layer softmax, or sigmoid for a single unit."
        )


def _shape(proba: Any) -> Any:
    """Return the shape of an array, or those of the arrays of a list."""
    if isinstance(proba, list):
        return [np.shape(part) for part in proba]
    return tuple(np.shape(proba))


def _rows(n: int) -> str:
    return f"{n} row{'' if n == 1 else 's'}"
