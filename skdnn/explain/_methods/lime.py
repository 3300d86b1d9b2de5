"""LIME: a weighted linear surrogate around each row.

Rows are drawn around the explained row, and a surrogate is fitted to whether each
player is like the row's, with the defaults of the lime package (Ribeiro et al., 2016)
except for two: numbers are drawn from those that occur, not from a normal distribution
in each quarter, and values that are rare in the background more often.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from skdnn._runtime.progress import Progress
from skdnn.explain._methods.lime_sampling import Bins, Pool, draw_rows
from skdnn.explain._model.images import image_facts
from skdnn.explain._model.opening import open_problem
from skdnn.explain._model.options import (
    Groups,
    RandomState,
    Step,
    check_option,
    no_step,
)
from skdnn.explain._model.players import Player, cells_of, players_of
from skdnn.explain._model.target import Problem
from skdnn.explain._results.attributions import Attributions

METHODS = ("auto", "tabular")
_BATCH_ROWS = 5000  # lime's total
_RIDGE = 1.0  # lime's
_MAX_BATCHES = 20
_KERNEL_WIDTH = 0.75  # lime's, times the root of the number of players
# Rank correlation of two runs, as expected from the standard errors.
_STABLE = 0.98
_N_SIMULATED = 40


def lime(
    estimator: Any,
    X: Any,
    *,
    background: Any = None,
    method: str = "auto",
    output: str = "probability",
    groups: Groups | None = None,
    random_state: RandomState = None,
    verbose: bool = False,
) -> Attributions:
    """Explain each prediction by a linear surrogate around its row.

    Parameters
    ----------
    estimator : object
        A fitted classifier with `predict_proba` and `classes_`.
    X : {array-like, DataFrame} of shape (n_samples, n_features)
        Rows to explain; or images or sequences, an array of three or more dimensions,
        whose pixels are the columns.
    background : like X, default=None
        Rows whose values are drawn around each row, usually the training data. None
        takes X.
    method : {"auto", "tabular"}, default="auto"
        "auto" draws batches of 5000 rows, at most 100 000, until another seed would
        rank the columns equally (rank correlation above 0.98). "tabular" is the
        explainer of the lime package, run once: for tables without missing values.
    output : {"probability", "log_odds"}, default="probability"
        What is explained.
    groups : dict of str to columns, or list of lists of columns, default=None
        Columns, by name or position, that are drawn together, from the same row; the
        others are drawn alone.
    random_state : int, RandomState or None, default=None
        Draws the rows around each row. NumPy's global state is not used or changed.
    verbose : bool, default=False
        Whether a progress line is shown on stderr.

    Returns
    -------
    Attributions
        ``values`` of shape (n_samples, n_features, n_classes): the change of the
        surrogate's output when a column is like the row's (the same category; a number
        in the same quarter of the background; both missing) instead of unlike it; a
        group is if all its columns are. ``base_values`` (n_samples, n_classes) are
        intercepts, ``score`` of the same shape is the weighted R² of each surrogate;
        where it is below 0.5, ``poor_fit`` is True: the surrogate does not describe the
        classifier well.

    Raises
    ------
    ValueError, TypeError, sklearn.exceptions.NotFittedError
        As `shap`.

    Notes
    -----
    Values of the row that less than a fifth of the background has are drawn in a fifth
    of the rows. Standard errors are for other draws of rows, not for another
    background.

    References
    ----------
    .. [1] Ribeiro, Singh and Guestrin (2016), "Why should I trust you?": explaining
       the predictions of any classifier.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skdnn import explain
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> model = LogisticRegression(max_iter=1000).fit(X, y)
    >>> result = explain.lime(model, X[:1], background=X, random_state=0)
    >>> result.frame().sort_values("value").iloc[-1]["feature"]
    'petal length (cm)'
    """
    check_option("method", method, METHODS)
    problem = open_problem(estimator, X, background=background, output=output)
    with Progress(len(problem.X), "LIME row", verbose) as progress:
        return compute_lime(problem, method, groups, random_state, progress.step)


def compute_lime(
    problem: Problem,
    method: str = "auto",
    groups: Groups | None = None,
    random_state: RandomState = None,
    step: Step = no_step,
) -> Attributions:
    """Return the coefficients of the surrogates of every row, player and class."""
    problem = problem.stacked()
    target = problem.target
    players = players_of(target.feature_names, groups)
    predictions = target.predict(problem.X)  # first, in case a row is refused
    # the same seed for all rows: the result of a row does not depend on the others
    seed = int(check_random_state(random_state).randint(2**31 - 1))
    if method == "tabular":
        surrogate_of = _lime_package(problem, groups, seed)
    else:
        surrogate_of = _until_stable(problem, players, seed)
    surrogates, counts = [], []
    for row in problem.X:
        surrogate, n_rows = surrogate_of(row)
        surrogates.append(surrogate)
        counts.append(n_rows)
        step()
    values, refit_errors = target.split(np.stack([s.coefs for s in surrogates]))
    classes = slice(target.n_classes)
    return Attributions(
        values=values,
        std_errors=np.stack([s.errors[:, classes] for s in surrogates]),
        base_values=np.stack([s.intercept[classes] for s in surrogates]),
        predictions=predictions[:, classes],
        feature_names=[name for name, _ in players],
        class_names=target.class_names,
        data=cells_of(problem.data, players),
        method=f"up to {max(counts)} rows around each",
        output=target.output,
        n_background=len(problem.background),
        random_state=random_state,
        refit_errors=refit_errors,
        score=np.stack([s.score[classes] for s in surrogates]),
        n_refits=target.n_refits,
        predicted=target.default_classes(problem.X),
        **image_facts(target.estimator, problem.X, players),
    )


@dataclass(frozen=True)
class Surrogate:
    """A linear model of every output around one row."""

    intercept: np.ndarray  # the output where no player is like the row's
    coefs: np.ndarray  # (n_players, n_outputs)
    errors: np.ndarray  # standard errors of `coefs`
    score: np.ndarray  # weighted R², 0 for a constant output


# From a coded row to its surrogate, and the number of rows drawn.
_Explainer = Callable[[np.ndarray], tuple[Surrogate, int]]


def _until_stable(problem: Problem, players: list[Player], seed: int) -> _Explainer:
    """Return a function that fits surrogates to more rows until ranks are stable."""
    bins = Bins(problem)

    def explain_row(row: np.ndarray) -> tuple[Surrogate, int]:
        draw = np.random.RandomState(seed)
        pools = [Pool(problem, bins, row, columns) for _, columns in players]
        batches: list[Surrogate] = []
        while len(batches) < _MAX_BATCHES:
            rows, like, terms = draw_rows(pools, row, _BATCH_ROWS, draw)
            output = problem.target.predict(rows, copy=False)
            batches.append(fit_surrogate(like, output, terms))
            surrogate = _mean(batches)
            if _is_stable(surrogate, problem.target.n_classes, draw):
                break
        return surrogate, len(batches) * _BATCH_ROWS

    return explain_row


def _mean(batches: list[Surrogate]) -> Surrogate:
    names = ("intercept", "coefs", "score")
    means = {n: np.mean([getattr(b, n) for b in batches], axis=0) for n in names}
    squares = np.sum([batch.errors**2 for batch in batches], axis=0)
    return Surrogate(**means, errors=np.sqrt(squares) / len(batches))


def _is_stable(
    surrogate: Surrogate, n_classes: int, draw: np.random.RandomState
) -> bool:
    """Return whether another run would rank the players equally, for each class."""
    n_players = len(surrogate.coefs)
    known = np.flatnonzero(surrogate.errors[:, :n_classes].any(axis=0))
    if n_players == 1 or not len(known):
        return True
    coefs, errors = surrogate.coefs[:, known], surrogate.errors[:, known]
    # pairs of runs: noise of twice the variance, as coefficients have errors themselves
    noise = np.sqrt(2) * draw.normal(size=(2, _N_SIMULATED, *coefs.shape))
    ranks = np.abs(coefs + errors * noise).argsort(axis=2).argsort(axis=2)
    squares = ((ranks[0] - ranks[1]) ** 2).sum(axis=1)
    # Spearman's correlation
    correlations = 1 - 6 * squares / (n_players * (n_players**2 - 1))
    return bool(correlations.mean() > _STABLE)


def kernel_weights(like: np.ndarray) -> np.ndarray:
    """Return the weight of each row, which rises with the players like the row's."""
    n_unlike = like.shape[1] - like.sum(axis=1)
    width = _KERNEL_WIDTH * np.sqrt(like.shape[1])
    # lime's kernel of the Euclidean distance between rows of zeros and ones
    return np.asarray(np.sqrt(np.exp(-n_unlike / width**2)))


