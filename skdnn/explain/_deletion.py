"""Deletion curves: how the prediction falls as columns are taken away.

An attribution that says something about the classifier names columns whose loss is
felt. Cells are replaced by those of background rows, in the order of the attribution,
and beside that in orders drawn at random.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from skdnn.explain._explanation import Attributions, Result
from skdnn.explain._target import Problem

# 1 in 40 is the smallest share of chance that so many orders can tell.
N_ORDERS = 39
_MAX_STEPS = 10
_MAX_ROWS = 20
_N_BACKGROUND = 10


@dataclass(frozen=True)
class DeletionCurves(Result):
    """Mean output of the predicted class as cells are taken away.

    Attributes
    ----------
    table : DataFrame
        Columns: removed (share of the columns), attribution, random, low, high: the
        mean output in the order of the attribution, in orders drawn at random, and
        the middle 95 % of these.
    areas : ndarray of shape (n_orders,)
        Mean output along the curve, for each of the random orders.
    area : float
        The same for the order of the attribution; below the others if it is right.
    n_samples : int
        Rows that the curves are means of.
    unit : str
        What the output is measured in, in words.
    """

    table: pd.DataFrame
    areas: np.ndarray
    area: float
    n_samples: int
    unit: str

    @property
    def title(self) -> str:
        """What the result is, in words."""
        return "Deletion curve against random order"

    @property
    def chance(self) -> float:
        """How often an order drawn at random would do as well: a p-value."""
        return float((1 + (self.areas <= self.area + 1e-12).sum()) / (1 + N_ORDERS))

    def frame(self) -> pd.DataFrame:
        """Return the curves: removed, attribution, random, low, high."""
        return self.table.copy()


def deletion_curves(
    problem: Problem, result: Attributions, random_state: np.random.RandomState
) -> DeletionCurves:
    """Return deletion curves of the first rows, for the class predicted.

    Parameters
    ----------
    problem : Problem
        The rows that `result` explains, and background rows.
    result : Attributions
        A player for each column, a class for each of the classifier's.
    random_state : RandomState
        Draws background rows and orders.

    References
    ----------
    .. [1] Petsiuk, Das and Saenko (2018), RISE: randomized input sampling for
       explanation of black-box models, section 4.3.
    """
    n, d = min(_MAX_ROWS, len(problem.X)), problem.target.n_features
    rows, back = problem.X[:n], problem.background
    back = back[random_state.permutation(len(back))[:_N_BACKGROUND]]
    classes = result.predictions[:n].argmax(axis=1)
    own = np.argsort(-result.values[np.arange(n), :, classes], axis=1, kind="stable")
    drawn = np.argsort(random_state.random_sample((N_ORDERS, n, d)), axis=2)
    steps = np.unique(np.linspace(0, d, min(d, _MAX_STEPS) + 1).round().astype(int))
    curves = np.stack(
        [
            _curve(problem, rows, back, order, classes, steps)
            for order in (own, *drawn)
        ]
    )  # fmt: skip
    inner = curves[:, 1:-1]  # the ends are the same for all orders
    areas = inner.mean(axis=1) if inner.shape[1] else np.zeros(len(curves))
    low, high = np.quantile(curves[1:], [0.025, 0.975], axis=0)
    table = pd.DataFrame(
        {
            "removed": steps / d,
            "attribution": curves[0],
            "random": curves[1:].mean(axis=0),
            "low": low,
            "high": high,
        }
    )
    return DeletionCurves(table, areas[1:], float(areas[0]), n, problem.target.unit)


def _curve(problem, rows, back, order, classes, steps) -> np.ndarray:
    """Return the mean output at each step of one order for each row."""
    n, d = rows.shape
    turn = np.argsort(order, axis=1)  # when each column goes
    means = np.empty(len(steps))
    for i, step in enumerate(steps):
        gone = (turn < step)[:, None, :]
        mixed = np.where(gone, back[None], rows[:, None]).reshape(-1, d)
        output = problem.target.predict(mixed, copy=False).reshape(n, len(back), -1)
        means[i] = output[np.arange(n), :, classes].mean()
    return means
