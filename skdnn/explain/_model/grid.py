"""Where a column is looked at, and what the classifier says there."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from skdnn.explain._model.columns import Column
from skdnn.explain._model.target import Target

# The outermost values are met by few rows.
_OUTERMOST = (0.025, 0.975)


def places_of(column: Column, cells: np.ndarray, resolution: int) -> np.ndarray:
    """Return the coded cells at which a column is looked at.

    Parameters
    ----------
    column : Column
        The column.
    cells : ndarray of shape (n_background,)
        Its coded cells.
    resolution : int
        Places of a column of numbers, at most: its own values if there are no more of
        them, else evenly spread over the middle 95 % of the cells.

    Returns
    -------
    ndarray of shape (n_places,)
        Numbers in rising order, a single NaN if none is known; or all levels.
    """
    if not column.is_numeric:
        return level_order(column, np.unique(cells))
    cells = cells[np.isfinite(cells)]
    if not len(cells):
        return np.array([np.nan])
    places = np.unique(cells)
    if len(places) > resolution:
        low, high = np.quantile(cells, _OUTERMOST)
        places = np.linspace(low, high, resolution)
        if pd.api.types.is_integer_dtype(column.dtype):
            places = np.round(places)
    return np.unique(as_held(column, places))


def as_held(column: Column, codes: np.ndarray) -> np.ndarray:
    """Return numbers as the column's dtype holds them, as floats."""
    held = pd.Series(column.decode(codes), dtype=column.dtype)
    return held.to_numpy(dtype=np.float64, na_value=np.nan, copy=True)


def level_order(column: Column, codes: np.ndarray) -> np.ndarray:
    """Return levels in the order of their dtype or else their own, missing last."""
    levels = pd.Series(column.levels.take(codes.astype(np.intp)), dtype=column.dtype)
    try:
        order = levels.sort_values(kind="stable").index
    except TypeError:  # of several kinds
        order = levels.astype(str).sort_values(kind="stable").index
    return codes[order.to_numpy()]


def is_ordered(column: Column) -> bool:
    """Whether the levels have an order that means something."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        return bool(column.dtype.ordered)
    return pd.api.types.is_bool_dtype(column.dtype) or (
        pd.api.types.is_datetime64_any_dtype(column.dtype)
    )


def shown(column: Column, codes: np.ndarray) -> np.ndarray:
    """Return coded cells as a result shows them: floats, or the levels themselves."""
    if column.is_numeric:
        return as_held(column, codes)
    cells = np.empty(len(codes), dtype=object)
    cells[:] = list(column.decode(codes))
    return cells


def ticks_of(column: Column, cells: np.ndarray) -> np.ndarray:
    """Return what is known of a column's cells: deciles, or shares of the levels."""
    if not column.is_numeric:
        levels, counts = np.unique(cells, return_counts=True)
        shares = dict(zip(levels, counts / counts.sum(), strict=True))
        return np.array([shares[level] for level in level_order(column, levels)])
    cells = cells[np.isfinite(cells)]
    return np.quantile(cells, np.arange(0.1, 1, 0.1)) if len(cells) else cells


def outputs_at(
    target: Target, rows: np.ndarray, columns: list[int], places: np.ndarray
) -> Iterator[tuple[slice, np.ndarray]]:
    """Give all rows the same cells, one place after the other.

    Parameters
    ----------
    target : Target
        The classifier.
    rows : ndarray of shape (n_rows, n_features)
        Coded rows.
    columns : list of int
        Positions of the columns that are moved.
    places : ndarray of shape (n_places, len(columns))
        Coded cells.

    Yields
    ------
    slice
        Which places come now: as many as fit a block, so that the memory that it takes
        does not grow with rows and places.
    ndarray of shape (n_now, n_rows, n_outputs)
        What the classifier says of every row there.
    """
    step = max(1, target.block_rows // len(rows))
    for start in range(0, len(places), step):
        part = slice(start, start + step)
        moved = np.repeat(rows[None], len(places[part]), axis=0)
        moved[:, :, columns] = places[part][:, None, :]
        output = target.predict(moved.reshape(-1, rows.shape[1]), copy=False)
        yield part, output.reshape(len(moved), len(rows), -1)


def profile_table(
    name: str,
    class_names: np.ndarray,
    x: np.ndarray,
    curves: np.ndarray,
    refit_errors: np.ndarray | None = None,
) -> pd.DataFrame:
    """Return curves as a tidy frame: sample, feature, class, x, value.

    A column `refit_error` stands beside `value` until `take_refits` takes it out.

    Parameters
    ----------
    name : str
        Of the column.
    class_names : ndarray of shape (n_classes,)
        The classes.
    x : ndarray of shape (n_places,)
        Places, as they are shown.
    curves : ndarray of shape (n_samples, n_places, n_classes)
        The output.
    refit_errors : ndarray of the same shape or None
        Its standard deviation over refits.
    """
    n, n_places, k = curves.shape
    columns: dict[str, Any] = {
        "sample": np.repeat(np.arange(n), n_places * k),
        "feature": name,
        "class": np.tile(np.repeat(class_names, n_places), n),
        "x": np.tile(x, n * k),
        "value": curves.transpose(0, 2, 1).ravel(),
    }
    if refit_errors is not None:
        columns["refit_error"] = refit_errors.transpose(0, 2, 1).ravel()
    return pd.DataFrame(columns)


def take_refits(table: pd.DataFrame, target: Target) -> dict[str, Any]:
    """Take the refit errors out of a table, as results keep them."""
    if not target.n_refits:
        return {}
    errors = table.pop("refit_error").to_numpy()
    return {"refit_errors": errors, "n_refits": target.n_refits}
