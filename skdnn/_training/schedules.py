"""Hyperparameters that follow the progress of training."""

from dataclasses import dataclass

import numpy as np

# Factors of the learning rate for arrays other than kernels (Holzmüller et al., 2024,
# table A.1); that of piecewise-linear encodings is part of a schedule.
RATE_FACTORS = {"bias": 0.1, "scale": 6.0, "piecewise_linear": 0.0}

# Shares of training at which each cycle but the last ends, and at which the rate is
# highest (of the last cycle, somewhat before).
CYCLE_ENDS = (1 / 15, 1 / 5, 7 / 15)
CYCLE_PEAKS = (0.03, 0.12, 0.31, 0.6)


@dataclass(frozen=True)
class Schedule:
    """The hyperparameters of each step of a training whose length is known.

    With ``t`` the share of the steps that are done after this one, rate and smoothing
    follow ``coslog4(t)``, so that both are zero at the end of each of four cycles, and
    weight decay ``flat_cos(t)`` (Holzmüller et al., 2024, appendix A), with the given
    maxima. `n_steps` counts the whole training, even if it ends earlier. Without
    `cycles` the rate is constant. `n_done` steps were taken before the first.
    """

    rate: float
    n_steps: int
    weight_decay: float
    smoothing: float
    l2: float
    l1: float
    piecewise_linear_factor: float
    cycles: bool = True
    n_done: int = 0

    def numbers(self, first: int, n_steps: int) -> np.ndarray:
        """Return the hyperparameters of `n_steps` steps from `first`, one per row."""
        done = self.n_done + first + 1.0 + np.arange(n_steps)
        t = np.minimum(done / self.n_steps, 1)
        cycle = coslog4(t)
        ones = np.ones(n_steps)
        return np.column_stack(
            [
                self.rate * (cycle if self.cycles else ones),
                self.l2 * ones,
                self.l1 * ones,
                self.weight_decay * flat_cos(t),
                self.smoothing * cycle,
                self.piecewise_linear_factor * ones,
            ]
        )


def coslog4(t: np.ndarray) -> np.ndarray:
    """Return four cosine cycles from 0 to 1 and back, each twice as long."""
    return np.asarray(0.5 * (1 - np.cos(2 * np.pi * np.log2(1 + 15 * t))))


def flat_cos(t: np.ndarray) -> np.ndarray:
    """Return 1 for the first half, then a cosine down to 0."""
    return np.where(t < 0.5, 1.0, 0.5 * (1 + np.cos(np.pi * (2 * t - 1))))
