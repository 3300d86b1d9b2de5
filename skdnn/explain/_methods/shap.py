"""SHAP: interventional Shapley values of the user's columns.

The worth of a set of players (columns, or groups of these) is the mean output when
their values are the explained row's and the others a background row's. The attribution
of a player is the mean change when it joins, over all orders of the players.
"""

import warnings
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state

from skdnn._runtime.progress import Progress
from skdnn._runtime.seeds import global_numpy_seed
from skdnn.explain._methods.shap_evaluation import DesignSeries, Mixer, estimate
from skdnn.explain._methods.uncertainty import with_uncertainty
from skdnn.explain._model.images import image_facts
from skdnn.explain._model.opening import MAX_BACKGROUND, draw_background, open_problem
from skdnn.explain._model.options import (
    Groups,
    RandomState,
    Step,
    check_option,
    no_step,
)
from skdnn.explain._model.players import Player, cells_of, players_of
from skdnn.explain._model.target import Problem, Target
from skdnn.explain._results.attributions import Attributions
from skdnn.explain._results.result import class_position

METHODS = ("auto", "exact", "regression", "walks", "permutation", "kernel")
_SHAP_PACKAGE = ("permutation", "kernel")
_EXACT_LIMIT = 20
# The regression solves for twice as many coefficients; beyond, walks take less memory.
_MAX_REGRESSED = 200
# Evaluations for each row: proportional to the players, and at least a minimum.
_EVALS_PER_PLAYER = 130
_MIN_EVALS = 4000
# All sets are enumerated where that takes at most this many: twice those of sampling,
# for values without a sampling error.
_MAX_ENUMERATED = 2 * _MIN_EVALS
# Antithetic pairs of walks: two for each background row show their variance; fewer in
# all would make the standard errors themselves unstable.
_PAIRS_PER_ROW = 2
_MIN_PAIRS = 100
# Values in one design of the regression; more evaluations make more designs.
_DESIGN_CELLS = 2**20
# Background rows where `max_evals` or `tolerance` demand more than the default.
_MAX_PRECISE_BACKGROUND = 1000


