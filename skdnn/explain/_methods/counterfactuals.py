"""Counterfactuals: the fewest changes of a row that change its predicted class."""

from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd

from skdnn._runtime.names import free_name
from skdnn._runtime.progress import Progress
from skdnn.explain._methods.counterfactual_search import (
    MAX_VALUES,
    AllowedChanges,
    Search,
    differ,
)
from skdnn.explain._model.names import positions_of
from skdnn.explain._model.opening import open_problem
from skdnn.explain._model.options import (
    Features,
    RandomState,
    Step,
    check_count,
    no_step,
)
from skdnn.explain._model.target import Problem, Target
from skdnn.explain._results.counterfactuals import OWN_COLUMNS, Counterfactuals
from skdnn.explain._results.frames import frame_of
from skdnn.explain._results.result import class_position


def counterfactuals(
    estimator: Any,
    X: Any,
    *,
    background: Any = None,
    target_class: Any = None,
    fixed: Features = None,
    ranges: Mapping[str | int, Any] | None = None,
    n_alternatives: int = 1,
    random_state: RandomState = None,
    verbose: bool = False,
) -> Counterfactuals:
    """Find the fewest changes of a row that change its predicted class.

    Parameters
    ----------
    estimator : object
        A fitted classifier with `predict_proba` and `classes_`.
    X : {array-like, DataFrame} of shape (n_samples, n_features)
        Rows to explain.
    background : like X, default=None
        Rows whose values a column may be changed to, usually the training data; None
        takes X. At most 1000 values of a column are used: evenly spread numbers, or
        the most frequent of other values.
    target_class : class label, default=None
        Class to reach. None is any other than the predicted one.
    fixed : str, int or list of these, default=None
        Columns that must not change, by name or position.
    ranges : dict of str or int to (low, high) or list, default=None
        Values that a column may be changed to: lowest and highest number, None where
        there is no limit, or a list of categories.
    n_alternatives : int, default=1
        Maximum number of alternatives for each row, each with another set of columns:
        the nearest of those with the fewest changes.
    random_state : object, default=None
        Unused, as nothing is random; all explain functions accept it.
    verbose : bool, default=False
        Whether a progress line is shown on stderr.

    Returns
    -------
    Counterfactuals
        `frame()` has one or more rows for each explained row: sample, found, target and
        the columns of X (where X has a column of the same name, the first three end in
        an underscore, as in `sample_`). Where `found` is True the classifier predicts
        `target`. Otherwise the row is unchanged, and `target` is `target_class`, or the
        next most probable class. A row of `target_class` is unchanged. `changes()`
        lists the changes.

    Raises
    ------
    ValueError
        If rows or options are invalid.

    Notes
    -----
    Sets of columns are tried by size, with values of the background, never with missing
    ones. Single columns are tried in full; larger sets up to 50 000 combinations,
    beyond which only the most promising are changed further. `is_fewest` is whether all
    smaller sets were tried with all values. Of equally many changes the nearest come
    first: differences of numbers count as shares of their range, other changes as 1.
    Fewest changes to observed values are the sparsity and the validity of [1]_.

    References
    ----------
    .. [1] Verma et al. (2024), Counterfactual explanations and algorithmic recourses
       for machine learning: a review.
    .. [2] Wachter, Mittelstadt and Russell (2018), Counterfactual explanations without
       opening the black box.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skdnn import explain
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> model = LogisticRegression(max_iter=1000).fit(X, y)
    >>> result = explain.counterfactuals(model, X[70:71], background=X)
    >>> result.changes()[["feature", "old", "new"]].values.tolist()
    [['petal length (cm)', 4.8, 4.7]]
    >>> bool(model.predict(result.frame()[X.columns])[0] == result.frame()["target"][0])
    True
    """
    check_count("n_alternatives", n_alternatives, 1)
    del random_state
    problem = open_problem(estimator, X, background=background)
    with Progress(len(problem.X), "row", verbose) as progress:
        return compute_counterfactuals(
            problem, target_class, fixed, ranges, n_alternatives, progress.step
        )


