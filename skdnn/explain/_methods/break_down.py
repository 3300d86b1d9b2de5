"""Break-down: what each column adds as the row's cells are put in one by one."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from skdnn._runtime.progress import Progress
from skdnn.explain._model.names import positions_of
from skdnn.explain._model.target import (
    Problem,
    Step,
    Target,
    draw_background,
    no_step,
    open_problem,
)
from skdnn.explain._results.break_down import BreakDown


def break_down(
    estimator,
    X,
    *,
    background=None,
    order=None,
    output="probability",
    random_state=None,
    verbose=False,
):
    """Attribute each prediction to the columns in one order.

    Parameters
    ----------
    estimator : object
        A fitted classifier with `predict_proba` and `classes_`.
    X : {array-like, DataFrame} of shape (n_samples, n_features)
        Rows to explain.
    background : like X, default=None
        Rows that stand for "this column is not known": the training data, as a rule.
        At most 100 are drawn, every predicted class in its share. None takes X.
    order : list of str or int, default=None
        Columns that come first, by name or position; those that are not named come
        after them, by size. None is by size for all.
    output : {"probability", "log_odds"}, default="probability"
        What is attributed.
    random_state : int, RandomState or None, default=None
        Draws background rows.
    verbose : bool, default=False
        Whether one live line on stderr shows progress.

    Returns
    -------
    BreakDown
        As `shap` returns. ``values`` of shape (n_samples, n_features, n_classes) in
        units of `output`: with ``base_values`` they add up to the prediction.
        ``orders`` of shape (n_samples, n_features) tells the order of each row. There
        are no sampling errors: ``std_errors`` are 0.

    Raises
    ------
    ValueError
        If rows, background or options cannot be.

    Notes
    -----
    All background rows are given the row's cells, one column after the other. A
    column's attribution is what the mean output moves by when its turn comes [1]_. The
    size of a column is how far it moves the output alone, as the root mean square over
    the classes, so that one order holds for all of them. Where columns act together,
    the one that comes first takes another share in another order; `shap` is the mean
    over all orders.

    References
    ----------
    .. [1] Staniak and Biecek (2018), Explanations of model predictions with live and
       breakDown packages.
    .. [2] Gosiewska and Biecek (2019), Do not trust additive explanations.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skdnn import explain
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> model = LogisticRegression(max_iter=1000).fit(X, y)
    >>> result = explain.break_down(model, X[:2], background=X, random_state=0)
    >>> result.values.shape
    (2, 4, 3)
    >>> result.feature_names[result.orders[0, 0]]
    'petal length (cm)'
    """
    problem = open_problem(estimator, X, background=background, output=output)
    no_order = order is None or np.size(order) == 0
    names = problem.target.feature_names
    first = [] if no_order else positions_of("order", order, names)
    with Progress(len(problem.X), "row", verbose) as progress:
        return compute_break_down(problem, first, random_state, progress.step)


def compute_break_down(
    problem: Problem,
    first: Sequence[int] = (),
    random_state: Any = None,
    step: Step = no_step,
) -> BreakDown:
    """Return break-downs of every row; columns at `first` come first, then by size."""
    names = problem.target.feature_names
    background = draw_background(problem, check_random_state(random_state))
    values, refit_errors, orders = _attribute(
        replace(problem, target=problem.target.stacked()), background, [*first], step
    )
    return BreakDown(
        values=values,
        std_errors=np.zeros_like(values),
        base_values=problem.target.predict(background).mean(axis=0),
        predictions=problem.target.predict(problem.X),
        feature_names=names,
        class_names=problem.target.class_names,
        data=problem.data,
        method="in the order given" if len(first) else "by size",
        output=problem.target.output,
        n_background=len(background),
        random_state=random_state,
        refit_errors=refit_errors,
        n_refits=0 if refit_errors is None else problem.target.members.n,
        orders=orders,
    )


def _attribute(
    problem: Problem, background: np.ndarray, first: list[int], step: Step
) -> tuple[np.ndarray, np.ndarray | None, np.ndarray]:
    """Return the attributions of all rows, and the order of the columns in each.

    Members of an ensemble go through the columns in the ensemble's order.

    Returns
    -------
    values : ndarray of shape (n_samples, n_features, n_classes)
    refit_errors : ndarray of the same shape or None
    orders : ndarray of shape (n_samples, n_features)
    """
    target, X = problem.target, problem.X
    d = target.n_features
    base = target.predict(background).mean(axis=0)
    rest = np.array([j for j in range(d) if j not in first], dtype=np.intp)
    values = np.empty((len(X), d, target.n_classes))
    refit_errors = np.empty_like(values) if target.n_refits else None
    orders = np.empty((len(X), d), dtype=np.intp)
    orders[:, : len(first)] = first
    at_once = max(1, target.block_rows // (d * len(background)))
    for start in range(0, len(X), at_once):
        part = slice(start, start + at_once)
        rows, n = X[part], len(X[part])
        alone = np.broadcast_to(np.eye(d, dtype=bool)[rest], (n, len(rest), d))
        moves = _means(target, rows, background, alone) - base
        sizes = np.sqrt((target.split(moves)[0] ** 2).mean(axis=2))
        by_size = np.argsort(-np.round(sizes, 12), axis=1, kind="stable")
        orders[part, len(first) :] = rest[by_size]
        # a column is known from its turn on
        turns = np.argsort(orders[part], axis=1)
        known = turns[:, None, :] <= np.arange(d)[:, None]
        means = _means(target, rows, background, known)
        path = np.concatenate([np.broadcast_to(base, (n, 1, len(base))), means], axis=1)
        added = np.diff(path, axis=1)
        added = np.take_along_axis(added, turns[..., None], axis=1)
        values[part], apart = target.split(added)
        if refit_errors is not None:
            refit_errors[part] = apart
        for _ in rows:
            step()
    return values, refit_errors, orders


def _means(
    target: Target, rows: np.ndarray, background: np.ndarray, known: np.ndarray
) -> np.ndarray:
    """Return the mean output when the background rows have some of a row's cells.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_features)
        Explained rows.
    known : ndarray of shape (n_rows, n_sets, n_features), bool
        Whether each cell is the row's.

    Returns
    -------
    ndarray of shape (n_rows, n_sets, n_outputs)
    """
    n, n_sets, d = known.shape
    flat = known.reshape(-1, d)
    of_row = np.repeat(np.arange(n), n_sets)
    means = np.empty((len(flat), target.n_outputs))
    at_once = max(1, target.block_rows // len(background))
    for start in range(0, len(flat), at_once):
        part = slice(start, start + at_once)
        mixed = np.where(flat[part, None, :], rows[of_row[part], None, :], background)
        output = target.predict(mixed.reshape(-1, d), copy=False)
        means[part] = output.reshape(len(mixed), len(background), -1).mean(axis=1)
    return means.reshape(n, n_sets, target.n_outputs)
