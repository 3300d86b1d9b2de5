"""Accumulated local effects: what small moves of a column do to rows that are near."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from sklearn.utils import check_random_state

from skdnn._runtime.progress import Progress
from skdnn.explain._model.grid import (
    is_ordered,
    level_order,
    profile_table,
    shown,
    take_refits,
    ticks_of,
)
from skdnn.explain._model.names import check_count
from skdnn.explain._model.target import (
    Problem,
    Step,
    Target,
    draw_background,
    no_step,
    open_problem,
)
from skdnn.explain._results.profiles import Profiles

# Cells at which two distributions are compared, at most.
_COMPARED = 100


def accumulated_local_effects(
    estimator,
    X,
    *,
    background=None,
    features=None,
    grid_resolution=50,
    output="probability",
    random_state=None,
    verbose=False,
):
    """Show what each column does to rows that have such cells.

    Parameters
    ----------
    estimator : object
        A fitted classifier with `predict_proba` and `classes_`.
    X : {array-like, DataFrame} of shape (n_samples, n_features)
        Rows to average over, unless there is a background.
    background : like X, default=None
        Rows to average over, at most 100 of them. None takes all of X, which is
        better: effects are averaged within intervals, which hold few rows of few.
    features : str, int or list of these, default=None
        Columns to look at, by name or position. None is all.
    grid_resolution : int, default=50
        Ends of intervals of a column of numbers, at most: quantiles, so that each
        holds as many rows as any other. A column of words has all its levels.
    output : {"probability", "log_odds"}, default="probability"
        What is averaged.
    random_state : int, RandomState or None, default=None
        Draws the background rows.
    verbose : bool, default=False
        Whether one live line on stderr shows progress.

    Returns
    -------
    Profiles
        `frame()` has a row for each column, class and place: feature, class, x, value.
        `value` is a difference, in units of `output`, from the mean over the rows.

    Raises
    ------
    ValueError
        If rows or options cannot be.

    Notes
    -----
    Within each interval, rows are moved to its two ends, and the differences averaged
    and added up [1]_ (equations 15 and 16). No row goes far from where it is, so that
    columns that go together are told apart, where `partial_dependence` asks the
    classifier about rows that cannot be. Between the ends the curve is taken as
    straight, and its mean over the rows is 0: of a linear function the effect is
    exactly the coefficient times the distance from the mean. Rows whose cell is missing
    take no part, unless the column is one of words, where it is a level.

    Levels come in the order of their dtype if it has one. Others are put beside those
    whose rows are like theirs in the other columns, as in the authors' ALEPlot: by the
    first coordinate of multidimensional scaling of distances summed over columns,
    Kolmogorov-Smirnov's for numbers and half the differences of the shares for words.

    References
    ----------
    .. [1] Apley and Zhu (2020), Visualizing the effects of predictor variables in black
       box supervised learning models.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skdnn import explain
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> model = LogisticRegression(max_iter=1000).fit(X, y)
    >>> effects = explain.accumulated_local_effects(model, X, features=3).frame()
    >>> effects.columns.tolist()
    ['feature', 'class', 'x', 'value']
    >>> last = effects[effects["class"] == 2].iloc[-1]
    >>> bool(last["value"] > 0)
    True
    """
    check_count("grid_resolution", grid_resolution, 2)
    problem = open_problem(estimator, X, background=background, output=output)
    positions = problem.target.positions(features)
    if background is not None:
        drawn = draw_background(problem, check_random_state(random_state))
        problem = problem.with_background(drawn)
    with Progress(len(positions), "column", verbose) as progress:
        return compute_accumulated_local_effects(
            problem, positions, grid_resolution, progress.step
        )


def compute_accumulated_local_effects(
    problem: Problem,
    positions: Sequence[int] | None = None,
    resolution: int = 50,
    step: Step = no_step,
) -> Profiles:
    """Return the accumulated effect of each column over all background rows."""
    positions = range(problem.target.n_features) if positions is None else positions
    target, rows = problem.target.stacked(), problem.background
    tables, ticks = [], {}
    for j in positions:
        column = target.columns[j]
        if column.is_numeric:
            places, values = _of_numbers(target, rows, j, resolution)
        else:
            places, values = _of_levels(target, rows, j)
        x = shown(column, places)
        curves, errors = target.split(values[None])
        tables.append(profile_table(column.name, target.class_names, x, curves, errors))
        ticks[column.name] = ticks_of(column, rows[:, j])
        step()
    table = pd.concat(tables, ignore_index=True).drop(columns="sample")
    refits = take_refits(table, target)
    return Profiles(
        table,
        "Accumulated local effects",
        len(rows),
        ticks,
        f"change of the {target.unit}",
        **refits,
    )


def _of_numbers(
    target: Target, rows: np.ndarray, j: int, resolution: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the ends of the intervals and the effect there.

    Returns
    -------
    ends : ndarray of shape (n_ends,)
        Cells that occur.
    values : ndarray of shape (n_ends, n_outputs)
    """
    rows = rows[np.isfinite(rows[:, j])]
    cells = rows[:, j]
    if not len(rows):
        return np.array([np.nan]), np.zeros((1, target.n_outputs))
    shares = np.linspace(0, 1, resolution)
    ends = np.unique(np.quantile(cells, shares, method="inverted_cdf"))
    if len(ends) == 1:
        return ends, np.zeros((1, target.n_outputs))
    # (z_0, z_1] is the first interval; the lowest cells belong to it as well
    interval = np.maximum(np.searchsorted(ends, cells), 1) - 1
    mean = _mean_moves(
        target, rows, j, ends[interval], ends[interval + 1], interval, len(ends) - 1
    )
    values = np.vstack([np.zeros(target.n_outputs), np.cumsum(mean, axis=0)])
    at_rows = [np.interp(cells, ends, curve).mean() for curve in values.T]
    return ends, values - at_rows