def fit_surrogate(
    like: np.ndarray, output: np.ndarray, terms: np.ndarray | None = None
) -> Surrogate:
    """Fit one weighted ridge regression for all outputs at once.

    `like`, bool, has shape (n_rows, n_players), `output` (n_rows, n_outputs); `terms`
    (n_rows, n_terms) are control variates with mean 0 that reduce noise. Standard
    errors allow unequal variances (White, 1980).
    """
    n, d = like.shape
    weight = kernel_weights(like)
    total = weight.sum()
    F = np.hstack([like, terms]) if terms is not None else like.astype(float)
    F_mean, y_mean = weight @ F / total, weight @ output / total
    Fc, yc = F - F_mean, output - y_mean
    bread = np.linalg.inv((Fc.T * weight) @ Fc + _RIDGE * np.eye(F.shape[1]))
    solved = bread @ ((Fc.T * weight) @ yc)
    coefs = solved[:d]
    projected = (Fc * weight[:, None]) @ bread[:, :d]
    df_share = max(1, n - F.shape[1] - 1) / n
    errors = np.sqrt((projected**2).T @ (yc - Fc @ solved) ** 2 / df_share)
    spread = weight @ yc**2
    is_constant = spread <= 1e-12 * total
    left = weight @ (yc - Fc[:, :d] @ coefs) ** 2
    score = np.where(is_constant, 0.0, 1 - left / np.where(is_constant, 1, spread))
    return Surrogate(y_mean - F_mean @ solved, coefs, errors, score)


