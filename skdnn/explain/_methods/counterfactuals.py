"""Counterfactuals: what would have to be otherwise for another class."""

from collections.abc import Mapping
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd

from skdnn._runtime.progress import Progress
from skdnn.explain._methods.counterfactual_search import (
    MAX_VALUES,
    Found,
    Moves,
    Search,
    classes_of,
    differ,
)
from skdnn.explain._model.grid import shown
from skdnn.explain._model.names import check_count, positions_of
from skdnn.explain._model.target import (
    Problem,
    Step,
    Target,
    no_step,
    open_problem,
)
from skdnn.explain._results.counterfactuals import Counterfactuals
from skdnn.explain._results.positions import class_position

OWN_COLUMNS = ("sample", "found", "target")


def counterfactuals(
    estimator,
    X,
    *,
    background=None,
    target_class=None,
    fixed=None,
    ranges=None,
    n_alternatives=1,
    random_state=None,
    verbose=False,
):
    """Find the fewest changes of a row that make it another class.

    Parameters
    ----------
    estimator : object
        A fitted classifier with `predict_proba` and `classes_`.
    X : {array-like, DataFrame} of shape (n_samples, n_features)
        Rows to explain.
    background : like X, default=None
        Rows whose cells are the values that a column may have: the training data, as a
        rule. Of more than 1000 different numbers in a column, 1000 are taken, evenly
        spread, and of words the most frequent. None takes X.
    target_class : class label, default=None
        Class to reach. None is any other than the predicted one.
    fixed : str, int or list of these, default=None
        Columns that may not change, by name or position. None is none.
    ranges : dict of str or int to (low, high) or list, default=None
        What a changed cell may be: lowest and highest number, None where there is no
        such end, or a list of levels in a column of words.
    n_alternatives : int, default=1
        Sets of columns that are told for each row, at most: the nearest of those with
        the fewest changes.
    random_state : object, default=None
        Takes no part, as nothing is drawn; it is here so that all explain functions
        can be called alike.
    verbose : bool, default=False
        Whether one live line on stderr shows progress.

    Returns
    -------
    Counterfactuals
        `frame()` has a row or more for each explained row: sample, found, target and
        the columns of X. Where `found` is True the classifier predicts `target` for
        that row. Where it is False there was none, and the row is as it was; `target`
        is then the class that was asked for, or the next most probable one. A row that
        is of `target_class` already stays as it is. `changes()` lists what changes.

    Raises
    ------
    ValueError
        If rows or options cannot be, or X has a column named sample, found or target.

    Notes
    -----
    Sets of columns are tried by size, with values that occur in the background, never
    with missing ones. Single columns are tried in full; larger sets as long as 50 000
    combinations hold them, then only the most promising are changed further.
    `is_fewest` tells for which rows all smaller sets were tried with all values. Of
    several that change equally many cells the nearest counts: differences of numbers
    in shares of their span, words as 1. Fewest changes of cells that occur are the
    sparsity and the validity of [1]_.

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
    fixed: Any = None,
    ranges: Any = None,
    n_alternatives: int = 1,
    step: Step = no_step,
) -> Counterfactuals:
    """Return the fewest changes of every row; parameters of `counterfactuals`.

    The problem's output must be the probability.
    """
    target = problem.target
    _check_names(target.feature_names)
    if target.n_classes < 2:
        raise ValueError("`estimator` must know two classes at least. Got one.")
    asked = None
    if target_class is not None:
        asked = class_position(target.class_names, target_class)
    moves = _moves(problem, fixed, ranges)
    found = []
    predicted = classes_of(target, problem.X)
    for row, own in zip(problem.X, predicted, strict=True):
        found.append(_search(problem, moves, row, own, asked, n_alternatives))
        step()
    return _collected(problem, found, asked)


def _search(
    problem: Problem,
    moves: Moves,
    row: np.ndarray,
    own: int,
    asked: int | None,
    n_alternatives: int,
) -> Found:
    """Return what was found for one row of class `own`."""
    if own == asked:
        return Found(row[None], True)
    classes = np.arange(problem.target.n_classes)
    wanted = classes != own if asked is None else classes == asked
    return Search(problem.target, moves, row, wanted).run(n_alternatives)


def _check_names(names: list[str]) -> None:
    taken = [name for name in OWN_COLUMNS if name in names]
    if taken:
        raise ValueError(
            f"Columns of X must not be named {list(OWN_COLUMNS)}, as columns of the "
            f"result are. Got {taken}; rename them before fitting."
        )


def _moves(problem: Problem, fixed, ranges) -> Moves:
    """Return which cells may change, and to what."""
    target, background = problem.target, problem.background
    names = target.feature_names
    none_fixed = fixed is None or np.size(fixed) == 0
    kept = [] if none_fixed else positions_of("fixed", fixed, names)
    within = _within(ranges, names)
    columns = [j for j in range(len(names)) if j not in set(kept)]
    if not columns:
        raise ValueError("`fixed` must leave a column that may change. Got all.")
    values, spans = {}, np.full(len(names), np.nan)
    for j in columns:
        cells = background[:, j]
        if target.columns[j].is_numeric:
            cells = cells[np.isfinite(cells)]
            spans[j] = np.ptp(cells) if len(cells) else 0.0
        else:
            cells = cells[~pd.isna(shown(target.columns[j], cells))]
        seen, counts = np.unique(cells, return_counts=True)
        if j in within:
            allowed = _allowed(problem, j, seen, within[j])
            seen, counts = seen[allowed], counts[allowed]
        values[j] = _at_most(seen, counts, target.columns[j].is_numeric)
    return Moves(columns, values, spans)


def _at_most(seen: np.ndarray, counts: np.ndarray, is_numeric: bool) -> np.ndarray:
    """Return evenly spread numbers or the most frequent levels, if there are many."""
    if len(seen) <= MAX_VALUES:
        return seen
    if is_numeric:
        return seen[np.linspace(0, len(seen) - 1, MAX_VALUES).astype(np.intp)]
    return np.sort(seen[np.argsort(-counts, kind="stable")[:MAX_VALUES]])


def _within(ranges, names: list[str]) -> dict[int, Any]:
    """Return the ranges by position."""
    if ranges is None:
        return {}
    if not isinstance(ranges, Mapping):
        raise ValueError(
            "`ranges` must be a dict of columns to what they may be. Got "
            f"{type(ranges).__name__}."
        )
    positions = positions_of("ranges", list(ranges), names) if ranges else []
    return dict(zip(positions, ranges.values(), strict=True))


def _allowed(problem: Problem, j: int, seen: np.ndarray, ends) -> np.ndarray:
    """Return which cells lie in a range.

    Raises
    ------
    ValueError
        If the range is none, or no cell of the background lies in it.
    """
    column = problem.target.columns[j]
    if column.is_numeric:
        low, high = _ends(column.name, ends)
        allowed = (seen >= low) & (seen <= high)
    else:
        levels = shown(column, seen).tolist()
        if not isinstance(ends, list | tuple | set | np.ndarray):
            raise ValueError(
                f"`ranges` of {column.name!r} must be a list of levels. Got {ends!r}."
            )
        unknown = [level for level in ends if level not in levels]
        if unknown:
            raise ValueError(
                f"`ranges` of {column.name!r} must be levels that occur in "
                f"`background`: {levels[:20]}. Got {unknown} besides."
            )
        allowed = np.array([level in ends for level in levels], dtype=bool)
    if not allowed.any():
        raise ValueError(
            f"`ranges` of {column.name!r} must hold a value that occurs in "
            f"`background`. Got {ends!r}."
        )
    return allowed


def _ends(name: str, ends) -> tuple[float, float]:
    """Return the lowest and the highest number of a range."""
    is_pair = isinstance(ends, list | tuple | np.ndarray) and len(ends) == 2
    if not is_pair or not all(end is None or isinstance(end, Real) for end in ends):
        raise ValueError(
            f"`ranges` of {name!r} must be (low, high), None where there is no such "
            f"end. Got {ends!r}."
        )
    low = -np.inf if ends[0] is None else float(ends[0])
    high = np.inf if ends[1] is None else float(ends[1])
    if not low <= high:
        raise ValueError(
            f"`ranges` of {name!r} must rise. Got {ends!r}; write (low, high)."
        )
    return low, high


def _collected(
    problem: Problem, found: list[Found], asked: int | None
) -> Counterfactuals:
    """Return the result in the user's columns."""
    target, X = problem.target, problem.X
    is_found = np.array([len(one.rows) > 0 for one in found])
    counts = np.array([max(1, len(one.rows)) for one in found])
    sample = np.repeat(np.arange(len(X)), counts)
    rows = np.vstack(
        [one.rows if len(one.rows) else X[[i]] for i, one in enumerate(found)]
    )
    if asked is None:
        reached = classes_of(target, rows)
        lost = ~is_found[sample]
        if lost.any():
            proba = target.predict(rows[lost])
            proba[np.arange(len(proba)), reached[lost]] = -1
            reached[lost] = proba.argmax(axis=1)
    else:
        reached = np.full(len(rows), asked)
    cells = target.decode(rows)
    if target.frame_columns is None:
        cells = pd.DataFrame(cells, columns=target.feature_names)
    facts = pd.DataFrame(
        {
            "sample": sample,
            "found": is_found[sample],
            "target": target.class_names[reached],
        }
    )
    return Counterfactuals(
        table=pd.concat([facts, cells], axis=1),
        changed=_changes(problem, sample, rows),
        is_fewest=np.array([one.is_fewest for one in found]),
        n_background=len(problem.background),
        member_shares=_member_shares(target.stacked(), rows, reached),
    )


def _member_shares(
    target: Target, rows: np.ndarray, reached: np.ndarray
) -> np.ndarray | None:
    """Return the share of the members that predict what the ensemble is to predict."""
    if not target.n_refits:
        return None
    each = target.predict(rows)[:, target.n_classes :]
    best = each.reshape(len(rows), target.n_refits, -1).argmax(axis=2)
    return (best == reached[:, None]).mean(axis=1)


def _changes(problem: Problem, sample: np.ndarray, rows: np.ndarray) -> pd.DataFrame:
    """Return a row for each cell that changes."""
    target, before = problem.target, problem.X[sample]
    place, column = np.nonzero(differ(rows, before))
    old, new = (np.empty(len(place), dtype=object) for _ in range(2))
    for j in np.unique(column):
        here = np.flatnonzero(column == j)
        decode = target.columns[j].decode
        old[here] = pd.Series(decode(before[place[here], j])).tolist()
        new[here] = pd.Series(decode(rows[place[here], j])).tolist()
    return pd.DataFrame(
        {
            "row": place,
            "sample": sample[place],
            "feature": [target.feature_names[j] for j in column],
            "old": old,
            "new": new,
        }
    )
