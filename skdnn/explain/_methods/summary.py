"""Summary: importance and effects of all columns, with intervals."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from skdnn._runtime.progress import Progress
from skdnn.explain._methods.average_conditional_effects import measure_effects
from skdnn.explain._methods.shuffling import draw_orders, measure_increases
from skdnn.explain._model.labels import effective_rows, row_weights
from skdnn.explain._model.opening import open_problem
from skdnn.explain._model.options import Features, RandomState, Step, no_step
from skdnn.explain._model.target import Problem
from skdnn.explain._results.frames import frame_of
from skdnn.explain._results.intervals import (
    freedom,
    holm,
    rank_ranges,
    t_probability,
    t_quantile,
)
from skdnn.explain._results.summary import Summary

# Number of times that each column is shuffled.
_N_REPEATS = 10
_NUMBERS = [
    "value", "std_error", "data_error", "refit_error", "ci_low", "ci_high", "p_holm",
    "rank_low", "rank_high",
]  # fmt: skip


def summary(
    estimator: Any,
    X: Any,
    y: Any,
    *,
    background: Any = None,
    features: Features = None,
    output: str = "probability",
    sample_weight: Any = None,
    random_state: RandomState = None,
    verbose: bool = False,
) -> Summary:
    """Measure importance and effect of every column, with intervals.

    Parameters
    ----------
    estimator : object
        A fitted classifier with `predict_proba` and `classes_`; best an ensemble of
        bootstrap samples, ``DNNClassifier(n_estimators=20, bootstrap=True)``, alone or
        last in a Pipeline, or any estimator with `predict_members`. The eight networks
        of ``DNNClassifier()`` vary less than fits to other rows; `warning` states it.
    X : {array-like, DataFrame} of shape (n_samples, n_features)
        Rows that the estimator was not fitted to.
    y : array-like of shape (n_samples,) or (n_samples, n_labels)
        Their classes, or zeros and ones of several labels per row.
    background : object, default=None
        Unused, as all is measured on the rows of X; all explain functions accept it.
    features : str, int or list of these, default=None
        Columns to measure, by name or position. None is all.
    output : {"probability", "log_odds"}, default="probability"
        The output whose changes are the effects.
    sample_weight : array-like of shape (n_samples,), default=None
        How many rows of the population each row stands for. Importance and effects are
        means over the population then, and errors those of weighted means.
    random_state : int, RandomState or None, default=None
        Draws the permutations.
    verbose : bool, default=False
        Whether a progress line is shown on stderr.

    Returns
    -------
    Summary
        `frame()` has one row for the importance of each column, and one for each effect
        of a column (or level) on a class: measure, feature, class, value, std_error,
        data_error, refit_error, ci_low, ci_high, p_holm, rank_low, rank_high.

    Raises
    ------
    ValueError
        If rows, classes or options are invalid.

    Notes
    -----
    *Importance* is the increase of the mean cross-entropy, in nats, when the column is
    shuffled, over ten permutations, the *effect* that of `average_conditional_effects`.
    The table is that of cito's ``summary`` [1]_, with two sources of error:

    ``data_error`` is the standard error over the rows: how the value would vary on
    other rows of the same number. ``refit_error`` is the standard deviation over the
    members: how it would vary with another fit, by seeds, or by seeds and training rows
    if the members are of bootstrap samples; the networks of ``DNNClassifier()`` share
    nearly all training rows. ``std_error`` is the root of the sum of both squares: they
    are independent, as held-out rows were not trained on. Intervals are Student's t,
    with the degrees of freedom of Satterthwaite (1946).

    ``ci_low`` and ``ci_high`` hold for each value alone. ``p_holm`` is the p-value of
    the hypothesis that the true value is 0, adjusted for all importances, or all
    effects, that were measured [2]_; the two classes of a binary table count once.

    ``rank_low`` and ``rank_high`` are the possible ranks of importance: a range is a
    tie. All ranges hold simultaneously in 95 of 100 cases [3]_.

    On rows that the estimator was fitted to, which are not detected, importance is
    overestimated, and its errors are underestimated.

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
        return compute_summary(
            problem, y, positions, sample_weight, random_state, progress.step
        )


