"""Whether different methods tell the same story."""

from collections.abc import Callable, Mapping
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from skdnn._runtime.progress import Progress
from skdnn._runtime.seeds import as_seed
from skdnn.explain._methods.break_down import compute_break_down
from skdnn.explain._methods.lime import compute_lime
from skdnn.explain._methods.permutation_importance import (
    compute_permutation_importance,
)
from skdnn.explain._methods.shap import compute_shap
from skdnn.explain._model.target import Problem, Step, no_step, open_problem
from skdnn.explain._results.attributions import Attributions
from skdnn.explain._results.tables import ResultTable


def agreement(
    estimator, X, y=None, *, background=None, random_state=None, verbose=False
):
    """Ask whether SHAP, LIME, break-down and importance tell the same story.

    Parameters
    ----------
    estimator : object
        A fitted classifier with `predict_proba` and `classes_`.
    X : {array-like, DataFrame} of shape (n_samples, n_features)
        Rows to explain.
    y : array-like of shape (n_samples,), default=None
        Their classes; with them importance is compared as well.
    background : like X, default=None
        As for `shap`, `lime` and `break_down`.
    random_state : int, RandomState or None, default=None
        As for these; a RandomState gives one seed, for all of them.
    verbose : bool, default=False
        Whether one live line on stderr shows progress.

    Returns
    -------
    Table
        `frame()` has a row for each pair: method_a, method_b, rank, sign. `rank` is
        Spearman's correlation of the sizes, `sign` the share of attributions whose
        signs are equal, each weighed by its size. Permutation importance is compared
        by the mean size of each column's attributions; it has no signs.

    Raises
    ------
    ValueError
        If rows or classes cannot be.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skdnn import explain
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> model = LogisticRegression(max_iter=1000).fit(X, y)
    >>> table = explain.agreement(model, X[::15], background=X, random_state=0).frame()
    >>> bool(table["rank"].iloc[0] > 0.5)
    True
    """
    problem = open_problem(estimator, X, background=background)
    n_steps = 3 * len(problem.X) + (0 if y is None else problem.target.n_features)
    with Progress(n_steps, "step", verbose) as progress:
        return compute_agreement(problem, y, random_state, progress.step)


def compute_agreement(
    problem: Problem, y: Any = None, random_state: Any = None, step: Step = no_step
) -> ResultTable:
    """Return how far the methods agree on every row; with `y`, importance as well."""
    seed = as_seed(random_state)
    importance = None
    if y is not None:
        importance = compute_permutation_importance(
            problem, y, random_state=seed, step=step
        )
    methods: dict[str, Callable[..., Attributions]] = {
        "SHAP": compute_shap,
        "LIME": compute_lime,
        "break-down": compute_break_down,
    }
    results = {
        name: compute(problem, random_state=seed, step=step)
        for name, compute in methods.items()
    }
    return compare(results, importance)


def compare(
    attributions: Mapping[str, Attributions], importance: ResultTable | None = None
) -> ResultTable:
    """Return how far each two methods agree on the rank and the sign of columns.

    Parameters
    ----------
    attributions : dict of str to Attributions
        By the name of the method; of the same rows, columns and classes.
    importance : Table or None
        Permutation importance of the same columns.

    Returns
    -------
    Table
        A row a pair: method_a, method_b, rank, sign. `rank` is Spearman's correlation
        of the sizes of the attributions, its mean over rows and classes; with
        importance, that of the mean sizes with the importances. `sign` is the share
        of equal signs, each cell weighed by the size of its attributions; NaN with
        importance, which has none. Both are NaN where there is nothing to compare.
    """
    rows = [
        {
            "method_a": a,
            "method_b": b,
            "rank": mean_rank(first.values, second.values),
            "sign": equal_signs(first.values, second.values),
        }
        for (a, first), (b, second) in combinations(attributions.items(), 2)
    ]
    if importance is not None:
        wanted = importance.table["importance"].to_numpy()
        rows += [
            {
                "method_a": name,
                "method_b": "permutation importance",
                "rank": _rank(np.abs(result.values).mean(axis=(0, 2)), wanted),
                "sign": np.nan,
            }
            for name, result in attributions.items()
        ]
    return ResultTable(pd.DataFrame(rows), "Agreement between methods", "agreement")


def mean_rank(a: np.ndarray, b: np.ndarray) -> float:
    """Return Spearman's correlation of sizes, its mean over rows and classes."""
    ranks = [
        _rank(np.abs(a[i, :, k]), np.abs(b[i, :, k]))
        for i in range(a.shape[0])
        for k in range(a.shape[2])
    ]
    known = [rank for rank in ranks if np.isfinite(rank)]
    return float(np.mean(known)) if known else np.nan


def _rank(a: np.ndarray, b: np.ndarray) -> float:
    """Return Spearman's correlation, NaN if a side does not vary."""
    ranks = [pd.Series(np.round(values, 12)).rank() for values in (a, b)]
    if any(rank.nunique() < 2 for rank in ranks):
        return np.nan
    return float(np.corrcoef(ranks)[0, 1])


def equal_signs(a: np.ndarray, b: np.ndarray) -> float:
    """Return the share of equal signs, each cell weighed by its size."""
    # each side in shares of its own total, so that neither unit rules
    size = np.zeros(a.shape)
    for values in (a, b):
        total = np.abs(values).sum()
        if total == 0:
            return np.nan
        size += np.abs(values) / total
    return float(size[np.sign(a) == np.sign(b)].sum() / size.sum())
