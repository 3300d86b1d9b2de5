"""Permutation importance: what the score loses when a column is shuffled."""

import numpy as np
import pandas as pd
from sklearn.metrics import check_scoring
from sklearn.utils import check_random_state

from skdnn.explain._explanation import Table

from skdnn.explain._target import Problem, Step

_SMALLEST = 1e-15


def compute_importance(
    problem: Problem,
    y: np.ndarray,
    features: list[int],
    n_repeats: int,
    scoring,
    random_state,
    step: Step,
) -> Table:
    """Return the drop of the score for each column.

    Parameters
    ----------
    problem : Problem
        Rows to score on.
    y : ndarray of shape (n_samples,)
        Their classes.
    features : list of int
        Positions of the columns.
    n_repeats : int
        Times that each column is shuffled.
    scoring : str, callable or None
        None is the estimator's own `score`.
    random_state : int, RandomState or None
        Draws the orders; the same for every column.
    step : callable
        Called after each column.
    """
    from scipy.special import stdtrit

    target = problem.target
    scorer = _own_score if scoring is None else check_scoring(target.estimator, scoring)
    whole = target.decode(problem.X)
    score, loss = scorer(target.estimator, whole, y), _loss(problem, problem.X, y)
    draw = check_random_state(random_state)
    orders = [draw.permutation(len(y)) for _ in range(n_repeats)]
    t = stdtrit(n_repeats - 1, 0.975)
    rows = []
    for j in features:
        drops, losses = np.empty(n_repeats), np.empty(n_repeats)
        for r, order in enumerate(orders):
            shuffled = problem.X.copy()
            shuffled[:, j] = shuffled[order, j]
            drops[r] = score - scorer(target.estimator, target.decode(shuffled), y)
            losses[r] = _loss(problem, shuffled, y)
        mean = drops.mean()
        error = drops.std(ddof=1) / np.sqrt(n_repeats)
        rows.append(
            {
                "feature": target.columns[j].name,
                "importance": mean,
                "ratio": losses.mean() / loss,
                "std_error": error,
                "ci_low": mean - t * error,
                "ci_high": mean + t * error,
            }
        )
        step()
    name = "score" if scoring is None else getattr(scoring, "__name__", str(scoring))
    return Table(
        pd.DataFrame(rows), f"Permutation importance: drop of the {name}", "importance"
    )


def _own_score(estimator, X, y) -> float:
    return estimator.score(X, y)


def _loss(problem: Problem, rows: np.ndarray, y: np.ndarray) -> float:
    """Return the mean cross-entropy."""
    proba = problem.target.predict(rows)
    codes = np.searchsorted(problem.target.class_names, y)
    return float(-np.log(np.maximum(proba[np.arange(len(y)), codes], _SMALLEST)).mean())
