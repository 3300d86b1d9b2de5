"""Average conditional effects: the mean slope of the output along each column."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from skdnn._runtime.progress import Progress
from skdnn.explain._model.columns import Column
from skdnn.explain._model.grid import output_differences, outputs_at
from skdnn.explain._model.levels import gather_levels, has_others, levels_for_others
from skdnn.explain._model.members import BOOTSTRAP, Members
from skdnn.explain._model.opening import open_averaging_problem
from skdnn.explain._model.options import Features, RandomState, Step
from skdnn.explain._model.target import Problem, Target
from skdnn.explain._results.frames import frame_of
from skdnn.explain._results.intervals import t_quantile
from skdnn.explain._results.tables import ResultTable

_MEASURED = ["effect", "data_error", "refit_error", "n_rows"]
# Steps, in standard deviations of the column, as in cito.
_STEP = 0.1
# Levels of a column that are measured one by one, as grid points of the profiles.
_MAX_LEVELS = 50


def average_conditional_effects(
    estimator: Any,
    X: Any,
    *,
    background: Any = None,
    features: Features = None,
    output: str = "probability",
    random_state: RandomState = None,
    verbose: bool = False,
) -> ResultTable:
    """Measure the mean change of the output per unit of each column.

    Parameters
    ----------
    estimator : object
        A fitted classifier with `predict_proba` and `classes_`.
    X : {array-like, DataFrame} of shape (n_samples, n_features)
        Rows to average over, unless there is a background.
    background : like X, default=None
        Rows to average over, at most 100. None takes all of X.
    features : str, int or list of these, default=None
        Columns to measure, by name or position. None is all.
    output : {"probability", "log_odds"}, default="probability"
        The output that changes.
    random_state : int, RandomState or None, default=None
        Draws the background rows.
    verbose : bool, default=False
        Whether a progress line is shown on stderr.

    Returns
    -------
    ResultTable
        `frame()` has one row for each column and class: feature, class, effect (in
        units of `output` per unit of the column), std_error, ci_low, ci_high (95%,
        over the members of an ensemble or of the recipe; otherwise NaN; confidence
        intervals only with bootstrap samples, see Notes). With categorical columns,
        `level` and `reference` follow `feature`; each category has a row, the effect
        of the level instead of the reference.

    Raises
    ------
    ValueError
        If rows or options are invalid.

    Notes
    -----
    The effect is the mean over the rows of the slope of the output [1]_: the
    difference over a tenth of the column's standard deviation, as in cito [2]_, here
    centred at the row's value and within the range of the column. Integers are moved by
    whole steps; rows whose value is missing are left out. A constant column has effect
    0. For a linear output the effect is the coefficient. The reference is the first
    category of an ordered column, such as booleans, else the most frequent one.

    Of more than 50 levels, the 49 most frequent ones are measured, or 50 quantiles of
    dates and other levels with an order. "others" (with underscores if a level has this
    name) stands for all rare levels: a row with a rare level keeps it, and each other
    row is given that of one row, drawn evenly.

    For an ensemble, `std_error` is the standard deviation over the members, and the
    interval is Student's t interval: if they were fitted to bootstrap samples, it
    accounts for training rows and seeds (Efron and Tibshirani, 1993, section 12.2).
    Members that differ in their seeds, and the networks of ``DNNClassifier()``, share
    their training rows or nearly all of them. The interval is then one of the variation
    between networks, and no confidence interval, as `warning` of the result states: in
    60 simulations with a linear true model and 500 rows it covered the true effect in
    84% of the cases.

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
    problem = open_averaging_problem(estimator, X, background, output, random_state)
    positions = problem.target.positions(features)
    with Progress(len(positions), "column", verbose) as progress:
        table = measure_effects(problem, positions, progress.step)
    n_refits = problem.stacked().target.n_refits
    effect, error = table["effect"], table["refit_error"]
    reach = t_quantile(0.95, n_refits - 1) * error if n_refits else error
    table = table.drop(columns=_MEASURED[1:]).assign(
        std_error=error, ci_low=effect - reach, ci_high=effect + reach
    )
    heading = f"Average conditional effects on the {problem.target.unit}"
    refits = error.to_numpy() if n_refits else None
    note = _note(problem.target.members)
    return ResultTable(table, heading, "effects", refits, n_refits, note)


def _note(members: Members | None) -> str:
    """Return what intervals over members that share their training rows are of."""
    if members is None or members.differ_in in ("", BOOTSTRAP):
        return ""
    return (
        f"std_error, ci_low and ci_high are of the variation between {members.n} "
        f"members that differ only in their {members.differ_in}: no confidence "
        "intervals, as other training rows would change the effects more. For these, "
        "set n_estimators=20 and bootstrap=True."
    )