def compute_counterfactuals(
    problem: Problem,
    target_class: Any = None,
    fixed: Features = None,
    ranges: Mapping[str | int, Any] | None = None,
    n_alternatives: int = 1,
    step: Step = no_step,
) -> Counterfactuals:
    """Return the fewest changes of every row; options as of `counterfactuals`."""
    problem = problem.with_output("probability")
    target = problem.target
    if target.n_classes < 2:
        raise ValueError("`estimator` must know two classes at least. Got one.")
    goal = None
    if target_class is not None:
        goal = class_position(target.class_names, target_class)
    allowed = _allowed_changes(problem, fixed, ranges)
    results = []
    classes, predicted = np.arange(target.n_classes), target.classes_of(problem.X)
    for row, own in zip(problem.X, predicted, strict=True):
        wanted = classes != own if goal is None else classes == goal
        if own == goal:
            results.append((row[None], True))
        else:
            results.append(Search(target, allowed, row, wanted).run(n_alternatives))
        step()
    return _collected(problem, results, goal)


def _allowed_changes(
    problem: Problem, fixed: Features, ranges: Mapping[str | int, Any] | None
) -> AllowedChanges:
    """Return which columns may change, and to which values."""
    target, names = problem.target, problem.target.feature_names
    none_fixed = fixed is None or np.size(fixed) == 0
    kept = [] if none_fixed else positions_of("fixed", fixed, names)
    if not (ranges is None or isinstance(ranges, Mapping)):
        raise ValueError(
            "`ranges` must be a dict of columns to allowed values. Got "
            f"{type(ranges).__name__}."
        )
    limited = positions_of("ranges", list(ranges), names) if ranges else []
    by_position = dict(zip(limited, (ranges or {}).values(), strict=True))
    columns = [j for j in range(len(names)) if j not in set(kept)]
    if not columns:
        raise ValueError("`fixed` must leave a column that may change. Got all.")
    values, spans = {}, np.full(len(names), np.nan)
    for j in columns:
        column, cells = target.columns[j], problem.background[:, j]
        if column.is_numeric:
            cells = cells[np.isfinite(cells)]
            spans[j] = np.ptp(cells) if len(cells) else 0.0
        else:
            cells = cells[~pd.isna(column.displayed(cells))]
        known, counts = np.unique(cells, return_counts=True)
        if j in by_position:
            is_allowed = _in_range(problem, j, known, by_position[j])
            known, counts = known[is_allowed], counts[is_allowed]
        values[j] = _limited(known, counts, column.is_numeric)
    return AllowedChanges(columns, values, spans)


def _limited(known: np.ndarray, counts: np.ndarray, is_numeric: bool) -> np.ndarray:
    """Return evenly spread numbers or the most frequent values, if there are many."""
    if len(known) <= MAX_VALUES:
        return known
    if is_numeric:
        return known[np.linspace(0, len(known) - 1, MAX_VALUES).astype(np.intp)]
    return np.sort(known[np.argsort(-counts, kind="stable")[:MAX_VALUES]])


def _in_range(problem: Problem, j: int, known: np.ndarray, ends: Any) -> np.ndarray:
    """Return which values of a column are in a range; ValueError if none is."""
    column = problem.target.columns[j]
    if column.is_numeric:
        low, high = _limits(column.name, ends)
        in_range = (known >= low) & (known <= high)
    else:
        categories = column.displayed(known).tolist()
        if not isinstance(ends, list | tuple | set | np.ndarray):
            raise ValueError(
                f"`ranges` of {column.name!r} must be a list of levels. Got {ends!r}."
            )
        unknown = [category for category in ends if category not in categories]
        if unknown:
            raise ValueError(
                f"`ranges` of {column.name!r} must be levels that occur in "
                f"`background`: {categories[:20]}. Got {unknown} as well."
            )
        in_range = np.array([category in ends for category in categories], dtype=bool)
    if not in_range.any():
        raise ValueError(
            f"`ranges` of {column.name!r} must hold a value that occurs in "
            f"`background`. Got {ends!r}."
        )
    return in_range


