"""What a step is taken with, where that follows the progress of training."""

from dataclasses import dataclass

import numpy as np

# Factors of the learning rate for arrays that are no kernels (Holzmüller et al., 2024,
# table A.1); that of the ramps is part of a schedule.
RATE_FACTORS = {"bias": 0.1, "scale": 6.0, "piecewise_linear": 0.0}


@dataclass(frozen=True)
class Schedule:
    """The numbers of each step of a training whose length is known.

    With ``t`` the share of the steps that are done after this one, rate and smoothing
    follow ``coslog4(t)``, so that both are zero at the end of each of four cycles, and
    weight decay ``flat_cos(t)`` (Holzmüller et al., 2024, appendix A).

    Parameters
    ----------
    rate : float
        The highest learning rate.
    n_steps : int
        Steps of the whole training, even if it is to end earlier.
    weight_decay, smoothing : float
        Their highest values, see ``Penalties``.
    l2, l1 : float
        See ``Penalties``; constant.
    piecewise_linear_factor : float
        Factor of the learning rate for the piecewise-linear functions of numbers.
    cycles : bool
        Whether the rate follows ``coslog4``; else it is constant.
    """

    rate: float
    n_steps: int
    weight_decay: float
    smoothing: float
    l2: float
    l1: float
    piecewise_linear_factor: float
    cycles: bool = True

    def numbers(self, first: int, n_steps: int) -> np.ndarray:
        """Return the numbers of some steps, as a compiled program takes them.

        Parameters
        ----------
        first : int
            Position of the first of them in the training.
        n_steps : int
            How many.

        Returns
        -------
        ndarray of shape (n_steps, 6)
            Rate, l2, l1, weight decay, smoothing, factor for ramps.
        """
        t = np.minimum((first + 1.0 + np.arange(n_steps)) / self.n_steps, 1)
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
    return 0.5 * (1 - np.cos(2 * np.pi * np.log2(1 + 15 * t)))


def flat_cos(t: np.ndarray) -> np.ndarray:
    """Return 1 for the first half, then a cosine down to 0."""
    return np.where(t < 0.5, 1.0, 0.5 * (1 + np.cos(np.pi * (2 * t - 1))))