def shap(
    estimator: Any,
    X: Any,
    *,
    background: Any = None,
    method: str = "auto",
    output: str = "probability",
    contrast: tuple[Any, Any] | None = None,
    groups: Groups | None = None,
    max_evals: int | None = None,
    tolerance: float | None = None,
    n_jobs: int | None = None,
    random_state: RandomState = None,
    verbose: bool = False,
) -> Attributions:
    """Attribute each prediction to the columns by Shapley values.

    Parameters
    ----------
    estimator : object
        A fitted classifier with `predict_proba` and `classes_`.
    X : {array-like, DataFrame} of shape (n_samples, n_features)
        Rows to explain; or images or sequences, an array of three or more dimensions,
        whose pixels are the columns.
    background : like X, default=None
        Rows that represent "this column is unknown", usually the training data; None
        takes X. At most 100 are drawn, stratified by predicted class; up to 1000 with
        `max_evals` or `tolerance`, if the evaluations suffice.
    method : str, default="auto"
        "exact" enumerates all sets of players; "regression" samples sets in
        complementary pairs; "walks" samples antithetic permutations; "permutation" and
        "kernel" are those of the shap package, without standard errors. "auto" is exact
        where this takes at most 8000 evaluations per row (6 players with 100 background
        rows) or `max_evals`, regression up to 200 players, else walks.
    output : {"probability", "log_odds"}, default="probability"
        What is attributed.
    contrast : tuple of two class labels, default=None
        Explains the output of the first class less that of the second, not every class.
    groups : dict of str to columns, list of lists of columns, or ndarray of the \
            shape of an image, default=None
        Columns, by name or position, that form one player; the others are players of
        their own. For images, the integer label of the patch of each pixel.
    max_evals : int, default=None
        Maximum number of evaluations of the classifier for each row. None is 130 per
        player, at least 4000, where sets are sampled.
    tolerance : float, default=None
        Sampling continues until the largest standard error of a row is at most this,
        or `max_evals` are used.
    n_jobs : int, default=None
        Number of processes for the rows, as in joblib. Results do not depend on it,
        except for rounding.
    random_state : int, RandomState or None, default=None
        Draws background rows and sets. NumPy's global state is not used or changed.
    verbose : bool, default=False
        Whether a progress line is shown on stderr.

    Returns
    -------
    Attributions
        ``values`` of shape (n_samples, n_features, n_classes) in units of `output`:
        with ``base_values`` they sum to the prediction. With `groups` there is one
        feature for each player, with `contrast` one class. ``std_errors`` are 0 where
        exact; ``interval()`` turns them into intervals. For an ensemble,
        ``refit_errors`` is the standard deviation over the members, explained with the
        same sets; ``refit_interval()`` turns it into intervals.

    Raises
    ------
    ValueError
        If rows, background or options are invalid, or the estimator has no
        `predict_proba` or `classes_`.
    TypeError
        If `groups`, `max_evals` or `n_jobs` have an invalid type.
    sklearn.exceptions.NotFittedError
        If the estimator is not fitted.

    Notes
    -----
    Fitted Keras wrappers, scikeras's `KerasClassifier` and
    ``keras.wrappers.SKLearnClassifier``, predict through one compiled function. The
    latter has no `predict_proba`: its `decision_function` is explained, after softmax
    where its rows are not probabilities.

    A text column is one player, whatever the Pipeline derives from it. The values are
    interventional: columns are replaced by those of background rows, whether or not
    such rows occur.

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
    config = ShapConfig(method, groups, contrast, max_evals, tolerance, n_jobs)
    problem = open_problem(estimator, X, background=background, output=output)
    with Progress(len(problem.X), "SHAP row", verbose) as progress:
        result = compute_shap(problem, config, random_state, progress.step)
    return with_uncertainty(result, problem, background, random_state)


@dataclass(frozen=True)
class ShapConfig:
    """Options of `shap`; ValueError or TypeError for invalid ones."""

    method: str = "auto"
    groups: Groups | None = None
    contrast: Any = None
    max_evals: int | None = None
    tolerance: float | None = None
    n_jobs: int | None = None

    def __post_init__(self) -> None:
        check_option("method", self.method, METHODS)
        for name in ("max_evals", "n_jobs"):
            value = getattr(self, name)
            if not (value is None or isinstance(value, int | np.integer)):
                raise TypeError(
                    f"`{name}` must be a whole number or None. Got {value!r}."
                )
        is_number = isinstance(self.tolerance, int | float | np.number)
        if self.tolerance is not None and not (is_number and self.tolerance > 0):
            raise ValueError(
                "`tolerance` must be a standard error, above 0. Got "
                f"{self.tolerance!r}."
            )


def compute_shap(
    problem: Problem,
    config: ShapConfig | None = None,
    random_state: RandomState = None,
    step: Step = no_step,
) -> Attributions:
    """Return the Shapley values of every row, player and class."""
    config = config or ShapConfig()
    draw = check_random_state(random_state)
    players = players_of(problem.target.feature_names, config.groups)
    varying = _varying(problem, players)
    method = _choose_method(config, len(varying), len(problem.background))
    target = _contrasted(problem.target, config.contrast).stacked()
    ends = target.predict(problem.X)  # first, in case the classifier refuses a row
    size = _max_background(config, method, len(varying))
    background = draw_background(problem, draw, size)
    owner = np.zeros(target.n_features, dtype=np.intp)
    for place, i in enumerate(varying):
        owner[players[i][1]] = place
    mixer = Mixer(target, background, owner)
    seed = int(draw.randint(2**31 - 1))
    shape = (len(ends), len(players), len(target.output_names))
    values, errors, error_df = np.zeros(shape), np.zeros(shape), None
    refits = np.zeros(shape) if target.n_refits else None
    if method in _SHAP_PACKAGE:
        stacked = _by_package(config, mixer, problem.X, seed, step)
        (values, refits), errors[:] = target.split(stacked), np.nan
    else:
        series = _series(config, method, mixer, seed)
        values[:, varying], errors[:, varying], spread, error_df = estimate(
            mixer, series, problem.X, ends, n_jobs=config.n_jobs, step=step
        )
        if refits is not None:
            refits[:, varying] = spread
        _warn_of_tolerance(config, errors)
    return Attributions(
        values=values,
        std_errors=errors,
        base_values=target.split(target.predict(background).mean(axis=0))[0],
        predictions=target.split(ends)[0],
        feature_names=[name for name, _ in players],
        class_names=target.output_names,
        data=cells_of(problem.data, players),
        method=method,
        output=target.output,
        n_background=len(background),
        random_state=random_state,
        refit_errors=refits,
        error_df=error_df,
        n_refits=target.n_refits,
        predicted=target.default_classes(problem.X),
        **image_facts(target.estimator, problem.X, players),
    )


def evaluations_per_row(problem: Problem) -> int:
    """Return how many rows are predicted for each row that is explained by default."""
    players = players_of(problem.target.feature_names, None)
    d, n = len(_varying(problem, players)), min(MAX_BACKGROUND, len(problem.background))
    method = _choose_method(ShapConfig(), d, n)
    if method == "exact":
        return int(2**d - 2) * n
    if method == "regression":
        return max(_MIN_EVALS, _EVALS_PER_PLAYER * d)
    return max(_MIN_PAIRS, _PAIRS_PER_ROW * n) * _evals_per_pair(method, d)


def _varying(problem: Problem, players: list[Player]) -> list[int]:
    """Return the players with a column that varies; the others' values are 0."""
    first = problem.background[0]
    varies = np.zeros(len(first), dtype=bool)
    for rows in (problem.X, problem.background):
        same = (rows == first) | (np.isnan(rows) & np.isnan(first))
        varies |= ~same.all(axis=0)
    varying = [i for i, (_, columns) in enumerate(players) if varies[columns].any()]
    return varying or [0]


