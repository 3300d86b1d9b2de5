"""The players of an explanation: columns, or groups of columns.

A player is switched, shuffled or attributed to as a whole. Without groups every column
is a player.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from skdnn.explain._model.names import position_of
from skdnn.explain._model.options import Groups

# Name and positions of the columns.
Player = tuple[str, list[int]]


def players_of(columns: list[str], groups: Groups | None) -> list[Player]:
    """Return the players in the order of their first columns.

    Columns of groups are given by name or position. A group without a name is called
    after its columns. Columns that are not listed are players of their own. An array
    holds a whole number for each pixel: the patch it belongs to. ValueError or
    TypeError if groups are invalid.

    Examples
    --------
    >>> players_of(["age", "height", "width"], {"size": ["height", "width"]})
    [('age', [0]), ('size', [1, 2])]
    """
    grouped: list[Player] = []
    for name, given in [] if groups is None else _listed(columns, groups):
        positions = [position_of("groups", column, columns) for column in given]
        if name is None:
            name = " + ".join(columns[j] for j in positions)
        grouped.append((name, positions))
    taken = [j for _, positions in grouped for j in positions]
    twice = _repeated(columns[j] for j in taken)
    if twice:
        raise ValueError(
            f"`groups` must hold a column once at most. Got more often: {twice}."
        )
    alone = [(columns[j], [j]) for j in range(len(columns)) if j not in set(taken)]
    players = sorted(grouped + alone, key=lambda player: min(player[1]))
    same = _repeated(name for name, _ in players)
    if same:
        raise ValueError(
            f"`groups` must have names that no other group or column has. Got {same}; "
            "rename these groups."
        )
    return players


def _repeated(names: Iterable[str]) -> list[str]:
    return sorted(name for name, n in Counter(names).items() if n > 1)


def _listed(
    columns: list[str], groups: Groups
) -> list[tuple[str | None, Sequence[str | int]]]:
    """Return the name, None where there is none, and the columns of each group."""
    entries: list[tuple[Any, Any]]
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
    listed = []
    for name, members in entries:
        if not (name is None or isinstance(name, str)):
            raise TypeError(f"Names of `groups` must be strings. Got {name!r}.")
        if isinstance(members, str | int | np.integer):
            members = [members]
        if not len(members):
            raise ValueError(
                "`groups` must have columns in each group. Got none "
                f"{'in a list' if name is None else f'for {name!r}'}; leave it out."
            )
        listed.append((name, members))
    return listed


def _patches(columns: list[str], labels: np.ndarray) -> list[Player]:
    """Return the columns of each patch; the channels of a pixel are in one patch."""
    n = len(columns)
    if labels.dtype.kind not in "iu" or not labels.size or n % labels.size:
        raise ValueError(
            "`groups`, as an array, must have a whole number for each pixel of the "
            f"images: for {n} cells in all, as many or a share. Got {labels.dtype} of "
            f"shape {labels.shape}."
        )
    of_columns = np.repeat(labels.ravel(), n // labels.size)
    return [
        (f"patch {label}", np.flatnonzero(of_columns == label).tolist())
        for label in np.unique(of_columns)
    ]


def cells_of(data: np.ndarray, players: list[Player]) -> np.ndarray:
    """Return each player's value, of a group all values in one text.

    `data` are objects of shape (n_samples, n_columns); the result has one column for
    each player.
    """
    cells = np.empty((len(data), len(players)), dtype=object)
    for i, (_, positions) in enumerate(players):
        if len(positions) == 1:
            cells[:, i] = data[:, positions[0]]
        else:
            cells[:, i] = [", ".join(map(str, row)) for row in data[:, positions]]
    return cells
