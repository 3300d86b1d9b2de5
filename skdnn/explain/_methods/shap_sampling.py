"""Designs: the sets of players that are evaluated, and Shapley values from their worth.

A design lists sets of players and, for each, the background rows that the other players
take their values from. It does not depend on the explained rows: one design serves all
rows and classes, so that its cost is paid once.
"""

import math
from abc import ABC, abstractmethod

import numpy as np

_Estimate = tuple[np.ndarray, np.ndarray]


class Design(ABC):
    """`n_sets` sets, each the mean of `n_averaged` evaluations.

    `error_df` are the degrees of freedom of the variances; None where these are 0.
    """

    n_sets: int
    n_averaged = 1
    error_df: int | None = None

    @abstractmethod
    def masks(self, part: slice) -> np.ndarray:
        """Return the players of each set, of shape (n_part, n_players), bool."""

    @abstractmethod
    def rows(self, part: slice) -> np.ndarray:
        """Return the background row of each evaluation of some sets."""

    @abstractmethod
    def estimate(
        self, worth: np.ndarray, ends: np.ndarray, starts: np.ndarray
    ) -> _Estimate:
        """Return Shapley values and variances, (n_samples, n_players, n_outputs).

        `worth` is the mean output of each set, of shape (n_samples, n_sets, n_outputs);
        `ends` are the outputs of the explained rows, `starts` of the background rows.
        """


class Exact(Design):
    """All sets, each against the whole background.

    Shapley (1953): phi_j = sum over sets S without j of |S|! (d - |S| - 1)! / d!
    times v(S with j) - v(S).
    """

    def __init__(self, n_players: int, n_background: int):
        d = n_players
        # the bits of a number are the players of its set
        numbers, places = (np.arange(n, dtype=np.uint32) for n in (2**d, d))
        sets = (numbers[:, None] >> places & 1).astype(bool)
        sizes = sets.sum(axis=1)
        weight = np.array(
            [math.factorial(s) * math.factorial(d - s - 1) / math.factorial(d)
             for s in range(d)]
        )  # fmt: skip
        # phi is linear in v: a set with j has the weight of the set without j, a set
        # without j its own weight, negative
        self._gain = np.zeros((d, len(sets)))
        for j in range(d):
            has = sets[:, j]
            self._gain[j, has] = weight[sizes[has] - 1]
            self._gain[j, ~has] = -weight[sizes[~has]]
        # the first set, without players, and the last, with all, are known
        self._sets = sets[1:-1]
        self.n_sets, self.n_averaged = len(self._sets), n_background

    def masks(self, part: slice) -> np.ndarray:
        return self._sets[part]

    def rows(self, part: slice) -> np.ndarray:
        return np.tile(np.arange(self.n_averaged), len(self._sets[part]))

    def estimate(
        self, worth: np.ndarray, ends: np.ndarray, starts: np.ndarray
    ) -> _Estimate:
        values = self._gain[:, 1:-1] @ worth
        values += self._gain[:, -1, None] * ends[:, None, :]
        values += self._gain[:, 0, None] * starts.mean(axis=0)
        return values, np.zeros_like(values)


class Regression(Design):
    """Sets in complementary pairs, each against one background row.

    Shapley values are the coefficients of a weighted regression of the worth of a set
    on its players (Charnes et al., 1988; Lundberg and Lee, 2017). Half the difference
    of a set and its complement is free of terms that are even in the players. All sizes
    are equally frequent, as leverage scores require (Musco and Witter, 2025). Products
    of the players with the background's values are control variates: their mean is 0,
    and they remove differences between background rows.

    `owner` holds the player of each column; there are `n_pairs`, at least 2, pairs of
    sets for each background row.
    """

    def __init__(
        self,
        background: np.ndarray,
        owner: np.ndarray,
        n_pairs: int,
        random_state: np.random.RandomState,
    ):
        self._n_background, self._n_pairs = len(background), n_pairs
        n, d = len(background) * n_pairs, int(owner.max()) + 1
        self._rows = np.repeat(np.arange(len(background)), n_pairs)
        sizes = random_state.permutation(np.arange(n) % max(1, d - 1) + 1)
        draws = random_state.random_sample((n, d))
        last = np.take_along_axis(np.sort(draws, axis=1), sizes[:, None] - 1, axis=1)
        self._masks = draws <= last
        self.n_sets = 2 * n
        # a set and its complement differ by twice the sum of these times phi
        halves = self._masks - 0.5
        self._share = halves.mean(axis=1)
        players = halves - self._share[:, None]
        self._terms = np.hstack([players, _products(players, background, owner, n)])
        # the kernel over the frequency of each size; one player has no interior
        weight = 1 / np.maximum(1, sizes * (d - sizes))
        weighted = self._terms.T * weight
        gram = weighted @ self._terms
        self._solve = np.linalg.pinv(gram, rcond=1e-10, hermitian=True) @ weighted
        self._phi = self._solve[:d] - self._solve[:d].mean(axis=0)
        self.error_df = max(1, n - len(background) - self._terms.shape[1])

    def masks(self, part: slice) -> np.ndarray:
        n = len(self._masks)
        start, stop, _ = part.indices(2 * n)
        first = self._masks[min(start, n) : min(stop, n)]
        second = self._masks[max(start - n, 0) : max(stop - n, 0)]
        return np.concatenate([first, ~second])

    def rows(self, part: slice) -> np.ndarray:
        return np.tile(self._rows, 2)[part]

    def estimate(
        self, worth: np.ndarray, ends: np.ndarray, starts: np.ndarray
    ) -> _Estimate:
        # the variance is that of the residuals (White, 1980) *within* background rows:
        # all rows are used equally often, so their differences are not sampling error
        n, k = len(self._masks), worth.shape[2]
        d = len(self._phi)
        gap = ends[:, None, :] - starts
        y = (worth[:, :n] - worth[:, n:]) / 2
        y -= self._share[:, None] * gap[:, self._rows]
        y = np.moveaxis(y, 0, 1).reshape(n, -1)
        values = (self._phi @ y).reshape(d, -1, k) + gap.mean(axis=1) / d
        left = y - self._terms @ (self._solve @ y)
        # of the contribution of each pair to a value: sums, and sums of squares
        shape = (d, self._n_background, self._n_pairs)
        by_row = np.moveaxis(self._phi.reshape(shape), 0, 1)
        sums = by_row @ left.reshape(*shape[1:], -1)
        spread = self._phi**2 @ left**2 - (sums**2).sum(axis=0) / self._n_pairs
        freedom = (1 - 1 / self._n_pairs) * (1 - self._terms.shape[1] / n)
        variances = np.maximum(spread, 0).reshape(d, -1, k) / freedom
        return np.moveaxis(values, 0, 1), np.moveaxis(variances, 0, 1)


