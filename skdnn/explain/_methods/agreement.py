"""Agreement of SHAP, LIME, break-down and permutation importance."""

from collections.abc import Mapping
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from skdnn._runtime.progress import Progress
from skdnn._runtime.seeds import as_seed
from skdnn.explain._methods.break_down import compute_break_down
from skdnn.explain._methods.lime import compute_lime
from skdnn.explain._methods.permutation_importance import compute_permutation_importance
from skdnn.explain._methods.shap import compute_shap
from skdnn.explain._model.opening import open_problem
from skdnn.explain._model.options import RandomState
from skdnn.explain._results.attributions import Attributions
from skdnn.explain._results.tables import ResultTable


def agreement(
    estimator: Any,
    X: Any,
    y: Any = None,
    *,
    background: Any = None,
    random_state: RandomState = None,
    verbose: bool = False,
) -> ResultTable:
    """Compare the rankings and signs of SHAP, LIME, break-down and importance.

    Parameters
    ----------
    estimator : object
        A fitted classifier with `predict_proba` and `classes_`.
    X : {array-like, DataFrame} of shape (n_samples, n_features)
        Rows to explain.
    y : array-like of shape (n_samples,), default=None
        Their classes; if given, importance is compared as well.
    background : like X, default=None
        As for `shap`, `lime` and `break_down`.
    random_state : int, RandomState or None, default=None
        One seed for all methods; a RandomState draws it.
    verbose : bool, default=False
        Whether a progress line is shown on stderr.

    Returns
    -------
    ResultTable
        `frame()` has one row for each pair: method_a, method_b, rank (Spearman's
        correlation of the sizes), sign (share of attributions with equal signs,
        weighted by size). Permutation importance is compared with the mean size of each
        column's attributions; it has no signs.

    Raises
    ------
    ValueError
        If rows or classes are invalid.

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
    importance = None
    with Progress(n_steps, "step", verbose) as progress:
        shared: Any = {"random_state": as_seed(random_state), "step": progress.step}
        if y is not None:
            importance = compute_permutation_importance(problem, y, **shared)
        results = {
            "SHAP": compute_shap(problem, **shared),
            "LIME": compute_lime(problem, **shared),
            "break-down": compute_break_down(problem, **shared),
        }
    return compare(results, importance)


def compare(
    attributions: Mapping[str, Attributions], importance: ResultTable | None = None
) -> ResultTable:
    """Return the agreement of each two methods on the rank and the sign of columns.

    The attributions, by the name of their method, are of the same rows, columns and
    classes.
    """
    values = {name: result.values for name, result in attributions.items()}
    rows = [
        (a, b, mean_rank(values[a], values[b]), equal_signs(values[a], values[b]))
        for a, b in combinations(values, 2)
    ]
    if importance is not None:
        sizes = importance.table["importance"].to_numpy()
        for name, each in values.items():
            rank = float(_rank(np.abs(each).mean(axis=(0, 2)), sizes))
            rows.append((name, "permutation importance", rank, np.nan))
    table = pd.DataFrame(rows, columns=["method_a", "method_b", "rank", "sign"])
    return ResultTable(table, "Agreement between methods", "agreement")


def mean_rank(a: np.ndarray, b: np.ndarray) -> float:
    """Return Spearman's correlation of sizes, its mean over rows and classes."""
    ranks = _rank(np.abs(a), np.abs(b), axis=1)
    known = ranks[np.isfinite(ranks)]
    return float(known.mean()) if known.size else np.nan


def _rank(a: np.ndarray, b: np.ndarray, axis: int = 0) -> np.ndarray:
    """Return Spearman's correlations along an axis, NaN where one side is constant."""
    ranks = [rankdata(np.round(values, 12), axis=axis) for values in (a, b)]
    a, b = (each - each.mean(axis=axis, keepdims=True) for each in ranks)
    size = np.sqrt((a**2).sum(axis=axis) * (b**2).sum(axis=axis))
    unknown = np.full_like(size, np.nan)
    return np.divide((a * b).sum(axis=axis), size, out=unknown, where=size > 0)


def equal_signs(a: np.ndarray, b: np.ndarray) -> float:
    """Return the share of equal signs, each value weighted by its size."""
    # in shares of the total of each side, so that both units count equally
    size = np.zeros(a.shape)
    for values in (a, b):
        total = np.abs(values).sum()
        if total == 0:
            return np.nan
        size += np.abs(values) / total
    return float(size[np.sign(a) == np.sign(b)].sum() / size.sum())
