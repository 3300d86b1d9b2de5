"""Rivals: other classifiers, trained on the background rows or given, beside it."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from skdnn._runtime.threads import without_openmp
from skdnn.explain._methods import performance_scores
from skdnn.explain._methods.paired_accuracy import accuracy_difference
from skdnn.explain._methods.performance_scores import Measured, Score
from skdnn.explain._model.opening import open_problem
from skdnn.explain._model.target import Problem

CLASS_SHARES = "class shares"
LOGISTIC_REGRESSION = "logistic regression"
GRADIENT_BOOSTING = "gradient boosting"
# From the simplest on. Boosting is no simpler than a network.
SIMPLER = (CLASS_SHARES, LOGISTIC_REGRESSION)
# Rows × columns × classes up to which rivals are trained on all background rows.
_MAX_CELLS = 20_000_000
_MAX_CATEGORIES = 50
_MAX_CODES = 254  # categories per column that gradient boosting distinguishes
_MAX_REASON = 200  # characters
# Cells from which gradient boosting is faster with several threads.
_WORTH_THREADS = 200_000

Outcome = tuple[np.ndarray, np.ndarray]  # probabilities, positions of the classes
# Name, predictions of X, rows it was trained on, and the model of coded rows.
Entry = tuple[str, Outcome, int | None, Any]


@dataclass(frozen=True)
class Rival:
    """Another classifier on the rows of the report.

    `n_trained` is the number of background rows it was trained on, None if it was
    given. `differences` are scores of the classifier minus those of the rival on the
    same rows, by the name of the score.
    """

    name: str
    n_trained: int | None
    performance: Measured
    predicted: np.ndarray
    differences: Mapping[str, Score]
    model: Any = None  # of coded rows, where it was trained here

    @property
    def is_simpler(self) -> bool:
        return self.name in SIMPLER and self.n_trained is not None


def meet_rivals(
    problem: Problem,
    y_codes: np.ndarray,
    outcome: Outcome,
    own: Measured,
    *,
    background_codes: np.ndarray | None,
    given: Mapping[str, Any],
    X: Any,
    weight: np.ndarray,
    seed: int,
) -> tuple[list[Rival], list[str]]:
    """Return the rivals, and for each that could not be had the reason.

    `outcome` and `own` are predictions and scores of the classifier. Rivals are trained
    on the background if its classes are known.
    """
    entries: list[Entry] = []
    reasons: list[str] = []
    if background_codes is not None:
        entries, reasons = _train_all(problem, background_codes, seed)
    entries += [
        (str(name), _predict_given(name, model, X, problem), None, None)
        for name, model in given.items()
    ]
    rivals = []
    right = outcome[1] == y_codes
    for name, (proba, predicted), n_trained, model in entries:
        scored = performance_scores.measure(
            y_codes, proba, predicted=predicted, weight=weight, random_state=seed,
            positive=problem.target.positive,
        )  # fmt: skip
        accuracy = accuracy_difference(right, predicted == y_codes, weight)
        loss = performance_scores.difference(own, scored, "log_loss")
        differences = {"accuracy": accuracy, "log_loss": loss}
        rivals.append(Rival(name, n_trained, scored, predicted, differences, model))
    return rivals, reasons


def _train_all(
    problem: Problem, codes: np.ndarray, seed: int
) -> tuple[list[Entry], list[str]]:
    """Train each rival on the background rows, and predict X."""
    n_classes, d = problem.target.n_classes, problem.target.n_features
    n_rows = max(1000, _MAX_CELLS // (d * n_classes))
    taken = np.sort(np.random.default_rng(seed).permutation(len(codes))[:n_rows])
    background, codes = problem.background[taken], codes[taken]
    is_numeric = np.array([column.is_numeric for column in problem.target.columns])
    weight = np.ones(len(problem.X))
    shares = np.bincount(codes, minlength=n_classes) / len(codes)
    proba = np.tile(shares, (len(weight), 1))
    entries: list[Entry] = [
        (CLASS_SHARES, (proba, proba.argmax(axis=1)), len(codes), None)
    ]
    reasons = []
    if (shares > 0).sum() < 2:
        return entries, ["no other model was trained: the background has one class"]
    for name, build in (
        (LOGISTIC_REGRESSION, _logistic_regression),
        (GRADIENT_BOOSTING, _gradient_boosting),
    ):
        try:
            model = CodedClassifier(build(is_numeric, seed), n_classes)
            model.fit(background, codes)
        except (TypeError, ValueError) as error:
            reason = [*str(error).strip().splitlines(), "no reason given"][0]
            reasons.append(f"{name} could not be trained ({reason[:_MAX_REASON]})")
            continue
        proba = model.predict_proba(problem.X)
        entry = (name, (proba, proba.argmax(axis=1)), len(codes), model)
        entries.append(entry)
    return entries, reasons


class CodedClassifier:
    """A classifier of coded rows, whose probabilities are of all classes."""

    def __init__(self, estimator: Any, n_classes: int):
        self._estimator, self._n_classes = estimator, n_classes

    def fit(self, X: np.ndarray, codes: np.ndarray) -> None:
        with warnings.catch_warnings():
            # a regression that has not converged is still a fair simple model
            warnings.simplefilter("ignore")
            # threads that wait for each other would take longer than few rows
            with without_openmp(X.size < _WORTH_THREADS):
                self._estimator.fit(X, codes)

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Return probabilities of coded rows; 0 for classes without training rows."""
        proba = np.zeros((len(X), self._n_classes))
        proba[:, self._estimator.classes_] = self._estimator.predict_proba(X)
        return proba


