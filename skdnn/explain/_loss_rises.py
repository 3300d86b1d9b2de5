"""What the loss rises by when a column is shuffled, and what that may be off by."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from skdnn.explain._shuffling import row_losses, shuffled_outputs
from skdnn.explain._target import Problem, Step


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
    positions: list[int],
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
    added, of_members = np.zeros((n, d)), np.zeros((target.n_refits, d))
    rises = np.zeros(d)
    for place, j in enumerate(positions):
        for takers, givers, proba in shuffled_outputs(target, X, [j], orders):
            rise = row_losses(proba, codes[takers], k) - losses[takers]
            for rows in (takers, givers):
                added[:, place] += np.bincount(rows, rise[:, 0], minlength=n)
            rises[place] += rise[:, 0].sum() / orders.size
            of_members[:, place] += rise[:, 1:].sum(axis=0) / orders.size
        step()
    data = np.cov(added / len(orders), rowvar=False).reshape(d, d) / n
    if not target.n_refits:
        return LossRises(rises, data, None)
    return LossRises(rises, data, np.cov(of_members, rowvar=False).reshape(d, d))
