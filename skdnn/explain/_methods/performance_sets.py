"""How often sets of classes hold the true class, and accuracy where they have one."""

import numpy as np
import pandas as pd

from skdnn.explain._methods.performance_classes import share_score
from skdnn.explain._methods.performance_decisions import Predictions
from skdnn.explain._model.prediction_sets import PredictionSets
from skdnn.explain._model.target import Problem
from skdnn.explain._results.frames import frame_of


def set_table(
    problem: Problem, sets: PredictionSets, given: Predictions
) -> pd.DataFrame:
    """Return one row per level of confidence; see ``Performance.sets``."""
    rows = [
        {"confidence_level": level}
        | _scores(sets.predict(problem, given.probabilities, level), given)
        for level in sets.levels
    ]
    return frame_of({name: [row[name] for row in rows] for name in rows[0]})


def _scores(sets: np.ndarray, given: Predictions) -> dict[str, float]:
    """Return coverage and mean size of sets, and accuracy where they have one class."""
    weight, counted = given.weight, given.weight > 0
    held = sets[np.arange(len(sets)), given.codes]
    size = sets.sum(axis=1)
    answered = counted & (size == 1)
    coverage = share_score(held[counted], weight[counted])
    right = given.codes == given.predicted
    accuracy = share_score(right[answered], weight[answered])
    return {
        "coverage": _number(coverage.value),
        "ci_low": _number(coverage.low),
        "ci_high": _number(coverage.high),
        "n_classes": float(weight @ size / weight.sum()),
        "answered": float(weight @ answered / weight.sum()),
        "n_rows": int(answered.sum()),
        "accuracy": _number(accuracy.value),
        "accuracy_low": _number(accuracy.low),
        "accuracy_high": _number(accuracy.high),
    }


def _number(value: float | None) -> float:
    return np.nan if value is None else value