def _logistic_regression(is_numeric: np.ndarray, seed: int) -> Any:
    """Impute and scale numbers, one-hot encode words, then regress."""
    from sklearn.compose import make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    numbers = make_pipeline(
        SimpleImputer(strategy="median", keep_empty_features=True, add_indicator=True),
        StandardScaler(),
    )
    words = OneHotEncoder(handle_unknown="ignore", max_categories=_MAX_CATEGORIES)
    encode = make_column_transformer((numbers, is_numeric), (words, ~is_numeric))
    return make_pipeline(encode, LogisticRegression(max_iter=1000))


def _gradient_boosting(is_numeric: np.ndarray, seed: int) -> Any:
    """Encode words as categories; missing numbers stay missing."""
    from sklearn.compose import make_column_transformer
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OrdinalEncoder

    words = OrdinalEncoder(
        handle_unknown="use_encoded_value",
        unknown_value=np.nan,
        max_categories=_MAX_CODES,
    )
    encode = make_column_transformer(
        (words, ~is_numeric), remainder="passthrough", verbose_feature_names_out=False
    )
    first = np.arange(len(is_numeric)) < (~is_numeric).sum()
    boosting = HistGradientBoostingClassifier(
        categorical_features=first, random_state=seed
    )
    return make_pipeline(encode, boosting)


def _predict_given(name: Any, model: Any, X: Any, problem: Problem) -> Outcome:
    """Predict the rows of the report with a fitted classifier of the user."""
    opened = open_problem(model, X)
    theirs, ours = opened.target, problem.target.class_names.tolist()
    position = {label: k for k, label in enumerate(theirs.class_names.tolist())}
    if set(position) != set(ours):
        raise ValueError(
            f"Rivals must know the classes of the estimator, {ours}. Got "
            f"{list(position)} of rivals[{name!r}]."
        )
    proba = theirs.predict(opened.X)
    predicted = theirs.classes_given(proba, opened.X)
    order = [position[label] for label in ours]
    return proba[:, order], np.argsort(order)[predicted]


def check_rivals(rivals: Any) -> Mapping[str, Any]:
    """Return the rivals that were given by name; "auto" gives none."""
    if isinstance(rivals, str) and rivals == "auto":
        return {}
    if not isinstance(rivals, Mapping):
        raise TypeError(
            'rivals must be "auto" or a dict of fitted classifiers by their names. Got '
            f"{rivals!r} instead."
        )
    taken = [name for name in rivals if str(name) in (*SIMPLER, GRADIENT_BOOSTING)]
    if taken:
        raise ValueError(
            "The names of rivals must differ from those trained here. Got "
            f"{taken[0]!r}."
        )
    return rivals


def better(rival: Rival, name: str) -> int:
    """Return 1 if the classifier is better by a score, -1 if the rival is, else 0.

    It is better if the interval of the difference does not include 0.
    """
    score = rival.differences[name]
    if score.value is None or score.low is None or score.high is None:
        return 0
    sign = 1 if name == "accuracy" else -1
    if score.low > 0:
        return sign
    return -sign if score.high < 0 else 0


def recommended(rivals: Sequence[Rival]) -> Rival | None:
    """Return the simplest rival that is not worse by accuracy or log loss, if any."""
    for rival in sorted(
        (one for one in rivals if one.is_simpler),
        key=lambda one: SIMPLER.index(one.name),
    ):
        if max(better(rival, name) for name in rival.differences) <= 0:
            return rival
    return None
