"""Accumulated local effects: the effect of small changes of a column on nearby rows."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from skdnn._runtime.progress import Progress
from skdnn.explain._methods.profiles import curve_table, make_profiles
from skdnn.explain._model.columns import OTHERS
from skdnn.explain._model.grid import output_differences
from skdnn.explain._model.levels import gather_levels, has_others, levels_for_others
from skdnn.explain._model.opening import open_averaging_problem
from skdnn.explain._model.options import (
    Features,
    RandomState,
    Step,
    check_count,
    no_step,
)
from skdnn.explain._model.target import Problem, Target
from skdnn.explain._results.profiles import ACCUMULATED, Profiles

_RESOLUTION = 50
# Maximum number of values at which two distributions are compared.
_MAX_COMPARED = 100


def accumulated_local_effects(
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
    """Show the effect of each column on rows that have such values.

    Parameters
    ----------
    estimator : object
        A fitted classifier with `predict_proba` and `classes_`.
    X : {array-like, DataFrame} of shape (n_samples, n_features)
        Rows to average over, unless there is a background.
    background : like X, default=None
        Rows to average over, at most 100. None takes all of X, which is better: few
        rows leave few in each interval.
    features : str, int or list of these, default=None
        Columns to vary, by name or position. None is all.
    grid_resolution : int, default=50
        Maximum number of interval ends: quantiles of numbers, dates and other levels
        with an order, so that all intervals hold equally many rows. Of other columns
        with more levels, the most frequent ones and last "others".
    output : {"probability", "log_odds"}, default="probability"
        What is averaged.
    random_state : int, RandomState or None, default=None
        Draws the background rows.
    verbose : bool, default=False
        Whether a progress line is shown on stderr.

    Returns
    -------
    Profiles
        `frame()` has one row for each column, class and grid point: feature, class, x,
        value (difference from the mean over the rows, in units of `output`).

    Raises
    ------
    ValueError
        If rows or options are invalid.

    Notes
    -----
    Rows are moved to the two ends of their interval; the differences are averaged and
    accumulated [1]_ (equations 15 and 16). Rows change little, which separates the
    effects of correlated columns; `partial_dependence` evaluates rows that do not
    occur. Between the ends the curve is linear, and its mean over the rows is 0: the
    effect of a linear function is the coefficient times the distance from the mean.
    Rows whose value is missing are left out of numeric columns; in others missing is a
    category.

    Categories are in the order of their dtype if it has one. Otherwise, as in the
    authors' ALEPlot, it is the first coordinate of multidimensional scaling of
    distances summed over the other columns: Kolmogorov-Smirnov's for numeric ones, half
    the differences of the shares for others. "others" (with underscores if a level has
    this name) stands for all rare levels: rows move to their own one, or, if they have
    none, to that of one row, drawn evenly.

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
    problem = open_averaging_problem(estimator, X, background, output, random_state)
    positions = problem.target.positions(features)
    with Progress(len(positions), "column", verbose) as progress:
        return compute_accumulated_local_effects(
            problem, positions, grid_resolution, progress.step
        )


def compute_accumulated_local_effects(
    problem: Problem,
    positions: Sequence[int],
    resolution: int = _RESOLUTION,
    step: Step = no_step,
) -> Profiles:
    """Return the accumulated effects over all background rows along columns."""
    problem = problem.stacked()
    target, rows = problem.target, problem.background

    def table_of(j: int) -> pd.DataFrame:
        if target.columns[j].is_numeric:
            points, effects = _numeric_effects(target, rows, j, resolution)
        else:
            points, effects = _category_effects(target, rows, j, resolution)
        return curve_table(target, j, points, target.split(effects[None]))

    unit = f"change of the {target.unit}"
    return make_profiles(
        problem, positions, table_of, resolution, step, ACCUMULATED, unit
    )


