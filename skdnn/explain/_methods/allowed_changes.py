"""Which columns of a row may change, to which values, and what a change costs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd

from skdnn._runtime.suggestions import did_you_mean
from skdnn.explain._model.columns import Column
from skdnn.explain._model.names import positions_of
from skdnn.explain._model.target import Problem

# Values of a column that are tried at most.
MAX_VALUES = 1000
DIRECTIONS = {"up": 1, "down": -1}
# What `actionable` may state about a column.
_RULES = (
    "False, True, 'up', 'down', a list of levels from the lowest to the highest, or "
    "such a list with a direction, as in ('up', levels)"
)

Actionable = Mapping[str | int, Any]
Ranges = Mapping[str | int, Any]
Costs = Mapping[str | int, float]


@dataclass(frozen=True)
class AllowedChanges:
    """Which columns may change, to which values, in which direction, at which cost."""

    columns: list[int]
    values: dict[int, np.ndarray]  # coded values of each of them, rising
    # (n_features,): the range of numbers, of dates, or of steps along an order; NaN
    # for columns without an order
    spans: np.ndarray
    # where each code of an ordered column of other values is; NaN if nowhere
    orders: dict[int, np.ndarray] = field(default_factory=dict)
    directions: dict[int, int] = field(default_factory=dict)  # 1 is up, -1 down
    weights: np.ndarray | None = None  # (n_features,), costs of a change of a range

    def distances(self, row: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Return the costs of changing a row to each of some others.

        They are Gower's distances, weighted and summed over columns. There may also be
        a row of its own for each.
        """
        share = np.abs(self.places(rows) - self.places(np.atleast_2d(row)))
        share /= np.where(self.spans > 0, self.spans, 1)
        is_whole = np.isnan(self.spans) | np.isnan(share)
        changes = np.where(is_whole, differ(rows, row), share)
        if self.weights is not None:
            changes = changes * self.weights
        return np.asarray(changes.sum(axis=1))

    def places(self, rows: np.ndarray) -> np.ndarray:
        """Return rows with codes of ordered columns as places along their orders."""
        placed = rows.astype(np.float64)
        for j, places in self.orders.items():
            placed[:, j] = places[rows[:, j].astype(np.intp)]
        return placed

    def places_of(self, j: int, codes: np.ndarray) -> np.ndarray:
        """Return the same of the codes of one column; NaN without an order."""
        if j in self.orders:
            return np.asarray(self.orders[j][codes.astype(np.intp)])
        return codes if not np.isnan(self.spans[j]) else np.full(len(codes), np.nan)

    def values_for(self, j: int, own: float) -> np.ndarray:
        """Return the values that a column may change to from its own one.

        A value that is missing, or not along the order, has no direction: it stays.
        """
        values = self.values[j][self.values[j] != own]
        if j not in self.directions:
            return values
        moves = self.places_of(j, values) - self.places_of(j, np.array([own]))
        return np.asarray(values[moves * self.directions[j] > 0])


