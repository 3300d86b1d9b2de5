"""Ceteris paribus: the output for each row as one of its columns varies."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from skdnn._runtime.progress import Progress
from skdnn.explain._methods.profiles import (
    Curves,
    curve_table,
    make_profiles,
    single_curves,
)
from skdnn.explain._model.grid import grid_points
from skdnn.explain._model.opening import open_problem
from skdnn.explain._model.options import (
    Features,
    RandomState,
    Step,
    check_count,
    no_step,
)
from skdnn.explain._model.target import Problem, Target
from skdnn.explain._results.profiles import Profiles

_RESOLUTION = 50


def ceteris_paribus(
    estimator: Any,
    X: Any,
    *,
    background: Any = None,
    features: Features = None,
    grid_resolution: int = _RESOLUTION,
    output: str = "probability",
    random_state: RandomState = None,
    verbose: bool = False,
) -> Profiles:
    """Show how the prediction for each row varies with each of its columns.

    Parameters
    ----------
    estimator : object
        A fitted classifier with `predict_proba` and `classes_`.
    X : {array-like, DataFrame} of shape (n_samples, n_features)
        Rows to explain.
    background : like X, default=None
        Rows that define the grids, usually the training data. None takes X.
    features : str, int or list of these, default=None
        Columns to vary, by name or position. None is all.
    grid_resolution : int, default=50
        Maximum number of grid points, in addition to the row's own value. A column with
        more levels has the most frequent ones and "others", or quantiles if the levels
        have an order, such as dates.
    output : {"probability", "log_odds"}, default="probability"
        What is shown.
    random_state : object, default=None
        Unused, as nothing is random; all explain functions accept it.
    verbose : bool, default=False
        Whether a progress line is shown on stderr.

    Returns
    -------
    Profiles
        `frame()` has one row for each explained row, column, class and grid point:
        sample, feature, class, x, value (in units of `output`). Every curve contains
        the row's own value, where its value is the prediction.

    Raises
    ------
    ValueError
        If rows or options are invalid.

    Notes
    -----
    The mean of such curves over many rows is `partial_dependence`. The value at
    "others" (with underscores if a level has this name) is the mean over 20 of the
    other levels of the background, drawn evenly from its rows.

    References
    ----------
    .. [1] Biecek and Burzykowski (2021), Explanatory Model Analysis, chapter 10.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skdnn import explain
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> model = LogisticRegression(max_iter=1000).fit(X, y)
    >>> profile = explain.ceteris_paribus(model, X[:1], background=X, features=3)
    >>> profile.frame().columns.tolist()
    ['sample', 'feature', 'class', 'x', 'value']
    """
    check_count("grid_resolution", grid_resolution, 2)
    del random_state
    problem = open_problem(estimator, X, background=background, output=output)
    positions = problem.target.positions(features)
    with Progress(len(positions), "column", verbose) as progress:
        return compute_ceteris_paribus(
            problem, positions, grid_resolution, progress.step
        )


def compute_ceteris_paribus(
    problem: Problem,
    positions: Sequence[int],
    resolution: int = _RESOLUTION,
    step: Step = no_step,
) -> Profiles:
    """Return a curve for each row along columns."""
    problem = problem.stacked()
    target, X = problem.target, problem.X
    predictions = target.predict(X)
    columns = {j: target.columns[j] for j in positions}
    own = {column.name: column.displayed(X[:, j]) for j, column in columns.items()}

    def table_of(j: int) -> pd.DataFrame:
        points = grid_points(target.columns[j], problem.background[:, j], resolution)
        curves = single_curves(target, X, j, points, problem.background[:, j])
        return _with_own_values(target, X, j, points, curves, predictions)

    method = "Ceteris paribus"
    return make_profiles(
        problem, positions, table_of, resolution, step, method, own=own
    )


def _with_own_values(
    target: Target,
    X: np.ndarray,
    j: int,
    points: np.ndarray,
    curves: Curves,
    predictions: np.ndarray,
) -> pd.DataFrame:
    """Return curves along column j with each row's own value among the grid points."""
    own, k = X[:, j], target.n_classes
    table = curve_table(target, j, points, curves, np.arange(len(X)))
    is_point = np.isin(own, points) | (np.isnan(own) & np.isnan(points).any())
    added = np.flatnonzero(~is_point)
    if not len(added):
        return table
    values = target.split(predictions[added, None])
    extra = curve_table(target, j, own[added, None], values, added)
    # the index in the table, between the neighbours; missing and new values come last
    index = np.searchsorted(points, own[added]) - 0.5
    if not target.columns[j].is_numeric:
        index[:] = len(points) - 0.5
    starts = (added[:, None] * k + np.arange(k)) * len(points)
    keys = np.append(np.arange(len(table)), (starts + index[:, None]).ravel())
    both = pd.concat([table, extra], ignore_index=True)
    return both.iloc[np.argsort(keys, kind="stable")]
