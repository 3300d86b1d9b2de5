"""Break-down: the contribution of each column as a row's values are set one by one."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from skdnn._runtime.progress import Progress
from skdnn.explain._methods.uncertainty import with_uncertainty
from skdnn.explain._model.names import positions_of
from skdnn.explain._model.opening import MAX_BACKGROUND, draw_background, open_problem
from skdnn.explain._model.options import RandomState, Step, no_step
from skdnn.explain._model.target import Problem, Target
from skdnn.explain._results.attributions import BreakDown


def break_down(
    estimator: Any,
    X: Any,
    *,
    background: Any = None,
    order: Sequence[str | int] | None = None,
    output: str = "probability",
    random_state: RandomState = None,
    verbose: bool = False,
) -> BreakDown:
    """Attribute each prediction to the columns in one order.

    Parameters
    ----------
    estimator : object
        A fitted classifier with `predict_proba` and `classes_`.
    X : {array-like, DataFrame} of shape (n_samples, n_features)
        Rows to explain.
    background : like X, default=None
        Rows that represent "this column is unknown", usually the training data. At
        most 100 are drawn, stratified by predicted class. None takes X.
    order : list of str or int, default=None
        Columns that come first, by name or position; the others follow by size. None
        is by size for all.
    output : {"probability", "log_odds"}, default="probability"
        What is attributed.
    random_state : int, RandomState or None, default=None
        Draws background rows.
    verbose : bool, default=False
        Whether a progress line is shown on stderr.

    Returns
    -------
    BreakDown
        As of `shap`, with ``values`` of shape (n_samples, n_features, n_classes) and no
        sampling errors: ``std_errors`` are 0. ``orders`` of shape (n_samples,
        n_features) is the order of the columns in each row.

    Raises
    ------
    ValueError
        If rows, background or options are invalid.

    Notes
    -----
    All background rows are given the row's values, one column after the other; the
    attribution of a column is the change of the mean output in its turn [1]_. Its size
    is that of the change by this column alone, the root mean square over the classes.
    Where columns interact, the attributions depend on the order; `shap` is the mean
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
    is_by_size = order is None or np.size(order) == 0
    names = problem.target.feature_names
    first = [] if is_by_size else positions_of("order", order, names)
    with Progress(len(problem.X), "row", verbose) as progress:
        result = compute_break_down(problem, first, random_state, progress.step)
    return with_uncertainty(result, problem, background, random_state)


def compute_break_down(
    problem: Problem,
    first: Sequence[int] = (),
    random_state: RandomState = None,
    step: Step = no_step,
) -> BreakDown:
    """Return the break-down of every row; columns at `first`, then others by size."""
    target = problem.target
    background = draw_background(problem, check_random_state(random_state))
    stacked = problem.stacked().with_background(background)
    values, refit_errors, orders = _attribute(stacked, list(first), step)
    return BreakDown(
        values=values,
        std_errors=np.zeros_like(values),
        base_values=target.predict(background).mean(axis=0),
        predictions=target.predict(problem.X),
        feature_names=target.feature_names,
        class_names=target.class_names,
        data=problem.data,
        method="in the order given" if len(first) else "by size",
        output=target.output,
        n_background=len(background),
        random_state=random_state,
        refit_errors=refit_errors,
        n_refits=stacked.target.n_refits,
        predicted=target.classes_of(problem.X),
        orders=orders,
    )


def evaluations_per_row(problem: Problem) -> int:
    """Return how many rows are predicted for each row that is explained."""
    n_background = min(MAX_BACKGROUND, len(problem.background))
    return 2 * problem.target.n_features * n_background


def _attribute(
    problem: Problem, first: list[int], step: Step
) -> tuple[np.ndarray, np.ndarray | None, np.ndarray]:
    """Return values, refit errors, and the order of the columns, of all members."""
    target, X, background = problem.target, problem.X, problem.background
    d = target.n_features
    base = target.predict(background).mean(axis=0)
    rest = np.array([j for j in range(d) if j not in first], dtype=np.intp)
    values = np.empty((len(X), d, target.n_classes))
    refit_errors = np.empty_like(values) if target.n_refits else None
    orders = np.empty((len(X), d), dtype=np.intp)
    orders[:, : len(first)] = first
    size = max(1, target.block_rows // (d * len(background)))
    for start in range(0, len(X), size):
        part = slice(start, start + size)
        rows, n = X[part], len(X[part])
        alone = np.broadcast_to(np.eye(d, dtype=bool)[rest], (n, len(rest), d))
        changes = _means(target, rows, background, alone) - base
        sizes = np.sqrt((target.split(changes)[0] ** 2).mean(axis=2))
        by_size = np.argsort(-np.round(sizes, 12), axis=1, kind="stable")
        orders[part, len(first) :] = rest[by_size]
        # a column is known from its turn on
        turns = np.argsort(orders[part], axis=1)
        known = turns[:, None, :] <= np.arange(d)[:, None]
        means = _means(target, rows, background, known)
        path = np.concatenate([np.broadcast_to(base, (n, 1, len(base))), means], axis=1)
        added = np.take_along_axis(np.diff(path, axis=1), turns[..., None], axis=1)
        values[part], spread = target.split(added)
        if refit_errors is not None:
            refit_errors[part] = spread
        for _ in rows:
            step()
    return values, refit_errors, orders


def _means(
    target: Target, rows: np.ndarray, background: np.ndarray, known: np.ndarray
) -> np.ndarray:
    """Return mean outputs (n_rows, n_sets, n_outputs) of background rows.

    Their values are the row's where `known`, (n_rows, n_sets, n_features), is True.
    """
    n, n_sets, d = known.shape
    flat = known.reshape(-1, d)
    of_row = np.repeat(np.arange(n), n_sets)
    means = np.empty((len(flat), target.n_outputs))
    size = max(1, target.block_rows // len(background))
    for start in range(0, len(flat), size):
        part = slice(start, start + size)
        mixed = np.where(flat[part, None, :], rows[of_row[part], None, :], background)
        output = target.predict(mixed.reshape(-1, d), copy=False)
        means[part] = output.reshape(len(mixed), len(background), -1).mean(axis=1)
    return means.reshape(n, n_sets, target.n_outputs)
