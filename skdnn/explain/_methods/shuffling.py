"""Shuffled columns: rows with values of other rows, and the increase of the loss."""

from collections.abc import Iterator, Sequence

import numpy as np
from sklearn.utils import check_random_state

from skdnn.explain._model.options import RandomState, Step
from skdnn.explain._model.target import Problem, Target

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
    from. Yields positions of the rows, of the rows their values are from, and outputs.
    """
    for start in range(0, orders.size, target.block_rows):
        index = np.arange(start, min(start + target.block_rows, orders.size))
        takers, givers = index % len(X), orders.ravel()[index]
        rows = X[takers]
        rows[:, columns] = X[givers][:, columns]
        yield takers, givers, target.predict(rows, copy=False)


def row_losses(proba: np.ndarray, codes: np.ndarray, n_classes: int) -> np.ndarray:
    """Return cross-entropies of ensemble and members, (n_rows, 1 + n_members)."""
    by_member = proba.reshape(len(proba), -1, n_classes)
    of_class = by_member[np.arange(len(proba)), :, codes]
    return np.asarray(-np.log(np.maximum(of_class, _SMALLEST)))


def measure_increases(
    problem: Problem,
    codes: np.ndarray,
    positions: Sequence[int],
    orders: np.ndarray,
    step: Step,
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Return mean increases of the cross-entropy (n_columns,), and two covariances.

    These are over rows and over the members (None without). An increase is a mean over
    pairs of rows, a taker and a giver of a value, and varies with both: the
    contribution of a row is its increase as a taker and that of others with its value
    as a giver (Hoeffding, 1948: the first term of a U-statistic).
    """
    target, X = problem.target.stacked(), problem.X
    n, k, d = len(X), target.n_classes, len(positions)
    losses = row_losses(target.predict(X), codes, k)
    of_members, means = np.zeros((target.n_refits, d)), np.zeros(d)
    # increases of each row as a taker and as a giver, summed over the orders
    sums, squares = np.zeros((2, n, d)), np.zeros(d)
    for i, j in enumerate(positions):
        for takers, givers, proba in shuffled_outputs(target, X, [j], orders):
            increase = row_losses(proba, codes[takers], k) - losses[takers]
            own = increase[:, 0]
            for part, rows in zip(sums, (takers, givers), strict=True):
                part[:, i] += np.bincount(rows, own, minlength=n)
            squares[i] += (own**2).sum()
            means[i] += own.sum() / orders.size
            of_members[:, i] += increase[:, 1:].sum(axis=0) / orders.size
        step()
    data = _covariance(sums / len(orders), squares, len(orders))
    if not target.n_refits:
        return means, data, None
    return means, data, np.cov(of_members, rowvar=False).reshape(d, d)


def _covariance(means: np.ndarray, squares: np.ndarray, n_orders: int) -> np.ndarray:
    """Return the covariance over rows and permutations, of which there are two or more.

    `means`, of shape (2, n_samples, n_columns), are those of each row as a taker and as
    a giver; `squares` sums of all squared increases.
    """
    _, n, d = means.shape
    covariance = np.cov(means.sum(axis=0), rowvar=False).reshape(d, d) / n
    # the part of an increase that is neither the taker's nor the giver's is in both
    # means, and counted twice: variance within rows is the other's part and this one
    within = squares - n_orders * (means**2).sum(axis=1)
    total = squares - n * n_orders * means[0].mean(axis=0) ** 2
    pure = within.sum(axis=0) / (n * (n_orders - 1)) - total / (n * n_orders - 1)
    own = np.diag(covariance)
    once = np.clip(own - np.maximum(pure, 0) / (n * n_orders), own / 2, own)
    scale = np.sqrt(np.divide(once, own, out=np.ones(d), where=own > 0))
    return np.asarray(covariance * np.outer(scale, scale))
