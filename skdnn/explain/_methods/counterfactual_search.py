"""The search behind counterfactuals: the fewest changes that change the class.

Sets of columns are tried by size. As long as it is affordable, every set is tried with
every combination of values; beyond that, a beam search changes the most promising rows
of a size in one more column. Only rows that are not off the data are tried. If none
changes the class, the cells of similar rows of the other class are copied, and those
that are not needed are given back (nearest instance counterfactuals, Brughmans, Leyman
and Martens 2023).
"""

import itertools
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from skdnn.explain._methods.allowed_changes import MAX_VALUES, AllowedChanges, differ
from skdnn.explain._methods.data_support import RowSupport, Support
from skdnn.explain._methods.decision_margin import MARGIN
from skdnn.explain._model.target import Target

# Maximum number of rows for an exhaustive search of one size of sets.
BUDGET = 50_000
# Values of a column; beyond single changes, fewer until the budget suffices.
_FEWER_VALUES = (MAX_VALUES, 500, 200, 100, 50, 30, 20, 14, 10, 7, 5)
# Rows kept by the beam search from one size to the next, and values tried for each.
_BEAM, _BEAM_VALUES = 8, 20
# Number of sizes without improvement of the beam after which the search ends.
_PATIENCE = 2
# Sets of columns of which alternatives are chosen, as multiples of their number.
_SETS_PER_ALTERNATIVE = 3
_SMALLEST = 1e-300


@dataclass(frozen=True)
class Goal:
    """The classes to be reached, (n_classes,) bool, and the score that is enough.

    The score is the log ratio of the largest wanted probability to the largest other.
    """

    wanted: np.ndarray
    least_score: float = math.log(MARGIN)


