"""The members of an ensemble: what each of them predicts, and how far they differ.

A member is a refit of the classifier, with another seed or on rows drawn anew. What a
number varies by from member to member is what it would vary by if the classifier were
fitted once more.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Members:
    """The members of a fitted ensemble, seen from the user's rows.

    Parameters
    ----------
    ensemble : object
        With `predict_members`.
    before : object or None
        The steps of a Pipeline that come before it.
    n : int
        Count of the members, at least 2.
    is_mean : bool
        Whether the mean of the members is the prediction of the estimator.
    """

    ensemble: Any
    before: Any
    n: int
    is_mean: bool

    def predict(self, rows, n_classes: int) -> np.ndarray:
        """Return probabilities, of shape (n_members, n_samples, n_classes)."""
        return _ask(self.ensemble, self.before, rows, n_classes)


def find_members(estimator, row, n_classes: int) -> Members | None:
    """Return the members of an ensemble, itself or last in a Pipeline or search.

    Parameters
    ----------
    estimator : object
        A fitted classifier.
    row : {array-like, DataFrame} of shape (1, n_features)
        What the members are asked about, to count them.
    n_classes : int
        Count of the classes.

    Returns
    -------
    Members or None
        None if there is no `predict_members`, or one member only: a single network is
        no refit of itself.
    """
    steps = []
    ensemble = getattr(estimator, "best_estimator_", estimator)
    while hasattr(ensemble, "steps"):
        if len(ensemble.steps) > 1:
            steps.append(ensemble[:-1])
        ensemble = ensemble.steps[-1][1]
    if not hasattr(ensemble, "predict_members"):
        return None
    before = _Chain(tuple(steps)) if steps else None
    told = _ask(ensemble, before, row.copy(), n_classes)
    if len(told) < 2:
        return None
    own = np.asarray(estimator.predict_proba(row.copy()), dtype=np.float64)
    is_mean = bool(np.allclose(told.mean(axis=0), own, rtol=1e-5, atol=1e-7))
    return Members(ensemble, before, len(told), is_mean)


@dataclass(frozen=True)
class _Chain:
    """Steps before the ensemble, of Pipelines that may lie in each other."""

    steps: tuple[Any, ...]

    def transform(self, rows):
        for step in self.steps:
            rows = step.transform(rows)
        return rows


def _ask(ensemble, before, rows, n_classes: int) -> np.ndarray:
    given = rows if before is None else before.transform(rows)
    told = np.asarray(ensemble.predict_members(given))
    if told.ndim != 3 or told.shape[1:] != (len(rows), n_classes):
        raise ValueError(
            "predict_members must return an array of shape (n_members, n_samples, "
            f"n_classes), here (…, {len(rows)}, {n_classes}). Got shape {told.shape}."
        )
    return checked(told.reshape(-1, n_classes), n_classes).reshape(told.shape)


def checked(proba, n_classes: int) -> np.ndarray:
    """Return probabilities as floats; ``ValueError`` if they cannot be such."""
    if isinstance(proba, list) or np.ndim(proba) != 2 or proba.shape[1] != n_classes:
        shape = (
            [np.shape(p) for p in proba] if isinstance(proba, list) else np.shape(proba)
        )
        raise ValueError(
            "predict_proba must return one array of shape (n_samples, n_classes), here "
            f"(…, {n_classes}). Got shape {shape}."
        )
    proba = np.asarray(proba, dtype=np.float64)
    if not np.isfinite(proba).all():
        n_bad = int((~np.isfinite(proba)).any(axis=1).sum())
        raise ValueError(
            "predict_proba must return finite numbers. Got NaN or infinity for "
            f"{n_bad} of {len(proba)} rows made of cells of X and of `background`."
        )
    return proba
