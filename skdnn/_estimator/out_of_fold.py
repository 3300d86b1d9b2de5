"""Loss, accuracy and calibration of averaged networks on rows some did not train on."""

from dataclasses import dataclass

import numpy as np
from sklearn.model_selection import KFold, StratifiedKFold

from skdnn._estimator.calibration import (
    Reliability,
    best_inverse_temperature,
    expected_calibration_error,
)


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
    """Predictions of the members of an average for rows that they did not train on.

    For each member, `rows` holds positions in `y` (class codes, of shape (n_samples,))
    and `log_proba` the log probabilities of these rows, of shape (n_rows, n_classes).
    `weight` is the weight of each sample. Rows that no member predicts do not count.
    """

    rows: list[np.ndarray]
    log_proba: list[np.ndarray]
    y: np.ndarray
    weight: np.ndarray

    def loss(self) -> float:
        """Return an estimate of the log loss of the mean of all members, in nats.

        A row is predicted by the ``r`` of ``M`` members that did not train on it. The
        mean of fewer members varies more, and so has a larger loss: by the second term
        of its Taylor series, ``(1/2r - 1/2M) s² / m²``, with the mean m and the
        variance s² of the true class's probability over the r members.
        """
        mean, excess = self._true_class()
        predicted = self._counts() > 0
        losses = -np.log(np.maximum(mean, 1e-7)) - excess
        return float(np.average(losses[predicted], weights=self.weight[predicted]))

    def accuracy(self) -> float:
        """Return the accuracy of the mean of the members that predict each row."""
        predicted = self._counts() > 0
        correct = self.mean().argmax(axis=1) == self.y
        return float(np.average(correct[predicted], weights=self.weight[predicted]))

    def mean(self) -> np.ndarray:
        """Return the mean probabilities; equal shares for rows that none predicts."""
        n_classes = self.log_proba[0].shape[1]
        total = np.zeros((len(self.y), n_classes))
        for rows, log_proba in zip(self.rows, self.log_proba, strict=True):
            total[rows] += np.exp(log_proba)
        counts = self._counts()[:, None]
        return np.where(counts > 0, total / np.maximum(counts, 1), 1 / n_classes)

    def reliability(self) -> Reliability:
        """Return the inverse temperature, and the errors without and with it."""
        factor = self.inverse_temperature()
        before, after = (self.calibration_error(f) for f in (1.0, factor))
        return Reliability(factor, before, after)

    def calibration_error(self, inverse_temperature: float) -> float:
        """Return the expected calibration error of the mean of the members."""
        predicted = self._counts() > 0
        proba = self.mean()[predicted]
        proba = (proba / proba.max(axis=1, keepdims=True)) ** inverse_temperature
        proba /= proba.sum(axis=1, keepdims=True)
        correct = proba.argmax(axis=1) == self.y[predicted]
        weight = self.weight[predicted]
        return float(expected_calibration_error(proba.max(axis=1), correct, weight))

    def inverse_temperature(self) -> float:
        """Return the factor of log probabilities that gives the lowest `loss`."""
        predicted = self._counts() > 0
        weight = self.weight[predicted]
        excess = np.average(self._true_class()[1][predicted], weights=weight)
        log_proba = np.log(np.maximum(self.mean()[predicted], 1e-12))
        return best_inverse_temperature(
            log_proba, self.y[predicted], weight, excess=float(excess)
        )

    def _counts(self) -> np.ndarray:
        """Return for each row how many members predict it."""
        return np.bincount(np.concatenate(self.rows), minlength=len(self.y))

    def _true_class(self) -> tuple[np.ndarray, np.ndarray]:
        """Return mean and excess loss of the true class's probability, for each row."""
        rows = np.concatenate(self.rows)
        logs = [
            log_proba[np.arange(len(held_out)), self.y[held_out]]
            for held_out, log_proba in zip(self.rows, self.log_proba, strict=True)
        ]
        proba = np.exp(np.concatenate(logs).astype(np.float64))
        n, counts = len(self.y), self._counts()
        mean = np.bincount(rows, weights=proba, minlength=n) / np.maximum(counts, 1)
        squares = (proba - mean[rows]) ** 2
        variance = np.bincount(rows, weights=squares, minlength=n)
        variance = variance / np.maximum(counts - 1, 1)
        missing = 1 / (2 * np.maximum(counts, 1)) - 1 / (2 * len(self.rows))
        return mean, missing * variance / np.maximum(mean, 1e-7) ** 2
