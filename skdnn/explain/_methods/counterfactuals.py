"""Counterfactuals: the fewest changes of a row that change its predicted class."""

import math
import warnings
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils import check_random_state

from skdnn._runtime.names import free_name
from skdnn._runtime.progress import Progress
from skdnn.explain._methods.allowed_changes import (
    Actionable,
    AllowedChanges,
    Costs,
    Ranges,
    differ,
    read_allowed,
)
from skdnn.explain._methods.counterfactual_search import BUDGET, Goal, Search
from skdnn.explain._methods.data_support import LEAST_ROWS, Support
from skdnn.explain._methods.decision_margin import MARGIN, decision_log_odds
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
    actionable: Actionable | None = None,
    ranges: Ranges | None = None,
    costs: Costs | None = None,
    n_alternatives: int = 1,
    fixed: Features = None,
    random_state: RandomState = None,
    verbose: bool = False,
) -> Counterfactuals:
    """Find the fewest changes of a row that change its predicted class.

    The classifier predicts the changed row. What is predicted need not happen: a change
    that is made in the world may change other columns, or not have the effect.

    Parameters
    ----------
    estimator : object
        A fitted classifier with `predict_proba` and `classes_`.
    X : {array-like, DataFrame} of shape (n_samples, n_features)
        Rows to explain.
    background : like X, default=None
        Rows whose values a column may be changed to, and which changed rows must be
        similar to, usually the training data; None takes X. At most 1000 values of a
        column are used: evenly spread numbers, or the most frequent of other values.
    target_class : class label, default=None
        Class to reach. None is any other than the predicted one.
    actionable : dict of str or int to bool, str, list or tuple, default=None
        Whether, and in which direction, a column can be changed: False, True, "up" or
        "down". Levels go up and down along an order: that of an ordered categorical
        column, or a list of levels from the lowest to the highest, as in
        ``{"grade": ["low", "mid", "high"]}`` or ``{"grade": ("up", ["low", "high"])}``;
        other levels are not proposed. A missing value has no direction, and stays.
        Columns that are not named may change. None states that nothing is known, which
        the result reports.
    ranges : dict of str or int to (low, high) or list, default=None
        Values that a column may be changed to: lowest and highest number, None where
        there is no limit, or a list of categories.
    costs : dict of str or int to float, default=None
        Cost of changing a number by its range in `background`, an ordered column from
        its lowest to its highest level, or another one to any other value; smaller
        changes of numbers and steps of levels cost their share. Columns that are not
        named cost 1. The unit is that of the numbers given.
    n_alternatives : int, default=1
        Maximum number of alternatives for each row. None changes all columns that
        another one changes; of as many changes, those that share the fewest columns
        with the ones before come first, then the cheapest.
    fixed : str, int or list of these, default=None
        Columns that must not change, by name or position. Deprecated: use
        `actionable` with False.
    random_state : int, RandomState or None, default=None
        Seed of the 500 background rows that changed rows must be similar to; unused
        where there are no more.
    verbose : bool, default=False
        Whether a progress line is shown on stderr.

    Returns
    -------
    Counterfactuals
        `frame()` has one or more rows for each explained row: sample, found, target and
        the columns of X (where X has a column of the same name, the first three end in
        an underscore, as in `sample_`); a column that changes is followed by its old
        values, as in `age_old`. Where `found` is True the classifier predicts `target`.
        Otherwise the row is unchanged, `target` is `target_class`, or the next most
        probable class, and `reasons` states why. A row of `target_class` is unchanged.
        `changes()` lists the changes.

    Raises
    ------
    ValueError
        If rows or options are invalid.

    Notes
    -----
    `predict` names the new class, which is also at least 1.05 times as probable as each
    class that is not wanted (of two classes, 0.512 instead of 0.5). Where `predict` has
    another threshold, the odds are at least 1.05 times those of the threshold, which
    is taken to be halfway between the probabilities of the background rows that are
    predicted either class.

    Changed rows are as near to the background as 95% of its rows are to each other:
    numbers in standard deviations, other values by whether they are the same. This is
    left out with fewer than 10 background rows.

    Sets of columns are tried by size, with values of the background, never with missing
    ones. Single columns are tried in full; larger sets up to 50 000 combinations,
    beyond which only the most promising are changed further. At last the cells of
    background rows are copied, as far as they are needed [3]_. `is_fewest` is whether
    all smaller sets were tried with all values. Of equally many changes the
    cheapest come first. Fewest changes to observed values are the sparsity and the
    validity of [1]_.

    References
    ----------
    .. [1] Verma et al. (2024), Counterfactual explanations and algorithmic recourses
       for machine learning: a review.
    .. [2] Wachter, Mittelstadt and Russell (2018), Counterfactual explanations without
       opening the black box.
    .. [3] Brughmans, Leyman and Martens (2023), NICE: an algorithm for nearest instance
       counterfactual explanations.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skdnn import explain
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> model = LogisticRegression(max_iter=1000).fit(X, y)
    >>> result = explain.counterfactuals(
    ...     model, X[70:71], background=X, actionable={"petal length (cm)": "down"}
    ... )
    >>> result.changes()[["feature", "old", "new"]].values.tolist()
    [['petal length (cm)', 4.8, 4.7]]
    >>> bool(model.predict(result.frame()[X.columns])[0] == result.frame()["target"][0])
    True
    """
    check_count("n_alternatives", n_alternatives, 1)
    problem = open_problem(estimator, X, background=background)
    actionable = _with_fixed(actionable, fixed, problem.target.feature_names)
    with Progress(len(problem.X), "row", verbose) as progress:
        return compute_counterfactuals(
            problem, target_class, actionable, ranges, costs, n_alternatives,
            random_state, progress.step,
        )  # fmt: skip


