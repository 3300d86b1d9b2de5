"""Partial dependence: the mean output as one column, or two, move."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from sklearn.utils import check_random_state

from skdnn._runtime.progress import Progress
from skdnn.explain._model.grid import (
    outputs_at,
    places_of,
    profile_table,
    shown,
    take_refits,
    ticks_of,
)
from skdnn.explain._model.names import check_count, positions_of
from skdnn.explain._model.target import (
    Problem,
    Step,
    draw_background,
    no_step,
    open_problem,
)
from skdnn.explain._results.profiles import Profiles

_RESOLUTION, _RESOLUTION_OF_PAIRS = 50, 20


def partial_dependence(
    estimator,
    X,
    *,
    background=None,
    features=None,
    grid_resolution=None,
    ice=False,
    output="probability",
    random_state=None,
    verbose=False,
):
    """Show how the mean prediction moves with each column, or with two at once.

    Parameters
    ----------
    estimator : object
        A fitted classifier with `predict_proba` and `classes_`.
    X : {array-like, DataFrame} of shape (n_samples, n_features)
        Rows to average over, unless there is a background.
    background : like X, default=None
        Rows to average over, at most 100 of them. None takes all of X.
    features : str, int, list of these or list of pairs, default=None
        Columns to look at, by name or position. None is all. A list of pairs, such as
        ``[("age", "income")]``, looks at two columns at once.
    grid_resolution : int, default=None
        Places at which a column of numbers is looked at, at most; its own values if
        there are no more of them, else evenly spread over the middle 95 % of them. A
        column of words is looked at at every level. None is 50, or 20 for each of a
        pair.
    ice : bool, default=False
        Whether there is a curve for each row instead of their mean; not of pairs.
    output : {"probability", "log_odds"}, default="probability"
        What is averaged.
    random_state : int, RandomState or None, default=None
        Draws the background rows.
    verbose : bool, default=False
        Whether one live line on stderr shows progress.

    Returns
    -------
    Profiles
        `frame()` has a row for each column, class and place: feature, class, x, value
        (in units of `output`), and `sample` with `ice`. Of pairs: feature, feature_2,
        class, x, x_2, value.

    Raises
    ------
    ValueError
        If rows or options cannot be.

    Notes
    -----
    Every row is given each place in turn [1]_ (equation 53), whether or not such rows
    occur. Where columns go together, `accumulated_local_effects` leaves such rows out.

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
    problem = open_problem(estimator, X, background=background, output=output)
    pairs = _pairs(features, problem.target.feature_names)
    if pairs and ice:
        raise ValueError("`ice` must be False for pairs of columns. Got True.")
    positions = [] if pairs else problem.target.positions(features)
    if background is not None:
        drawn = draw_background(problem, check_random_state(random_state))
        problem = problem.with_background(drawn)
    with Progress(len(pairs or positions), "column", verbose) as progress:
        if pairs:
            resolution = grid_resolution or _RESOLUTION_OF_PAIRS
            return compute_partial_dependence_of_pairs(
                problem, pairs, resolution, progress.step
            )
        resolution = grid_resolution or _RESOLUTION
        return compute_partial_dependence(
            problem, positions, resolution, ice, progress.step
        )


def _pairs(features, names: list[str]) -> list[list[int]]:
    """Return the positions of pairs of columns; none if `features` are columns."""
    if features is None or isinstance(features, str | int | np.integer):
        return []
    given = [isinstance(entry, list | tuple) for entry in features]
    if not any(given):
        return []
    if not all(given) or any(len(pair) != 2 for pair in features):
        raise ValueError(
            "`features` must be columns, or pairs of columns, and not both. Got "
            f"{features!r}; call once for each."
        )
    return [positions_of("features", pair, names) for pair in features]


def compute_partial_dependence(
    problem: Problem,
    positions: Sequence[int] | None = None,
    resolution: int = _RESOLUTION,
    ice: bool = False,
    step: Step = no_step,
) -> Profiles:
    """Return the mean output over the background, or every row's, along each column.

    All background rows are used; None is all columns.
    """
    positions = range(problem.target.n_features) if positions is None else positions
    target, rows = problem.target.stacked(), problem.background
    tables, ticks = [], {}
    for j in positions:
        column, cells = target.columns[j], rows[:, j]
        places = places_of(column, cells, resolution)
        curves = np.empty((len(rows) if ice else 1, len(places), target.n_classes))
        errors = np.empty_like(curves) if target.n_refits else None
        for part, output in outputs_at(target, rows, [j], places[:, None]):
            told = output.transpose(1, 0, 2) if ice else output.mean(axis=1)[None]
            curves[:, part], apart = target.split(told)
            if errors is not None:
                errors[:, part] = apart
        x = shown(column, places)
        tables.append(profile_table(column.name, target.class_names, x, curves, errors))
        ticks[column.name] = ticks_of(column, cells)
        step()
    table = pd.concat(tables, ignore_index=True)
    refits = take_refits(table, target)
    return Profiles(
        table if ice else table.drop(columns="sample"),
        "Individual conditional expectation" if ice else "Partial dependence",
        len(rows),
        ticks,
        target.unit,
        **refits,
    )


def compute_partial_dependence_of_pairs(
    problem: Problem,
    pairs: Sequence[Sequence[int]],
    resolution: int = _RESOLUTION_OF_PAIRS,
    step: Step = no_step,
) -> Profiles:
    """Return the mean output over the grid of each pair of columns."""
    target, rows = problem.target.stacked(), problem.background
    tables, ticks = [], {}
    for pair in pairs:
        first, second = (target.columns[j] for j in pair)
        sides = [places_of(target.columns[j], rows[:, j], resolution) for j in pair]
        places = np.stack(np.meshgrid(*sides, indexing="ij"), axis=-1).reshape(-1, 2)
        means = np.empty((len(places), target.n_outputs))
        for part, output in outputs_at(target, rows, list(pair), places):
            means[part] = output.mean(axis=1)
        values, errors = target.split(means)
        k, n = target.n_classes, len(places)
        table = pd.DataFrame(
            {
                "feature": first.name,
                "feature_2": second.name,
                "class": np.repeat(target.class_names, n),
                "x": np.tile(shown(first, places[:, 0]), k),
                "x_2": np.tile(shown(second, places[:, 1]), k),
                "value": values.T.ravel(),
            }
        )
        if errors is not None:
            table["refit_error"] = errors.T.ravel()
        tables.append(table)
        for j in pair:
            ticks[target.columns[j].name] = ticks_of(target.columns[j], rows[:, j])
        step()
    table = pd.concat(tables, ignore_index=True)
    refits = take_refits(table, target)
    return Profiles(
        table,
        "Partial dependence on two columns",
        len(rows),
        ticks,
        target.unit,
        **refits,
    )
