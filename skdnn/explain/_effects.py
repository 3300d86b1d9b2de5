"""Average conditional effects: how steep the output is along each column."""

import numpy as np
import pandas as pd
from sklearn.utils import check_random_state

from skdnn._progress import Progress
from skdnn.explain._columns import Column
from skdnn.explain._grid import as_held, is_ordered, level_order, outputs_at, shown
from skdnn.explain._tables import Table
from skdnn.explain._target import (
    Problem,
    Step,
    Target,
    draw_background,
    open_problem,
)

# Steps, in standard deviations of the column; cito's own.
_STEP = 0.1


def average_conditional_effects(
    estimator,
    X,
    *,
    background=None,
    features=None,
    output="probability",
    random_state=None,
    verbose=False,
):
    """Measure how the output changes per unit of each column, on average.

    Parameters
    ----------
    estimator : object
        A fitted classifier with `predict_proba` and `classes_`.
    X : {array-like, DataFrame} of shape (n_samples, n_features)
        Rows to average over, unless there is a background.
    background : like X, default=None
        Rows to average over, at most 100 of them. None takes all of X.
    features : str, int or list of these, default=None
        Columns to measure, by name or position. None is all.
    output : {"probability", "log_odds"}, default="probability"
        What changes.
    random_state : int, RandomState or None, default=None
        Draws the background rows.
    verbose : bool, default=False
        Whether one live line on stderr shows progress.

    Returns
    -------
    Table
        `frame()` has a row for each column and class: feature, class, effect (in units
        of `output` per unit of the column), std_error, ci_low, ci_high (over refits;
        NaN without). Where there are columns of words, `level` and `reference` stand
        after `feature`, and there is a row for each level: its effect is that of the
        level instead of the reference.

    Raises
    ------
    ValueError
        If rows or options cannot be.

    Notes
    -----
    The effect is the mean over the rows of the slope of the output [1]_: the
    difference over a tenth of the column's standard deviation, as in cito [2]_, here
    with the row's cell in its middle and never beyond the cells that occur. Whole
    numbers are moved by whole steps, and rows whose cell is missing take no part. A
    column that does not vary has no effect: 0. Of a linear output the effect is the
    coefficient.

    The reference is the first level of a column with an order, such as truth values,
    else the most frequent one.

    References
    ----------
    .. [1] Pichler and Hartig (2023), Can predictive models be used for causal
       inference?
    .. [2] Amesöder, Hartig and Pichler (2024), 'cito': an R package for training
       neural networks using 'torch'.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skdnn import explain
    >>> X, y = load_breast_cancer(return_X_y=True, as_frame=True)
    >>> X = X[["mean radius", "mean texture"]]
    >>> model = LogisticRegression().fit(X, y)
    >>> table = explain.average_conditional_effects(model, X, output="log_odds")
    >>> effects = table.frame()
    >>> of_benign = effects[effects["class"] == 1]["effect"]
    >>> bool(abs(of_benign - model.coef_[0]).max() < 1e-6)
    True
    """
    problem = open_problem(estimator, X, background=background, output=output)
    positions = problem.target.positions(features)
    if background is not None:
        drawn = draw_background(problem, check_random_state(random_state))
        problem = problem.with_background(drawn)
    with Progress(len(positions), "column", verbose) as progress:
        return _compute(problem, positions, progress.step)


def _compute(problem: Problem, positions: list[int], step: Step) -> Table:
    """Return the effect of each column."""
    target, rows = problem.target, problem.background
    tables = []
    for j in positions:
        column = target.columns[j]
        if column.is_numeric:
            part = pd.DataFrame({"effect": _slope(target, rows, j)})
        else:
            part = _contrasts(target, rows, j)
        part["feature"] = column.name
        part["class"] = np.tile(target.class_names, len(part) // target.n_classes)
        tables.append(part)
        step()
    table = pd.concat(tables, ignore_index=True)
    table[["std_error", "ci_low", "ci_high"]] = np.nan
    words = ["level", "reference"] if "level" in table else []
    order = ["feature", *words, "class", "effect", "std_error", "ci_low", "ci_high"]
    return Table(
        table[order], f"Average conditional effects on the {target.unit}", "effects"
    )


def _slope(target: Target, rows: np.ndarray, j: int) -> np.ndarray:
    """Return the mean slope along a column of numbers.

    Returns
    -------
    ndarray of shape (n_classes,)
    """
    rows = rows[np.isfinite(rows[:, j])]
    if not len(rows) or np.ptp(rows[:, j]) == 0:
        return np.zeros(target.n_classes)
    low, high = _ends(target.columns[j], rows[:, j])
    below, above = rows.copy(), rows.copy()
    below[:, j], above[:, j] = low, high
    rise = target.predict(above) - target.predict(below)
    return (rise / (high - low)[:, None]).mean(axis=0)


def _ends(column: Column, cells: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return where each row is moved to, below and above its cell.

    Both lie among the cells that occur, as far apart for one row as for any other.
    """
    lowest, highest = cells.min(), cells.max()
    width = min(_STEP * cells.std(), highest - lowest)
    half = width / 2
    if pd.api.types.is_integer_dtype(column.dtype):
        width = max(1.0, np.round(width))
        half = np.floor(width / 2)
    low = np.clip(cells - half, lowest, highest - width)
    low, high = as_held(column, low), as_held(column, low + width)
    # so small a step may be lost in the rounding of large numbers
    lost = low == high
    low[lost], high[lost] = lowest, highest
    return low, high


def _contrasts(target: Target, rows: np.ndarray, j: int) -> pd.DataFrame:
    """Return the mean effect of each level instead of the reference.

    Returns
    -------
    DataFrame
        A row a level and class: level, reference, effect.
    """
    column = target.columns[j]
    levels, counts = np.unique(rows[:, j], return_counts=True)
    listed = level_order(column, levels)
    counts = counts[np.searchsorted(levels, listed)]
    first = 0 if is_ordered(column) else int(counts.argmax())
    means = np.empty((len(listed), target.n_classes))
    for part, output in outputs_at(target, rows, [j], listed[:, None]):
        means[part] = output.mean(axis=1)
    others = np.delete(np.arange(len(listed)), first)
    names = shown(column, listed)
    if not len(others):  # a level instead of itself
        others = np.array([first])
    k = target.n_classes
    return pd.DataFrame(
        {
            "level": np.repeat(names[others], k),
            "reference": np.repeat(names[[first] * len(others)], k),
            "effect": (means[others] - means[first]).ravel(),
        }
    )
