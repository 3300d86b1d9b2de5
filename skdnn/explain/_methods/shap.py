"""SHAP: interventional Shapley values of the user's columns.

The worth of a set of players is the mean output when their cells are the explained
row's and the others a background row's. A player's attribution is the mean of what it
adds, over all orders in which players may be switched. A player is a column, or a
group of them.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state

from skdnn._runtime.progress import Progress
from skdnn.explain._methods.shap_evaluation import Mixer, Series, estimate
from skdnn.explain._model.images import picture
from skdnn.explain._model.names import check_option
from skdnn.explain._model.players import cells_of, players
from skdnn.explain._model.target import (
    MAX_BACKGROUND,
    Problem,
    Step,
    Target,
    draw_background,
    no_step,
    open_problem,
)
from skdnn.explain._results.attributions import Attributions
from skdnn.explain._results.positions import class_position

METHODS = ("auto", "exact", "regression", "walks", "permutation", "kernel")
_PEERS = ("permutation", "kernel")
# 2 ** 10 sets a row are about as many evaluations as shap's default for 50 columns.
MAX_ENUMERATED = 10
_EXACT_LIMIT = 20
# The regression solves for twice as many numbers; beyond, walks take less memory.
_MAX_REGRESSED = 200
# Evaluations of a row: so many for each player, and no fewer than the least.
_EVALS_A_PLAYER = 130
_LEAST_EVALS = 4000
# Antithetic pairs of walks: two for each background row tell how much they differ,
# and fewer in all would make the standard errors themselves unsteady.
_PAIRS_A_ROW = 2
_LEAST_PAIRS = 100
# Cells of one design of the regression; more evaluations make more designs.
_DESIGN_CELLS = 2**20
# Background rows where `max_evals` or `tolerance` ask for more than the default.
_MAX_PRECISE_BACKGROUND = 1000


@dataclass(frozen=True)
class ShapConfig:
    """How Shapley values are to be found.

    Parameters
    ----------
    method : str
        One of `METHODS`.
    groups : dict, list or None
        Columns that are one player.
    contrast : tuple or None
        Two classes whose difference is explained.
    max_evals : int or None
        Evaluations of the classifier for each row, at most.
    tolerance : float or None
        What the largest standard error of a row must be below.
    n_jobs : int or None
        Processes, as joblib counts them.

    Raises
    ------
    ValueError, TypeError
        If a number is none or out of range.
    """

    method: str = "auto"
    groups: Any = None
    contrast: Any = None
    max_evals: int | None = None
    tolerance: float | None = None
    n_jobs: int | None = None

    def __post_init__(self) -> None:
        counts = {"max_evals": self.max_evals, "n_jobs": self.n_jobs}
        for name, value in counts.items():
            if not (value is None or isinstance(value, int | np.integer)):
                raise TypeError(
                    f"`{name}` must be a whole number or None. Got {value!r}."
                )
        if self.tolerance is not None and not (
            isinstance(self.tolerance, int | float | np.number) and self.tolerance > 0
        ):
            raise ValueError(
                "`tolerance` must be a standard error, above 0. Got "
                f"{self.tolerance!r}."
            )


def shap(
    estimator,
    X,
    *,
    background=None,
    method="auto",
    output="probability",
    contrast=None,
    groups=None,
    max_evals=None,
    tolerance=None,
    n_jobs=None,
    random_state=None,
    verbose=False,
):
    """Attribute each prediction to the columns by their Shapley values.

    Parameters
    ----------
    estimator : object
        A fitted classifier with `predict_proba` and `classes_`.
    X : {array-like, DataFrame} of shape (n_samples, n_features)
        Rows to explain; or images or sequences, an array of three dimensions or more,
        whose cells are the columns.
    background : like X, default=None
        Rows that stand for "this column is not known": the training data, as a rule.
        At most 100 are drawn, every predicted class in its share; up to 1000 with
        `max_evals` or `tolerance`, as far as these go round. None takes X.
    method : str, default="auto"
        "exact" enumerates all sets of players; "regression" samples sets in
        complementary pairs; "walks" samples antithetic permutations; "permutation" and
        "kernel" ask shap's own explainers, which tell no standard errors. "auto" is
        exact up to 10 players if `max_evals` allows, regression up to 200, else walks.
    output : {"probability", "log_odds"}, default="probability"
        What is attributed.
    contrast : tuple of two class labels, default=None
        Explains the output of the first class less that of the second. None explains
        every class.
    groups : dict of str to columns, list of lists of columns, or ndarray, default=None
        Several columns, by name or position, are one player. Columns that are not
        listed are players of their own. For images, an array of whole numbers, one a
        pixel: which patch or superpixel it belongs to.
    max_evals : int, default=None
        Evaluations of the classifier for each row, at most. None is 130 a player, at
        least 4000, where sets are sampled.
    tolerance : float, default=None
        Goes on, row by row, until the largest standard error of the row is not above
        this, or `max_evals` are spent.
    n_jobs : int, default=None
        Processes that share the rows, as joblib counts them. The numbers are the same.
    random_state : int, RandomState or None, default=None
        Draws background rows and sets. No global seed is read or left changed.
    verbose : bool, default=False
        Whether one live line on stderr shows progress.

    Returns
    -------
    Attributions
        ``values`` of shape (n_samples, n_features, n_classes) in units of `output`:
        with ``base_values`` they add up to the prediction. With `groups` there is a
        feature for each player, with `contrast` one class. ``std_errors`` are 0 where
        exact; ``interval()`` makes intervals of them. Of an ensemble, ``refit_errors``
        is the standard deviation over the members, which are explained by the same
        sets; ``refit_interval()`` makes intervals of it.

    Raises
    ------
    ValueError
        If rows, background or options cannot be, or the estimator has no
        `predict_proba` or `classes_`.
    TypeError
        If `groups` or `n_jobs` are of another type.
    sklearn.exceptions.NotFittedError
        If the estimator is not fitted.

    Notes
    -----
    Fitted wrappers of Keras, scikeras's `KerasClassifier` and
    ``keras.wrappers.SKLearnClassifier``, are asked through one compiled function.
    Keras's has no `predict_proba`: what is explained is its `decision_function`, by
    softmax where its rows are no probabilities already.

    A column of words is one player, whatever the Pipeline makes of it. The values are
    interventional: columns are switched against background rows, whether or not such
    rows occur.

    References
    ----------
    .. [1] Strumbelj and Kononenko (2014), Explaining prediction models and individual
       predictions with feature contributions.
    .. [2] Lundberg and Lee (2017), A unified approach to interpreting model
       predictions.
    .. [3] Musco and Witter (2025), Provably accurate Shapley value estimation via
       leverage score sampling.
    .. [4] Mitchell et al. (2022), Sampling permutations for Shapley value estimation.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skdnn import explain
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> model = LogisticRegression(max_iter=1000).fit(X, y)
    >>> result = explain.shap(model, X[:2], background=X, random_state=0)
    >>> result.values.shape
    (2, 4, 3)
    >>> result.method
    'exact'
    """
    check_option("method", method, METHODS)
    config = ShapConfig(method, groups, contrast, max_evals, tolerance, n_jobs)
    problem = open_problem(estimator, X, background=background, output=output)
    with Progress(len(problem.X), "SHAP row", verbose) as progress:
        return compute_shap(problem, config, random_state, progress.step)


def compute_shap(
    problem: Problem,
    config: ShapConfig | None = None,
    random_state: Any = None,
    step: Step = no_step,
) -> Attributions:
    """Return Shapley values of every row of an opened problem, player and class."""
    plan = config or ShapConfig()
    draw_state = check_random_state(random_state)
    target = problem.target
    everyone = players(target.feature_names, plan.groups)
    live = _live(problem, everyone)
    method = _check_method(plan, len(live), len(problem.background))
    target = replace(target, contrast=_contrast(target, plan.contrast)).stacked()
    ends = target.predict(problem.X)  # first, if the classifier refuses a row
    most = _most_background(plan, method, len(live))
    background = draw_background(problem, draw_state, most)
    owner = np.zeros(target.n_features, dtype=np.intp)
    for place, player in enumerate(live):
        owner[everyone[player][1]] = place
    mixer = Mixer(target, background, owner)
    draw = int(draw_state.randint(2**31 - 1))
    shape = (len(ends), len(everyone), len(target.output_names))
    values, errors, error_df = np.zeros(shape), np.zeros(shape), None
    refits = np.zeros(shape) if target.n_refits else None
    if method in _PEERS:
        ask = _peer(method, plan.max_evals, mixer, draw)
        told = _ask_peer(ask, problem.X, ends, draw, step)
        (values, refits), errors[:] = target.split(told), np.nan
    else:
        series = _series(plan, method, mixer, draw)
        values[:, live], errors[:, live], apart, error_df = estimate(
            mixer, series, problem.X, ends, n_jobs=plan.n_jobs, step=step
        )
        if refits is not None:
            refits[:, live] = apart
        _warn_of_tolerance(plan, errors)
    return Attributions(
        values=values,
        std_errors=errors,
        base_values=target.split(target.predict(background).mean(axis=0))[0],
        predictions=target.split(ends)[0],
        feature_names=[name for name, _ in everyone],
        class_names=target.output_names,
        data=cells_of(problem.data, everyone),
        method=method,
        output=target.output,
        n_background=len(background),
        random_state=random_state,
        refit_errors=refits,
        error_df=error_df,
        n_refits=target.n_refits,
        **picture(target.estimator, problem.X, everyone),
    )


def _live(problem: Problem, everyone: list[tuple[str, list[int]]]) -> list[int]:
    """Return the players with a column that is not the same in all rows.

    The others' values are 0, which no sampling needs to find out.
    """
    first = problem.background[0]
    varies = np.zeros(len(first), dtype=bool)
    for rows in (problem.X, problem.background):
        same = (rows == first) | (np.isnan(rows) & np.isnan(first))
        varies |= ~same.all(axis=0)
    live = [i for i, (_, columns) in enumerate(everyone) if varies[columns].any()]
    return live or [0]


def _contrast(target: Target, contrast) -> tuple[int, int] | None:
    if contrast is None:
        return None
    if not isinstance(contrast, tuple | list) or len(contrast) != 2:
        raise ValueError(
            "`contrast` must be two classes, of which the second is taken from the "
            f"first. Got {contrast!r}."
        )
    first, second = (
        class_position(target.class_names, label, "contrast") for label in contrast
    )
    if first == second:
        raise ValueError(
            f"`contrast` must be two different classes. Got {contrast[0]!r} twice."
        )
    return first, second


def _check_method(plan: ShapConfig, d: int, n_background: int) -> str:
    """Return the method to use for so many players; ``ValueError`` if it cannot be."""
    method, most = plan.method, plan.max_evals
    if method in _PEERS:
        if plan.tolerance is not None or plan.groups:
            raise ValueError(
                f"method={method!r} must go without `tolerance` and `groups`, which "
                "shap's explainers do not have. Got one of them; use method='auto'."
            )
        return method
    if method == "auto":
        rows = min(MAX_BACKGROUND, n_background)
        if d <= MAX_ENUMERATED and (most is None or 2**d * rows <= most):
            method = "exact"
        else:
            method = "regression" if d <= _MAX_REGRESSED else "walks"
    if d == 1:
        return "exact"  # the player has all there is
    if method == "exact" and d > _EXACT_LIMIT:
        raise ValueError(
            f"method='exact' takes 2 to the number of columns evaluations, for at most "
            f"{_EXACT_LIMIT} columns. Got {d}; use method='auto'."
        )
    least = {
        "exact": 2 * (2**d - 2), "regression": max(8, 4 * d), "walks": 8 * (d - 1)
    }[method]  # fmt: skip
    if most is not None and most < least:
        raise ValueError(
            f"`max_evals` must be at least {least} for {d} players and "
            f"method={method!r}. Got {most}."
        )
    return method


def _most_background(plan: ShapConfig, method: str, d: int) -> int:
    """Return how many background rows there may be."""
    if plan.max_evals is None and plan.tolerance is None:
        return MAX_BACKGROUND
    most = _MAX_PRECISE_BACKGROUND
    if plan.max_evals is None or d == 1:
        return most
    if method == "exact":
        return min(most, plan.max_evals // (2**d - 2))
    if method in _PEERS:
        return MAX_BACKGROUND
    evals = 2 if method == "regression" else 2 * (d - 1)  # of a pair
    return min(most, plan.max_evals // evals // 2)


def _series(plan: ShapConfig, method: str, mixer: Mixer, seed: int) -> Series:
    """Return which designs are evaluated until when."""
    d, (rows, n_columns) = mixer.n_players, mixer.background.shape
    if method == "exact":
        return Series(method, 0, 1, None, seed)
    evals = 2 if method == "regression" else 2 * (d - 1)  # of a pair
    if method == "regression":
        pairs = max(_LEAST_EVALS, _EVALS_A_PLAYER * d) // evals
    else:
        pairs = max(_LEAST_PAIRS, _PAIRS_A_ROW * rows)
    most = None if plan.max_evals is None else plan.max_evals // evals
    if most is not None:
        pairs = most if plan.tolerance is None else min(most, pairs)
    if method == "regression":
        widest = max(n_columns, mixer.target.n_outputs)
        in_one = max(4 * d, 2 * rows, _DESIGN_CELLS // widest)
        n_designs = -(-pairs // in_one)
    else:
        n_designs = 1
    # each background row as often as any other, twice at least
    each = max(2, pairs // n_designs // rows)
    if plan.tolerance is not None:
        n_designs = None if most is None else max(1, most // (each * rows))
    return Series(method, each, n_designs, plan.tolerance, seed)


def _warn_of_tolerance(plan: ShapConfig, errors: np.ndarray) -> None:
    if plan.tolerance is not None and errors.max() > plan.tolerance:
        warnings.warn(
            f"The largest standard error is {errors.max():.2g} after max_evals="
            f"{plan.max_evals} evaluations, above tolerance={plan.tolerance}. Allow "
            "more evaluations.",
            ConvergenceWarning,
            stacklevel=4,
        )


def _ask_peer(ask, X, ends, seed, step) -> np.ndarray:
    """Return what shap's explainer says; no errors are known."""
    values = []
    for row in X:
        # shap draws from NumPy's global state, which is the caller's
        with _global_seed(seed):
            told = np.asarray(ask(row))
        values.append(told.reshape(len(row), ends.shape[1]))
        step()
    return np.stack(values)


