"""The levels at which a categorical column is evaluated; of many, the rare ones as one.

Evaluating every level on every row would cost the square of the rows where each row has
a level of its own. "others" stands for the rare levels. Rows are moved to rare levels
that occur, each to one of them.
"""

import numpy as np

from skdnn.explain._model.columns import OTHERS, Column

# Successive multiples, modulo 1, are spread evenly and follow no order of the rows.
_GOLDEN = (5**0.5 - 1) / 2


def gather_levels(
    column: Column, cells: np.ndarray, limit: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return at most `limit` levels as codes, and the position of each cell's.

    Of more levels without an order, the most frequent ones are kept, and OTHERS comes
    last. Of more levels with an order, quantiles are kept; the levels up to the next
    one count as the one kept.
    """
    codes, position = np.unique(cells, return_inverse=True)
    listed = column.sort_categories(codes)
    n = len(listed)
    position = np.argsort(np.searchsorted(codes, listed))[position]
    if n <= limit:
        return listed, position
    if column.is_ordered:
        shares = np.linspace(0, 1, limit)
        kept = np.unique(np.quantile(position, shares, method="inverted_cdf"))
        return listed[kept], np.searchsorted(kept, position, side="right") - 1
    most = np.argsort(-np.bincount(position), kind="stable")
    kept = np.sort(most[: limit - 1])
    place = np.full(n, len(kept))
    place[kept] = np.arange(len(kept))
    return np.append(listed[kept], OTHERS), place[position]


def has_others(points: np.ndarray) -> bool:
    """Whether the last of the codes stands for several levels."""
    return len(points) > 0 and bool(points[-1] == OTHERS)


def drawn_levels(points: np.ndarray, cells: np.ndarray, n: int) -> np.ndarray:
    """Return `n` of the levels of `cells` that OTHERS stands for, evenly spread."""
    rare = cells[~np.isin(cells, points)]
    turns = np.arange(n) * _GOLDEN % 1
    return rare[(turns * len(rare)).astype(np.intp)]


def levels_for_others(points: np.ndarray, cells: np.ndarray) -> np.ndarray:
    """Return the level of each row at OTHERS: its own if it is rare, else a drawn one.

    Without OTHERS these are the cells themselves.
    """
    if not has_others(points):
        return cells
    drawn = drawn_levels(points, cells, len(cells))
    return np.where(np.isin(cells, points), drawn, cells)
