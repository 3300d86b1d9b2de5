"""Partial dependence: the mean output as one column, or two, vary."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from skdnn._runtime.progress import Progress
from skdnn.explain._methods.profiles import (
    average_curve,
    curve_table,
    make_profiles,
    single_curves,
)
from skdnn.explain._model.grid import grid_points, outputs_at
from skdnn.explain._model.levels import levels_for_others
from skdnn.explain._model.names import positions_of
from skdnn.explain._model.opening import open_averaging_problem
from skdnn.explain._model.options import RandomState, Step, check_count, no_step
from skdnn.explain._model.target import Problem
from skdnn.explain._results.profiles import Profiles

_RESOLUTION, _RESOLUTION_OF_PAIRS = 50, 20


def partial_dependence(
    estimator: Any,
    X: Any,
    *,
    background: Any = None,
    features: Any = None,
    grid_resolution: int | None = None,
    ice: bool = False,
    output: str = "probability",
    random_state: RandomState = None,
    verbose: bool = False,
) -> Profiles:
    """Show how the mean prediction varies with each column, or with two at once.

    Parameters
    ----------
    estimator : object
        A fitted classifier with `predict_proba` and `classes_`.
    X : {array-like, DataFrame} of shape (n_samples, n_features)
        Rows to average over, unless there is a background.
    background : like X, default=None
        Rows to average over, at most 100. None takes all of X.
    features : str, int, list of these or list of pairs, default=None
        Columns to vary, by name or position. None is all. A list of pairs, such as
        ``[("age", "income")]``, varies two columns at once.
    grid_resolution : int, default=None
        Maximum number of grid points: the column's own values if there are no more,
        else numbers evenly spread over their central 95%, quantiles of dates and other
        levels with an order, or the most frequent levels and last "others". None is 50,
        or 20 for each column of a pair.
    ice : bool, default=False
        Whether there is one curve for each row instead of their mean; not for pairs.
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
        value (in units of `output`), and `sample` with `ice`. For pairs: feature,
        feature_2, class, x, x_2, value.

    Raises
    ------
    ValueError
        If rows or options are invalid.

    Notes
    -----
    Every row is given each grid point in turn [1]_ (equation 53), whether or not such
    rows occur; `accumulated_local_effects` avoids rows that do not.

    "others" (with underscores if a level has this name) stands for all rare levels,
    none of which is invented: a row with a rare level keeps it, and each other row is
    given that of one row, drawn evenly. With `ice` it is each row's mean over 20 rare
    levels.

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
    >>> both = explain.partial_dependence(model, X, features=[(2, 3)])
    >>> both.frame()[["feature", "feature_2"]].iloc[0].tolist()
    ['petal length (cm)', 'petal width (cm)']
    """
    if grid_resolution is not None:
        check_count("grid_resolution", grid_resolution, 2)
    problem = open_averaging_problem(estimator, X, background, output, random_state)
    pairs = _pairs(features, problem.target.feature_names)
    if pairs and ice:
        raise ValueError("`ice` must be False for pairs of columns. Got True.")
    positions: Sequence[Any] = pairs or problem.target.positions(features)
    with Progress(len(positions), "column", verbose) as progress:
        if pairs:
            resolution = grid_resolution or _RESOLUTION_OF_PAIRS
            return _of_pairs(problem, pairs, resolution, progress.step)
        return compute_partial_dependence(
            problem, positions, grid_resolution or _RESOLUTION, ice, progress.step
        )


def _pairs(features: Any, names: list[str]) -> list[list[int]]:
    """Return the positions of pairs of columns; none if `features` are columns."""
    if features is None or isinstance(features, str | int | np.integer):
        return []
    pairs = [entry for entry in features if isinstance(entry, list | tuple)]
    if pairs and (len(pairs) < len(features) or any(len(pair) != 2 for pair in pairs)):
        raise ValueError(
            "`features` must be columns, or pairs of columns, and not both. Got "
            f"{features!r}; call once for each."
        )
    return [positions_of("features", pair, names) for pair in pairs]


def compute_partial_dependence(
    problem: Problem,
    positions: Sequence[int],
    resolution: int = _RESOLUTION,
    ice: bool = False,
    step: Step = no_step,
) -> Profiles:
    """Return the mean output over all background rows, or of each, along columns."""
    problem = problem.stacked()
    target, rows = problem.target, problem.background
    samples = np.arange(len(rows)) if ice else None

    def table_of(j: int) -> pd.DataFrame:
        points = grid_points(target.columns[j], rows[:, j], resolution)
        if ice:
            curves = single_curves(target, rows, j, points, rows[:, j])
        else:
            curves = average_curve(target, rows, j, points)
        return curve_table(target, j, points, curves, samples)

    method = "Individual conditional expectation" if ice else "Partial dependence"
    return make_profiles(problem, positions, table_of, resolution, step, method)


def _of_pairs(
    problem: Problem, pairs: Sequence[Sequence[int]], resolution: int, step: Step
) -> Profiles:
    """Return the mean output over the background on the grid of each two columns."""
    problem = problem.stacked()
    target, rows = problem.target, problem.background

    def table_of(pair: Sequence[int]) -> pd.DataFrame:
        second = target.columns[pair[1]]
        sides = [grid_points(target.columns[j], rows[:, j], resolution) for j in pair]
        each = zip(sides, pair, strict=True)
        others = [levels_for_others(side, rows[:, j]) for side, j in each]
        points = np.stack(np.meshgrid(*sides, indexing="ij"), axis=-1).reshape(-1, 2)
        means = np.empty((1, len(points), target.n_outputs))
        for part, output in outputs_at(
            target, rows, pair, points, np.column_stack(others)
        ):
            means[0, part] = output.mean(axis=1)
        table = curve_table(target, pair[0], points[:, 0], target.split(means))
        table.insert(1, "feature_2", second.name)
        x_2 = np.tile(second.displayed(points[:, 1]), target.n_classes)
        table.insert(table.columns.get_loc("x") + 1, "x_2", x_2)
        return table

    method = "Partial dependence on two columns"
    return make_profiles(problem, pairs, table_of, resolution, step, method)