def differ(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return which values differ; two missing ones do not."""
    return np.asarray((a != b) & ~(np.isnan(a) & np.isnan(b)))


def read_allowed(
    problem: Problem,
    actionable: Actionable | None = None,
    ranges: Ranges | None = None,
    costs: Costs | None = None,
) -> AllowedChanges:
    """Return what the options of `counterfactuals` allow; ValueError if invalid."""
    columns, names = problem.target.columns, problem.target.feature_names
    rules = {
        j: _Rule.read(columns[j], given)
        for j, given in _by_position("actionable", actionable, names).items()
    }
    limits = _by_position("ranges", ranges, names)
    weights = _weights(costs, names)
    kept = [j for j, rule in rules.items() if not rule.may_change]
    free = [j for j in range(len(names)) if j not in set(kept)]
    if not free:
        raise ValueError(
            "`actionable` must leave a column that may change. Got False for all."
        )
    values, spans = {}, np.full(len(names), np.nan)
    orders, directions = {}, {}
    for j in free:
        rule = rules.get(j, _Rule())
        known, counts = _known(problem, j)
        if columns[j].is_numeric:
            spans[j] = np.ptp(known) if len(known) else 0.0
        elif rule.levels is not None or columns[j].is_ordered:
            orders[j], spans[j] = _order(columns[j], rule.levels, known)
        if rule.direction:
            directions[j] = rule.direction
        is_allowed = np.ones(len(known), dtype=bool)
        if rule.levels is not None:
            is_allowed &= ~np.isnan(orders[j][known.astype(np.intp)])
        if j in limits:
            is_allowed &= _in_range(columns[j], known, limits[j])
        values[j] = _limited(
            known[is_allowed], counts[is_allowed], columns[j].is_numeric
        )
    return AllowedChanges(free, values, spans, orders, directions, weights)


@dataclass(frozen=True)
class _Rule:
    """What `actionable` states about one column."""

    may_change: bool = True
    direction: int = 0
    levels: list[Any] | None = None

    @classmethod
    def read(cls, column: Column, given: Any) -> "_Rule":
        """Return the rule; ValueError unless it fits the column."""
        if isinstance(given, bool | np.bool_):
            return cls(may_change=bool(given))
        direction, levels = given, None
        if isinstance(given, list):
            direction, levels = None, given
        elif (
            isinstance(given, tuple) and len(given) == 2 and isinstance(given[1], list)
        ):
            direction, levels = given
        is_named = isinstance(direction, str) and direction in DIRECTIONS
        if not is_named and (levels is None or direction is not None):
            hint = did_you_mean(given, DIRECTIONS) if isinstance(given, str) else ""
            raise ValueError(
                f"`actionable` of {column.name!r} must be {_RULES}. Got "
                f"{given!r}.{hint}"
            )
        if levels is not None:
            _check_levels(column, levels)
        elif not (column.is_numeric or column.is_ordered):
            raise ValueError(
                f"`actionable` of {column.name!r} must give the order of its levels. "
                f"Got {given!r}; use ({given!r}, levels) with a list from the lowest "
                "to the highest, or an ordered pandas categorical."
            )
        return cls(True, DIRECTIONS[direction] if is_named else 0, levels)


def _check_levels(column: Column, levels: list[Any]) -> None:
    """Raise ValueError unless the levels are different ones of a categorical column."""
    if column.is_numeric:
        raise ValueError(
            f"`actionable` of {column.name!r}, a numeric column, must be False, "
            f"True, 'up' or 'down'. Got {levels!r}; limit numbers by `ranges`."
        )
    known = [level for level in column.code_by_category if level is not None]
    if isinstance(column.dtype, pd.CategoricalDtype):
        known = list(column.dtype.categories)
    unknown = [level for level in levels if level not in known]
    if unknown or len(levels) < 1 or len(set(levels)) < len(levels):
        hint = did_you_mean(unknown[0], known) if unknown else ""
        raise ValueError(
            f"`actionable` of {column.name!r} must list levels of the column once: "
            f"{known[:20]}. Got {levels!r}.{hint}"
        )


def _order(
    column: Column, levels: list[Any] | None, known: np.ndarray
) -> tuple[np.ndarray, float]:
    """Return the place of each code along the order of a column, and its range.

    Places are steps of levels, seconds of dates, and 0 and 1 of booleans.
    """
    categories = pd.Series(column.categories)
    if levels is None and isinstance(column.dtype, pd.CategoricalDtype):
        levels = list(column.dtype.categories)
    if levels is not None:
        steps = {level: step for step, level in enumerate(levels)}
        places = [np.nan if pd.isna(c) else steps.get(c, np.nan) for c in categories]
        return np.array(places, dtype=np.float64), float(len(levels) - 1)
    if pd.api.types.is_bool_dtype(column.dtype):
        places = [np.nan if pd.isna(c) else float(c) for c in categories]
        return np.array(places, dtype=np.float64), 1.0
    seconds = (categories - categories.min()).dt.total_seconds().to_numpy(np.float64)
    among = seconds[known.astype(np.intp)]
    return seconds, float(np.ptp(among)) if len(among) else 0.0


def _by_position(
    parameter: str, given: Mapping[str | int, Any] | None, names: list[str]
) -> dict[int, Any]:
    """Return what an option has for columns, by position; ValueError if unknown."""
    if not (given is None or isinstance(given, Mapping)):
        raise ValueError(
            f"`{parameter}` must be a dict with columns as keys. Got "
            f"{type(given).__name__}."
        )
    if not given:
        return {}
    positions = positions_of(parameter, list(given), names)
    return dict(zip(positions, given.values(), strict=True))


def _weights(costs: Costs | None, names: list[str]) -> np.ndarray | None:
    """Return the cost of each column's range; None if all cost 1."""
    if not costs:
        _by_position("costs", costs, names)
        return None
    weights = np.ones(len(names))
    for j, cost in _by_position("costs", costs, names).items():
        is_number = isinstance(cost, Real) and not isinstance(cost, bool)
        if not (is_number and 0 < float(cost) < np.inf):
            raise ValueError(
                f"`costs` of {names[j]!r} must be a number above 0. Got {cost!r}; to "
                "keep a column, use `actionable` with False."
            )
        weights[j] = float(cost)
    return weights


def _known(problem: Problem, j: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the values of a column that occur, and how often; no missing ones."""
    column, cells = problem.target.columns[j], problem.background[:, j]
    if column.is_numeric:
        cells = cells[np.isfinite(cells)]
    else:
        cells = cells[~pd.isna(column.displayed(cells))]
    known, counts = np.unique(cells, return_counts=True)
    return known, counts


def _limited(known: np.ndarray, counts: np.ndarray, is_numeric: bool) -> np.ndarray:
    """Return evenly spread numbers or the most frequent values, if there are many."""
    if len(known) <= MAX_VALUES:
        return known
    if is_numeric:
        return known[np.linspace(0, len(known) - 1, MAX_VALUES).astype(np.intp)]
    return np.sort(known[np.argsort(-counts, kind="stable")[:MAX_VALUES]])


def _in_range(column: Column, known: np.ndarray, ends: Any) -> np.ndarray:
    """Return which values of a column are in a range; ValueError if none is."""
    if column.is_numeric:
        low, high = _limits(column.name, ends)
        in_range = (known >= low) & (known <= high)
    else:
        categories = column.displayed(known).tolist()
        if not isinstance(ends, list | tuple | set | np.ndarray):
            raise ValueError(
                f"`ranges` of {column.name!r} must be a list of levels. Got {ends!r}."
            )
        unknown = [category for category in ends if category not in categories]
        if unknown:
            raise ValueError(
                f"`ranges` of {column.name!r} must be levels that occur in "
                f"`background`: {categories[:20]}. Got {unknown} as well."
            )
        in_range = np.array([category in ends for category in categories], dtype=bool)
    if not in_range.any():
        raise ValueError(
            f"`ranges` of {column.name!r} must hold a value that occurs in "
            f"`background`. Got {ends!r}."
        )
    return in_range


def _limits(name: str, ends: Any) -> tuple[float, float]:
    """Return the lowest and the highest number of a range."""
    is_pair = isinstance(ends, list | tuple | np.ndarray) and len(ends) == 2
    if not is_pair or not all(end is None or isinstance(end, Real) for end in ends):
        raise ValueError(
            f"`ranges` of {name!r} must be (low, high), None where there is no limit. "
            f"Got {ends!r}."
        )
    low = -np.inf if ends[0] is None else float(ends[0])
    high = np.inf if ends[1] is None else float(ends[1])
    if not low <= high:
        raise ValueError(
            f"`ranges` of {name!r} must rise. Got {ends!r}; write (low, high)."
        )
    return low, high