def _of_levels(
    target: Target, rows: np.ndarray, j: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the levels in their order and the effect of each.

    Between two levels that follow each other, the rows of both are moved to the other.

    Returns
    -------
    levels : ndarray of shape (n_levels,)
    values : ndarray of shape (n_levels, n_outputs)
    """
    levels, place = np.unique(rows[:, j], return_inverse=True)
    order = _order_of_levels(target, rows, j, levels, place)
    levels, place = levels[order], np.argsort(order)[place]
    last = len(levels) - 1
    up, down = np.flatnonzero(place < last), np.flatnonzero(place > 0)
    step = np.append(place[up], place[down] - 1)
    both = rows[np.append(up, down)]
    mean = _mean_moves(target, both, j, levels[step], levels[step + 1], step, last)
    values = np.vstack([np.zeros(target.n_outputs), np.cumsum(mean, axis=0)])
    shares = np.bincount(place) / len(place)
    return levels, values - shares @ values


def _mean_moves(
    target: Target,
    rows: np.ndarray,
    j: int,
    low: np.ndarray,
    high: np.ndarray,
    group: np.ndarray,
    n_groups: int,
) -> np.ndarray:
    """Return what moving a cell from low to high does, on average in each group.

    Parameters
    ----------
    low, high : ndarray of shape (n_rows,)
        Between which each row's cell in column j is moved.
    group : ndarray of shape (n_rows,)
        The group of each row; all have rows.

    Returns
    -------
    ndarray of shape (n_groups, n_outputs)
    """
    sums = np.zeros((n_groups, target.n_outputs))
    for start in range(0, len(rows), target.block_rows):
        part = slice(start, start + target.block_rows)
        above, below = rows[part].copy(), rows[part].copy()
        above[:, j], below[:, j] = high[part], low[part]
        moves = target.predict(above, copy=False) - target.predict(below, copy=False)
        for k, column in enumerate(moves.T):
            sums[:, k] += np.bincount(group[part], column, minlength=n_groups)
    return sums / np.bincount(group, minlength=n_groups)[:, None]


def _order_of_levels(
    target: Target, rows: np.ndarray, j: int, levels: np.ndarray, place: np.ndarray
) -> np.ndarray:
    """Return the order in which levels follow each other."""
    listed = level_order(target.columns[j], levels)
    order = np.searchsorted(levels, listed)
    if len(levels) < 3 or is_ordered(target.columns[j]):
        return order
    distance = np.zeros((len(levels), len(levels)))
    for other, column in enumerate(target.columns):
        if other != j:
            distance += _distances(
                rows[:, other], column.is_numeric, place, len(levels)
            )
    centre = np.eye(len(levels)) - 1 / len(levels)
    inner = -0.5 * centre @ distance**2 @ centre
    along = np.linalg.eigh(inner)[1][:, -1]
    # either end could be the first: let it be that of the level listed first
    if along[order[0]] > along[order[-1]]:
        along = -along
    return order[np.argsort(np.round(along[order], 9), kind="stable")]


def _distances(
    cells: np.ndarray, is_numeric: bool, place: np.ndarray, n_levels: int
) -> np.ndarray:
    """Return how different a column's cells are between the rows of each two levels.

    Returns
    -------
    ndarray of shape (n_levels, n_levels)
        From 0, the same distribution, to 1.
    """
    from scipy.spatial.distance import pdist, squareform

    seen, code = np.unique(cells, return_inverse=True)
    n_bins = len(seen)
    if is_numeric and n_bins > _COMPARED:
        n_bins = _COMPARED
        code = code * n_bins // len(seen)
    counts = np.zeros((n_levels, n_bins))
    np.add.at(counts, (place, code), 1)
    shares = counts / counts.sum(axis=1, keepdims=True)
    if is_numeric:  # what is missing sorts last
        return squareform(pdist(np.cumsum(shares, axis=1), "chebyshev"))
    return squareform(pdist(shares, "cityblock")) / 2