def measure_effects(
    problem: Problem,
    positions: Sequence[int],
    step: Step,
    weight: np.ndarray | None = None,
) -> pd.DataFrame:
    """Return the effects of columns on each class, and their errors.

    data_error is the standard error over the rows averaged over, refit_error the
    standard deviation over the members, NaN without. `weight` is of the background
    rows, and n_rows the number of equally weighted rows that are as many.
    """
    target, rows = problem.target.stacked(), problem.background
    weight = np.ones(len(rows)) if weight is None else weight
    tables = []
    for j in positions:
        column = target.columns[j]
        measure = _slope if column.is_numeric else _contrasts
        part = measure(target, rows, j, weight)
        labels = np.tile(target.class_names, len(part) // target.n_classes)
        part = {"feature": column.name, "class": labels, **part}
        tables.append(frame_of(part))
        step()
    table = pd.concat(tables, ignore_index=True)
    levels = ["level", "reference"] if "level" in table else []
    return table[["feature", *levels, "class", *_MEASURED]]


class _Mean:
    """Weighted means over rows that are added in blocks; of the classes, errors too."""

    def __init__(self, target: Target, n_levels: int = 1):
        self._target = target
        self._sums = np.zeros((n_levels, target.n_outputs))
        # of the differences from the first row, which lose no precision
        self._squares, self._changes = np.zeros((2, n_levels, target.n_classes))
        self._first = np.full_like(self._squares, np.nan)
        # sums of the weights to the powers of 0, 1 and 2
        self._powers = np.zeros((3, n_levels, 1))

    def add(
        self, outputs: np.ndarray, weight: np.ndarray, part: slice = slice(None)
    ) -> None:
        """Add rows to some means: outputs of shape (n_levels, n_rows, n_outputs)."""
        k, weight = self._target.n_classes, weight[:, None]
        is_new = np.isnan(self._first[part])
        self._first[part] = np.where(is_new, outputs[:, 0, :k], self._first[part])
        self._sums[part] += (outputs * weight).sum(axis=1)
        changes = (outputs[..., :k] - self._first[part][:, None]) * weight
        self._squares[part] += (changes**2).sum(axis=1)
        self._changes[part] += (changes * weight).sum(axis=1)
        for power, sums in enumerate(self._powers):
            sums[part] += (weight**power).sum()

    def table(self) -> pd.DataFrame:
        """Return effect, data_error, refit_error and n_rows by level and class."""
        n, total, square = self._powers
        total = np.where(total > 0, total, 1)
        mean, refits = self._target.split(self._sums / total)
        change = mean - np.where(n > 0, self._first, 0.0)
        left = self._squares - 2 * change * self._changes + change**2 * square
        factor = n / np.maximum(n - 1, 1)
        error = np.sqrt(np.maximum(left, 0) * factor) / total
        n_rows = total**2 / np.where(square > 0, square, 1) * (n > 0)
        return pd.DataFrame(
            {
                "effect": mean.ravel(),
                "data_error": error.ravel(),
                "refit_error": np.nan if refits is None else refits.ravel(),
                "n_rows": np.broadcast_to(n_rows, mean.shape).ravel(),
            }
        )


def _slope(
    target: Target, rows: np.ndarray, j: int, weight: np.ndarray
) -> pd.DataFrame:
    """Return the mean slope along a numeric column, for each class."""
    mean = _Mean(target)
    is_known = np.isfinite(rows[:, j]) & (weight > 0)
    rows, weight = rows[is_known], weight[is_known]
    if len(rows) and np.ptp(rows[:, j]) > 0:
        low, high = _ends(target.columns[j], rows[:, j])
        for part, changes in output_differences(target, rows, j, low, high):
            mean.add((changes / (high - low)[part, None])[None], weight[part])
    return mean.table()


def _ends(column: Column, cells: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the values that rows are moved to, equally far apart for all of them."""
    lowest, highest = cells.min(), cells.max()
    width = min(_STEP * cells.std(), highest - lowest)
    half = width / 2
    if column.is_integer:
        width = max(1.0, np.round(width))
        half = np.floor(width / 2)
    low = np.clip(cells - half, lowest, highest - width)
    low, high = column.rounded(low), column.rounded(low + width)
    # a small step may be lost in the rounding of large numbers
    lost = low == high
    low[lost], high[lost] = lowest, highest
    return low, high


def _contrasts(
    target: Target, rows: np.ndarray, j: int, weight: np.ndarray
) -> pd.DataFrame:
    """Return the mean effect of each category, instead of the reference, by class."""
    column = target.columns[j]
    listed, place = gather_levels(column, rows[:, j], _MAX_LEVELS)
    rare = levels_for_others(listed, rows[:, j])[:, None]
    totals = np.bincount(place, weight)[: len(listed) - has_others(listed)]
    first = 0 if column.is_ordered else int(totals.argmax())
    others = np.delete(np.arange(len(listed)), first)
    others = others if len(others) else np.array([first])  # itself if it is the only
    mean = _Mean(target, len(others))
    for start in range(0, len(rows), target.block_rows):
        block = slice(start, start + target.block_rows)
        some, points = rows[block].copy(), listed[others, None]
        some[:, j] = listed[first]
        reference = target.predict(some)
        for part, output in outputs_at(target, some, [j], points, rare[block]):
            mean.add(output - reference, weight[block], part)
    names = column.displayed(listed)
    levels = np.repeat(names[others], target.n_classes)
    reference = np.repeat(names[[first]], len(levels))
    return frame_of({**mean.table(), "level": levels, "reference": reference})
