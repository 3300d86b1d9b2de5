"""How far past the decision of `predict` a changed row must be."""

import math

import numpy as np

from skdnn.explain._model.target import Problem

# The odds of the new class against each other one are at least this multiple of those
# at which the decision changes; of two classes, 0.512 instead of 0.5.
MARGIN = 1.05
_MAX_ROWS = 1000
_SMALLEST = 1e-12


def decision_log_odds(problem: Problem) -> float:
    """Return the log odds of the second of two classes at which `predict` changes.

    They are 0 where it names the most probable class. A tuned threshold is not known,
    but between the probabilities of the rows that are predicted one class and of those
    that are predicted the other: halfway. Where `predict` does not follow the
    probability of the second class, or there are more classes, 0 is returned.
    """
    target = problem.target
    if target.predicts_most_probable or target.n_classes != 2:
        return 0.0
    rows = np.vstack([problem.X[:_MAX_ROWS], problem.background[:_MAX_ROWS]])
    proba, is_second = target.predict(rows)[:, 1], target.classes_of(rows) == 1
    low = float(proba[~is_second].max(initial=0))
    high = float(proba[is_second].min(initial=1))
    if low > high or low <= 0.5 <= high:
        return 0.0
    threshold = min(max((low + high) / 2, _SMALLEST), 1 - _SMALLEST)
    return math.log(threshold) - math.log1p(-threshold)
