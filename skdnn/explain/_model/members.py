"""The members of an ensemble: what each of them predicts.

A member is a refit of the classifier, with another seed or on other rows. The spread of
a value over the members estimates how it would vary with another fit, as far as another
fit differs in the same way: only bootstrap samples vary as other training rows do.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from skdnn.classifier import DNNClassifier
from skdnn.explain._model.last_step import LastStep, last_step

# Probabilities and the number of rows to checked probabilities.
Check = Callable[[Any, int], np.ndarray]
# What members differ in; the last ones leave rows out for some or all of the epochs.
BOOTSTRAP, SEEDS = "bootstrap samples and seeds", "seeds"
RECIPE = "seeds and a few training rows"


@dataclass(frozen=True)
class Members:
    """The `n` members (at least 2) of a fitted ensemble, `last` in the estimator.

    `is_mean` is whether the mean of the members is the prediction of the estimator.
    """

    last: LastStep
    n: int
    is_mean: bool
    check: Check

    @property
    def ensemble(self) -> Any:
        """The ensemble without the steps before it."""
        return self.last.classifier

    @property
    def differ_in(self) -> str:
        """What the members differ in, as far as that is known; else empty."""
        bootstrap = getattr(self.ensemble, "bootstrap", None)
        if bootstrap is None:
            return ""
        if bootstrap:
            return BOOTSTRAP
        is_own = isinstance(self.ensemble, DNNClassifier)
        return RECIPE if is_own and not hasattr(self.ensemble, "estimators_") else SEEDS

    def predict(self, rows: Any) -> np.ndarray:
        """Return probabilities, of shape (n_members, n_samples, n_classes)."""
        return _predict(self.last, rows, self.check)


def find_members(
    estimator: Any, row: Any, own: np.ndarray, check: Check
) -> Members | None:
    """Return the members of an ensemble, itself or last in a Pipeline or search.

    They are counted by predicting one row, which may change and whose probabilities
    are `own`. None if there is no `predict_members`, if it cannot be reached through
    the steps before it, or if there is only one member: a single network is not a
    refit of itself.
    """
    last = last_step(estimator)
    if not hasattr(last.classifier, "predict_members"):
        return None
    try:
        each = _predict(last, row, check)
    except Exception:  # members are an extra: what predicts is explained without them
        return None
    if len(each) < 2:
        return None
    is_mean = bool(np.allclose(each.mean(axis=0), own, rtol=1e-5, atol=1e-7))
    return Members(last, len(each), is_mean, check)


def _predict(last: LastStep, rows: Any, check: Check) -> np.ndarray:
    n_rows = len(rows)
    each = np.asarray(last.classifier.predict_members(last.transform(rows)))
    if each.ndim != 3:
        raise ValueError(
            "predict_members must return an array of shape (n_members, n_samples, "
            f"n_classes). Got shape {each.shape}."
        )
    return np.stack([check(member, n_rows) for member in each])
