"""Shuffled columns: rows with values of other rows, and the loss there."""

from collections.abc import Iterator, Sequence

import numpy as np
from sklearn.utils import check_random_state

from skdnn.explain._model.options import RandomState
from skdnn.explain._model.target import Target

_SMALLEST = 1e-15


def draw_orders(n_samples: int, n_orders: int, random_state: RandomState) -> np.ndarray:
    """Return permutations of the rows, of shape (n_orders, n_samples)."""
    draw = check_random_state(random_state)
    return np.array([draw.permutation(n_samples) for _ in range(n_orders)])


def shuffled_outputs(
    target: Target, X: np.ndarray, columns: Sequence[int], orders: np.ndarray
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Predict rows with the values of other rows in some columns, in blocks.

    `orders`, of shape (n_orders, n_samples), holds the row each row has its values
    from.

    Yields
    ------
    takers, givers : ndarray of shape (n_block,)
        Positions of the rows, and of the rows their values are from.
    output : ndarray of shape (n_block, n_outputs)
    """
    for start in range(0, orders.size, target.block_rows):
        index = np.arange(start, min(start + target.block_rows, orders.size))
        takers, givers = index % len(X), orders.ravel()[index]
        rows = X[takers]
        rows[:, columns] = X[givers][:, columns]
        yield takers, givers, target.predict(rows, copy=False)


def row_losses(proba: np.ndarray, codes: np.ndarray, n_classes: int) -> np.ndarray:
    """Return the cross-entropy of each row, of the ensemble and of each member.

    `proba` is the output of a target, `codes` the positions of the classes. The result
    has shape (n_rows, 1 + n_members).
    """
    by_member = proba.reshape(len(proba), -1, n_classes)
    of_class = by_member[np.arange(len(proba)), :, codes]
    return np.asarray(-np.log(np.maximum(of_class, _SMALLEST)))
