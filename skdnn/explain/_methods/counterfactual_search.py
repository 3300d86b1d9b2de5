"""The search behind counterfactuals: the fewest changes that change the class.

Sets of columns are tried by size. As long as it is affordable, every set is tried with
every combination of values; beyond that, a beam search changes the most promising rows
of a size in one more column.
"""

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from skdnn.explain._model.target import Target

# Maximum number of rows for an exhaustive search of one size of sets.
_BUDGET = 50_000
# Values of a column; beyond single changes, fewer until the budget suffices.
MAX_VALUES = 1000
_FEWER_VALUES = (MAX_VALUES, 500, 200, 100, 50, 30, 20, 14, 10, 7, 5)
# Rows kept by the beam search from one size to the next, and values tried for each.
_BEAM, _BEAM_VALUES = 20, 20
# Number of sizes without improvement of the beam after which the search ends.
_PATIENCE = 2
_SMALLEST = 1e-300


@dataclass(frozen=True)
class AllowedChanges:
    """Which columns may change, and to which values."""

    columns: list[int]
    values: dict[int, np.ndarray]  # coded values of each of them, rising
    spans: np.ndarray  # (n_features,), ranges of numeric columns, NaN for others

    def distances(self, row: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Return Gower's distances of rows from one row, summed over columns."""
        share = np.abs(rows - row) / np.where(self.spans > 0, self.spans, 1)
        is_whole = np.isnan(self.spans) | np.isnan(share)
        changes = np.where(is_whole, differ(rows, row), share)
        return np.asarray(changes.sum(axis=1))


class Search:
    """The search for one coded row, whose `wanted` classes (bool) are to be reached.

    The output of the target is the probability.
    """

    def __init__(
        self,
        target: Target,
        allowed: AllowedChanges,
        row: np.ndarray,
        wanted: np.ndarray,
    ):
        self._target, self._allowed = target, allowed
        self._row, self._wanted = row, wanted
        self._values: dict[int, np.ndarray] = {
            j: allowed.values[j][allowed.values[j] != row[j]] for j in allowed.columns
        }
        self._scores: dict[int, np.ndarray] = {}

    def run(self, n_alternatives: int) -> tuple[np.ndarray, bool]:
        """Return the nearest rows that differ in the fewest cells, and if it is sure.

        It is if all values of all smaller sets of columns, or of all sets if there is
        no such row, were tried.
        """
        largest = max(len(values) for values in self._values.values())
        beam, best, stale, is_complete = self._row[None], -np.inf, 0, True
        for size in range(1, len(self._allowed.columns) + 1):
            n_values = self.affordable(size)
            if size == 2:
                self._rank_values()
            blocks = self._all_of(size, n_values) if n_values else self._one_more(beam)
            hits, beam, top = self._try(blocks)
            if len(hits):
                return self._polish(hits, n_alternatives), is_complete
            is_complete &= n_values >= largest
            # an exhaustive search needs no improvement on the way
            stale = 0 if top > best or n_values else stale + 1
            if stale == _PATIENCE:
                break
            best = max(best, top)
        return self._row[None][:0], is_complete

    def score(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return log ratios of the largest wanted probability to the largest other.

        The second array is whether the class is wanted.
        """
        proba = np.maximum(self._target.predict(rows), _SMALLEST)
        best, other = proba[:, self._wanted], proba[:, ~self._wanted]
        score = np.log(best.max(axis=1)) - np.log(other.max(axis=1))
        is_wanted = self._wanted[proba.argmax(axis=1)]
        likely = np.flatnonzero(is_wanted)
        classes = self._target.classes_given(proba[likely], rows[likely])
        is_wanted[likely] = self._wanted[classes]
        return score, is_wanted

    def affordable(self, size: int) -> int:
        """Return the affordable number of values of a column, 0 if not even a few."""
        if size == 1:
            return MAX_VALUES
        counts = np.array([len(self._values[j]) for j in self._allowed.columns])
        for n_values in _FEWER_VALUES:
            if n_combinations(np.minimum(counts, n_values), size) <= _BUDGET:
                return n_values
        return 0

    def _all_of(self, size: int, n_values: int) -> Iterator[np.ndarray]:
        """Yield the row with every set of this size changed in every way."""
        few = {j: self._few(j, n_values) for j in self._allowed.columns}
        for columns in itertools.combinations(self._allowed.columns, size):
            cells = np.meshgrid(*(few[j] for j in columns), indexing="ij")
            rows = np.repeat(self._row[None], cells[0].size, axis=0)
            rows[:, columns] = np.stack([cell.ravel() for cell in cells], axis=1)
            yield rows

    def _one_more(self, beam: np.ndarray) -> Iterator[np.ndarray]:
        """Yield the rows of a beam with one more cell changed."""
        for row in beam:
            changed = differ(row, self._row)
            for j in self._allowed.columns:
                if not changed[j]:
                    values = self._few(j, _BEAM_VALUES)
                    rows = np.repeat(row[None], len(values), axis=0)
                    rows[:, j] = values
                    yield rows

    def _few(self, j: int, n_values: int) -> np.ndarray:
        """Return some values of a column: promising ones, and evenly spread others."""
        values = self._values[j]
        if len(values) <= n_values:
            return values
        promising = np.argsort(-self._scores[j], kind="stable")[: n_values // 2]
        spread = np.linspace(0, len(values) - 1, n_values - n_values // 2)
        return values[np.union1d(promising, spread.astype(np.intp))]

    def _rank_values(self) -> None:
        """Score each value as the only change."""
        blocks = _joined(self._all_of(1, MAX_VALUES), self._target.block_rows)
        scores = [np.empty(0), *(self.score(rows)[0] for rows in blocks)]
        ends = np.cumsum([len(self._values[j]) for j in self._allowed.columns])
        by_column = np.split(np.concatenate(scores), ends[:-1])
        self._scores = dict(zip(self._allowed.columns, by_column, strict=True))

    def _try(
        self, blocks: Iterable[np.ndarray]
    ) -> tuple[np.ndarray, np.ndarray, float]:
        """Return rows of a wanted class, the most promising rows and the best score."""
        hits, beam, scores = [self._row[None][:0]], self._row[None][:0], np.empty(0)
        for rows in _joined(blocks, self._target.block_rows):
            score, is_wanted = self.score(rows)
            hits.append(rows[is_wanted])
            beam = np.vstack([beam, rows])
            scores = np.append(scores, score)
            kept = np.argsort(-scores, kind="stable")[:_BEAM]
            beam, scores = beam[kept], scores[kept]
        return np.vstack(hits), beam, scores.max(initial=-np.inf)

    def _polish(self, hits: np.ndarray, n_alternatives: int) -> np.ndarray:
        """Return the nearest rows without needless changes, one per set of columns."""
        order = np.argsort(self._allowed.distances(self._row, hits), kind="stable")
        first: dict[bytes, np.ndarray] = {}
        for row in hits[order]:
            first.setdefault(self._changed(row).tobytes(), row)
            if len(first) == 3 * n_alternatives:
                break
        near = np.array([self.shrink(self.undo_needless(r)) for r in first.values()])
        distance = self._allowed.distances(self._row, near)
        n_changed = np.array([self._changed(row).sum() for row in near])
        order = np.lexsort((distance, n_changed))
        kept: dict[bytes, np.ndarray] = {}
        for row in near[order][np.sort(n_changed) == n_changed.min()]:
            kept.setdefault(self._changed(row).tobytes(), row)
        return np.array(list(kept.values())[:n_alternatives])

    def undo_needless(self, row: np.ndarray) -> np.ndarray:
        """Return the row without changes that its class does not depend on."""
        while True:
            changed = np.flatnonzero(self._changed(row))
            if len(changed) < 2:
                return row
            fewer = np.repeat(row[None], len(changed), axis=0)
            fewer[np.arange(len(changed)), changed] = self._row[changed]
            is_wanted = self.score(fewer)[1]
            if not is_wanted.any():
                return row
            row = fewer[is_wanted.argmax()]

    def shrink(self, row: np.ndarray) -> np.ndarray:
        """Return the row with numbers as close to the explained row's as possible."""
        for j in np.flatnonzero(self._changed(row)).tolist():
            own = self._row[j]
            if np.isnan(self._allowed.spans[j]) or np.isnan(own):
                continue
            values = self._allowed.values[j]
            values = values[(values - own) * (row[j] - values) > 0]
            if not len(values):
                continue
            rows = np.repeat(row[None], len(values), axis=0)
            rows[:, j] = values
            rows = rows[self.score(rows)[1]]
            if len(rows):
                row = rows[np.abs(rows[:, j] - own).argmin()]
        return row

    def _changed(self, row: np.ndarray) -> np.ndarray:
        return differ(row, self._row)


def differ(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return which values differ; two missing ones do not."""
    return np.asarray((a != b) & ~(np.isnan(a) & np.isnan(b)))


def n_combinations(counts: np.ndarray, size: int) -> float:
    """Return the number of ways to change sets of this size."""
    ways = np.eye(size + 1)[0]  # elementary symmetric polynomials
    for count in counts:
        ways[1:] += ways[:-1] * count
    return float(ways[size])


def _joined(blocks: Iterable[np.ndarray], n_rows: int) -> Iterator[np.ndarray]:
    """Yield blocks of at least `n_rows` rows, except the last."""
    waiting: list[np.ndarray] = []
    n = 0
    for block in blocks:
        waiting.append(block)
        n += len(block)
        if n >= n_rows:
            yield np.vstack(waiting)
            waiting, n = [], 0
    if n:
        yield np.vstack(waiting)
