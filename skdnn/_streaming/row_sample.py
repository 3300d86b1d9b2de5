"""A sample of rows of unknown number: those with the smallest hash of their position.

Such a sample is a simple random one, is found in one pass in any blocks, and is the
same whichever container the rows come from. The share of its values below any number is
within ``sqrt(log(2 / δ) / (2 k))`` of that of all rows, at once for all numbers, with
probability ``1 - δ`` (Dvoretzky, Kiefer and Wolfowitz, 1956; Massart, 1990). With k =
65,536 rows and δ = 0.001 that is 0.0076.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

_GOLDEN, _MIX_1, _MIX_2 = (
    np.uint64(0x9E3779B97F4A7C15),
    np.uint64(0xBF58476D1CE4E5B9),
    np.uint64(0x94D049BB133111EB),
)


def position_hashes(start: int, stop: int, seed: int) -> np.ndarray:
    """Return a hash of each position, uint64: SplitMix64 (Steele et al., 2014).

    Positions and seeds that differ have different hashes.
    """
    with np.errstate(over="ignore"):
        z = np.arange(start, stop, dtype=np.uint64)
        z = (z + np.uint64(seed) * np.uint64(2**32)) * _GOLDEN
        z = (z ^ (z >> np.uint64(30))) * _MIX_1
        z = (z ^ (z >> np.uint64(27))) * _MIX_2
        return np.asarray(z ^ (z >> np.uint64(31)))


def rank_error(n_sampled: int, delta: float = 1e-3) -> float:
    """Return how far a share in the sample is from that of all rows, at most.

    It may be further with probability `delta`.
    """
    return math.sqrt(math.log(2 / delta) / (2 * n_sampled))


@dataclass
class RowSample:
    """The rows with the smallest hashes so far, at most `size`.

    Each row is a vector of numbers; `add` takes rows in the order of their positions.
    """

    size: int
    seed: int
    n_rows: int = 0
    _hashes: list[np.ndarray] = field(default_factory=list)
    _positions: list[np.ndarray] = field(default_factory=list)
    _rows: list[np.ndarray] = field(default_factory=list)
    _limit: np.uint64 = field(default_factory=lambda: np.uint64(2**64 - 1))

    def add(self, parts: Sequence[np.ndarray], counts: np.ndarray) -> None:
        """Take a block of rows: arrays of one dtype, whose columns are put together.

        `counts` is whether each row may be sampled.
        """
        start = self.n_rows
        self.n_rows = stop = start + len(counts)
        hashes = position_hashes(start, stop, self.seed)
        chosen = np.flatnonzero(counts & (hashes <= self._limit))
        self._hashes.append(hashes[chosen])
        self._positions.append(chosen + start)
        self._rows.append(np.column_stack([part[chosen] for part in parts]))
        if sum(map(len, self._hashes)) > 2 * self.size:
            self._shrink()

    def smallest(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return hashes, positions and rows, in ascending order of the hashes."""
        self._shrink()
        if not self._rows:
            raise ValueError("There must be a block of rows. Got none.")
        order = np.argsort(self._hashes[0])
        parts = self._hashes[0], self._positions[0], self._rows[0]
        return parts[0][order], parts[1][order], parts[2][order]

    def _shrink(self) -> None:
        """Keep the rows with the smallest hashes."""
        if not self._rows:
            return
        hashes = np.concatenate(self._hashes)
        positions, rows = np.concatenate(self._positions), np.concatenate(self._rows)
        if len(hashes) > self.size:
            kept = np.argpartition(hashes, self.size - 1)[: self.size]
            kept.sort()
            hashes, positions, rows = hashes[kept], positions[kept], rows[kept]
            self._limit = hashes.max()
        self._hashes, self._positions, self._rows = [hashes], [positions], [rows]
