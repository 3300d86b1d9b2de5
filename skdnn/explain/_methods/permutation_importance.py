"""Permutation importance: what the score loses when a column is shuffled."""

import difflib
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin, is_classifier
from sklearn.utils import check_random_state

from skdnn._runtime.progress import Progress
from skdnn.explain._methods.shuffling import row_losses, shuffled_outputs
from skdnn.explain._model.names import check_count, positions_of
from skdnn.explain._model.players import players
from skdnn.explain._model.target import Problem, Step, Target, no_step, open_problem
from skdnn.explain._results.tables import ResultTable


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
        varies with other rows is not in it). Of an ensemble, ``refit_errors`` holds
        the standard deviation of each importance over the members, and
        ``refit_interval()`` the interval over refits. `summary` has the errors of
        the rows and of the refits together.

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
    measured = players(problem.target.feature_names, groups)
    if features is not None:
        names = [name for name, _ in measured]
        measured = [measured[j] for j in positions_of("features", features, names)]
    with Progress(len(measured), "column", verbose) as progress:
        return compute_permutation_importance(
            problem, y, measured, n_repeats, scoring, random_state, progress.step
        )


def compute_permutation_importance(
    problem: Problem,
    y: Any,
    measured: list[tuple[str, list[int]]] | None = None,
    n_repeats: int = 10,
    scoring: Any = None,
    random_state: Any = None,
    step: Step = no_step,
) -> ResultTable:
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
    y = check_classes(y, problem)
    if measured is None:
        measured = players(problem.target.feature_names, None)
    target = problem.target.stacked()
    scorer = _scorer(target.estimator, scoring)
    judge = _Judge(target, problem.X, y, scoring)
    score = scorer(target.estimator, target.decode(problem.X), y)
    draw = check_random_state(random_state)
    orders = np.array([draw.permutation(len(y)) for _ in range(n_repeats)])
    rows, refit_errors = [], []
    for name, members in measured:
        drops = np.empty(n_repeats)
        for r, order in enumerate(orders):
            shuffled = target.decode(_shuffled(problem.X, members, order))
            drops[r] = score - scorer(target.estimator, shuffled, y)
        rise, drops_of_members = judge.ask(members, orders)
        ratio = _ratio(judge.loss + rise, judge.loss)
        rows.append({"feature": name, **_summary(drops, ratio)})
        if target.n_refits:
            refit_errors.append(drops_of_members.std(ddof=1))
        step()
    name = "score" if scoring is None else getattr(scoring, "__name__", str(scoring))
    return ResultTable(
        pd.DataFrame(rows),
        f"Permutation importance: drop of the {name}",
        "importance",
        np.array(refit_errors) if target.n_refits else None,
        target.n_refits,
    )


class _Judge:
    """What shuffling does to the loss of a classifier, and to its members' scores.

    Parameters
    ----------
    target : Target
        Stacked, if there are members.
    X : ndarray of shape (n_samples, n_features)
        Coded rows.
    y : ndarray of shape (n_samples,)
        Their classes.
    scoring : str, callable or None
        As `permutation_importance` was given it.
    """

    def __init__(self, target: Target, X: np.ndarray, y: np.ndarray, scoring):
        self._target, self._X, self._y = target, X, y
        self._codes = pd.Index(target.class_names).get_indexer(y)
        if scoring is None and callable(getattr(target.estimator, "scorer_", None)):
            scoring = target.estimator.scorer_  # a search's own
        self._scoring = None if scoring == "accuracy" else scoring
        proba = target.predict(X)
        k = target.n_classes
        self._losses = row_losses(proba[:, :k], self._codes, k)[:, 0]
        self.loss = self._losses.mean()
        self._right = self._count_right(proba[:, k:], self._codes)
        self._scores = np.zeros(target.n_refits)
        if target.n_refits and self._scoring is not None:
            self._scores = self._ask_scorer(X, proba[:, k:])

    def ask(self, members: list[int], orders: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the rise of the mean loss, and the drop of each member's score."""
        rise, right, kept = 0.0, np.zeros(self._target.n_refits, int), []
        k = self._target.n_classes
        for takers, _, proba in shuffled_outputs(
            self._target, self._X, members, orders
        ):
            codes = self._codes[takers]
            losses = row_losses(proba[:, :k], codes, k)[:, 0]
            rise += (losses - self._losses[takers]).sum()
            if self._scoring is None:
                right += self._count_right(proba[:, k:], codes)
            else:
                kept.append(proba[:, k:])
        if self._scoring is None or not self._target.n_refits:
            drops = (self._right * len(orders) - right) / orders.size
            return rise / orders.size, drops
        told = np.concatenate(kept).reshape(*orders.shape, -1)
        scores = [
            self._ask_scorer(_shuffled(self._X, members, order), proba)
            for order, proba in zip(orders, told, strict=True)
        ]
        return rise / orders.size, np.mean(self._scores - np.array(scores), axis=0)

    def _count_right(self, proba: np.ndarray, codes: np.ndarray) -> np.ndarray:
        """Return how many rows each member predicts right."""
        best = proba.reshape(len(proba), -1, self._target.n_classes).argmax(axis=2)
        return (best == codes[:, None]).sum(axis=0)

    def _ask_scorer(self, X: np.ndarray, proba: np.ndarray) -> np.ndarray:
        """Ask any scorer about each member, by what it has predicted already."""
        classes = self._target.class_names
        rows = self._target.decode(X)
        each = proba.reshape(len(proba), -1, len(classes)).swapaxes(0, 1)
        scores = []
        for told in each:
            member = _Known(_Told(classes, told))
            scores.append(_scorer(member, self._scoring)(member, rows, self._y))
        return np.array(scores)


@dataclass(frozen=True)
class _Told:
    """A classifier that has been asked already."""

    classes_: np.ndarray
    proba: np.ndarray

    def predict_proba(self, X):
        return self.proba


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


def check_classes(y, problem: Problem) -> np.ndarray:
    """Return the classes of the rows; ``ValueError`` if they cannot be."""
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
