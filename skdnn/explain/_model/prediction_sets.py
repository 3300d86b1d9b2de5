"""The sets of classes that a classifier predicts, itself or last in a Pipeline."""

from dataclasses import dataclass

import numpy as np

from skdnn._estimator.uncertainty import is_split_conformal, set_thresholds, sets_of
from skdnn.classifier import DNNClassifier
from skdnn.explain._model.last_step import LastStep, last_step
from skdnn.explain._model.target import Problem

LEVELS = (0.8, 0.9, 0.95, 0.99)
_USUAL = 0.9
# What is proven of the sets of a fit.
SPLIT, MEASURED, UNKNOWN = "split conformal", "measured", "unknown"


@dataclass(frozen=True)
class PredictionSets:
    """A classifier with `predict_set`.

    `level` is the smallest of 90%, 95% and 99% at which some set may have several
    classes: where more predictions are correct, sets of lower levels have one class.
    `guarantee` is what is proven of the sets, `levels` are those it can be called with.
    """

    last: LastStep
    level: float = _USUAL
    guarantee: str = UNKNOWN
    levels: tuple[float, ...] = LEVELS

    def predict(
        self, problem: Problem, proba: np.ndarray, level: float | None = None
    ) -> np.ndarray:
        """Return the sets of the rows of X, bool of shape (n_samples, n_classes).

        `proba` are their probabilities, which the sets of this package follow from.
        """
        level = self.level if level is None else level
        if self.guarantee != UNKNOWN:
            return sets_of(proba, set_thresholds(self.last.classifier, level))
        target, size = problem.target, problem.target.block_rows
        parts = [
            self._of_block(target.decode(problem.X[start : start + size]), level)
            for start in range(0, len(problem.X), size)
        ]
        return np.concatenate(parts)

    def _of_block(self, rows: object, level: float) -> np.ndarray:
        sets = np.asarray(self.last.classifier.predict_set(
            self.last.transform(rows), confidence_level=level
        ))  # fmt: skip
        return sets.astype(bool)


def find_sets(problem: Problem) -> PredictionSets | None:
    """Return the sets that the classifier of a problem predicts.

    None if it has no `predict_set` or that does not work, such as for a fit that left
    no rows out, or if rows may have several labels.
    """
    target, last = problem.target, last_step(problem.target.estimator)
    if not target.sum_to_one or not hasattr(last.classifier, "predict_set"):
        return None
    try:
        if _is_own(last.classifier):
            return _own_sets(last)
    except ValueError:  # the fit left no rows out
        return None
    first = problem.take(range(min(1, len(problem.X))))
    levels = tuple(level for level in LEVELS if _works(last, first, level))
    return PredictionSets(last, levels=levels) if _USUAL in levels else None


def _works(last: LastStep, first: Problem, level: float) -> bool:
    """Return whether a classifier predicts the set of a row at a level."""
    shape = (len(first.X), first.target.n_classes)
    try:
        return PredictionSets(last).predict(first, np.empty(0), level).shape == shape
    except Exception:  # sets are an extra: what predicts is explained without them
        return False


def _is_own(classifier: object) -> bool:
    """Return whether sets follow from probabilities as `DNNClassifier` defines it."""
    kind = type(classifier)
    return (
        issubclass(kind, DNNClassifier)
        and kind.predict_set is DNNClassifier.predict_set
        and kind.predict_proba is DNNClassifier.predict_proba
    )


def _own_sets(last: LastStep) -> PredictionSets:
    """Return sets of this package; ValueError if the fit left no rows out."""
    network = last.classifier
    guarantee = SPLIT if is_split_conformal(network) else MEASURED
    levels = [level for level in LEVELS if level >= _USUAL]
    # two classes have a probability above the threshold only if it is below a half
    level = next(
        (at for at in levels if set_thresholds(network, at).min() < 0.5), levels[-1]
    )
    return PredictionSets(last, level, guarantee)
