"""Rows around an explained row, for LIME.

Every player is moved independently: a number by a normal step, anything else to what
other background rows have. Features are the number of steps, or whether it was moved.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from scipy.special import ndtri

from skdnn.explain._model.players import Player
from skdnn.explain._model.target import Problem

# A standard deviation leaves out what lies outside of the central 95%.
_OUTERMOST = (0.025, 0.975)
# Numbers with so few values, each in several rows on average, keep to these values.
_MAX_VALUES, _ROWS_PER_VALUE = 10, 3
# A switch is moved in this share of the rows, at a scale of 1 and at any.
_SHARE, _MIN_SHARE = 0.5, 0.0625
# Levels of a switch that have an effect of their own in the surrogate.
_MAX_LEVELS, _MIN_LEVEL = 10, 0.05
_MAX_TERMS = 12


@dataclass(frozen=True)
class Moves:
    """Random numbers that move players, the same for all rows and scales.

    `reach`, how far, and `choice`, which way to round or which other level, have shape
    (n_rows, n_players) and are between 0 and 1. The second half mirrors the first
    (antithetic variates), so that curvature does not disturb linear effects.
    """

    reach: np.ndarray
    choice: np.ndarray

    @classmethod
    def drawn(cls, n_rows: int, n_players: int, seed: int) -> "Moves":
        """Draw moves; `n_rows` is even."""
        draw = np.random.RandomState(seed)
        halves = draw.random_sample((2, n_rows // 2, n_players))
        return cls(*np.concatenate([halves, 1 - halves], axis=1))

    @cached_property
    def steps(self) -> np.ndarray:
        """The reach as normal steps."""
        return np.asarray(ndtri(self.reach))


# Moved cells (n_rows, n_player_columns), their feature (n_rows,), terms (n_rows, t).
Drawn = tuple[np.ndarray, np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Number:
    """A numeric column around one row's cell, moved by normal steps.

    Steps are in standard deviations of the background; they are reflected at the ends
    of its range. Whole numbers, and numbers with few values, move to values that can
    occur, rarely if the step is small, so that the mean move is as wide as the step.
    """

    cell: float
    mean: float
    spread: float
    low: float
    high: float
    values: np.ndarray | None  # the only ones that occur
    is_whole: bool

    def around(self, cell: float) -> "Number":
        """Return the column around a cell; its range includes the cell."""
        values = (
            self.values if self.values is not None and cell in self.values else None
        )
        return replace(
            self, cell=cell, low=min(self.low, cell), high=max(self.high, cell),
            values=values, is_whole=self.is_whole and cell == round(cell),
        )  # fmt: skip

    def reference(self, scale: float) -> float:
        """Return the cell one step nearer to the mean, at most there.

        Where only some values occur, it is the nearest of those on that side.
        """
        sign = 1.0 if self.cell < self.mean else -1.0
        size = min(scale * self.spread, abs(self.mean - self.cell))
        if self.values is not None:
            inner = self.values[(self.values - self.cell) * sign > 0]
            end = self.cell + sign * size
            return float(inner[np.abs(inner - end).argmin()])
        if self.is_whole:
            size = max(1.0, np.round(size))
        return float(self.cell + sign * size)

    def distance(self, scale: float) -> float:
        """Return how many steps the reference is from the cell."""
        return (self.reference(scale) - self.cell) / (scale * self.spread)

    def draw(self, scale: float, moves: Moves, i: int) -> Drawn:
        """Return what player `i` is moved to."""
        choice, width = moves.choice[:, i], self.high - self.low
        moved = self.cell + scale * self.spread * moves.steps[:, i] - self.low
        # to an end of the range and back, as often as the step is wide
        moved = self.low + width - np.abs(np.mod(moved, 2 * width) - width)
        if self.values is not None:
            at = np.searchsorted(self.values, moved, side="right") - 1
            at = np.clip(at, 0, len(self.values) - 2)
            moved = _rounded(moved, self.values[at], self.values[at + 1], choice)
        elif self.is_whole:
            moved = _rounded(moved, np.floor(moved), np.floor(moved) + 1, choice)
        feature = (moved - self.cell) / (scale * self.spread)
        return moved[:, None], feature, np.empty((len(moved), 0))


def _rounded(
    moved: np.ndarray, below: np.ndarray, above: np.ndarray, choice: np.ndarray
) -> np.ndarray:
    """Return one of the two neighbours of each number, which it is on average."""
    share = (moved - below) / (above - below)
    return np.where(choice < share, above, below)


@dataclass(frozen=True)
class Switch:
    """A player that is the row's, or one of the others of the background.

    `others`, of shape (n_others, n_player_columns), are the other combinations of
    cells, `upto` their cumulated shares. `terms`, (n_others, n_terms), distinguish
    them; their mean is 0, so that the effect of the feature is that of the others on
    average.
    """

    cells: np.ndarray
    others: np.ndarray
    upto: np.ndarray
    terms: np.ndarray

    def draw(self, scale: float, moves: Moves, i: int) -> Drawn:
        """Return what player `i` is moved to."""
        n = len(moves.reach)
        if not len(self.others):
            return np.tile(self.cells, (n, 1)), np.zeros(n), np.empty((n, 0))
        share = max(_SHARE * scale, _MIN_SHARE)
        is_moved = (moves.reach[:, i] < share)[:, None]
        at = np.searchsorted(self.upto, moves.choice[:, i])
        at = np.minimum(at, len(self.others) - 1)
        cells = np.where(is_moved, self.others[at], self.cells)
        return cells, is_moved[:, 0].astype(float), is_moved * self.terms[at]


class Neighbourhood:
    """What is moved around the rows of a problem: each player, from the background."""

    def __init__(self, problem: Problem, players: list[Player]):
        self.columns = [columns for _, columns in players]
        self._background = problem.background
        self._is_numeric = [column.is_numeric for column in problem.target.columns]
        self._numbers: dict[int, Number] = {}
        self._levels: dict[int, tuple[np.ndarray, np.ndarray]] = {}
        for i, columns in enumerate(self.columns):
            known = problem.background[:, columns[0]]
            known = known[np.isfinite(known)]
            is_number = len(columns) == 1 and self._is_numeric[columns[0]]
            if is_number and len(known) and np.ptp(known) > 0:
                self._numbers[i] = _number(known)

    @property
    def has_switches(self) -> bool:
        """Whether some players are not numbers."""
        return len(self._numbers) < len(self.columns)

    def around(self, row: np.ndarray) -> list[Number | Switch]:
        """Return the players of one row."""
        return [self._around(i, row[these]) for i, these in enumerate(self.columns)]

    def _around(self, i: int, cells: np.ndarray) -> Number | Switch:
        if i in self._numbers and np.isfinite(cells[0]):
            return self._numbers[i].around(float(cells[0]))
        if i not in self._levels:
            back = self._background[:, self.columns[i]]
            self._levels[i] = np.unique(back, axis=0, return_counts=True)
        levels, counts = self._levels[i]
        is_same = (levels == cells) | (np.isnan(levels) & np.isnan(cells))
        others = np.flatnonzero(~is_same.all(axis=1))
        shares = counts[others] / max(1, counts[others].sum())
        is_numeric = [self._is_numeric[j] for j in self.columns[i]]
        terms = _terms(levels[others], shares, is_numeric)
        return Switch(cells, levels[others], np.cumsum(shares), terms)

    def draw(self, row: np.ndarray, scale: float, moves: Moves) -> Drawn:
        """Return coded rows around one row, features and terms.

        Shapes are (n_rows, n_columns), (n_rows, n_players) and (n_rows, n_terms).
        """
        rows = np.empty((len(moves.reach), len(row)), order="F")
        features, terms = np.empty(moves.reach.shape, order="F"), []
        for i, player in enumerate(self.around(row)):
            rows[:, self.columns[i]], features[:, i], term = player.draw(
                scale, moves, i
            )
            terms.append(term)
        return rows, features, np.hstack(terms)

    def compared(self, row: np.ndarray, scale: float) -> tuple[list[Any], np.ndarray]:
        """Return the cell each player is compared with, and its feature.

        The cell is None where there are several others.
        """
        players = self.around(row)
        references = [
            player.reference(scale) if isinstance(player, Number) else None
            for player in players
        ]
        features = [
            player.distance(scale) if isinstance(player, Number) else 1.0
            for player in players
        ]
        return references, np.array(features)


def _number(known: np.ndarray) -> Number:
    """Return the facts of a column, around its mean."""
    values = np.unique(known)
    spread = np.clip(known, *np.quantile(known, _OUTERMOST)).std() or known.std()
    is_few = len(values) <= _MAX_VALUES and _ROWS_PER_VALUE * len(values) <= len(known)
    mean, is_whole = float(known.mean()), bool((values == np.round(values)).all())
    return Number(
        mean, mean, float(spread), float(values[0]), float(values[-1]),
        values if is_few else None, is_whole,
    )  # fmt: skip


def _terms(
    others: np.ndarray, shares: np.ndarray, is_numeric: list[bool]
) -> np.ndarray:
    """Return known numbers and the most frequent levels of each column, centred.

    None of groups of many columns, such as patches of an image.
    """
    terms = [
        term
        for cells, numeric in zip(others.T, is_numeric, strict=True)
        if len(others)
        for term in (_number_terms if numeric else _level_terms)(cells, shares)
    ]
    if not terms or len(terms) > _MAX_TERMS:
        return np.empty((len(others), 0))
    matrix = np.column_stack(terms)
    return np.asarray(matrix - shares @ matrix)


def _number_terms(cells: np.ndarray, shares: np.ndarray) -> list[np.ndarray]:
    """Return a number, in standard deviations, and whether it is known."""
    known = np.isfinite(cells)
    numbers = np.where(known, cells, cells[known].mean() if known.any() else 0.0)
    spread = numbers.std()
    terms = [(numbers - numbers.mean()) / spread] if spread > 0 else []
    return terms if known.all() else [*terms, known.astype(float)]


def _level_terms(cells: np.ndarray, shares: np.ndarray) -> list[np.ndarray]:
    """Return whether a cell has each of the most frequent levels."""
    levels, position = np.unique(cells, return_inverse=True)
    share = np.bincount(position, weights=shares, minlength=len(levels))
    first = np.argsort(-share, kind="stable")[:_MAX_LEVELS]
    return [(cells == levels[i]).astype(float) for i in first if share[i] > _MIN_LEVEL]
