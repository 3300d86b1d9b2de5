"""Deletion curves."""

from dataclasses import dataclass

import numpy as np

from skdnn.explain._results.result import TableResult


@dataclass(frozen=True)
class DeletionCurves(TableResult):
    """Mean output of the predicted class as cells are replaced by background cells.

    Attributes
    ----------
    table : DataFrame
        Columns: removed (share of the columns), attribution, random, low, high: the
        mean output in the order of the attribution, its mean over random orders, and
        their central 95%.
    areas : ndarray of shape (n_orders,)
        Mean output along the curve, for each random order.
    area : float
        The same for the order of the attribution; lower is better.
    n_samples : int
        Number of rows averaged over.
    unit : str
        Unit of the output: "probability" or "log odds".
    """

    areas: np.ndarray
    area: float
    n_samples: int
    unit: str

    @property
    def title(self) -> str:
        """The name of the result."""
        return "Deletion curve against random order"

    @property
    def chance(self) -> float:
        """Probability that a random order has so low an area: a p-value."""
        n_as_good = (self.areas <= self.area + 1e-12).sum()
        return float((1 + n_as_good) / (1 + len(self.areas)))
