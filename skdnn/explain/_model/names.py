"""Positions of columns given by name or position."""

from collections import Counter
from typing import Any

import numpy as np

from skdnn._runtime.suggestions import did_you_mean


def positions_of(parameter: str, given: Any, names: list[str]) -> list[int]:
    """Return the positions of columns that are given by name or position.

    ValueError, which names the parameter, for an unknown column or one given twice.
    """
    if isinstance(given, str | int | np.integer):
        given = [given]
    if not len(given):
        raise ValueError(f"`{parameter}` must name at least one column. Got none.")
    positions = [position_of(parameter, column, names) for column in given]
    twice = sorted({names[j] for j, n in Counter(positions).items() if n > 1})
    if twice:
        raise ValueError(
            f"`{parameter}` must name a column once. Got more often: {twice}."
        )
    return positions


def position_of(parameter: str, column: Any, names: list[str]) -> int:
    """Return the position of one column; ValueError if there is none."""
    if isinstance(column, int | np.integer) and not isinstance(column, bool):
        if -len(names) <= column < len(names):
            return int(column) % len(names)
        hint = f" The column's name is {str(column)!r}." if str(column) in names else ""
        raise ValueError(
            f"`{parameter}` must be names or positions below {len(names)}. Got "
            f"{column!r}.{hint}"
        )
    if column not in names:
        hint = did_you_mean(column, names) or f" There are: {names}."
        raise ValueError(f"`{parameter}` must name columns of X. Got {column!r}.{hint}")
    return names.index(column)