class Search:
    """The search for one coded row. The output of the target is the probability.

    Without a `support`, all rows count as similar to the data. `budget` is the maximum
    number of rows for an exhaustive search of one size of sets.
    """

    def __init__(
        self,
        target: Target,
        allowed: AllowedChanges,
        row: np.ndarray,
        goal: Goal,
        support: Support | None = None,
        budget: int = BUDGET,
    ):
        self._budget = budget
        self._target, self._allowed = target, allowed
        self._row, self._goal, self._data = row, goal, support
        self._near = None if support is None else RowSupport(support, row)
        values = {j: allowed.values_for(j, row[j]) for j in allowed.columns}
        self._values = {j: cells for j, cells in values.items() if len(cells)}
        self._columns = list(self._values)
        self._chosen: dict[tuple[int, int], np.ndarray] = {}
        self._squares: dict[tuple[int, int], np.ndarray] = {}
        self._found: list[frozenset[int]] = []

    @property
    def has_values(self) -> bool:
        """Whether any column has another value that is allowed."""
        return bool(self._columns)

    @property
    def has_data(self) -> bool:
        """Whether changed rows must be similar to data rows."""
        return self._data is not None

    @property
    def is_outside(self) -> bool:
        """Whether the row itself is off the data."""
        return self._near is not None and self._near.is_outside

    def run(self, n_alternatives: int) -> tuple[np.ndarray, bool]:
        """Return rows of a wanted class, fewest changes first, and if that is sure.

        It is if all values of all smaller sets of columns, or of all sets if there is
        no such row, were tried.
        """
        largest = max(map(len, self._values.values()), default=0)
        beam, best, stale, n_complete = self._row[None], -np.inf, 0, 0
        reached = self._row[None][:0]
        for size in range(1, len(self._columns) + 1):
            n_values = self.affordable(size)
            if not n_values and len(reached):
                break
            blocks = self._all_of(size, n_values) if n_values else self._one_more(beam)
            hits, beam, top = self._try(blocks)
            is_complete = n_values >= largest and n_complete == size - 1
            if len(hits):
                # of all rows of the smallest size, the nearest need no polishing
                hits = self._nearest(hits, n_alternatives)
                hits = hits if is_complete else self._polished(hits)
                reached = self._with(reached, hits, n_alternatives)
                if len(reached) == n_alternatives:
                    break
            if is_complete:
                n_complete = size
            # an exhaustive search needs no improvement on the way
            stale = 0 if top > best or n_values else stale + 1
            if stale == _PATIENCE:
                break
            best = max(best, top)
        if not len(reached) and n_complete < len(self._columns):
            copies = self._polished(self._nearest_copies(n_alternatives))
            reached = self._with(reached, copies, n_alternatives)
        n_needed = (
            self._n_changed(reached[0]) - 1 if len(reached) else len(self._columns)
        )
        return reached, n_needed <= n_complete

    def score(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return log ratios of the largest wanted probability to the largest other.

        The second array is whether the class is wanted, past the margin.
        """
        wanted = self._goal.wanted
        proba = np.maximum(self._target.predict(rows), _SMALLEST)
        best, other = proba[:, wanted], proba[:, ~wanted]
        score = np.log(best.max(axis=1)) - np.log(other.max(axis=1))
        is_wanted = score >= self._goal.least_score
        likely = np.flatnonzero(is_wanted)
        classes = self._target.classes_given(proba[likely], rows[likely])
        is_wanted[likely] = wanted[classes]
        return score, is_wanted

    def affordable(self, size: int) -> int:
        """Return the affordable number of values of a column, 0 if not even a few."""
        if size == 1:
            return MAX_VALUES
        counts = np.array([len(self._values[j]) for j in self._columns])
        for n_values in _FEWER_VALUES:
            if n_combinations(np.minimum(counts, n_values), size) <= self._budget:
                return n_values
        return 0

    def _all_of(self, size: int, n_values: int) -> Iterator[np.ndarray]:
        """Yield the row with every set of this size changed in every way.

        Sets that hold one that suffices are left out, and rows off the data.
        """
        for columns in itertools.combinations(self._columns, size):
            if any(known.issubset(columns) for known in self._found):
                continue
            cells = self._changes(self._near, columns, n_values)
            rows = np.repeat(self._row[None], len(cells), axis=0)
            rows[:, columns] = cells
            yield rows

    def _one_more(self, beam: np.ndarray) -> Iterator[np.ndarray]:
        """Yield the rows of a beam with one more cell changed, none off the data."""
        for row in beam:
            changed = differ(row, self._row)
            near = None if self._near is None else self._near.of_changed(row)
            for j in self._columns:
                if not changed[j]:
                    cells = self._changes(near, (j,), _BEAM_VALUES)
                    rows = np.repeat(row[None], len(cells), axis=0)
                    rows[:, j] = cells[:, 0]
                    yield rows

    def _changes(
        self, near: RowSupport | None, columns: tuple[int, ...], n_values: int
    ) -> np.ndarray:
        """Return combinations of some values of columns, (n_combinations, n_columns).

        They are those that do not move a row off the data.
        """
        values = [self._few(j, n_values) for j in columns]
        if near is None:
            grid = np.meshgrid(*values, indexing="ij")
            return np.stack([cell.ravel() for cell in grid], axis=1)
        squares = None
        if n_values < MAX_VALUES:  # few, which are compared again and again
            squares = [self._squares_of(near, j, n_values) for j in columns]
        return near.combinations(columns, values, squares)

    def _squares_of(self, near: RowSupport, j: int, n_values: int) -> np.ndarray:
        """Return the squared distances of some values of a column from the data."""
        key = j, n_values
        if key not in self._squares:
            squares = near.support.squares(j, self._few(j, n_values))
            self._squares[key] = squares
        return self._squares[key]

    def _nearest_copies(self, n_alternatives: int) -> np.ndarray:
        """Return the row with cells of similar data rows of a wanted class.

        A data row gives all cells that may change to them, and most are taken back.
        """
        if self._data is None or self._near is None or not self._columns:
            return self._row[None][:0]
        rows = np.repeat(self._row[None], len(self._data.rows), axis=0)
        for j, values in self._values.items():
            cells = self._data.rows[:, j]
            is_allowed = np.isin(cells, values)
            rows[is_allowed, j] = cells[is_allowed]
        rows = self._reaching(rows)
        order = np.argsort(self._allowed.distances(self._row, rows), kind="stable")
        rows = rows[order[:n_alternatives]]
        for i, row in enumerate(rows):
            rows[i] = self._towards(row, self._near)
        return rows

    def _towards(self, copy: np.ndarray, near: RowSupport) -> np.ndarray:
        """Return the row with cells of one that reaches the class, added one by one."""
        row = self._row
        for _ in range(self._n_changed(copy)):
            left = np.flatnonzero(differ(row, copy))
            rows = np.repeat(row[None], len(left), axis=0)
            rows[np.arange(len(left)), left] = copy[left]
            score, is_wanted = self.score(rows)
            if is_wanted.any():
                rows = rows[is_wanted]
                away = near.nearest(rows)
                row = rows[away.argmin()]
                if away.min() <= near.support.most_squared:
                    break
            else:
                row = rows[score.argmax()]
        return row

    def _few(self, j: int, n_values: int) -> np.ndarray:
        """Return some values of a column: promising ones, and evenly spread others."""
        values = self._values[j]
        if len(values) <= n_values:
            return values
        key = j, n_values
        if key not in self._chosen:
            promising = np.argsort(-self._scores[j], kind="stable")[: n_values // 2]
            spread = np.linspace(0, len(values) - 1, n_values - n_values // 2)
            both = np.union1d(promising, spread.astype(np.intp))
            self._chosen[key] = values[both]
        return self._chosen[key]

    @cached_property
    def _scores(self) -> dict[int, np.ndarray]:
        """The score of each value as the only change."""
        ends = np.cumsum([len(self._values[j]) for j in self._columns])
        rows = np.repeat(self._row[None], ends[-1], axis=0)
        for j, end in zip(self._columns, ends, strict=True):
            rows[end - len(self._values[j]) : end, j] = self._values[j]
        by_column = np.split(self.score(rows)[0], ends[:-1])
        return dict(zip(self._columns, by_column, strict=True))

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

    def _with(
        self, reached: np.ndarray, near: np.ndarray, n_alternatives: int
    ) -> np.ndarray:
        """Return the rows that were reached, and of others those that differ from them.

        Those with the fewest changes are added, one per set of columns: of sets that
        share the fewest columns with those before them, the nearest.
        """
        if not len(near):
            return reached
        n_changed = np.array([self._n_changed(row) for row in near])
        near = near[n_changed == n_changed.min()]
        distance = self._allowed.distances(self._row, near)
        sets = [frozenset(np.flatnonzero(self._changed(row)).tolist()) for row in near]
        rows = list(reached)
        while len(rows) < n_alternatives:
            used = frozenset().union(*self._found)
            free = [
                (len(columns & used), distance[i], i)
                for i, columns in enumerate(sets)
                if not any(known <= columns for known in self._found)
            ]
            if not free:
                break
            chosen = min(free)[2]
            self._found.append(sets[chosen])
            rows.append(near[chosen])
        return np.array(rows)

    def _nearest(self, hits: np.ndarray, n_alternatives: int) -> np.ndarray:
        """Return the nearest row of each of some sets of columns."""
        order = np.argsort(self._allowed.distances(self._row, hits), kind="stable")
        hits = hits[order]
        keys = np.packbits(differ(hits, self._row), axis=1)
        first = np.sort(np.unique(keys, axis=0, return_index=True)[1])
        return hits[first[: _SETS_PER_ALTERNATIVE * n_alternatives]]

    def _polished(self, rows: np.ndarray) -> np.ndarray:
        """Return rows without needless changes, the nearest first."""
        near = [self.shrink(self.undo_needless(row)) for row in rows]
        if not near:
            return rows
        order = np.argsort(self._allowed.distances(self._row, np.array(near)))
        return np.array(near)[order]

    def undo_needless(self, row: np.ndarray) -> np.ndarray:
        """Return the row without changes that its class does not depend on."""
        while True:
            changed = np.flatnonzero(self._changed(row))
            if len(changed) < 2:
                return row
            fewer = np.repeat(row[None], len(changed), axis=0)
            fewer[np.arange(len(changed)), changed] = self._row[changed]
            fewer = self._reaching(fewer)
            if not len(fewer):
                return row
            row = fewer[0]

    def shrink(self, row: np.ndarray) -> np.ndarray:
        """Return the row with its changes along orders as small as possible."""
        for j in np.flatnonzero(self._changed(row)).tolist():
            values = self._values[j]
            own, new = self._allowed.places_of(j, np.array([self._row[j], row[j]]))
            places = self._allowed.places_of(j, values)
            values = values[(places - own) * (new - places) > 0]
            if not len(values):
                continue
            rows = np.repeat(row[None], len(values), axis=0)
            rows[:, j] = values
            rows = self._reaching(rows)
            if len(rows):
                moves = np.abs(self._allowed.places_of(j, rows[:, j]) - own)
                row = rows[moves.argmin()]
        return row

    def _reaching(self, rows: np.ndarray) -> np.ndarray:
        """Return the rows of a wanted class that are not off the data."""
        if self._near is not None:
            rows = rows[self._near.inside(rows)]
        return rows[self.score(rows)[1]] if len(rows) else rows

    def _n_changed(self, row: np.ndarray) -> int:
        return int(self._changed(row).sum())

    def _changed(self, row: np.ndarray) -> np.ndarray:
        return differ(row, self._row)


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
