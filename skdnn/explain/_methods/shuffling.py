"""Shuffled columns: rows with values of other rows, and the increase of the loss."""

from collections.abc import Iterator, Sequence

import numpy as np
from sklearn.utils import check_random_state

from skdnn.explain._model.options import RandomState, Step
from skdnn.explain._model.target import Problem, Target

_SMALLEST = 1e-15


def draw_orders(
    weight: np.ndarray, n_orders: int, random_state: RandomState
) -> np.ndarray:
    """Return the rows that values are taken from, of shape (n_orders, n_samples).

    Permutations for equal weights; else rows occur in proportion to their weights, by
    systematic sampling, in random order.
    """
    draw, n = check_random_state(random_state), len(weight)
    if (weight == weight[0]).all():
        return np.array([draw.permutation(n) for _ in range(n_orders)])
    ends, orders = np.cumsum(weight) * (n / weight.sum()), []
    for _ in range(n_orders):
        points = draw.uniform() + np.arange(n)
        rows = np.searchsorted(ends, points, side="right").clip(max=n - 1)
        orders.append(draw.permutation(rows))
    return np.array(orders)


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
    """Return cross-entropies of ensemble and members, (n_rows, 1 + n_members).

    `codes` are positions of classes; or zeros and ones of labels, whose cross-entropies
    are added.
    """
    by_member = proba.reshape(len(proba), -1, n_classes)
    if codes.ndim == 2:
        of_label = np.where(codes[:, None] == 1, by_member, 1 - by_member)
        return np.asarray(-np.log(np.maximum(of_label, _SMALLEST)).sum(axis=2))
    of_class = by_member[np.arange(len(proba)), :, codes]
    return np.asarray(-np.log(np.maximum(of_class, _SMALLEST)))


def measure_increases(
    problem: Problem,
    codes: np.ndarray,
    positions: Sequence[int],
    orders: np.ndarray,
    weight: np.ndarray,
    step: Step,
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Return mean increases of the cross-entropy (n_columns,), and two covariances.

    These are over rows and over the members (None without). An increase is a mean over
    pairs of rows, a taker and a giver of a value, and varies with both: the
    contribution of a row is its increase as a taker and that of others with its value
    as a giver (Hoeffding, 1948: the first term of a U-statistic). Weights, of mean 1,
    are those of takers; `orders` were drawn with them. The covariance over rows is that
    of a weighted mean then (Binder, 1983), on the safe side by the part counted twice.
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
            weighted = increase * weight[takers, None]
            sums[0, :, i] += np.bincount(takers, own, minlength=n)
            sums[1, :, i] += np.bincount(givers, weighted[:, 0], minlength=n)
            squares[i] += (own**2).sum()
            means[i] += weighted[:, 0].sum() / orders.size
            of_members[:, i] += weighted[:, 1:].sum(axis=0) / orders.size
        step()
    if (weight == 1).all():
        data = _covariance(sums / len(orders), squares, len(orders))
    else:
        mass = np.bincount(orders.ravel(), np.tile(weight, len(orders)), minlength=n)
        sums[0] /= len(orders)
        np.divide(sums[1], mass[:, None], out=sums[1], where=mass[:, None] > 0)
        sums[1, mass == 0] = means
        data = _weighted_covariance(sums.sum(axis=0) - 2 * means, weight)
    if not target.n_refits:
        return means, data, None
    return means, data, np.cov(of_members, rowvar=False).reshape(d, d)


def _weighted_covariance(differences: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return the covariance of weighted means of rows (n_samples, n_columns)."""
    n = len(weight)
    parts = differences * weight[:, None] / n
    return np.asarray(parts.T @ parts * n / (n - 1))


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