def _numeric_effects(
    target: Target, rows: np.ndarray, j: int, resolution: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the ends of intervals, and the effects there, (n_ends, n_outputs)."""
    rows = rows[np.isfinite(rows[:, j])]
    cells = rows[:, j]
    ends, shares = np.array([np.nan]), np.linspace(0, 1, resolution)
    if len(rows):
        ends = np.unique(np.quantile(cells, shares, method="inverted_cdf"))
    if len(ends) == 1:
        return ends, np.zeros((1, target.n_outputs))
    # (z_0, z_1] is the first interval; the lowest values belong to it as well
    interval = np.maximum(np.searchsorted(ends, cells), 1) - 1
    effects = _accumulated(target, rows, j, ends, interval)
    means = [np.interp(cells, ends, curve).mean() for curve in effects.T]
    return ends, effects - means


def _category_effects(
    target: Target, rows: np.ndarray, j: int, resolution: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the ordered categories and their effects, (n_categories, n_outputs).

    The rows of two neighbouring categories are moved from the first to the second.
    """
    codes, place = gather_levels(target.columns[j], rows[:, j], resolution)
    order = _category_order(target, rows, j, codes, place)
    codes, place = codes[order], np.argsort(order)[place]
    last = len(codes) - 1
    up, down = np.flatnonzero(place < last), np.flatnonzero(place > 0)
    interval = np.append(place[up], place[down] - 1)
    both = rows[np.append(up, down)]
    effects = _accumulated(target, both, j, codes, interval)
    shares = np.bincount(place) / len(place)
    return codes, effects - shares @ effects


def _accumulated(
    target: Target, rows: np.ndarray, j: int, ends: np.ndarray, interval: np.ndarray
) -> np.ndarray:
    """Return the mean changes over the rows' intervals, accumulated, at their ends."""
    n = len(ends) - 1  # every interval has rows
    low, high = ends[interval], ends[interval + 1]
    if has_others(ends):
        others = levels_for_others(ends, rows[:, j])
        low, high = (np.where(side == OTHERS, others, side) for side in (low, high))
    sums = np.zeros((n, target.n_outputs))
    for part, changes in output_differences(target, rows, j, low, high):
        for k, column in enumerate(changes.T):
            sums[:, k] += np.bincount(interval[part], column, minlength=n)
    means = sums / np.bincount(interval, minlength=n)[:, None]
    return np.vstack([np.zeros(target.n_outputs), np.cumsum(means, axis=0)])


def _category_order(
    target: Target, rows: np.ndarray, j: int, codes: np.ndarray, place: np.ndarray
) -> np.ndarray:
    """Return the order of the categories; `place` is that of each row in `codes`."""
    order = np.arange(len(codes))
    n = len(codes) - has_others(codes)  # they stay last
    if n < 3 or target.columns[j].is_ordered:
        return order
    rows, place = rows[place < n], place[place < n]
    distance = np.zeros((n, n))
    for other, column in enumerate(target.columns):
        if other != j:
            distance += category_distances(rows[:, other], column.is_numeric, place, n)
    centre = np.eye(n) - 1 / n
    inner = -0.5 * centre @ distance**2 @ centre
    along = np.linalg.eigh(inner)[1][:, -1]
    # the sign is arbitrary: the category listed first comes before that listed last
    if along[0] > along[-1]:
        along = -along
    order[:n] = np.argsort(np.round(along, 9), kind="stable")
    return order


def category_distances(
    cells: np.ndarray, is_numeric: bool, place: np.ndarray, n_categories: int
) -> np.ndarray:
    """Return the distance, from 0 to 1, of a column between each two categories.

    `place` is the category of each row.
    """
    from scipy.spatial.distance import pdist, squareform

    values, code = np.unique(cells, return_inverse=True)
    n_bins = len(values)
    if is_numeric and n_bins > _MAX_COMPARED:
        n_bins = _MAX_COMPARED
        code = code * n_bins // len(values)
    counts = np.zeros((n_categories, n_bins))
    np.add.at(counts, (place, code), 1)
    shares = counts / counts.sum(axis=1, keepdims=True)
    if is_numeric:  # missing values sort last
        distances = pdist(np.cumsum(shares, axis=1), "chebyshev")
    else:
        distances = pdist(shares, "cityblock") / 2
    return np.asarray(squareform(distances))
