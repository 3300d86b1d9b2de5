"""Loss, accuracy and calibration of averaged networks on rows some did not train on."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy.sparse import csr_array
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.utils import gen_batches

from skdnn._estimator.conformal import LeftOut
from skdnn._network.numpy_activations import log_softmax
from skdnn._network.prediction import Predictor
from skdnn._tabular.dataset import Dataset

# Of the expected calibration error, everywhere (Guo et al., 2017, use 15).
N_CALIBRATION_BINS = 15
# The inverse temperatures that are tried.
_FACTORS = np.exp(np.linspace(-1.5, 1.5, 61))
# Probabilities that are held at once.
_BLOCK_CELLS = 2**20


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


@dataclass(frozen=True)
class PredictedLogProba:
    """Log probabilities of rows, a slice of which is predicted when it is taken."""

    predictor: Predictor
    table: Dataset
    positions: np.ndarray

    def __getitem__(self, part: slice) -> np.ndarray:
        rows = self.table.take(self.positions[part])
        return self.predictor.log_proba(rows.X)


@dataclass(frozen=True)
class _Block:
    """Successive samples: mean probabilities, those of the true class, and excess."""

    samples: slice
    mean: np.ndarray
    true_class: np.ndarray
    excess: np.ndarray


@dataclass
class OutOfFoldScores:
    """Predictions of the members of an average for rows that they did not train on.

    For each member, `rows` holds ascending positions in `y` (class codes, of shape
    (n_samples,)) and `log_proba` the log probabilities of these rows: an array of shape
    (n_rows, n_classes), or what returns a slice of it. They are taken block by block,
    so that memory does not grow with samples times classes. `weight` is the weight of
    each sample. Rows that no member predicts do not count.
    """

    rows: Sequence[np.ndarray]
    log_proba: Sequence[Any]
    y: np.ndarray
    weight: np.ndarray
    n_classes: int

    def __post_init__(self) -> None:
        n_members = np.bincount(np.concatenate(self.rows), minlength=len(self.y))
        self._predicted = n_members > 0
        self._n_members = np.maximum(n_members, 1)
        self._last_calibrated: tuple[float, np.ndarray, np.ndarray] | None = None

    def loss(self) -> float:
        """Return an estimate of the log loss of the mean of all members, in nats.

        A row is predicted by the ``r`` of ``M`` members that did not train on it. The
        mean of fewer members varies more, and so has a larger loss: by the second term
        of its Taylor series, ``(1/2r - 1/2M) s² / m²``, with the mean m and the
        variance s² of the true class's probability over the r members.
        """
        return self._average(self._losses)

    def row_losses(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the loss of each row that is predicted, and its weight."""
        return self._losses[self._predicted], self.weight[self._predicted]

    @property
    def _losses(self) -> np.ndarray:
        true_class, excess, _, _ = self._figures
        return np.asarray(-np.log(np.maximum(true_class, 1e-7)) - excess)

    def accuracy(self) -> float:
        """Return the accuracy of the mean of the members that predict each row."""
        return self._average(self._figures[2])

    def reliability(self) -> Reliability:
        """Return the inverse temperature, and the errors without and with it."""
        factor = self.inverse_temperature()
        errors = self.calibration_error(1.0), self.calibration_error(factor)
        return Reliability(factor, *errors)

    def calibration_error(self, inverse_temperature: float) -> float:
        """Return the expected calibration error of the mean of the members."""
        correct, rows = self._figures[2], self._predicted
        _, confidence = self._calibrated(inverse_temperature)
        return float(
            expected_calibration_error(
                confidence[rows], correct[rows], self.weight[rows]
            )
        )

    def left_out(self, inverse_temperature: float) -> LeftOut:
        """Return the probability of the true class of each row that is predicted."""
        true_class, _ = self._calibrated(inverse_temperature)
        positions = np.flatnonzero(self._predicted)
        return LeftOut(positions, true_class[positions])

    def _calibrated(self, inverse_temperature: float) -> tuple[np.ndarray, np.ndarray]:
        """Return the calibrated probabilities of the true and the predicted class.

        Those of the last factor are kept: log probabilities may be predicted again.
        """
        known = self._last_calibrated
        if known is None or known[0] != inverse_temperature:
            figures = self._calibrate(inverse_temperature)
            known = self._last_calibrated = inverse_temperature, *figures
        return known[1:]

    def _calibrate(self, inverse_temperature: float) -> tuple[np.ndarray, np.ndarray]:
        if inverse_temperature == 1:
            true_class, _, _, confidence = self._figures
            return true_class, confidence
        true_class, confidence = np.ones((2, len(self.y)))
        for block in self._blocks():
            at, y = block.samples, self.y[block.samples]
            top = block.mean.max(axis=1, keepdims=True)
            proba = (block.mean / top) ** inverse_temperature
            confidence[at] = 1 / proba.sum(axis=1)
            true_class[at] = proba[np.arange(len(y)), y] * confidence[at]
        return true_class, confidence

    def inverse_temperature(self) -> float:
        """Return the factor of log probabilities that gives the lowest `loss`.

        The factor is bounded, and targets are smoothed by a share of ``1 / (n + 1)``,
        so that rows that are all predicted correctly do not drive it to infinity. The
        excess loss grows in proportion to the factor.
        """
        excess = self._average(self._figures[1])
        share = 1 / (self._predicted.sum() + 1)
        totals = np.zeros(len(_FACTORS))
        for block in self._blocks():
            rows = np.flatnonzero(self._predicted[block.samples])
            y, weight = self.y[block.samples][rows], self.weight[block.samples][rows]
            log_proba = np.log(np.maximum(block.mean[rows], 1e-12))
            for i, factor in enumerate(_FACTORS):
                scaled = log_softmax(factor * log_proba)
                true_class = scaled[np.arange(len(y)), y]
                losses = (1 - share) * true_class + share * scaled.mean(axis=1)
                totals[i] -= weight @ losses
        totals /= self.weight[self._predicted].sum()
        return float(_FACTORS[np.argmin(totals - _FACTORS * excess)])

    @cached_property
    def _figures(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Per sample: true class's probability, excess, correctness, confidence."""
        n = len(self.y)
        true_class, excess, confidence = np.ones(n), np.zeros(n), np.ones(n)
        correct = np.zeros(n, dtype=bool)
        for block in self._blocks():
            at = block.samples
            true_class[at], excess[at] = block.true_class, block.excess
            correct[at] = block.mean.argmax(axis=1) == self.y[at]
            confidence[at] = block.mean.max(axis=1)
        return true_class, excess, correct, confidence

    def _blocks(self) -> Iterator[_Block]:
        n = len(self.y)
        for samples in gen_batches(n, max(1, _BLOCK_CELLS // self.n_classes)):
            yield self._block(samples)

    def _block(self, samples: slice) -> _Block:
        """Return a block; equal shares for samples that no member predicts."""
        y, n_members = self.y[samples], self._n_members[samples]
        total, parts = np.zeros((len(y), self.n_classes)), []
        sums, squares = np.zeros((2, len(y)))
        for rows, log_proba in zip(self.rows, self.log_proba, strict=True):
            part = slice(*np.searchsorted(rows, (samples.start, samples.stop)))
            at = rows[part] - samples.start
            proba = np.exp(log_proba[part])
            total[at] += proba
            parts.append((at, proba[np.arange(len(at)), y[at]].astype(np.float64)))
            sums[at] += parts[-1][1]
        mean = sums / n_members
        for at, true_class in parts:
            squares[at] += (true_class - mean[at]) ** 2
        variance = squares / np.maximum(n_members - 1, 1)
        missing = 1 / (2 * n_members) - 1 / (2 * len(self.rows))
        excess = missing * variance / np.maximum(mean, 1e-7) ** 2
        total /= n_members[:, None]
        total[~self._predicted[samples]] = 1 / self.n_classes
        return _Block(samples, total, mean, excess)

    def _average(self, values: np.ndarray) -> float:
        """Return the weighted mean over the rows that are predicted."""
        weight = self.weight[self._predicted]
        return float(np.average(values[self._predicted], weights=weight))
