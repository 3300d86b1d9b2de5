"""Columns and options by name: what was meant, or an error that says what there is."""

import difflib
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np


def positions_of(what: str, given: Any, names: list[str]) -> list[int]:
    """Return the positions of columns that are given by name or position.

    Parameters
    ----------
    what : str
        The parameter, for errors.
    given : str, int or sequence of these
        Columns.
    names : list of str
        All columns, in their order.

    Raises
    ------
    ValueError
        For a name or a position that is not there, or a column that is given twice.
    """
    if isinstance(given, str | int | np.integer):
        given = [given]
    if not len(given):
        raise ValueError(f"`{what}` must name at least one column. Got none.")
    positions = [position_of(what, column, names) for column in given]
    twice = sorted({names[j] for j, n in Counter(positions).items() if n > 1})
    if twice:
        raise ValueError(f"`{what}` must name a column once. Got more often: {twice}.")
    return positions


def position_of(what: str, column: Any, names: list[str]) -> int:
    """Return the position of one column; ``ValueError`` if there is none."""
    if isinstance(column, int | np.integer) and not isinstance(column, bool):
        if -len(names) <= column < len(names):
            return int(column) % len(names)
        hint = f" The column's name is {str(column)!r}." if str(column) in names else ""
        raise ValueError(
            f"`{what}` must be names or positions below {len(names)}. Got {column!r}."
            + hint
        )
    if column not in names:
        near = difflib.get_close_matches(str(column), names, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else f" There are: {names}."
        raise ValueError(f"`{what}` must name columns of X. Got {column!r}.{hint}")
    return names.index(column)


def check_option(name: str, value: Any, options: Sequence[Any]) -> None:
    """Raise ``ValueError`` unless the value is one of the words."""
    if value not in options:
        near = difflib.get_close_matches(str(value), options, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ValueError(
            f"`{name}` must be one of {list(options)}. Got {value!r}.{hint}"
        )


def check_count(name: str, value: Any, least: int) -> None:
    """Raise ``ValueError`` unless the value is a whole number and large enough."""
    is_whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not is_whole or value < least:
        raise ValueError(
            f"`{name}` must be a whole number, at least {least}. Got {value!r}."
        )