def _contrasted(target: Target, contrast: Any) -> Target:
    """Return the target whose output is the contrast of two classes, if given."""
    if contrast is None:
        return target
    if not isinstance(contrast, tuple | list) or len(contrast) != 2:
        raise ValueError(
            "`contrast` must be two classes, of which the second is subtracted from "
            f"the first. Got {contrast!r}."
        )
    first, second = (
        class_position(target.class_names, label, "contrast") for label in contrast
    )
    if first == second:
        raise ValueError(
            f"`contrast` must be two different classes. Got {contrast[0]!r} twice."
        )
    return replace(target, contrast=(first, second))


def _choose_method(config: ShapConfig, d: int, n_background: int) -> str:
    """Return the method for d players; ValueError if the options do not allow it."""
    method, max_evals = config.method, config.max_evals
    if method in _SHAP_PACKAGE:
        if config.tolerance is not None or config.groups:
            raise ValueError(
                f"method={method!r} must be used without `tolerance` and `groups`, "
                "which shap's explainers do not have. Got one of them; use "
                "method='auto'."
            )
        return method
    if method == "auto":
        rows = min(MAX_BACKGROUND, n_background)
        most = _MAX_ENUMERATED if max_evals is None else max_evals
        if d <= _EXACT_LIMIT and (2**d - 2) * rows <= most:
            method = "exact"
        else:
            method = "regression" if d <= _MAX_REGRESSED else "walks"
    if d == 1:
        return "exact"  # the one player explains everything
    if method == "exact" and d > _EXACT_LIMIT:
        raise ValueError(
            f"method='exact' takes 2 to the number of columns evaluations, for at most "
            f"{_EXACT_LIMIT} columns. Got {d}; use method='auto'."
        )
    smallest = {
        "exact": 2 * (2**d - 2), "regression": max(8, 4 * d), "walks": 8 * (d - 1)
    }[method]  # fmt: skip
    if max_evals is not None and max_evals < smallest:
        raise ValueError(
            f"`max_evals` must be at least {smallest} for {d} players and "
            f"method={method!r}. Got {max_evals}."
        )
    return method


