"""The summary of a classifier: importance and effects, with honest intervals."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils import check_random_state

from skdnn._runtime.progress import Progress
from skdnn.explain._methods.average_conditional_effects import measure_effects
from skdnn.explain._methods.loss_increase import measure_rises
from skdnn.explain._methods.permutation_importance import check_classes
from skdnn.explain._model.target import Problem, Step, no_step, open_problem
from skdnn.explain._results.intervals import (
    freedom,
    holm,
    rank_ranges,
    t_probability,
    t_quantile,
)
from skdnn.explain._results.summary import Summary

# Times that each column is shuffled.
_N_REPEATS = 10
_NUMBERS = [
    "value", "std_error", "data_error", "refit_error", "ci_low", "ci_high", "p_holm",
    "rank_low", "rank_high",
]  # fmt: skip


def summary(
    estimator,
    X,
    y,
    *,
    background=None,
    features=None,
    output="probability",
    random_state=None,
    verbose=False,
):
    """Tell importance and effect of every column, and how sure these are.

    Parameters
    ----------
    estimator : object
        A fitted classifier with `predict_proba` and `classes_`; best an ensemble of
        bootstrap samples, ``DNNClassifier(n_estimators=20, bootstrap=True)``, alone or
        last in a Pipeline, or any estimator with `predict_members`.
    X : {array-like, DataFrame} of shape (n_samples, n_features)
        Rows that the estimator was not fitted to.
    y : array-like of shape (n_samples,)
        Their classes.
    background : object, default=None
        Takes no part, as all is measured on the rows of X; it is here so that all
        explain functions can be called alike.
    features : str, int or list of these, default=None
        Columns to look at, by name or position. None is all.
    output : {"probability", "log_odds"}, default="probability"
        What effects are changes of.
    random_state : int, RandomState or None, default=None
        Draws the orders that cells are shuffled to.
    verbose : bool, default=False
        Whether one live line on stderr shows progress.

    Returns
    -------
    Summary
        `frame()` has a row for each column's importance, and for each effect of a
        column (or level) on a class: measure, feature, class, value, std_error,
        data_error, refit_error, ci_low, ci_high, p_holm, rank_low, rank_high.

    Raises
    ------
    ValueError
        If rows, classes or options cannot be.

    Notes
    -----
    *Importance* is the rise of the mean cross-entropy, in nats, when the column is
    shuffled, over ten shuffles. The *effect* is that of `average_conditional_effects`.
    The table is that of cito's ``summary`` [1]_, and says what it may be off by:

    ``data_error`` is the standard error from the rows: how the number would differ on
    other rows of the same count. ``refit_error`` is the standard deviation over the
    members: how it would differ with another fit. Members that differ in their seeds
    alone tell the spread of seeds, those of bootstrap samples that of seeds and
    training rows together. ``std_error`` is the root of the sum of both squares: the
    two are independent, as rows held out were not trained on. Intervals are those of
    Student's t, with the degrees of freedom of Satterthwaite (1946).

    ``ci_low`` and ``ci_high`` hold for each number alone. ``p_holm`` is how probable so
    large a number is if the truth is 0, adjusted for all importances, or all effects,
    that were looked at [2]_; the two classes of a binary table count once.

    ``rank_low`` and ``rank_high`` are the ranks of importance that are left open: a
    range is a tie. All ranges hold together in 95 of 100 cases [3]_.

    Rows that the estimator was fitted to would make all look more important, and surer,
    than it is. They cannot be told from others, and are not looked for.

    References
    ----------
    .. [1] Amesöder, Hartig and Pichler (2024), 'cito': an R package for training
       neural networks using 'torch'.
    .. [2] Holm (1979), A simple sequentially rejective multiple test procedure.
    .. [3] Mogstad, Romano, Shaikh and Wilhelm (2024), Inference for ranks with
       applications to mobility across neighbourhoods and academic achievement across
       countries.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skdnn import explain
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> model = LogisticRegression(max_iter=1000).fit(X[::2], y[::2])
    >>> result = explain.summary(model, X[1::2], y[1::2], random_state=0)
    >>> table = result.frame()
    >>> importance = table[table["measure"] == "importance"]
    >>> importance.loc[importance["value"].idxmax(), "feature"]
    'petal length (cm)'
    """
    del background
    problem = open_problem(estimator, X, output=output)
    positions = problem.target.positions(features)
    with Progress(2 * len(positions), "column", verbose) as progress:
        return compute_summary(problem, y, positions, random_state, progress.step)


def compute_summary(
    problem: Problem,
    y: Any,
    positions: Sequence[int] | None = None,
    random_state: Any = None,
    step: Step = no_step,
) -> Summary:
    """Return importance and effects on the rows of X; None is all columns."""
    y = check_classes(y, problem)
    positions = range(problem.target.n_features) if positions is None else positions
    problem = problem.with_background(problem.X)
    draw = check_random_state(random_state)
    orders = np.array([draw.permutation(len(y)) for _ in range(_N_REPEATS)])
    importance = _importance(problem, y, positions, orders, step)
    effects = _effects(problem, positions, step)
    words = [name for name in ("level", "reference") if name in effects]
    importance["class"] = None
    effects["class"] = effects["class"].astype(object)  # whole numbers stay whole
    table = pd.concat([importance, effects], ignore_index=True)
    return Summary(
        table[["measure", "feature", *words, "class", *_NUMBERS]],
        n_samples=len(y),
        n_refits=problem.target.stacked().n_refits,
        refits=_refits(problem),
        n_importances=len(importance),
        n_effects=len(effects) // (2 if problem.target.n_classes == 2 else 1),
        unit=problem.target.unit,
    )


def _refits(problem: Problem) -> str:
    """Return what members differ by, in words."""
    members = problem.target.members
    if members is None:
        return ""
    given = getattr(members.ensemble, "bootstrap", None)
    if given is None:
        return "members"
    return "members (bootstrap samples and seeds)" if given else "members (seeds)"


def _importance(
    problem: Problem,
    y: np.ndarray,
    positions: Sequence[int],
    orders: np.ndarray,
    step: Step,
) -> pd.DataFrame:
    """Return the importance of each column, its errors and ranks."""
    # cross-entropy is of probabilities, whatever effects are changes of
    target = replace(problem.target, output="probability")
    problem = replace(problem, target=target)
    told = measure_rises(problem, y, positions, orders, step)
    covariances, dfs = [told.data_covariance], [len(y) - 1]
    if told.refit_covariance is not None:
        covariances.append(told.refit_covariance)
        dfs.append(target.stacked().n_refits - 1)
    causes = np.array(covariances)
    errors = np.sqrt(np.diagonal(causes, axis1=1, axis2=2))
    table = _with_errors(told.rises, errors, dfs)
    low, high = rank_ranges(told.rises, causes, dfs)
    return table.assign(
        measure="importance",
        feature=[target.columns[j].name for j in positions],
        p_holm=holm(table.pop("p").to_numpy()),
        rank_low=pd.array(low, dtype="Int64"),
        rank_high=pd.array(high, dtype="Int64"),
    )


def _effects(problem: Problem, positions: Sequence[int], step: Step) -> pd.DataFrame:
    """Return the effects of each column and their errors."""
    told = measure_effects(problem, positions, step)
    errors = [told["data_error"].to_numpy()]
    dfs = [np.maximum(told["n_rows"].to_numpy() - 1, 1)]
    n_refits = problem.target.stacked().n_refits
    if n_refits:
        errors.append(told["refit_error"].to_numpy())
        dfs.append(np.full(len(told), n_refits - 1))
    table = _with_errors(told["effect"].to_numpy(), np.array(errors), dfs)
    # of two classes, what one wins the other loses: looked at once
    twice = 2 if problem.target.n_classes == 2 else 1
    adjusted = np.repeat(holm(table.pop("p").to_numpy()[::twice]), twice)
    words = [name for name in ("level", "reference") if name in told]
    table = pd.concat([told[["feature", *words, "class"]], table], axis=1)
    return table.assign(measure="effect", p_holm=adjusted)


def _with_errors(values: np.ndarray, errors: np.ndarray, dfs) -> pd.DataFrame:
    """Return numbers with errors of one or two causes, of both, and intervals."""
    total = np.sqrt((errors**2).sum(axis=0))
    df = freedom(errors**2, dfs)
    reach = t_quantile(0.95, df) * total
    return pd.DataFrame(
        {
            "value": values,
            "std_error": total,
            "data_error": errors[0],
            "refit_error": errors[1] if len(errors) > 1 else np.nan,
            "ci_low": values - reach,
            "ci_high": values + reach,
            "p": t_probability(values, total, df),
        }
    )
