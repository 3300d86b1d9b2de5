"""Profiles: the output as one column moves and the others stay as they are."""

import numpy as np
import pandas as pd

from skdnn.explain._explanation import Profiles
from skdnn.explain._target import Problem, Step, Target


def compute_partial_dependence(
    problem: Problem,
    features: list[int],
    grid_resolution: int,
    ice: bool,
    step: Step,
) -> Profiles:
    """Return the mean output over the background rows along each column.

    Friedman (2001), section 8.2: every background row is given each value of the grid
    in turn. With `ice`, a curve for each row (Goldstein et al., 2015).

    Parameters
    ----------
    problem : Problem
        Its background rows are averaged over.
    features : list of int
        Positions of the columns.
    grid_resolution : int
        Places on the grid of a numeric column, at most.
    ice : bool
        Whether each row has a curve of its own.
    step : callable
        Called after each column.
    """
    tables, ticks = [], {}
    for j in features:
        grid, tick = _grid(problem, j, grid_resolution)
        curves = _curves(problem.target, problem.background, j, grid, ice)
        name = problem.target.columns[j].name
        x = problem.target.columns[j].decode(grid)
        tables.append(_table(name, problem.target.class_names, x, curves, ice))
        ticks[name] = tick
        step()
    return Profiles(
        pd.concat(tables, ignore_index=True),
        "Individual conditional expectation" if ice else "Partial dependence",
        len(problem.background),
        ticks,
    )


def _grid(problem: Problem, j: int, resolution: int):
    """Return where a column is looked at, and what is known of its cells."""
    cells = problem.background[:, j]
    if not problem.target.columns[j].is_numeric:
        levels, counts = np.unique(cells, return_counts=True)
        return levels, counts / counts.sum()
    cells = cells[~np.isnan(cells)]
    if not len(cells):
        return np.array([np.nan]), np.array([])
    grid = np.unique(cells)
    if len(grid) > resolution:
        # the outermost values are met by few rows
        low, high = np.quantile(cells, [0.025, 0.975])
        grid = np.unique(np.linspace(low, high, resolution))
        dtype = problem.target.columns[j].dtype
        if pd.api.types.is_integer_dtype(dtype):
            grid = np.unique(np.round(grid))
    return grid, np.quantile(cells, np.arange(0.1, 1, 0.1))


def _curves(target: Target, rows: np.ndarray, j: int, grid, ice: bool) -> np.ndarray:
    """Return the output at every place, of every row or on average.

    Returns
    -------
    ndarray of shape (n_rows or 1, n_grid, n_classes)
    """
    curves = np.empty((len(rows) if ice else 1, len(grid), target.n_classes))
    moved = rows.copy()
    for g, value in enumerate(grid):
        moved[:, j] = value
        output = target.predict(moved)
        curves[:, g] = output if ice else output.mean(axis=0)
    return curves


def _table(name, class_names, x, curves, ice) -> pd.DataFrame:
    n, n_grid, k = curves.shape
    x = np.asarray(x, dtype=float if pd.api.types.is_numeric_dtype(x) else object)
    table = pd.DataFrame(
        {
            "feature": name,
            "class": np.tile(np.repeat(class_names, n_grid), n),
            "x": np.tile(x, n * k),
            "value": curves.transpose(0, 2, 1).ravel(),
        }
    )
    if ice:
        table.insert(0, "sample", np.repeat(np.arange(n), n_grid * k))
    return table