def _limits(name: str, ends: Any) -> tuple[float, float]:
    """Return the lowest and the highest number of a range."""
    is_pair = isinstance(ends, list | tuple | np.ndarray) and len(ends) == 2
    if not is_pair or not all(end is None or isinstance(end, Real) for end in ends):
        raise ValueError(
            f"`ranges` of {name!r} must be (low, high), None where there is no limit. "
            f"Got {ends!r}."
        )
    low = -np.inf if ends[0] is None else float(ends[0])
    high = np.inf if ends[1] is None else float(ends[1])
    if not low <= high:
        raise ValueError(
            f"`ranges` of {name!r} must rise. Got {ends!r}; write (low, high)."
        )
    return low, high


def _collected(
    problem: Problem, results: Sequence[tuple[np.ndarray, bool]], goal: int | None
) -> Counterfactuals:
    """Return the result in the user's columns."""
    target, X = problem.target, problem.X
    counts = np.array([len(nearest) for nearest, _ in results])
    sample = np.repeat(np.arange(len(X)), np.maximum(1, counts))
    is_found = counts[sample] > 0
    rows = X[sample]
    rows[is_found] = np.vstack([nearest for nearest, _ in results])
    reached = _reached(target, rows, is_found, goal)
    cells = target.frame(rows)
    cells.columns = cells.columns.to_flat_index()
    own = (sample, is_found, target.class_names[reached])
    for place, (name, column) in enumerate(zip(OWN_COLUMNS, own, strict=True)):
        own_name = free_name(name, target.feature_names)
        cells.insert(place, own_name, frame_of({name: column})[name])
    return Counterfactuals(
        table=cells,
        changed=_changes(problem, sample, rows),
        is_fewest=np.array([is_fewest for _, is_fewest in results]),
        n_background=len(problem.background),
        member_shares=_member_shares(target.stacked(), rows, reached),
    )


def _reached(
    target: Target, rows: np.ndarray, is_found: np.ndarray, goal: int | None
) -> np.ndarray:
    """Return the class of each row; the second most probable if none was found."""
    if goal is not None:
        return np.full(len(rows), goal)
    reached = target.classes_of(rows)
    lost = ~is_found
    if lost.any():
        proba = target.predict(rows[lost])
        proba[np.arange(len(proba)), reached[lost]] = -1
        reached[lost] = proba.argmax(axis=1)
    return reached


def _member_shares(
    target: Target, rows: np.ndarray, reached: np.ndarray
) -> np.ndarray | None:
    """Return the share of the members that predict the class of each row."""
    if not target.n_refits:
        return None
    each = target.predict(rows)[:, target.n_classes :]
    best = each.reshape(len(rows), target.n_refits, -1).argmax(axis=2)
    return np.asarray((best == reached[:, None]).mean(axis=1))


def _changes(problem: Problem, sample: np.ndarray, rows: np.ndarray) -> pd.DataFrame:
    """Return one row for each value that changes."""
    target, before = problem.target, problem.X[sample]
    row, column = np.nonzero(differ(rows, before))
    values = {name: np.empty(len(row), dtype=object) for name in ("old", "new")}
    for j in np.unique(column):
        here = np.flatnonzero(column == j)
        for part, cells in zip(values.values(), (before, rows), strict=True):
            decoded = target.columns[j].decode(cells[row[here], j])
            part[here] = pd.Series(decoded).tolist()
    names = [target.feature_names[j] for j in column]
    return frame_of({"row": row, "sample": sample[row], "feature": names, **values})
