"""Permutation importance: the drop of the score when a column is shuffled."""

import math
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from operator import itemgetter
from types import SimpleNamespace
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, is_classifier

from skdnn._runtime.progress import Progress
from skdnn._runtime.suggestions import did_you_mean
from skdnn.explain._methods.performance_intervals import (
    mean_interval,
    share_difference,
)
from skdnn.explain._methods.performance_scores import Score, wilson
from skdnn.explain._methods.shuffling import (
    Shuffled,
    draw_orders,
    row_losses,
    shuffled_outputs,
)
from skdnn.explain._model.labels import effective_rows, row_weights
from skdnn.explain._model.names import positions_of
from skdnn.explain._model.opening import open_problem
from skdnn.explain._model.options import (
    Features,
    Groups,
    RandomState,
    Step,
    check_count,
    no_step,
)
from skdnn.explain._model.players import Player, players_of
from skdnn.explain._model.target import Problem
from skdnn.explain._results.frames import frame_of
from skdnn.explain._results.intervals import t_quantile
from skdnn.explain._results.tables import ResultTable

_MIN_CHANGED = 5  # rows, for an interval by the normal law
OVER_PERMUTATIONS = (
    "The intervals are over permutations of these rows, not over other rows."
)
_COLUMNS = ["feature", "importance", "ratio", "std_error", "ci_low", "ci_high"]
# The name of a scorer, a scorer, or None for the estimator's own score.
Scoring = str | Callable[..., float] | None


