"""Permutation importance: what the score loses when a column is shuffled."""

import difflib
import math
from collections.abc import Callable

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin, is_classifier
from sklearn.utils import check_random_state

from skdnn._progress import Progress
from skdnn.explain._names import check_count, positions_of
from skdnn.explain._players import players
from skdnn.explain._tables import Table
from skdnn.explain._target import Problem, Step, open_problem

_SMALLEST = 1e-15


def permutation_importance(
    estimator,
    X,
    y,
    *,
    background=None,
    features=None,
    groups=None,
    n_repeats=10,
    scoring=None,
    random_state=None,
    verbose=False,
):
    """Measure how much worse the classifier gets when a column is shuffled.

    Parameters
    ----------
    estimator : object
        A fitted classifier with `predict_proba` and `classes_`.
    X : {array-like, DataFrame} of shape (n_samples, n_features)
        Rows to score on; held-out rows, as a rule.
    y : array-like of shape (n_samples,)
        Their classes.
    background : object, default=None
        Takes no part, as cells are exchanged among the rows of X; it is here so that
        all explain functions can be called alike.
    features : str, int or list of these, default=None
        Columns or groups to measure, by name or position among them. None is all.
    groups : dict of str to list, or list of lists, default=None
        Columns that are shuffled together, by name or position, such as
        ``{"size": ["height", "width"]}``: one row in place of theirs.
    n_repeats : int, default=10
        Times that each column is shuffled, at least 2.
    scoring : str or callable, default=None
        Any scorer of scikit-learn. None is the estimator's `score`.
    random_state : int, RandomState or None, default=None
        Draws the orders.
    verbose : bool, default=False
        Whether one live line on stderr shows progress.

    Returns
    -------
    Table
        `frame()` has a row for each column: feature, importance (mean drop of the
        score; 0 for a column that is not used), ratio (cross-entropy when shuffled by
        cross-entropy as it is; 1 for a column that is not used, infinite if there was
        none before), std_error, ci_low, ci_high (95 %, over the shuffles: how it
        varies with other rows is not in it).

    Raises
    ------
    ValueError
        If rows, classes or options cannot be.

    References
    ----------
    .. [1] Fisher, Rudin and Dominici (2019), All models are wrong, but many are useful.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skdnn import explain
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> model = LogisticRegression(max_iter=1000).fit(X, y)
    >>> table = explain.permutation_importance(model, X, y, random_state=0).frame()
    >>> table.sort_values("importance")["feature"].iloc[-1]
    'petal length (cm)'
    """
    check_count("n_repeats", n_repeats, 2)
    del background
    problem = open_problem(estimator, X)
    y = _check_classes(y, problem)
    measured = players(problem.target.feature_names, groups)
    if features is not None:
        names = [name for name, _ in measured]
        measured = [measured[j] for j in positions_of("features", features, names)]
    with Progress(len(measured), "column", verbose) as progress:
        return _compute(
            problem, y, measured, n_repeats, scoring, random_state, progress.step
        )


def _compute(
    problem: Problem,
    y: np.ndarray,
    measured: list[tuple[str, list[int]]],
    n_repeats: int,
    scoring,
    random_state,
    step: Step,
) -> Table:
    """Return the drop of the score for each column or group.

    Parameters
    ----------
    problem : Problem
        Rows to score on.
    y : ndarray of shape (n_samples,)
        Their classes.
    measured : list of (str, list of int)
        Names, and positions of the columns that are shuffled together.
    n_repeats : int
        Times that each is shuffled.
    scoring : str, callable or None
        None is the estimator's own `score`.
    random_state : int, RandomState or None
        Draws the orders; the same for every column.
    step : callable
        Called after each of those measured.
    """
    target = problem.target
    scorer = _scorer(target.estimator, scoring)
    codes = pd.Index(target.class_names).get_indexer(y)
    score = scorer(target.estimator, target.decode(problem.X), y)
    loss = _losses(problem, codes, [], np.arange(len(y))[None])[0]
    draw = check_random_state(random_state)
    orders = np.array([draw.permutation(len(y)) for _ in range(n_repeats)])
    rows = []
    for name, members in measured:
        drops = np.empty(n_repeats)
        for r, order in enumerate(orders):
            shuffled = target.decode(_shuffled(problem.X, members, order))
            drops[r] = score - scorer(target.estimator, shuffled, y)
        losses = _losses(problem, codes, members, orders)
        ratio = _ratio(losses.mean(), loss)
        rows.append({"feature": name, **_summary(drops, ratio)})
        step()
    name = "score" if scoring is None else getattr(scoring, "__name__", str(scoring))
    return Table(
        pd.DataFrame(rows), f"Permutation importance: drop of the {name}", "importance"
    )


