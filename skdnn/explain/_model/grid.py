"""Grid points along a column, and the output of the classifier there."""

from collections.abc import Iterator, Sequence

import numpy as np

from skdnn.explain._model.columns import OTHERS, Column
from skdnn.explain._model.levels import gather_levels
from skdnn.explain._model.target import Target

# Few rows have the outermost values.
_OUTERMOST = (0.025, 0.975)


def grid_points(column: Column, cells: np.ndarray, resolution: int) -> np.ndarray:
    """Return the coded values at which a column is evaluated.

    Numbers rise: those that occur in `cells` if there are at most `resolution`, else
    evenly spread over their central 95%; a single NaN if none is known. Of other
    columns the levels of `gather_levels`.
    """
    if not column.is_numeric:
        return gather_levels(column, cells, resolution)[0]
    cells = cells[np.isfinite(cells)]
    if not len(cells):
        return np.array([np.nan])
    points = np.unique(cells)
    if len(points) > resolution:
        low, high = np.quantile(cells, _OUTERMOST)
        points = np.linspace(low, high, resolution)
        if column.is_integer:
            points = np.round(points)
    return np.unique(column.rounded(points))


def ticks_of(column: Column, cells: np.ndarray, resolution: int) -> np.ndarray:
    """Return the distribution of a column: deciles, or the shares of its levels."""
    if not column.is_numeric:
        place = gather_levels(column, cells, resolution)[1]
        return np.asarray(np.bincount(place) / len(place))
    cells = cells[np.isfinite(cells)]
    return np.quantile(cells, np.arange(0.1, 1, 0.1)) if len(cells) else cells


def outputs_at(
    target: Target,
    rows: np.ndarray,
    columns: Sequence[int],
    points: np.ndarray,
    others: np.ndarray,
) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield blocks of grid points, and the output of all rows moved there.

    `points` has shape (n_points, len(columns)); where it is OTHERS, each row is moved
    to its own level of `others`, of shape (n_rows, len(columns)). A block has as many
    points as keep memory bounded; its output has shape (n_block, n_rows, n_outputs).
    """
    size = max(1, target.block_rows // len(rows))
    for start in range(0, len(points), size):
        part = slice(start, start + size)
        moved = np.repeat(rows[None], len(points[part]), axis=0)
        cells = points[part][:, None, :]
        moved[:, :, columns] = np.where(cells == OTHERS, others, cells)
        output = target.predict(moved.reshape(-1, rows.shape[1]), copy=False)
        yield part, output.reshape(len(moved), len(rows), -1)


def output_differences(
    target: Target, rows: np.ndarray, j: int, low: np.ndarray, high: np.ndarray
) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield blocks of rows, and the change of their output from low to high.

    `low` and `high`, of shape (n_rows,), are values of column j.
    """
    for start in range(0, len(rows), target.block_rows):
        part = slice(start, start + target.block_rows)
        above, below = rows[part].copy(), rows[part].copy()
        above[:, j], below[:, j] = high[part], low[part]
        yield (
            part,
            target.predict(above, copy=False) - target.predict(below, copy=False),
        )
