"""Average conditional effects: how steep the output is along each column."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from sklearn.utils import check_random_state

from skdnn._runtime.progress import Progress
from skdnn.explain._model.columns import Column
from skdnn.explain._model.grid import (
    as_held,
    is_ordered,
    level_order,
    outputs_at,
    shown,
)
from skdnn.explain._model.target import (
    Problem,
    Step,
    Target,
    draw_background,
    no_step,
    open_problem,
)
from skdnn.explain._results.intervals import t_quantile
from skdnn.explain._results.tables import ResultTable

_MEASURED = ["effect", "data_error", "refit_error", "n_rows"]
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
        of `output` per unit of the column), std_error, ci_low, ci_high (95 %, over
        the members of an ensemble; NaN for all else). Where there are columns of
        words, `level` and `reference` stand after `feature`, and there is a row for
        each level: its effect is that of the level instead of the reference.

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

    Of an ensemble, `std_error` is the standard deviation of the effect over the
    members, and the interval one of Student's t: where members were fitted to
    bootstrap samples, it is the interval of the training rows, seeds included
    (Efron and Tibshirani, 1993, section 12.2).

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
        return compute_average_conditional_effects(problem, positions, progress.step)


def compute_average_conditional_effects(
    problem: Problem, positions: Sequence[int] | None = None, step: Step = no_step
) -> ResultTable:
    """Return mean effects over all background rows, with errors over the members."""
    positions = range(problem.target.n_features) if positions is None else positions
    table, target = measure_effects(problem, positions, step), problem.target.stacked()
    error, n_refits = table["refit_error"], target.n_refits
    reach = t_quantile(0.95, n_refits - 1) * error if n_refits else error
    table = table.drop(columns=_MEASURED[1:]).assign(
        std_error=error,
        ci_low=table["effect"] - reach,
        ci_high=table["effect"] + reach,
    )
    heading = f"Average conditional effects on the {target.unit}"
    refits = error.to_numpy() if n_refits else None
    return ResultTable(table, heading, "effects", refits, n_refits)


def measure_effects(
    problem: Problem, positions: Sequence[int], step: Step
) -> pd.DataFrame:
    """Return the effect of each column, and what it may be off by.

    Returns
    -------
    DataFrame
        A row a column, or level, and class: feature, class, effect, data_error (how
        the mean varies with the rows it is taken over), refit_error (its standard
        deviation over members; NaN without), n_rows; level and reference where there
        are columns of words.
    """
    target, rows = problem.target.stacked(), problem.background
    tables = []
    for j in positions:
        column = target.columns[j]
        if column.is_numeric:
            part = _slope(target, rows, j).table(target)
        else:
            part = _contrasts(target, rows, j)
        part["feature"] = column.name
        part["class"] = np.tile(target.class_names, len(part) // target.n_classes)
        tables.append(part)
        step()
    table = pd.concat(tables, ignore_index=True)
    words = ["level", "reference"] if "level" in table else []
    return table[["feature", *words, "class", *_MEASURED]]


class _Mean:
    """The mean over rows that come block by block, and how far it is to be trusted.

    Parameters
    ----------
    n_outputs, n_classes : int
        Of the target; errors are told of the classes alone.
    n_levels : int, default=1
        Means that are taken side by side.
    """

    def __init__(self, n_outputs: int, n_classes: int, n_levels: int = 1):
        self._sums = np.zeros((n_levels, n_outputs))
        self._squares = np.zeros((n_levels, n_classes))
        self._first: np.ndarray | None = None
        self._counts = np.zeros((n_levels, 1))

    def add(self, told: np.ndarray, part: slice = slice(None)) -> None:
        """Take more rows in, of shape (n_levels, n_rows, n_outputs)."""
        k = self._squares.shape[1]
        if self._first is None:  # squares of small numbers lose nothing
            self._first = np.full(self._squares.shape, np.nan)
        new = np.isnan(self._first[part])
        self._first[part] = np.where(new, told[:, 0, :k], self._first[part])
        self._sums[part] += told.sum(axis=1)
        apart = told[..., :k] - self._first[part][:, None]
        self._squares[part] += (apart**2).sum(axis=1)
        self._counts[part] += told.shape[1]

    def table(self, target: Target) -> pd.DataFrame:
        """Return effect, data_error, refit_error and n_rows of levels and classes."""
        n = np.maximum(self._counts, 1)
        mean, refits = target.split(self._sums / n)
        first = 0.0 if self._first is None else self._first
        left = self._squares - self._counts * (mean - first) ** 2
        error = np.sqrt(np.maximum(left, 0) / np.maximum(n - 1, 1) / n)
        return pd.DataFrame(
            {
                "effect": mean.ravel(),
                "data_error": error.ravel(),
                "refit_error": np.nan if refits is None else refits.ravel(),
                "n_rows": np.broadcast_to(self._counts, mean.shape).ravel().astype(int),
            }
        )


def _slope(target: Target, rows: np.ndarray, j: int) -> _Mean:
    """Return the mean slope along a column of numbers."""
    mean = _Mean(target.n_outputs, target.n_classes)
    rows = rows[np.isfinite(rows[:, j])]
    if not len(rows) or np.ptp(rows[:, j]) == 0:
        return mean
    low, high = _ends(target.columns[j], rows[:, j])
    for start in range(0, len(rows), target.block_rows):
        part = slice(start, start + target.block_rows)
        below, above = rows[part].copy(), rows[part].copy()
        below[:, j], above[:, j] = low[part], high[part]
        rise = target.predict(above, copy=False) - target.predict(below, copy=False)
        mean.add((rise / (high - low)[part, None])[None])
    return mean


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
        A row a level and class: level, reference, effect and its errors.
    """
    column = target.columns[j]
    levels, counts = np.unique(rows[:, j], return_counts=True)
    listed = level_order(column, levels)
    counts = counts[np.searchsorted(levels, listed)]
    first = 0 if is_ordered(column) else int(counts.argmax())
    others = np.delete(np.arange(len(listed)), first)
    if not len(others):  # a level instead of itself
        others = np.array([first])
    k = target.n_classes
    mean = _Mean(target.n_outputs, k, len(others))
    for start in range(0, len(rows), target.block_rows):
        some = rows[start : start + target.block_rows].copy()
        some[:, j] = listed[first]
        reference = target.predict(some)
        for part, output in outputs_at(target, some, [j], listed[others, None]):
            mean.add(output - reference, part)
    names = shown(column, listed)
    table = mean.table(target)
    table["level"] = np.repeat(names[others], k)
    table["reference"] = np.repeat(names[[first] * len(others)], k)
    return table
