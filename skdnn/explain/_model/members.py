"""The members of an ensemble: what each of them predicts.

A member is a refit of the classifier, with another seed or on other rows. The spread of
a value over the members estimates how it would vary with another fit.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Members:
    """The `n` members (at least 2) of a fitted ensemble.

    `before` are the steps of Pipelines that come before the ensemble. `is_mean` is
    whether the mean of the members is the prediction of the estimator.
    """

    ensemble: Any
    before: tuple[Any, ...]
    n: int
    is_mean: bool

    def predict(self, rows: Any, n_classes: int) -> np.ndarray:
        """Return probabilities, of shape (n_members, n_samples, n_classes)."""
        return _predict(self.ensemble, self.before, rows, n_classes)


def find_members(estimator: Any, row: Any, n_classes: int) -> Members | None:
    """Return the members of an ensemble, itself or last in a Pipeline or search.

    They are counted by predicting one row. None if there is no `predict_members`, or
    only one member: a single network is not a refit of itself.
    """
    before = []
    ensemble = getattr(estimator, "best_estimator_", estimator)
    while hasattr(ensemble, "steps"):
        if len(ensemble.steps) > 1:
            before.append(ensemble[:-1])
        ensemble = ensemble.steps[-1][1]
    if not hasattr(ensemble, "predict_members"):
        return None
    each = _predict(ensemble, tuple(before), row.copy(), n_classes)
    if len(each) < 2:
        return None
    own = np.asarray(estimator.predict_proba(row.copy()), dtype=np.float64)
    is_mean = bool(np.allclose(each.mean(axis=0), own, rtol=1e-5, atol=1e-7))
    return Members(ensemble, tuple(before), len(each), is_mean)


def _predict(
    ensemble: Any, before: tuple[Any, ...], rows: Any, n_classes: int
) -> np.ndarray:
    n_rows = len(rows)
    for step in before:
        rows = step.transform(rows)
    each = np.asarray(ensemble.predict_members(rows))
    if each.ndim != 3 or each.shape[1:] != (n_rows, n_classes):
        raise ValueError(
            "predict_members must return an array of shape (n_members, n_samples, "
            f"n_classes), here (…, {n_rows}, {n_classes}). Got shape {each.shape}."
        )
    flat = each.reshape(-1, n_classes)
    return check_probabilities(flat, n_classes).reshape(each.shape)


def check_probabilities(proba: Any, n_classes: int) -> np.ndarray:
    """Return probabilities as floats; ValueError for another shape, NaN or infinity."""
    if isinstance(proba, list) or np.ndim(proba) != 2 or proba.shape[1] != n_classes:
        is_list = isinstance(proba, list)
        shape = [np.shape(part) for part in proba] if is_list else np.shape(proba)
        raise ValueError(
            "predict_proba must return one array of shape (n_samples, n_classes), here "
            f"(…, {n_classes}). Got shape {shape}."
        )
    checked = np.asarray(proba, dtype=np.float64)
    is_finite = np.isfinite(checked)
    if not is_finite.all():
        raise ValueError(
            "predict_proba must return finite numbers. Got NaN or infinity for "
            f"{(~is_finite).any(axis=1).sum()} of {len(checked)} rows made of cells of "
            "X and of `background`."
        )
    return checked
