"""Shuffled columns: rows with values of other rows, and the increase of the loss."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter

import numpy as np
from sklearn.utils import check_random_state

from skdnn.explain._model.options import RandomState, Step
from skdnn.explain._model.target import Problem, Target

_SMALLEST = 1e-15

# The group of columns; positions of rows, of the rows their values are from; outputs.
Shuffled = tuple[int, np.ndarray, np.ndarray, np.ndarray]


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
    target: Target, X: np.ndarray, groups: Sequence[Sequence[int]], orders: np.ndarray
) -> Iterator[Shuffled]:
    """Predict rows with the values of other rows in the columns of each group.

    `orders`, of shape (n_orders, n_samples), holds the row each row has its values
    from. A call predicts as many groups as fit a block: small calls take longer per
    row. The groups are in turn, each in one or several parts.
    """
    n_rows = len(groups) * orders.size
    for start in range(0, n_rows, target.block_rows):
        index = np.arange(start, min(start + target.block_rows, n_rows))
        group, place = np.divmod(index, orders.size)
        takers, givers = place % len(X), orders.ravel()[place]
        rows, parts = X[takers], []
        for g in range(group[0], group[-1] + 1):
            part = slice(*np.searchsorted(group, [g, g + 1]))
            rows[part, groups[g]] = X[givers[part]][:, groups[g]]
            parts.append((g, part))
        output = target.predict(rows, copy=False)
        for g, part in parts:
            yield g, takers[part], givers[part], output[part]


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
    groups = [[j] for j in positions]
    outputs = shuffled_outputs(target, X, groups, orders)
    for i, parts in groupby(outputs, itemgetter(0)):
        for _, takers, givers, proba in parts:
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