def _products(
    players: np.ndarray, background: np.ndarray, owner: np.ndarray, n: int
) -> np.ndarray:
    """Return the centred values of each column times its player's term."""
    known = np.isfinite(background)
    cells = np.where(known, background, 0)
    peak = np.maximum(np.abs(cells).max(axis=0), np.finfo(float).tiny)
    cells /= peak
    mean = cells.sum(axis=0) / np.maximum(1, known.sum(axis=0))
    cells = np.where(known, cells - mean, 0)
    scale = np.sqrt((cells**2).mean(axis=0))
    varies = np.flatnonzero(scale > 1e-9)
    if n < 4 * (players.shape[1] + len(varies)):
        return np.empty((n, 0))
    cells = cells[:, varies] / scale[varies]
    repeated = np.repeat(cells, n // len(background), axis=0)
    return np.asarray(players[:, owner[varies]] * repeated)


class Walks(Design):
    """Antithetic permutation walks from background rows, in pairs.

    A walk starts at a background row and switches players to the explained row's values
    in a random order; the second of a pair uses the reverse order (Mitchell et al.,
    2022, section 4). Every background row starts `n_pairs`, at least 2, pairs. Pairs
    from one background row differ by sampling error alone, which gives the variance;
    the variance of all pairs would contain the differences between background rows.
    """

    def __init__(
        self,
        n_players: int,
        n_background: int,
        n_pairs: int,
        random_state: np.random.RandomState,
    ):
        d, n = n_players, n_background * n_pairs
        orders = np.array([random_state.permutation(d) for _ in range(n)])
        both = np.stack([orders, orders[:, ::-1]], axis=1)
        # (2 * n, d): when each player is switched, both walks of a pair in turn
        self._ranks = np.argsort(both, axis=2).reshape(2 * n, d)
        self._rows = np.repeat(np.arange(n_background), 2 * n_pairs)
        self._n_pairs = n_pairs
        self.n_sets = 2 * n * (d - 1)
        self.error_df = n_background * (n_pairs - 1)

    def _positions(self, part: slice) -> tuple[np.ndarray, np.ndarray]:
        """Return the walk of each set, and the number of players switched."""
        positions = np.arange(*part.indices(self.n_sets))
        walk, n_before = np.divmod(positions, self._ranks.shape[1] - 1)
        return walk, n_before + 1

    def masks(self, part: slice) -> np.ndarray:
        walk, n_switched = self._positions(part)
        return np.asarray(self._ranks[walk] < n_switched[:, None])

    def rows(self, part: slice) -> np.ndarray:
        return np.asarray(self._rows[self._positions(part)[0]])

    def estimate(
        self, worth: np.ndarray, ends: np.ndarray, starts: np.ndarray
    ) -> _Estimate:
        (n, k), (walks, d) = ends.shape, self._ranks.shape
        shape = (n, walks, 1, k)
        steps = np.diff(
            worth.reshape(n, walks, d - 1, k), axis=2,
            prepend=np.broadcast_to(starts[self._rows][:, None], shape),
            append=np.broadcast_to(ends[:, None, None], shape),
        )  # fmt: skip
        ranks = self._ranks[None, :, :, None]
        added = np.take_along_axis(steps, ranks, axis=2)
        pairs = added.reshape(n, -1, self._n_pairs, 2, d, k).mean(axis=3)
        within = pairs.var(axis=2, ddof=1).mean(axis=1)
        return pairs.mean(axis=(1, 2)), within / (walks / 2)
