"""Who takes part in an explanation: columns, or groups of them.

A player is switched, shuffled or attributed to as a whole. Without groups every column
is a player of its own.
"""

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

# A name, or a list of columns where a group has no name of its own.
Groups = (
    Mapping[str, Sequence[str | int]]
    | Sequence[str | int | Sequence[str | int]]
    | np.ndarray
)


def players(columns: list[str], groups: Groups | None) -> list[tuple[str, list[int]]]:
    """Return the name and the column positions of each player.

    Parameters
    ----------
    columns : list of str
        Names of the columns, in their order.
    groups : dict of str to columns, list of columns or lists, ndarray or None
        Columns are given by name or position. A list without a name is called after
        its columns. Columns that are not listed are players of their own. An array
        has a whole number for each pixel: which patch it belongs to.

    Returns
    -------
    list of (str, list of int)
        In the order of each player's first column; every column is in one of them.

    Raises
    ------
    ValueError
        For a column that is not there or is listed twice, an empty group, or a name
        that two players would have.
    TypeError
        If groups are neither a dict nor a list.

    Examples
    --------
    >>> players(["age", "height", "width"], {"size": ["height", "width"]})
    [('age', [0]), ('size', [1, 2])]
    """
    listed = [] if groups is None else _listed(columns, groups)
    named = [
        (name, [_position(columns, column) for column in members])
        for name, members in listed
    ]
    taken = [position for _, positions in named for position in positions]
    twice = sorted({columns[j] for j in taken if taken.count(j) > 1})
    if twice:
        raise ValueError(
            f"`groups` must hold a column once at most. Got more often: {twice}."
        )
    alone = [(columns[j], [j]) for j in range(len(columns)) if j not in set(taken)]
    told = [
        (" + ".join(columns[j] for j in positions) if name is None else name, positions)
        for name, positions in named
    ]
    everyone = sorted(told + alone, key=lambda player: min(player[1]))
    names = [name for name, _ in everyone]
    same = sorted({name for name in names if names.count(name) > 1})
    if same:
        raise ValueError(
            f"`groups` must have names that no other group or column has. Got {same}; "
            "rename these groups."
        )
    return everyone


def _listed(columns: list[str], groups: Groups) -> list[tuple[str | None, list]]:
    """Return the groups as names, None where there is none, and members."""
    entries: list[tuple[str | None, Any]]
    if isinstance(groups, np.ndarray):
        entries = [*_patches(columns, groups)]
    elif isinstance(groups, Mapping):
        entries = list(groups.items())
    elif isinstance(groups, list | tuple):
        entries = [(None, members) for members in groups]
    else:
        raise TypeError(
            "`groups` must be a dict of names to lists of columns, a list of such "
            "lists, or an array of a number for each pixel. Got "
            f"{type(groups).__name__}."
        )
    told = []
    for name, members in entries:
        if not (name is None or isinstance(name, str)):
            raise TypeError(f"Names of `groups` must be words. Got {name!r}.")
        if isinstance(members, str | int | np.integer):
            members = [members]
        if not len(members):
            raise ValueError(
                "`groups` must have columns in each group. Got none "
                f"{'in a list' if name is None else f'for {name!r}'}; leave it out."
            )
        told.append((name, list(members)))
    return told


def _patches(columns: list[str], labels: np.ndarray) -> list[tuple[str, list[int]]]:
    """Return the columns of each patch; the channels of a pixel are in one patch."""
    n = len(columns)
    if labels.dtype.kind not in "iu" or not labels.size or n % labels.size:
        raise ValueError(
            "`groups`, as an array, must have a whole number for each pixel of the "
            f"images: for {n} cells in all, as many or a share. Got {labels.dtype} of "
            f"shape {labels.shape}."
        )
    of_cells = np.repeat(labels.ravel(), n // labels.size)
    return [
        (f"patch {label}", np.flatnonzero(of_cells == label).tolist())
        for label in np.unique(of_cells)
    ]


def _position(columns: list[str], column) -> int:
    if isinstance(column, int | np.integer) and not isinstance(column, bool):
        if -len(columns) <= column < len(columns):
            return int(column) % len(columns)
        raise ValueError(
            f"`groups` must hold names or positions below {len(columns)}. Got "
            f"{column!r}."
        )
    if column not in columns:
        near = difflib.get_close_matches(str(column), columns, n=1)
        hint = f"Did you mean {near[0]!r}?" if near else f"There are: {columns}."
        raise ValueError(f"`groups` must hold columns of X. Got {column!r}. {hint}")
    return columns.index(column)


def cells_of(data: np.ndarray, everyone: list[tuple[str, list[int]]]) -> np.ndarray:
    """Return each player's cell, or the cells of a group in words.

    Parameters
    ----------
    data : ndarray of shape (n_samples, n_columns), object
        Cells of the columns.
    everyone : list of (str, list of int)
        As `players` returns it.

    Returns
    -------
    ndarray of shape (n_samples, n_players), object
    """
    cells = np.empty((len(data), len(everyone)), dtype=object)
    for place, (_, positions) in enumerate(everyone):
        if len(positions) == 1:
            cells[:, place] = data[:, positions[0]]
        else:
            cells[:, place] = [", ".join(map(str, row)) for row in data[:, positions]]
    return cells
