"""How good the mean of some networks is, told by rows that not all have seen."""

from dataclasses import dataclass

import numpy as np
from sklearn.model_selection import KFold, StratifiedKFold

from skdnn._estimator.summary import Reliability

# Logarithm of the sharpest and the flattest that probabilities may be made.
_MOST_SHARP = 1.5
_STEP = 0.05
# Of the expected calibration error (Guo et al., 2017, section 2).
_BINS = 15


def fold_of_rows(
    y: np.ndarray, n_folds: int, random_state: np.random.RandomState
) -> np.ndarray:
    """Return a random fold for each row, of equal sizes and, if possible, classes."""
    stratified = np.bincount(y)[np.unique(y)].min() >= n_folds
    kind = StratifiedKFold if stratified else KFold
    splitter = kind(n_folds, shuffle=True, random_state=random_state)
    folds = np.empty(len(y), dtype=int)
    for fold, (_, rows) in enumerate(splitter.split(np.zeros(len(y)), y)):
        folds[rows] = fold
    return folds


@dataclass(frozen=True)
class OutOfFoldScores:
    """What members predict for rows that they have not seen.

    Parameters
    ----------
    rows : list of ndarray
        For each member, positions of the rows in `y`.
    log_proba : list of ndarray of shape (n_rows, n_classes)
        For each member, the logarithm of what it predicts for them.
    y : ndarray of shape (n_samples,)
        Positions of the classes.
    weight : ndarray of shape (n_samples,)
        Weights of the rows.
    """

    rows: list[np.ndarray]
    log_proba: list[np.ndarray]
    y: np.ndarray
    weight: np.ndarray

    def loss(self) -> float:
        """Return the log loss that the mean of all members would have, in nats.

        A row is seen through the ``r`` of ``M`` members that have not learned from it.
        The mean of fewer members varies more, and so has a larger loss: by the second
        term of its Taylor series, ``(1/2r - 1/2M) s² / m²``, with the mean m and the
        variance s² of the true class's probability over the r members.
        """
        mean, excess = self._true_class()
        seen = self._counts() > 0
        losses = -np.log(np.maximum(mean, 1e-7)) - excess
        return float(np.average(losses[seen], weights=self.weight[seen]))

    def accuracy(self) -> float:
        """Return the accuracy of the mean of those members."""
        seen = self._counts() > 0
        right = self.mean().argmax(axis=1) == self.y
        return float(np.average(right[seen], weights=self.weight[seen]))

    def mean(self) -> np.ndarray:
        """Return the mean of those members; even shares where all have seen a row."""
        n_classes = self.log_proba[0].shape[1]
        total = np.zeros((len(self.y), n_classes))
        for rows, log_proba in zip(self.rows, self.log_proba, strict=True):
            total[rows] += np.exp(log_proba)
        counts = self._counts()[:, None]
        return np.where(counts > 0, total / np.maximum(counts, 1), 1 / n_classes)

    def reliability(self) -> Reliability:
        """Return the inverse temperature, and the errors without and with it."""
        inverse_temperature = self.inverse_temperature()
        errors = [
            self.calibration_error(factor) for factor in (1.0, inverse_temperature)
        ]
        return Reliability(inverse_temperature, *errors)

    def calibration_error(self, inverse_temperature: float) -> float:
        """Return the expected calibration error of the mean of those members.

        Rows are put into 15 bins by the probability of their likeliest class; it is
        the mean distance between that probability and the share told rightly, bins
        weighted by their rows (Guo et al., 2017, eq. 3).
        """
        seen = self._counts() > 0
        proba = self.mean()[seen]
        proba = (proba / proba.max(axis=1, keepdims=True)) ** inverse_temperature
        proba /= proba.sum(axis=1, keepdims=True)
        sure, weight = proba.max(axis=1), self.weight[seen]
        right = proba.argmax(axis=1) == self.y[seen]
        bins = np.minimum((sure * _BINS).astype(int), _BINS - 1)
        gaps = np.bincount(bins, weights=weight * (right - sure), minlength=_BINS)
        return float(np.abs(gaps).sum() / weight.sum())

    def inverse_temperature(self) -> float:
        """Return the factor of log probabilities that gives the least loss.

        It is bounded, and targets are smoothed by a share of ``1 / (n + 1)``, so that
        rows that are all told rightly don't drive it to infinity. The loss is that of
        the mean of all members, as in `loss`.
        """
        seen = self._counts() > 0
        logs = np.log(np.maximum(self.mean()[seen], 1e-12))
        y, weight = self.y[seen], self.weight[seen]
        excess = float(np.average(self._true_class()[1][seen], weights=weight))
        share = 1 / (len(y) + 1)

        def loss(factor: float) -> float:
            scaled = factor * logs
            top = scaled.max(axis=1, keepdims=True)
            scaled -= top + np.log(np.exp(scaled - top).sum(axis=1, keepdims=True))
            right = scaled[np.arange(len(y)), y]
            losses = (1 - share) * right + share * scaled.mean(axis=1)
            return -float(np.average(losses, weights=weight)) - factor * excess

        n_steps = round(2 * _MOST_SHARP / _STEP) + 1
        grid = np.exp(np.linspace(-_MOST_SHARP, _MOST_SHARP, n_steps))
        return float(grid[np.argmin([loss(factor) for factor in grid])])

    def _counts(self) -> np.ndarray:
        """Return for each row how many members have not seen it."""
        return np.bincount(np.concatenate(self.rows), minlength=len(self.y))

    def _true_class(self) -> tuple[np.ndarray, np.ndarray]:
        """Return mean and excess loss of the true class's probability, for each row."""
        rows = np.concatenate(self.rows)
        logs = [
            log_proba[np.arange(len(held)), self.y[held]]
            for held, log_proba in zip(self.rows, self.log_proba, strict=True)
        ]
        proba = np.exp(np.concatenate(logs).astype(np.float64))
        n, counts = len(self.y), self._counts()
        mean = np.bincount(rows, weights=proba, minlength=n) / np.maximum(counts, 1)
        squares = (proba - mean[rows]) ** 2
        variance = np.bincount(rows, weights=squares, minlength=n)
        variance = variance / np.maximum(counts - 1, 1)
        missing = 1 / (2 * np.maximum(counts, 1)) - 1 / (2 * len(self.rows))
        return mean, missing * variance / np.maximum(mean, 1e-7) ** 2
