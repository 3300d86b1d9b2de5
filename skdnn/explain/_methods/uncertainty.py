"""How uncertain the predictions of rows are, from what the classifier offers."""

from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from skdnn.classifier import DNNClassifier
from skdnn.explain._methods.novelty import LEAST_BACKGROUND, compute_novelty
from skdnn.explain._model.options import RandomState
from skdnn.explain._model.prediction_sets import find_sets
from skdnn.explain._model.target import Problem
from skdnn.explain._results.attributions import Attributions
from skdnn.explain._results.novelty import Novelty
from skdnn.explain._results.uncertainty import Uncertainty
from skdnn.explain._text.novelty import reasons_of_rows

# Of more columns, the novelty of a row takes longer than most explanations of it.
_MAX_COLUMNS = 100
_Result = TypeVar("_Result", bound=Attributions)


def with_uncertainty(
    result: _Result, problem: Problem, background: object, random_state: RandomState
) -> _Result:
    """Return attributions with the uncertainty of their rows, if the classifier has it.

    `background` is what the user gave: without it, rows have none to be compared with.
    """
    if result.predicted is None or not problem.target.sum_to_one:
        return result
    if find_sets(problem) is None and problem.target.members is None:
        return result
    is_compared = (
        background is not None
        and result.images is None
        and problem.target.n_features <= _MAX_COLUMNS
    )
    novelty = novelty_of(problem, random_state) if is_compared else None
    return replace(
        result, uncertainty=compute_uncertainty(problem, result.predicted, novelty)
    )


def novelty_of(problem: Problem, random_state: RandomState) -> Novelty | None:
    """Return the novelty of the rows; None of too few background rows."""
    if len(problem.background) < LEAST_BACKGROUND:
        return None
    return compute_novelty(problem, random_state=random_state)


def compute_uncertainty(
    problem: Problem, predicted: np.ndarray, novelty: Novelty | None
) -> Uncertainty:
    """Return the uncertainty of the rows of X, whose predicted classes are known."""
    problem = problem.with_output("probability")
    sets, members = find_sets(problem), problem.target.members
    proba, votes = _predictions(problem)
    is_network = members is not None and isinstance(members.ensemble, DNNClassifier)
    return uncertainty_of(
        problem.target.class_names,
        np.asarray(predicted),
        novelty,
        sets=None if sets is None else sets.predict(problem, proba),
        confidence_level=None if sets is None else sets.level,
        votes=votes,
        member="network" if is_network else "member",
    )


def uncertainty_of(
    class_names: np.ndarray,
    predicted: np.ndarray,
    novelty: Novelty | None,
    **facts: Any,
) -> Uncertainty:
    """Return the uncertainty of rows with what their novelty shows, if it is known.

    `facts` are the attributes that are known without it.
    """
    if novelty is None:
        reasons = np.full(len(predicted), "", dtype=object)
        return Uncertainty(class_names, predicted, reasons, **facts)
    return Uncertainty(
        class_names,
        predicted,
        reasons_of_rows(novelty),
        p_values=novelty.p_values,
        n_calibration=novelty.n_calibration,
        p_unusual=novelty.p_unusual,
        **facts,
    )


def votes_of(named: np.ndarray, n_classes: int) -> np.ndarray:
    """Return how many members name each class, from the classes they name.

    From shape (n_members, n_samples) to (n_samples, n_classes).
    """
    return (named[:, :, None] == np.arange(n_classes)).sum(axis=0)


def _predictions(problem: Problem) -> tuple[np.ndarray, np.ndarray | None]:
    """Return probabilities, and how many members give each class the highest one."""
    target, k = problem.target.stacked(), problem.target.n_classes
    parts, counts = [], []
    for start in range(0, len(problem.X), target.block_rows):
        out = target.predict(problem.X[start : start + target.block_rows])
        parts.append(out[:, :k])
        named = out[:, k:].reshape(len(out), target.n_refits, k).argmax(axis=2)
        counts.append(votes_of(named.T, k))
    votes = np.concatenate(counts) if target.n_refits else None
    return np.concatenate(parts), votes
