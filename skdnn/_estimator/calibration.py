"""Loss, accuracy and calibration of averaged networks on rows some did not train on."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from sklearn.model_selection import KFold, StratifiedKFold

# Of the expected calibration error, everywhere (Guo et al., 2017, use 15).
N_CALIBRATION_BINS = 15
# The inverse temperatures that are tried.
_FACTORS = np.exp(np.linspace(-1.5, 1.5, 61))


@dataclass(frozen=True)
class Reliability:
    """The inverse temperature of a fit and the calibration errors behind it.

    Logits are multiplied by `inverse_temperature`. `before` and `after` are expected
    calibration errors on rows not trained on, without that factor and with it.
    """

    inverse_temperature: float
    before: float
    after: float

    def __str__(self) -> str:
        return (
            f"logits times {self.inverse_temperature:.2f}; expected calibration error "
            f"of rows not trained on {self.before:.3f} before, {self.after:.3f} after"
        )


def calibration_bins(confidence: np.ndarray) -> np.ndarray:
    """Return the bin of each confidence: bins of equal width on [0, 1]."""
    bins = (confidence * N_CALIBRATION_BINS).astype(int)
    return np.clip(bins, 0, N_CALIBRATION_BINS - 1)


def expected_calibration_error(
    confidence: np.ndarray, correct: np.ndarray, weight: np.ndarray
) -> np.ndarray:
    """Return the expected calibration error (Guo et al., 2017, eq. 3).

    Rows are put into bins by the probability of the predicted class (`confidence`).
    The error is the mean over bins, weighted by their rows, of the distance between
    mean confidence and accuracy. `weight`, of shape (n_samples,) or (n_draws,
    n_samples), gives one error or one per draw.
    """
    rows = np.arange(len(confidence))
    gaps = csr_array(
        (confidence - correct, (rows, calibration_bins(confidence))),
        shape=(len(rows), N_CALIBRATION_BINS),
    )
    return np.abs(weight @ gaps).sum(axis=-1) / weight.sum(axis=-1)


def fold_of_rows(
    y: np.ndarray, n_folds: int, random_state: np.random.RandomState
) -> np.ndarray:
    """Return a random fold for each row, of equal sizes and, if possible, classes."""
    fewest = np.bincount(y)[np.unique(y)].min()
    kind = StratifiedKFold if fewest >= n_folds else KFold
    splitter = kind(n_folds, shuffle=True, random_state=random_state)
    folds = np.empty(len(y), dtype=int)
    for fold, (_, rows) in enumerate(splitter.split(y, y)):
        folds[rows] = fold
    return folds


@dataclass
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

    def __post_init__(self) -> None:
        n_members = np.bincount(np.concatenate(self.rows), minlength=len(self.y))
        self._predicted = n_members > 0
        self._n_members = np.maximum(n_members, 1)

    def loss(self) -> float:
        """Return an estimate of the log loss of the mean of all members, in nats.

        A row is predicted by the ``r`` of ``M`` members that did not train on it. The
        mean of fewer members varies more, and so has a larger loss: by the second term
        of its Taylor series, ``(1/2r - 1/2M) s² / m²``, with the mean m and the
        variance s² of the true class's probability over the r members.
        """
        mean, excess = self._true_class()
        return self._average(-np.log(np.maximum(mean, 1e-7)) - excess)

    def accuracy(self) -> float:
        """Return the accuracy of the mean of the members that predict each row."""
        return self._average(self.mean().argmax(axis=1) == self.y)

    def mean(self) -> np.ndarray:
        """Return the mean probabilities; equal shares for rows that none predicts."""
        n_classes = self.log_proba[0].shape[1]
        total = np.zeros((len(self.y), n_classes))
        for rows, log_proba in zip(self.rows, self.log_proba, strict=True):
            total[rows] += np.exp(log_proba)
        mean = total / self._n_members[:, None]
        return np.where(self._predicted[:, None], mean, 1 / n_classes)

    def reliability(self) -> Reliability:
        """Return the inverse temperature, and the errors without and with it."""
        factor = self.inverse_temperature()
        errors = self.calibration_error(1.0), self.calibration_error(factor)
        return Reliability(factor, *errors)

    def calibration_error(self, inverse_temperature: float) -> float:
        """Return the expected calibration error of the mean of the members."""
        proba = self.mean()[self._predicted]
        proba = (proba / proba.max(axis=1, keepdims=True)) ** inverse_temperature
        proba /= proba.sum(axis=1, keepdims=True)
        correct = proba.argmax(axis=1) == self.y[self._predicted]
        weight = self.weight[self._predicted]
        return float(expected_calibration_error(proba.max(axis=1), correct, weight))

    def inverse_temperature(self) -> float:
        """Return the factor of log probabilities that gives the lowest `loss`.

        The factor is bounded, and targets are smoothed by a share of ``1 / (n + 1)``,
        so that rows that are all predicted correctly do not drive it to infinity. The
        excess loss grows in proportion to the factor.
        """
        excess = self._average(self._true_class()[1])
        y, weight = self.y[self._predicted], self.weight[self._predicted]
        log_proba = np.log(np.maximum(self.mean()[self._predicted], 1e-12))
        share = 1 / (len(y) + 1)

        def loss(factor: float) -> float:
            scaled = factor * log_proba
            top = scaled.max(axis=1, keepdims=True)
            scaled -= top + np.log(np.exp(scaled - top).sum(axis=1, keepdims=True))
            true_class = scaled[np.arange(len(y)), y]
            losses = (1 - share) * true_class + share * scaled.mean(axis=1)
            return -float(np.average(losses, weights=weight)) - factor * excess

        return float(_FACTORS[np.argmin([loss(factor) for factor in _FACTORS])])

    def _average(self, values: np.ndarray) -> float:
        """Return the weighted mean over the rows that are predicted."""
        weight = self.weight[self._predicted]
        return float(np.average(values[self._predicted], weights=weight))

    def _true_class(self) -> tuple[np.ndarray, np.ndarray]:
        """Return mean and excess loss of the true class's probability, for each row."""
        rows = np.concatenate(self.rows)
        logs = [
            log_proba[np.arange(len(held_out)), self.y[held_out]]
            for held_out, log_proba in zip(self.rows, self.log_proba, strict=True)
        ]
        proba = np.exp(np.concatenate(logs).astype(np.float64))
        n, n_members = len(self.y), self._n_members
        mean = np.bincount(rows, weights=proba, minlength=n) / n_members
        squares = (proba - mean[rows]) ** 2
        variance = np.bincount(rows, weights=squares, minlength=n)
        variance = variance / np.maximum(n_members - 1, 1)
        missing = 1 / (2 * n_members) - 1 / (2 * len(self.rows))
        return mean, missing * variance / np.maximum(mean, 1e-7) ** 2
