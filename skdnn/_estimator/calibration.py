"""Whether probabilities agree with outcomes, and the temperature that corrects them."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

# Of the expected calibration error, everywhere (Guo et al., 2017, use 15).
N_CALIBRATION_BINS = 15
# Search range and step of the logarithm of the inverse temperature.
_MOST_LOG_FACTOR = 1.5
_LOG_FACTOR_STEP = 0.05


@dataclass(frozen=True)
class Reliability:
    """The inverse temperature of a fit and the calibration errors behind it.

    Logits are multiplied by `inverse_temperature`. `before` and `after` are expected
    calibration errors on rows not trained on, without that factor and with it.
    """

    inverse_temperature: float
    before: float
    after: float


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
    mean confidence and accuracy (`correct` holds booleans). `weight`, of shape
    (n_samples,) or (n_draws, n_samples), gives one error or one per draw.
    """
    rows = np.arange(len(confidence))
    gaps = csr_array(
        (confidence - correct, (rows, calibration_bins(confidence))),
        shape=(len(rows), N_CALIBRATION_BINS),
    )
    return np.abs(weight @ gaps).sum(axis=-1) / weight.sum(axis=-1)


def best_inverse_temperature(
    log_proba: np.ndarray, y: np.ndarray, weight: np.ndarray, excess: float = 0.0
) -> float:
    """Return the factor of log probabilities that gives the lowest log loss.

    The factor is bounded, and targets are smoothed by a share of ``1 / (n + 1)``, so
    that rows that are all predicted correctly do not drive it to infinity. `excess`
    is a part of the loss that grows in proportion to the factor, subtracted.
    """
    share = 1 / (len(y) + 1)

    def loss(factor: float) -> float:
        scaled = factor * log_proba
        top = scaled.max(axis=1, keepdims=True)
        scaled -= top + np.log(np.exp(scaled - top).sum(axis=1, keepdims=True))
        true_class = scaled[np.arange(len(y)), y]
        losses = (1 - share) * true_class + share * scaled.mean(axis=1)
        return -float(np.average(losses, weights=weight)) - factor * excess

    n_steps = round(2 * _MOST_LOG_FACTOR / _LOG_FACTOR_STEP) + 1
    grid = np.exp(np.linspace(-_MOST_LOG_FACTOR, _MOST_LOG_FACTOR, n_steps))
    return float(grid[np.argmin([loss(factor) for factor in grid])])