def permutation_importance(
    estimator: Any,
    X: Any,
    y: Any,
    *,
    background: Any = None,
    features: Features = None,
    groups: Groups | None = None,
    n_repeats: int = 10,
    scoring: Scoring = None,
    sample_weight: Any = None,
    random_state: RandomState = None,
    verbose: bool = False,
) -> ResultTable:
    """Measure how much the score drops when a column is shuffled.

    Parameters
    ----------
    estimator : object
        A fitted classifier with `predict_proba` and `classes_`.
    X : {array-like, DataFrame} of shape (n_samples, n_features)
        Rows to score on, usually held-out rows.
    y : array-like of shape (n_samples,) or (n_samples, n_labels)
        Their classes, or zeros and ones of several labels per row.
    background : object, default=None
        Unused, as rows of X exchange values; all explain functions accept it.
    features : str, int or list of these, default=None
        Columns or groups to measure, by name or position among them. None is all.
    groups : dict of str to list, or list of lists, default=None
        Columns that are shuffled together, by name or position, such as
        ``{"size": ["height", "width"]}``: one row in place of theirs.
    n_repeats : int, default=10
        Number of times that each column is shuffled, at least 2.
    scoring : str or callable, default=None
        Any scorer of scikit-learn. None is the estimator's `score`.
    sample_weight : array-like of shape (n_samples,), default=None
        How many rows of the population each row stands for: the score gets them, and
        values are drawn from rows in proportion to them.
    random_state : int, RandomState or None, default=None
        Draws the permutations.
    verbose : bool, default=False
        Whether a progress line is shown on stderr.

    Returns
    -------
    ResultTable
        `frame()` has one row for each column: feature, importance (mean drop of the
        score; 0 for an unused column), ratio (cross-entropy when shuffled over
        cross-entropy; 1 for an unused column, infinite if it was 0 before), std_error,
        ci_low, ci_high (95%). Errors and intervals of an accuracy are over rows and
        permutations, those of other scores over permutations only. For an ensemble,
        ``refit_errors`` holds the standard deviation over the members, and
        ``refit_interval()`` the interval; `summary` has errors over rows and refits.

    Raises
    ------
    ValueError
        If rows, classes or options are invalid.

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
    players = players_of(problem.target.feature_names, groups)
    if features is not None:
        names = [name for name, _ in players]
        players = [players[i] for i in positions_of("features", features, names)]
    with Progress(len(players), "column", verbose) as progress:
        return compute_permutation_importance(
            problem, y, players, n_repeats, scoring, sample_weight, random_state,
            progress.step,
        )  # fmt: skip


def compute_permutation_importance(
    problem: Problem,
    y: Any,
    players: Sequence[Player] | None = None,
    n_repeats: int = 10,
    scoring: Scoring = None,
    sample_weight: Any = None,
    random_state: RandomState = None,
    step: Step = no_step,
) -> ResultTable:
    """Return the drop of the score for each player, by the same permutations."""
    problem = problem.with_output("probability").stacked()
    target, X = problem.target, problem.X
    if players is None:
        players = players_of(target.feature_names, None)
    shuffled = _ShuffledScores(problem, y, scoring, sample_weight)
    scorer, known = _scorer(target.estimator, scoring), shuffled.known_weight
    score = scorer(target.estimator, target.decode(X), shuffled.y, **known)
    orders = draw_orders(shuffled.weight, n_repeats, random_state)
    right = shuffled.right_if_accuracy(score)
    rows, refit_errors = [], []
    groups = [columns for _, columns in players]
    outputs = shuffled_outputs(target, X, groups, orders)
    for i, parts in groupby(outputs, itemgetter(0)):
        name, columns = players[i]
        increase, member_drops, hits = shuffled.measure(parts, columns, orders)
        moved = (_shuffled(X, columns, order) for order in orders)
        if hits is None and right is not None:
            hits = np.array([target.classes_of(M) == shuffled.codes for M in moved])
        if hits is not None and right is not None:
            estimate = mean_drop(right, hits, shuffled.weight)
        else:
            drops = score - np.array(
                [
                    scorer(target.estimator, target.decode(M), shuffled.y, **known)
                    for M in moved
                ]
            )
            estimate = _over_permutations(drops)
        ratio = _ratio(shuffled.loss + increase, shuffled.loss)
        rows.append((name, estimate[0], ratio, *estimate[1:]))
        refit_errors.append(member_drops.std(ddof=1) if target.n_refits else np.nan)
        step()
    name = "score" if scoring is None else getattr(scoring, "__name__", str(scoring))
    return ResultTable(
        frame_of(dict(zip(_COLUMNS, zip(*rows, strict=True), strict=True))),
        f"Permutation importance: drop of the {name}",
        "importance",
        np.array(refit_errors) if target.n_refits else None,
        target.n_refits,
        **({} if right is not None else {"note": OVER_PERMUTATIONS}),
    )


def mean_drop(
    right: np.ndarray, hits: np.ndarray, weight: np.ndarray
) -> tuple[float, float, float, float]:
    """Return the mean drop of the accuracy, its standard error, and a 95% interval.

    `right`, of shape (n_samples,), and `hits`, of shape (n_repeats, n_samples), are
    which rows are predicted correctly before and after shuffling. The error is that of
    a mean over rows, whose drops vary by the permutations as well. Where fewer than
    five rows change, the interval is that of the difference of two shares (MOVER, Zou
    and Donner, 2008, with Wilson's intervals), which has a width without any change.
    """
    drops = right - hits.mean(axis=0)
    score, variance, _ = mean_interval(drops, weight)
    mean, error = float(score.value or 0.0), math.sqrt(np.nan_to_num(variance))
    if np.count_nonzero(drops) >= _MIN_CHANGED:
        return mean, error, float(score.low or 0.0), float(score.high or 0.0)
    n, share = effective_rows(weight), weight / weight.sum()
    lost, won = (float(share @ np.maximum(sign * drops, 0)) for sign in (1, -1))
    shares = (Score(part, *wilson(part * n, n)) for part in (lost, won))
    return mean, error, *share_difference(*shares)


def _over_permutations(drops: np.ndarray) -> tuple[float, float, float, float]:
    """Return the same for drops of any score, over permutations only."""
    mean, error = float(drops.mean()), float(drops.std(ddof=1) / np.sqrt(len(drops)))
    reach = t_quantile(0.95, len(drops) - 1) * error
    return mean, error, mean - reach, mean + reach


class _ShuffledScores:
    """The loss of a classifier, and the scores of its members, on shuffled rows."""

    def __init__(self, problem: Problem, y: Any, scoring: Scoring, sample_weight: Any):
        self._target, self._X = target, X = problem.target, problem.X
        self.codes = self._codes = target.codes_of(y, len(X))
        self._is_known = scoring is None and target.predicts_most_probable
        self._may_be_accuracy = target.sum_to_one and scoring in (None, "accuracy")
        self.weight = row_weights(sample_weight, len(X))
        self.known_weight = {}
        if sample_weight is not None:
            self.known_weight["sample_weight"] = np.asarray(sample_weight)
        # a frame of labels would make a scorer look for names of columns
        self.y = np.asarray(y) if target.sum_to_one else self._codes
        if scoring is None and callable(getattr(target.estimator, "scorer_", None)):
            scoring = target.estimator.scorer_  # a search's own
        self._scoring = None if scoring == "accuracy" else scoring
        proba, k = target.predict(X), target.n_classes
        self._proba = proba[:, :k]
        self._losses = row_losses(proba[:, :k], self._codes, k)[:, 0]
        self.loss = float((self._losses * self.weight).mean())
        everyone = np.arange(len(X))
        self._n_right = self._count_right(proba[:, k:], everyone)
        self._scores = np.zeros(target.n_refits)
        if target.n_refits and self._scoring is not None:
            self._scores = self._member_scores(X, proba[:, k:])

    def right_if_accuracy(self, score: float) -> np.ndarray | None:
        """Return which rows are predicted correctly; None if the score is another."""
        if not self._may_be_accuracy:
            return None
        predicted = self._target.classes_given(self._proba, self._X)
        right = predicted == self._codes
        accuracy = np.average(right, weights=self.weight)
        return right if math.isclose(score, accuracy, abs_tol=1e-9) else None

    def measure(
        self, parts: Iterable[Shuffled], columns: list[int], orders: np.ndarray
    ) -> tuple[float, np.ndarray, np.ndarray | None]:
        """Return the increase of the mean loss, and the drop of each member's score.

        Which rows are predicted correctly in each order comes third, where it follows
        from the probabilities.
        """
        target, k = self._target, self._target.n_classes
        increase, n_right, kept = 0.0, np.zeros(target.n_refits), []
        right: list[np.ndarray] = []
        for _, takers, _, proba in parts:
            codes = self._codes[takers]
            losses = row_losses(proba[:, :k], codes, k)[:, 0]
            changes = (losses - self._losses[takers]) * self.weight[takers]
            increase += changes.sum()
            if self._is_known:
                right.append(proba[:, :k].argmax(axis=1) == codes)
            if self._scoring is None:
                n_right += self._count_right(proba[:, k:], takers)
            else:
                kept.append(proba[:, k:])
        own = np.concatenate(right).reshape(orders.shape) if right else None
        if self._scoring is None or not target.n_refits:
            drops = (self._n_right * len(orders) - n_right) / orders.size
            return increase / orders.size, drops, own
        by_order = np.concatenate(kept).reshape(*orders.shape, -1)
        scores = [
            self._member_scores(_shuffled(self._X, columns, order), proba)
            for order, proba in zip(orders, by_order, strict=True)
        ]
        drops = np.mean(self._scores - np.array(scores), axis=0)
        return increase / orders.size, drops, own

    def _count_right(self, proba: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Return the weight of the rows that each member classifies correctly."""
        codes = self._codes[rows]
        by_member = proba.reshape(len(proba), -1, self._target.n_classes)
        if codes.ndim == 2:
            right = ((by_member > 0.5) == codes[:, None]).all(axis=2)
        else:
            right = by_member.argmax(axis=2) == codes[:, None]
        return np.asarray(self.weight[rows] @ right)

    def _member_scores(self, X: np.ndarray, proba: np.ndarray) -> np.ndarray:
        """Return the score of each member, given its probabilities for rows X."""
        classes = self._target.class_names
        rows = self._target.decode(X)
        each = proba.reshape(len(proba), -1, len(classes)).swapaxes(0, 1)
        scores = []
        for own in each:
            facts = {"classes_": classes, "predict_proba": lambda X, own=own: own}
            if not self._target.sum_to_one:
                facts["predict"] = lambda X, own=own: (own > 0.5).astype(int)
            member = _AsClassifier(SimpleNamespace(**facts))
            scorer = _scorer(member, self._scoring)
            scores.append(scorer(member, rows, self.y, **self.known_weight))
        return np.array(scores)


def _shuffled(X: np.ndarray, columns: list[int], order: np.ndarray) -> np.ndarray:
    """Return the rows with the values of some columns in another order."""
    shuffled = X.copy()
    shuffled[:, columns] = X[order][:, columns]
    return shuffled


def _scorer(estimator: Any, scoring: Scoring) -> Callable[..., float]:
    """Return a function of estimator, rows and classes."""
    from sklearn.metrics import get_scorer, get_scorer_names

    if scoring is None:
        if not hasattr(estimator, "score"):
            raise ValueError(
                "`scoring` must be given for an estimator without score. Got None for "
                f"{type(estimator).__name__}; 'accuracy' and 'neg_log_loss' are usual."
            )
        return lambda estimator, X, y, **known: float(estimator.score(X, y, **known))
    if not isinstance(scoring, str) and not callable(scoring):
        raise ValueError(
            "`scoring` must be the name of one scorer, a callable or None. Got "
            f"{scoring!r}; call once for each scorer."
        )
    if isinstance(scoring, str) and scoring not in get_scorer_names():
        raise ValueError(
            "`scoring` must be one of sklearn.metrics.get_scorer_names(). Got "
            f"{scoring!r}." + did_you_mean(scoring, get_scorer_names())
        )
    scorer: Callable[..., float] = get_scorer(scoring)
    is_scorer = isinstance(scorer, type(get_scorer("accuracy")))
    is_known = hasattr(estimator, "__sklearn_tags__") and is_classifier(estimator)
    if is_scorer and not is_known:
        return lambda estimator, *data, **known: scorer(
            _AsClassifier(estimator), *data, **known
        )
    return scorer


class _AsClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """A classifier, such as scikeras's, that scorers do not recognise as one."""

    def __init__(self, estimator: Any):
        self.estimator = estimator
        self.classes_ = np.asarray(estimator.classes_)

    def predict_proba(self, X: Any) -> Any:
        """Return the estimator's probabilities."""
        return self.estimator.predict_proba(X)

    def predict(self, X: Any) -> Any:
        """Return the estimator's classes, or the most probable ones."""
        if hasattr(self.estimator, "predict"):
            return self.estimator.predict(X)
        return self.classes_[np.argmax(self.predict_proba(X), axis=1)]


def _ratio(shuffled: float, loss: float) -> float:
    """Return the factor by which the loss increased; infinite from 0."""
    if loss > 0:
        return shuffled / loss
    return math.inf if shuffled > 0 else 1.0
