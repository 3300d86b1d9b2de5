"""What the loss rises by when a column is shuffled, and what that may be off by."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from skdnn.explain._methods.shuffling import row_losses, shuffled_outputs
from skdnn.explain._model.target import Problem, Step


@dataclass(frozen=True)
class LossRises:
    """Permutation importance in nats, with its two errors.

    Parameters
    ----------
    rises : ndarray of shape (n_columns,)
        Mean rise of the cross-entropy.
    data_covariance : ndarray of shape (n_columns, n_columns)
        Of the rises, as other rows would give others.
    refit_covariance : ndarray of shape (n_columns, n_columns) or None
        As other fits would give others; None without members.
    """

    rises: np.ndarray
    data_covariance: np.ndarray
    refit_covariance: np.ndarray | None


def measure_rises(
    problem: Problem,
    y: np.ndarray,
    positions: Sequence[int],
    orders: np.ndarray,
    step: Step,
) -> LossRises:
    """Shuffle one column after the other.

    A rise is the mean over pairs of rows, one of which takes the cell of the other, and
    so varies with both: what a row adds is what it loses as a taker and what others
    lose by it as a giver (Hoeffding, 1948: the first term of a U-statistic).

    Parameters
    ----------
    problem : Problem
        Its X holds the rows.
    y : ndarray of shape (n_samples,)
        Their classes.
    positions : list of int
        Columns.
    orders : ndarray of shape (n_orders, n_samples)
        Which row each row has its cell from.
    step : callable
        Called after each column.
    """
    target, X = problem.target.stacked(), problem.X
    n, k, d = len(X), target.n_classes, len(positions)
    codes = pd.Index(target.class_names).get_indexer(y)
    losses = row_losses(target.predict(X), codes, k)
    of_members, rises = np.zeros((target.n_refits, d)), np.zeros(d)
    # what each row loses as a taker and as a giver, summed over the orders
    parts, squares = np.zeros((2, n, d)), np.zeros(d)
    for place, j in enumerate(positions):
        for *both, proba in shuffled_outputs(target, X, [j], orders):
            rise = row_losses(proba, codes[both[0]], k) - losses[both[0]]
            for part, rows in zip(parts, both, strict=True):
                part[:, place] += np.bincount(rows, rise[:, 0], minlength=n)
            squares[place] += (rise[:, 0] ** 2).sum()
            rises[place] += rise[:, 0].sum() / orders.size
            of_members[:, place] += rise[:, 1:].sum(axis=0) / orders.size
        step()
    data = _covariance(parts / len(orders), squares, len(orders))
    if not target.n_refits:
        return LossRises(rises, data, None)
    return LossRises(rises, data, np.cov(of_members, rowvar=False).reshape(d, d))


def _covariance(means: np.ndarray, squares: np.ndarray, n_orders: int) -> np.ndarray:
    """Return how the rises would vary with other rows and shuffles.

    Parameters
    ----------
    means : ndarray of shape (2, n_samples, n_columns)
        Mean rise of each row as a taker, and as a giver.
    squares : ndarray of shape (n_columns,)
        Sums of the squares of all rises.
    n_orders : int
        Shuffles, at least 2.

    Returns
    -------
    ndarray of shape (n_columns, n_columns)
    """
    _, n, d = means.shape
    told = np.cov(means.sum(axis=0), rowvar=False).reshape(d, d) / n
    # the part of a rise that is neither the taker's nor the giver's is in the means of
    # both, and counted twice: within rows there is the other's part and that one
    within = squares - n_orders * (means**2).sum(axis=1)
    total = squares - n * n_orders * means[0].mean(axis=0) ** 2
    pure = within.sum(axis=0) / (n * (n_orders - 1)) - total / (n * n_orders - 1)
    own = np.diag(told)
    once = np.clip(own - np.maximum(pure, 0) / (n * n_orders), own / 2, own)
    scale = np.sqrt(np.divide(once, own, out=np.ones(d), where=own > 0))
    return told * np.outer(scale, scale)