def _peer(method: str, max_evals: int | None, mixer: Mixer, seed: int):
    """Return a function that asks shap's own explainer about a row."""
    import shap

    target, background = mixer.target, mixer.background
    # shap counts sets, each of which is evaluated for all of the background
    sets = None if max_evals is None else max_evals // len(background)
    least = 2 * target.n_features + 1
    if sets is not None and sets < least:
        raise ValueError(
            f"`max_evals` must be at least {least * len(background)} for "
            f"method={method!r}. Got {max_evals}."
        )
    if method == "kernel":
        explainer = shap.KernelExplainer(target.predict, background)
        n_samples = "auto" if sets is None else sets
        return lambda row: explainer.shap_values(
            row[None], silent=True, nsamples=n_samples
        )[0]
    masker = shap.maskers.Independent(background, max_samples=len(background))
    with _global_seed(seed):
        explainer = shap.explainers.Permutation(target.predict, masker, seed=seed)
    most = {} if sets is None else {"max_evals": sets}
    return lambda row: explainer(row[None], silent=True, **most).values[0]


@contextmanager
def _global_seed(seed: int) -> Iterator[None]:
    """Set NumPy's global seed for a block, and put its state back."""
    kept = np.random.get_state()  # noqa: NPY002
    np.random.seed(seed)  # noqa: NPY002
    try:
        yield
    finally:
        np.random.set_state(kept)  # noqa: NPY002