def compute_summary(
    problem: Problem,
    y: Any,
    positions: Sequence[int] | None = None,
    sample_weight: Any = None,
    random_state: RandomState = None,
    step: Step = no_step,
) -> Summary:
    """Return importance and effects on the rows of X; no positions are all columns."""
    target = problem.target
    codes = target.codes_of(y, len(problem.X))
    weight = row_weights(sample_weight, len(codes))
    positions = target.positions(None) if positions is None else positions
    problem = problem.with_background(problem.X)
    orders = draw_orders(weight, _N_REPEATS, random_state)
    importance = _importance(problem, codes, positions, orders, weight, step)
    effects = _effects(problem, positions, weight, step)
    levels = [name for name in ("level", "reference") if name in effects]
    importance["class"] = None
    effects["class"] = effects["class"].astype(object)  # integers stay integers
    table = pd.concat([importance, effects], ignore_index=True)
    return Summary(
        table[["measure", "feature", *levels, "class", *_NUMBERS]],
        n_samples=len(codes),
        n_refits=target.stacked().n_refits,
        refits=_refits(problem),
        n_importances=len(importance),
        n_effects=len(effects) // _mirrored(problem),
        unit=target.unit,
    )


def _mirrored(problem: Problem) -> int:
    """Return how often each effect occurs: of two classes each is minus the other."""
    return 2 if problem.target.n_classes == 2 and problem.target.sum_to_one else 1


def _refits(problem: Problem) -> str:
    """Return what the members of an ensemble differ in."""
    members = problem.target.members
    if members is None:
        return ""
    return f"members ({members.differ_in})" if members.differ_in else "members"


def _importance(
    problem: Problem,
    codes: np.ndarray,
    positions: Sequence[int],
    orders: np.ndarray,
    weight: np.ndarray,
    step: Step,
) -> pd.DataFrame:
    """Return the importance of each column, its errors and ranks."""
    problem = problem.with_output("probability")  # cross-entropy needs it
    means, *covariances = measure_increases(
        problem, codes, positions, orders, weight, step
    )
    sources = np.array([source for source in covariances if source is not None])
    dfs: list[Any] = [
        effective_rows(weight) - 1,
        problem.target.stacked().n_refits - 1,
    ][: len(sources)]
    errors = np.sqrt(np.diagonal(sources, axis1=1, axis2=2))
    table = _with_errors(means, errors, dfs)
    low, high = rank_ranges(means, sources, dfs)
    adjusted = holm(table.pop("p").to_numpy())
    return frame_of(
        {
            "measure": "importance",
            "feature": [problem.target.columns[j].name for j in positions],
            **table,
            "p_holm": adjusted,
            "rank_low": pd.array(low, dtype="Int64"),
            "rank_high": pd.array(high, dtype="Int64"),
        }
    )


def _effects(
    problem: Problem, positions: Sequence[int], weight: np.ndarray, step: Step
) -> pd.DataFrame:
    """Return the effects of each column and their errors."""
    effects = measure_effects(problem, positions, step, weight)
    errors = [effects["data_error"].to_numpy()]
    dfs = [np.maximum(effects["n_rows"].to_numpy() - 1, 1)]
    n_refits = problem.target.stacked().n_refits
    if n_refits:
        errors.append(effects["refit_error"].to_numpy())
        dfs.append(np.full(len(effects), n_refits - 1))
    table = _with_errors(effects["effect"].to_numpy(), np.array(errors), dfs)
    n = _mirrored(problem)
    adjusted = np.repeat(holm(table.pop("p").to_numpy()[::n]), n)
    levels = [name for name in ("level", "reference") if name in effects]
    table = pd.concat([effects[["feature", *levels, "class"]], table], axis=1)
    return table.assign(measure="effect", p_holm=adjusted)


def _with_errors(
    values: np.ndarray, errors: np.ndarray, dfs: Sequence[int | np.ndarray]
) -> pd.DataFrame:
    """Return values with the errors of one or two sources, of both, and intervals."""
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