def compute_counterfactuals(
    problem: Problem,
    target_class: Any = None,
    actionable: Actionable | None = None,
    ranges: Ranges | None = None,
    costs: Costs | None = None,
    n_alternatives: int = 1,
    random_state: RandomState = None,
    step: Step = no_step,
    budget: int = BUDGET,
) -> Counterfactuals:
    """Return the fewest changes of every row; options as of `counterfactuals`.

    Larger sets of columns are tried in full up to `budget` combinations.
    """
    problem = problem.with_output("probability")
    target = problem.target
    if target.n_classes < 2:
        raise ValueError("`estimator` must know two classes at least. Got one.")
    goal = None
    if target_class is not None:
        goal = class_position(target.class_names, target_class)
    allowed = read_allowed(problem, actionable, ranges, costs)
    support = None
    if len(problem.background) >= LEAST_ROWS:
        support = Support(problem, check_random_state(random_state))
    log_odds = decision_log_odds(problem)
    results = []
    classes, predicted = np.arange(target.n_classes), target.classes_of(problem.X)
    for row, own in zip(problem.X, predicted, strict=True):
        wanted = classes != own if goal is None else classes == goal
        if own == goal:
            results.append(_Found(row[None]))
        else:
            # of two classes, the threshold of the first is that of the second, turned
            least = math.log(MARGIN) + (log_odds if wanted[-1] else -log_odds)
            search = Search(target, allowed, row, Goal(wanted, least), support, budget)
            results.append(_Found.by(search, n_alternatives))
        step()
    result = _collected(problem, results, goal, allowed)
    stated = None if actionable is None else dict(actionable)
    return replace(result, actionable=stated)


def _with_fixed(
    actionable: Actionable | None, fixed: Features, names: list[str]
) -> Actionable | None:
    """Return `actionable` with the columns of the deprecated `fixed`."""
    if fixed is None:
        return actionable
    warnings.warn(
        "`fixed` of counterfactuals is deprecated. Use `actionable` with False, as in "
        "actionable={'age': False}.",
        FutureWarning,
        stacklevel=3,
    )
    if actionable is not None:
        raise ValueError(
            "`fixed` must be left out where `actionable` is given. Got both; use "
            "`actionable` with False."
        )
    kept = positions_of("fixed", fixed, names) if np.size(fixed) else []
    return dict.fromkeys(kept, False)


@dataclass(frozen=True)
class _Found:
    """The rows found for one explained row, and why if there is none."""

    rows: np.ndarray
    is_fewest: bool = True
    reason: str = ""

    @classmethod
    def by(cls, search: Search, n_alternatives: int) -> "_Found":
        """Return what a search finds."""
        rows, is_fewest = search.run(n_alternatives)
        reason = ""
        if not search.has_values:
            reason = "no column that may change has another value that is allowed"
        elif not len(rows):
            tried = "row" if is_fewest else "tried row"
            like = " like the background rows" if search.has_data else ""
            reason = (
                f"no {tried}{like} changes the prediction within the columns that may "
                "change"
            )
            if search.is_outside:
                reason += "; the row itself is unlike them"
        return cls(rows, is_fewest, reason)


def _collected(
    problem: Problem,
    results: list[_Found],
    goal: int | None,
    allowed: AllowedChanges,
) -> Counterfactuals:
    """Return the result in the user's columns."""
    target, X = problem.target, problem.X
    counts = np.array([len(each.rows) for each in results])
    sample = np.repeat(np.arange(len(X)), np.maximum(1, counts))
    is_found = counts[sample] > 0
    rows = X[sample]
    rows[is_found] = np.vstack([each.rows for each in results])
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
        is_fewest=np.array([each.is_fewest for each in results]),
        n_background=len(problem.background),
        member_shares=_member_shares(target.stacked(), rows, reached),
        costs=allowed.distances(X[sample], rows),
        reasons=tuple(each.reason for each in results),
    )


def _reached(
    target: Target, rows: np.ndarray, is_found: np.ndarray, goal: int | None
) -> np.ndarray:
    """Return the class of each row; the second most probable if none was each."""
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
