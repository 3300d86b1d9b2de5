"""Profiles: the output as one column moves and the others stay as they are."""

import numpy as np
import pandas as pd
from sklearn.utils import check_random_state

from skdnn._progress import Progress
from skdnn.explain._tables import Profiles
from skdnn.explain._target import (
    Problem,
    Step,
    Target,
    check_count,
    draw_background,
    open_problem,
)


def partial_dependence(
    estimator,
    X,
    *,
    background=None,
    features=None,
    grid_resolution=50,
    ice=False,
    random_state=None,
    verbose=False,
):
    """Show how the mean prediction moves with each column.

    Parameters
    ----------
    estimator : object
        A fitted classifier with `predict_proba` and `classes_`.
    X : {array-like, DataFrame} of shape (n_samples, n_features)
        Rows to average over, unless there is a background.
    background : like X, default=None
        Rows to average over, at most 100 of them. None takes all of X.
    features : str, int or list of these, default=None
        Columns to look at, by name or position. None is all.
    grid_resolution : int, default=50
        Places at which a numeric column is looked at, at most; its own values if there
        are no more of them. A column of words is looked at at every level.
    ice : bool, default=False
        Whether there is a curve for each row instead of their mean.
    random_state : int, RandomState or None, default=None
        Draws the background rows.
    verbose : bool, default=False
        Whether one live line on stderr shows progress.

    Returns
    -------
    Profiles
        `frame()` has a row for each column, class and place: feature, class, x, value
        (a probability), and `sample` with `ice`.

    Raises
    ------
    ValueError
        If rows or options cannot be.

    References
    ----------
    .. [1] Friedman (2001), Greedy function approximation: a gradient boosting machine.
    .. [2] Goldstein et al. (2015), Peeking inside the black box.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skdnn import explain
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> model = LogisticRegression(max_iter=1000).fit(X, y)
    >>> profile = explain.partial_dependence(model, X, features="petal width (cm)")
    >>> profile.frame().columns.tolist()
    ['feature', 'class', 'x', 'value']
    """
    check_count("grid_resolution", grid_resolution, 2)
    problem = open_problem(estimator, X, background=background)
    if background is not None:
        drawn = draw_background(problem, check_random_state(random_state))
        problem = problem.with_background(drawn)
    positions = problem.target.positions(features)
    with Progress(len(positions), "column", verbose) as progress:
        return _compute(problem, positions, grid_resolution, ice, progress.step)


def _compute(
    problem: Problem,
    features: list[int],
    grid_resolution: int,
    ice: bool,
    step: Step,
) -> Profiles:
    """Return the mean output over the background rows along each column.

    Friedman (2001), section 8.2: every background row is given each value of the grid
    in turn. With `ice`, a curve for each row (Goldstein et al., 2015).

    Parameters
    ----------
    problem : Problem
        Its background rows are averaged over.
    features : list of int
        Positions of the columns.
    grid_resolution : int
        Places on the grid of a numeric column, at most.
    ice : bool
        Whether each row has a curve of its own.
    step : callable
        Called after each column.
    """
    tables, ticks = [], {}
    for j in features:
        grid, tick = _grid(problem, j, grid_resolution)
        curves = _curves(problem.target, problem.background, j, grid, ice)
        name = problem.target.columns[j].name
        x = problem.target.columns[j].decode(grid)
        tables.append(_table(name, problem.target.class_names, x, curves, ice))
        ticks[name] = tick
        step()
    return Profiles(
        pd.concat(tables, ignore_index=True),
        "Individual conditional expectation" if ice else "Partial dependence",
        len(problem.background),
        ticks,
    )


def _grid(problem: Problem, j: int, resolution: int):
    """Return where a column is looked at, and what is known of its cells."""
    cells = problem.background[:, j]
    if not problem.target.columns[j].is_numeric:
        levels, counts = np.unique(cells, return_counts=True)
        return levels, counts / counts.sum()
    cells = cells[~np.isnan(cells)]
    if not len(cells):
        return np.array([np.nan]), np.array([])
    grid = np.unique(cells)
    if len(grid) > resolution:
        # the outermost values are met by few rows
        low, high = np.quantile(cells, [0.025, 0.975])
        grid = np.unique(np.linspace(low, high, resolution))
        dtype = problem.target.columns[j].dtype
        if pd.api.types.is_integer_dtype(dtype):
            grid = np.unique(np.round(grid))
    return grid, np.quantile(cells, np.arange(0.1, 1, 0.1))


def _curves(target: Target, rows: np.ndarray, j: int, grid, ice: bool) -> np.ndarray:
    """Return the output at every place, of every row or on average.

    Returns
    -------
    ndarray of shape (n_rows or 1, n_grid, n_classes)
    """
    curves = np.empty((len(rows) if ice else 1, len(grid), target.n_classes))
    moved = rows.copy()
    for g, value in enumerate(grid):
        moved[:, j] = value
        output = target.predict(moved)
        curves[:, g] = output if ice else output.mean(axis=0)
    return curves


def _table(name, class_names, x, curves, ice) -> pd.DataFrame:
    n, n_grid, k = curves.shape
    x = np.asarray(x, dtype=float if pd.api.types.is_numeric_dtype(x) else object)
    table = pd.DataFrame(
        {
            "feature": name,
            "class": np.tile(np.repeat(class_names, n_grid), n),
            "x": np.tile(x, n * k),
            "value": curves.transpose(0, 2, 1).ravel(),
        }
    )
    if ice:
        table.insert(0, "sample", np.repeat(np.arange(n), n_grid * k))
    return table