def _summary(drops: np.ndarray, ratio: float) -> dict[str, float]:
    """Return the mean of the drops, and how far the shuffles let it vary."""
    from scipy.special import stdtrit

    mean = drops.mean()
    error = drops.std(ddof=1) / np.sqrt(len(drops))
    reach = stdtrit(len(drops) - 1, 0.975) * error
    return {
        "importance": mean,
        "ratio": ratio,
        "std_error": error,
        "ci_low": mean - reach,
        "ci_high": mean + reach,
    }


def _shuffled(X: np.ndarray, members: list[int], order: np.ndarray) -> np.ndarray:
    """Return the rows with the cells of some columns in another order."""
    shuffled = X.copy()
    shuffled[:, members] = X[order][:, members]
    return shuffled


def _scorer(estimator, scoring) -> Callable[..., float]:
    """Return a function of estimator, rows and classes."""
    from sklearn.metrics import get_scorer, get_scorer_names

    if scoring is None:
        if not hasattr(estimator, "score"):
            raise ValueError(
                "`scoring` must be given for an estimator without score. Got None for "
                f"{type(estimator).__name__}; 'accuracy' and 'neg_log_loss' are usual."
            )
        return lambda estimator, X, y: estimator.score(X, y)
    if not isinstance(scoring, str) and not callable(scoring):
        raise ValueError(
            "`scoring` must be the name of one scorer, a callable or None. Got "
            f"{scoring!r}; call once for each scorer."
        )
    if isinstance(scoring, str) and scoring not in get_scorer_names():
        near = difflib.get_close_matches(scoring, get_scorer_names(), n=1)
        raise ValueError(
            "`scoring` must be one of sklearn.metrics.get_scorer_names(). Got "
            f"{scoring!r}." + (f" Did you mean {near[0]!r}?" if near else "")
        )
    scorer = get_scorer(scoring)
    is_own = isinstance(scorer, type(get_scorer("accuracy")))
    is_known = hasattr(estimator, "__sklearn_tags__") and is_classifier(estimator)
    if is_own and not is_known:
        return lambda estimator, X, y: scorer(_Known(estimator), X, y)
    return scorer


class _Known(ClassifierMixin, BaseEstimator):
    """A classifier, such as scikeras's, that scorers would not take for one.

    Parameters
    ----------
    estimator : object
        With `predict_proba` and `classes_`.
    """

    def __init__(self, estimator):
        self.estimator = estimator
        self.classes_ = np.asarray(estimator.classes_)

    def predict_proba(self, X):
        """Return the estimator's probabilities."""
        return self.estimator.predict_proba(X)

    def predict(self, X):
        """Return the estimator's classes, or the most probable ones."""
        if hasattr(self.estimator, "predict"):
            return self.estimator.predict(X)
        return self.classes_[np.argmax(self.predict_proba(X), axis=1)]


def _ratio(shuffled: float, loss: float) -> float:
    """Return how many times the loss grew; a loss of 0 grows without bound."""
    if loss > 0:
        return shuffled / loss
    return math.inf if shuffled > 0 else 1.0


def _losses(
    problem: Problem, codes: np.ndarray, members: list[int], orders: np.ndarray
) -> np.ndarray:
    """Return the mean cross-entropy for each order of some columns.

    Returns
    -------
    ndarray of shape (n_orders,)
    """
    n = len(codes)
    losses = np.empty(len(orders))
    at_once = max(1, problem.target.block_rows // n)
    for start in range(0, len(orders), at_once):
        part = slice(start, start + at_once)
        rows = np.vstack([_shuffled(problem.X, members, o) for o in orders[part]])
        proba = problem.target.predict(rows).reshape(-1, n, problem.target.n_classes)
        told = np.maximum(proba[:, np.arange(n), codes], _SMALLEST)
        losses[part] = -np.log(told).mean(axis=1)
    return losses


def _check_classes(y, problem) -> np.ndarray:
    y = np.asarray(y)
    n = len(problem.X)
    if y.shape != (n,):
        raise ValueError(
            f"`y` must have a class for each row of X: shape ({n},). Got {y.shape}."
        )
    classes = problem.target.class_names
    unknown = sorted({str(label) for label in y[~np.isin(y, classes)]})
    if unknown:
        raise ValueError(
            f"`y` must hold classes that the estimator knows: {classes.tolist()}. Got "
            f"{unknown[:10]} besides."
        )
    return y
