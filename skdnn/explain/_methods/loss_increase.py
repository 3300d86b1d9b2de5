"""The increase of the loss when columns are shuffled, and its errors."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from skdnn.explain._methods.shuffling import row_losses, shuffled_outputs
from skdnn.explain._model.options import Step
from skdnn.explain._model.target import Problem


@dataclass(frozen=True)
class LossIncreases:
    """Permutation importance in nats, with its two covariances.

    `means`, of shape (n_columns,), are mean increases of the cross-entropy. Their
    covariances are over rows (data) and over the members (refits; None without).
    """

    means: np.ndarray
    data_covariance: np.ndarray
    refit_covariance: np.ndarray | None


def measure_increases(
    problem: Problem,
    codes: np.ndarray,
    positions: Sequence[int],
    orders: np.ndarray,
    step: Step,
) -> LossIncreases:
    """Shuffle one column of X after the other.

    An increase is a mean over pairs of rows, a taker and a giver of a value, and varies
    with both: the contribution of a row is its increase as a taker and that of others
    with its value as a giver (Hoeffding, 1948: the first term of a U-statistic).

    `codes` are the classes of the rows; `orders`, of shape (n_orders, n_samples), the
    givers.
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
        return LossIncreases(means, data, None)
    return LossIncreases(means, data, np.cov(of_members, rowvar=False).reshape(d, d))


def _covariance(means: np.ndarray, squares: np.ndarray, n_orders: int) -> np.ndarray:
    """Return the covariance of the increases over rows and permutations.

    `means`, of shape (2, n_samples, n_columns), are those of each row as a taker and as
    a giver; `squares` sums of all squared increases; there are at least two orders.
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
