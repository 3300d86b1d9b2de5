"""LIME: a linear surrogate around each row.

As proposed by Ribeiro et al. (2016), with another neighbourhood: numbers move in steps
around the row, and the output is the log odds. There a network is nearly linear, and
how far from the row is found for each row.
"""

from typing import Any

import numpy as np
from scipy.special import expit
from sklearn.utils import check_random_state

from skdnn._runtime.progress import Progress
from skdnn.explain._methods.lime_package import N_ROWS, lime_surrogates
from skdnn.explain._methods.lime_sampling import Moves, Neighbourhood
from skdnn.explain._methods.lime_scale import find_scales, fit_around
from skdnn.explain._methods.uncertainty import with_uncertainty
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
# Rows of the final surrogate. Ranks are stable over seeds (a correlation of 0.98).
_N_ROWS, _N_ROWS_WITH_SWITCHES, _ROWS_PER_PLAYER = 1500, 3000, 4


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
        Rows whose numbers define how wide steps are, and whose categories replace those
        of the row; usually the training data. None takes X.
    method : {"auto", "tabular"}, default="auto"
        "auto" fits the log odds by a model that is linear in steps of each number, and
        in whether anything else is the row's. "tabular" is the explainer of the lime
        package, for tables without missing values: a model of the probability, linear
        in whether each cell is like the row's.
    output : {"probability", "log_odds"}, default="probability"
        The unit of the values.
    groups : dict of str to columns, or list of lists of columns, default=None
        Columns, by name or position, that are replaced together by those of another
        row; the others are moved alone.
    random_state : int, RandomState or None, default=None
        Draws the rows around each row. NumPy's global state is not used or changed.
    verbose : bool, default=False
        Whether a progress line is shown on stderr.

    Returns
    -------
    Attributions
        ``values`` of shape (n_samples, n_features, n_classes): the surrogate's change
        of the log odds from a number one step nearer to the mean of its column, at most
        there (``references``), to the row's; of other cells and groups, from those of
        the background that differ, on average, to the row's. As probabilities they are
        multiplied by ``slopes``, p(1 - p) at the row, and may exceed 1 where steps are
        wide; near 0 and 1, log odds are easier to read.
        ``score`` (n_samples, n_classes) is the R² of each surrogate, ``scales``
        (n_samples,) how wide the steps are. Where R² is below 0.5, ``poor_fit`` is
        True: the surrogate does not describe the classifier well. ``base_values`` are
        the surrogate's output where all cells are those compared with.

    Raises
    ------
    ValueError, TypeError, sklearn.exceptions.NotFittedError
        As `shap`.

    Notes
    -----
    Each of 1500 rows around a row (3000 if there are categories) has numbers
    ``x + scale * spread * z`` with a normal z, which takes the place of lime's kernel.
    The spread is the standard deviation of the background, with values outside of the
    central 95% moved to its ends. Numbers are reflected at the ends of the range, and
    whole ones stay whole. Other cells are replaced with a probability of ``scale / 2``,
    at least 1/16. The scale of a row is the widest of 1, 1/2, 1/4, 1/8 and 1/16 at
    which R² is at least 0.9 for the predicted class and on average over classes; if
    there is none, that with the largest R². It does not depend on `random_state`. Log
    odds are those of probabilities at least 1e-12 from 0 and 1.

    The surrogate distinguishes the most frequent other categories, so that R² is the
    share of the variance of the log odds that a sum over columns explains. Standard
    errors are for other draws of rows, not for another background.

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
        result = compute_lime(problem, method, groups, random_state, progress.step)
    return with_uncertainty(result, problem, background, random_state)


def compute_lime(
    problem: Problem,
    method: str = "auto",
    groups: Groups | None = None,
    random_state: RandomState = None,
    step: Step = no_step,
    scales: np.ndarray | None = None,
    n_rows: int | None = None,
) -> Attributions:
    """Return the effects of the surrogates of every row, player and class.

    `scales` are those of the rows, if they are known: no seed changes them. `n_rows`
    are drawn around each row at its scale, None for the default.
    """
    problem = problem.stacked()
    target = problem.target
    players = players_of(target.feature_names, groups)
    predictions = target.predict(problem.X)  # first, in case a row is refused
    # the same seed for all rows: the result of a row does not depend on the others
    seed = int(check_random_state(random_state).randint(2**31 - 1))
    if method == "tabular":
        fields = _by_package(problem, groups, seed, step)
    else:
        fields = _by_steps(problem, players, seed, step, scales, n_rows)
    values, refit_errors = target.split(fields.pop("values"))
    classes = slice(target.n_classes)
    for name in ("std_errors", "base_values", "score"):
        fields[name] = fields[name][..., classes]
    return Attributions(
        values=values,
        predictions=predictions[:, classes],
        feature_names=[name for name, _ in players],
        class_names=target.class_names,
        data=cells_of(problem.data, players),
        output=target.output,
        n_background=len(problem.background),
        random_state=random_state,
        refit_errors=refit_errors,
        n_refits=target.n_refits,
        predicted=target.default_classes(problem.X),
        **fields,
        **image_facts(target.estimator, problem.X, players),
    )


def _by_steps(
    problem: Problem,
    players: list[Player],
    seed: int,
    step: Step,
    scales: np.ndarray | None,
    n_rows: int | None,
) -> dict[str, Any]:
    """Return the fields of a result by surrogates of the log odds."""
    X, logits = problem.X, problem.with_output("log_odds")
    neighbourhood = Neighbourhood(logits, players)
    n_searched = 0
    if scales is None:
        scales, n_searched = find_scales(logits, neighbourhood)
    if n_rows is None:
        n_rows = _N_ROWS_WITH_SWITCHES if neighbourhood.has_switches else _N_ROWS
    n_rows = max(n_rows, _ROWS_PER_PLAYER * len(players))
    moves = Moves.drawn(n_rows, len(players), seed)
    surrogates = fit_around(logits, neighbourhood, X, scales, moves, step)
    pairs = zip(X, scales, strict=True)
    compared = [neighbourhood.compared(*pair) for pair in pairs]
    references, reached = zip(*compared, strict=True)
    # an effect is of the row's cell, not of the other one
    factor = 0.0 - np.stack(reached)[:, :, None]
    values = factor * np.stack([s.coefs for s in surrogates])
    errors = np.abs(factor) * np.stack([s.errors for s in surrogates])
    base = np.stack([s.intercept for s in surrogates]) - values.sum(axis=1)
    here = logits.target.predict(X)
    slopes = expit(here) * expit(-here)
    if problem.target.output == "probability":
        base = expit(here) + slopes * (base - here)
        values, errors = values * slopes[:, None], errors * slopes[:, None]
    return {
        "values": values,
        "std_errors": errors,
        "base_values": base,
        "score": np.stack([s.score for s in surrogates]),
        "scales": scales,
        "references": np.array(references, dtype=object),
        "slopes": slopes[:, : problem.target.n_classes],
        "method": f"up to {n_searched + n_rows} rows around each",
    }


def _by_package(
    problem: Problem, groups: Groups | None, seed: int, step: Step
) -> dict[str, Any]:
    """Return the fields of a result by the explainer of the lime package."""
    surrogates = lime_surrogates(problem, groups, seed, step)
    return {
        "values": np.stack([s.coefs for s in surrogates]),
        "std_errors": np.stack([s.errors for s in surrogates]),
        "base_values": np.stack([s.intercept for s in surrogates]),
        "score": np.stack([s.score for s in surrogates]),
        "method": f"up to {N_ROWS} rows around each",
    }