def _evals_per_pair(method: str, d: int) -> int:
    """Return the evaluations of a pair of sets, or of a pair of walks."""
    return 2 if method == "regression" else 2 * (d - 1)


def _max_background(config: ShapConfig, method: str, d: int) -> int:
    """Return the maximum number of background rows."""
    if config.max_evals is None and config.tolerance is None:
        return MAX_BACKGROUND
    most = _MAX_PRECISE_BACKGROUND
    if config.max_evals is None or d == 1:
        return most
    if method == "exact":
        return min(most, config.max_evals // int(2**d - 2))
    if method in _SHAP_PACKAGE:
        return MAX_BACKGROUND
    return min(most, config.max_evals // _evals_per_pair(method, d) // 2)


def _series(config: ShapConfig, method: str, mixer: Mixer, seed: int) -> DesignSeries:
    """Return which designs are evaluated, and until when."""
    d, (n_rows, n_columns) = mixer.n_players, mixer.background.shape
    if method == "exact":
        return DesignSeries(method, 0, 1, None, seed)
    evals = _evals_per_pair(method, d)
    pairs = max(_MIN_PAIRS, _PAIRS_PER_ROW * n_rows)
    if method == "regression":
        pairs = max(_MIN_EVALS, _EVALS_PER_PLAYER * d) // evals
    most = None if config.max_evals is None else config.max_evals // evals
    if most is not None:
        pairs = most if config.tolerance is None else min(most, pairs)
    n_designs: int | None = 1
    if method == "regression":
        widest = max(n_columns, mixer.target.n_outputs)
        pairs_per_design = max(4 * d, 2 * n_rows, _DESIGN_CELLS // widest)
        n_designs = -(-pairs // pairs_per_design)
    # all background rows equally often, at least twice
    n_pairs = max(2, pairs // (n_designs or 1) // n_rows)
    if config.tolerance is not None:
        n_designs = None if most is None else max(1, most // (n_pairs * n_rows))
    return DesignSeries(method, n_pairs, n_designs, config.tolerance, seed)


def _warn_of_tolerance(config: ShapConfig, errors: np.ndarray) -> None:
    if config.tolerance is not None and errors.max() > config.tolerance:
        warnings.warn(
            f"The largest standard error is {errors.max():.2g} after max_evals="
            f"{config.max_evals} evaluations, above tolerance={config.tolerance}. "
            "Allow more evaluations.",
            ConvergenceWarning,
            stacklevel=4,
        )


def _by_package(
    config: ShapConfig, mixer: Mixer, X: np.ndarray, seed: int, step: Step
) -> np.ndarray:
    """Return the values of shap's explainer, (n_samples, n_players, n_outputs)."""
    import shap

    target, background = mixer.target, mixer.background
    n_sets, smallest = None, 2 * target.n_features + 1
    if config.max_evals is not None:
        # shap counts sets, each of which is evaluated for the whole background
        n_sets = config.max_evals // len(background)
        if n_sets < smallest:
            raise ValueError(
                f"`max_evals` must be at least {smallest * len(background)} for "
                f"method={config.method!r}. Got {config.max_evals}."
            )
    if config.method == "kernel":
        kernel = shap.KernelExplainer(target.predict, background)
        explain = partial(kernel.shap_values, silent=True, nsamples=n_sets or "auto")
    else:
        masker = shap.maskers.Independent(background, max_samples=len(background))
        with global_numpy_seed(seed):
            explainer = shap.explainers.Permutation(target.predict, masker, seed=seed)
        most = {} if n_sets is None else {"max_evals": n_sets}
        explain = partial(explainer, silent=True, **most)
    values = []
    for row in X:
        with global_numpy_seed(seed):
            of_row = explain(row[None])
        of_row = np.asarray(getattr(of_row, "values", of_row)[0])
        values.append(of_row.reshape(len(row), target.n_outputs))
        step()
    return np.stack(values)