def _lime_package(problem: Problem, groups: Groups | None, seed: int) -> _Explainer:
    """Return a function that explains a row with the lime package."""
    from lime.lime_tabular import LimeTabularExplainer

    target, background = problem.target, problem.background
    if groups or target.output != "probability":
        raise ValueError(
            "method='tabular' must be used without `groups` and with "
            "output='probability', as lime knows nothing else. Got one of them; use "
            "method='auto'."
        )
    if not (np.isfinite(problem.X).all() and np.isfinite(background).all()):
        raise ValueError(
            "method='tabular' must have no missing or infinite cells, which lime "
            "cannot draw. Got some; use method='auto'."
        )
    is_numeric = np.array([column.is_numeric for column in target.columns])
    numeric = np.flatnonzero(is_numeric)
    classes = range(target.n_classes)

    def explain_row(row: np.ndarray) -> tuple[Surrogate, int]:
        # a new explainer for each row, as explaining advances its generator
        explainer = LimeTabularExplainer(
            background, categorical_features=np.flatnonzero(~is_numeric).tolist(),
            feature_selection="none", random_state=seed,
        )  # fmt: skip
        calls: list[tuple[np.ndarray, np.ndarray]] = []

        def predict(rows: np.ndarray) -> np.ndarray:
            calls.append((rows, target.predict(rows)))
            return calls[-1][1][:, : target.n_classes]

        theirs = explainer.explain_instance(
            row, predict, labels=classes, num_features=target.n_features,
            num_samples=_BATCH_ROWS,
        )  # fmt: skip
        rows, output = calls[0]
        like = rows == row
        bins = explainer.discretizer.discretize
        like[:, numeric] = (bins(rows) == bins(row))[:, numeric]
        # lime has no errors, and neither the score of every class nor the members
        ours = fit_surrogate(like, output)
        coefs = ours.coefs.copy()
        for k in classes:
            positions, values = zip(*theirs.local_exp[k], strict=True)
            coefs[positions, k] = values
        intercept = np.array([theirs.intercept[k] for k in classes])
        return Surrogate(intercept, coefs, ours.errors, ours.score), _BATCH_ROWS

    return explain_row
