"""Columns shuffled: rows with other rows' cells, and what that does to the loss."""

from collections.abc import Iterator

import numpy as np

from skdnn.explain._model.target import Target

_SMALLEST = 1e-15


def shuffled_outputs(
    target: Target, X: np.ndarray, members: list[int], orders: np.ndarray
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Give rows the cells of others in some columns, and ask the classifier.

    Parameters
    ----------
    target : Target
        The classifier.
    X : ndarray of shape (n_samples, n_features)
        Coded rows.
    members : list of int
        Columns that are shuffled together.
    orders : ndarray of shape (n_orders, n_samples)
        Which row each row has its cells from, one order after the other.

    Yields
    ------
    takers, givers : ndarray of shape (n_now,)
        Positions of rows, as many as fit a block.
    ndarray of shape (n_now, n_outputs)
        What the classifier says of them.
    """
    for start in range(0, orders.size, target.block_rows):
        places = np.arange(start, min(start + target.block_rows, orders.size))
        takers, givers = places % len(X), orders.ravel()[places]
        rows = X[takers]
        rows[:, members] = X[givers][:, members]
        yield takers, givers, target.predict(rows, copy=False)


def row_losses(proba: np.ndarray, codes: np.ndarray, n_classes: int) -> np.ndarray:
    """Return the cross-entropy of each row, of the ensemble and of each member.

    Parameters
    ----------
    proba : ndarray of shape (n_rows, n_outputs)
        Output of a target.
    codes : ndarray of shape (n_rows,)
        Positions of the classes of the rows.

    Returns
    -------
    ndarray of shape (n_rows, 1 + n_members)
    """
    told = proba.reshape(len(proba), -1, n_classes)[np.arange(len(proba)), :, codes]
    return -np.log(np.maximum(told, _SMALLEST))
