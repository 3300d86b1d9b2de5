"""Conformal prediction: what rows left out of training state of sets of classes.

The conformity score of a row is the probability of its class, predicted by networks
that were not trained on the row (the score of Sadinle et al., 2019). A class belongs to
a prediction set if its probability is at least a quantile of these scores.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from skdnn._tabular.validation import TrainingData

# Rows that are alike have equal probabilities, except for rounding.
_BELOW = 1 - 1e-5


@dataclass(frozen=True)
class LeftOut:
    """Probabilities of the true classes of rows that a network was not trained on.

    `positions` are those in the validation rows given to `fit`, or else in its rows.
    `is_by_all` is whether all of its networks predict each row, as they do new rows.
    """

    positions: np.ndarray
    proba: np.ndarray
    is_by_all: bool = True


@dataclass(frozen=True)
class ConformityScores:
    """The conformity scores of a fit: for each row left out, its score and class code.

    `weight` is positive, and None if all rows weigh the same. `is_split` is whether all
    networks left out all of these rows, so that they are scored as new rows are.
    """

    proba: np.ndarray
    y: np.ndarray
    weight: np.ndarray | None
    is_split: bool = False

    def thresholds(self, level: float, n_classes: int, *, by_class: bool) -> np.ndarray:
        """Return the smallest probability of each class that is in a set."""
        if not by_class:
            everywhere = _threshold(self.proba, self.weight, level)
            return np.full(n_classes, everywhere)
        own = [np.flatnonzero(self.y == code) for code in range(n_classes)]
        weight = self.weight
        return np.array(
            [
                _threshold(self.proba[i], None if weight is None else weight[i], level)
                for i in own
            ]
        )


def _threshold(proba: np.ndarray, weight: np.ndarray | None, level: float) -> float:
    """Return the probability that a share `level` of the rows, and one more, reach.

    A further row, whose class is predicted, counts as one that does not reach it, with
    the mean weight (Vovk et al., 2005, section 4.2). 0 if the rows are too few.
    """
    n = len(proba)
    if not n:
        return 0.0
    if weight is None:  # without sorting, which would take longer than predicting a row
        at = n - math.ceil(level * (n + 1) * (1 - 1e-12))
        return 0.0 if at < 0 else float(np.partition(proba, at)[at]) * _BELOW
    order = np.argsort(-proba, kind="stable")
    reached = np.cumsum(weight[order].astype(np.float64))
    needed = level * reached[-1] * (1 + 1 / n)
    at = int(np.searchsorted(reached, needed * (1 - 1e-12)))
    return 0.0 if at == n else float(proba[order[at]]) * _BELOW


def conformity_scores(
    data: TrainingData, left_out: Sequence[LeftOut | None]
) -> ConformityScores | None:
    """Return the scores of the mean of networks, each row by those that left it out.

    None if no network left a row out. Weights are those of the rows without those of
    the classes, which do not describe the rows that will be predicted.
    """
    some = [own for own in left_out if own is not None]
    if not some:
        return None
    rows = data.rows if data.validation is None else data.validation
    totals, counts = np.zeros((2, len(rows)))
    for own in some:
        np.add.at(totals, own.positions, own.proba)
        np.add.at(counts, own.positions, 1)
    factors = np.ones(len(data.classes))
    weight = np.ones(len(rows))
    if data.validation is None:
        factors = factors if data.class_factors is None else data.class_factors
        weight = rows.weight / np.where(factors > 0, factors, np.inf)[rows.y]
    kept = np.flatnonzero((counts > 0) & (weight > 0))
    if not len(kept):
        return None
    weight = weight[kept]
    is_even = np.allclose(weight, weight[0], rtol=1e-6, atol=0)
    return ConformityScores(
        totals[kept] / counts[kept],
        rows.y[kept],
        None if is_even else weight,
        is_split=bool((counts[kept] == len(left_out)).all())
        and all(own.is_by_all for own in some),
    )
