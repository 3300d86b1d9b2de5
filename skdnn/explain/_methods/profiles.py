"""Curves of the output along columns, which all profile methods return."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from skdnn.explain._model.grid import outputs_at, ticks_of
from skdnn.explain._model.levels import drawn_levels, has_others, levels_for_others
from skdnn.explain._model.options import Step
from skdnn.explain._model.target import Problem, Target
from skdnn.explain._results.frames import frame_of
from skdnn.explain._results.profiles import Profiles

# Values, and their standard deviation over the members, None without members; both
# have shape (n_samples, n_points, n_classes).
Curves = tuple[np.ndarray, np.ndarray | None]

# Rare levels that the curve of one row is averaged over.
_N_DRAWN = 20


def average_curve(
    target: Target, rows: np.ndarray, j: int, points: np.ndarray
) -> Curves:
    """Return the average of the rows' curves along column j."""
    others = levels_for_others(points, rows[:, j])[:, None]
    means = np.empty((1, len(points), target.n_outputs))
    for part, output in outputs_at(target, rows, [j], points[:, None], others):
        means[0, part] = output.mean(axis=1)
    return target.split(means)


def single_curves(
    target: Target, rows: np.ndarray, j: int, points: np.ndarray, cells: np.ndarray
) -> Curves:
    """Return the curve of every row along column j; `cells` are of the background.

    One row at one rare level would say little about the others: it is moved to some.
    """
    values = np.empty((len(rows), len(points), target.n_classes))
    errors = np.empty_like(values) if target.n_refits else None

    def keep(start: int, output: np.ndarray) -> None:
        part = slice(start, start + len(output))
        values[:, part], spread = target.split(output.swapaxes(0, 1))
        if errors is not None:
            errors[:, part] = spread

    single = points[:-1] if has_others(points) else points
    for part, output in outputs_at(target, rows, [j], single[:, None], rows[:, [j]]):
        keep(part.start, output)
    if len(single) < len(points):
        drawn = drawn_levels(points, cells, _N_DRAWN)[:, None]
        sums = np.zeros((len(rows), target.n_outputs))
        for _, output in outputs_at(target, rows, [j], drawn, rows[:, [j]]):
            sums += output.sum(axis=0)
        keep(len(single), sums[None] / _N_DRAWN)
    return values, errors


def curve_table(
    target: Target,
    j: int,
    points: np.ndarray,
    curves: Curves,
    samples: np.ndarray | None = None,
) -> pd.DataFrame:
    """Return curves as a frame: sample (if it is wanted), feature, class, x, value.

    `points` are coded, of shape (n_points,) or (n_samples, n_points). With members
    there is a column `refit_error`, which `make_profiles` removes.
    """
    values, errors = curves
    n, n_points, k = values.shape
    x = np.broadcast_to(points, (k, n, n_points)).swapaxes(0, 1)
    columns: dict[str, Any] = {
        "sample": None if samples is None else np.repeat(samples, n_points * k),
        "feature": target.columns[j].name,
        "class": np.tile(np.repeat(target.class_names, n_points), n),
        "x": target.columns[j].displayed(x.ravel()),
        "value": values.swapaxes(1, 2).ravel(),
        "refit_error": None if errors is None else errors.swapaxes(1, 2).ravel(),
    }
    return frame_of({name: c for name, c in columns.items() if c is not None})


def make_profiles(
    problem: Problem,
    positions: Sequence[Any],
    table_of: Callable[[Any], pd.DataFrame],
    resolution: int,
    step: Step,
    method: str,
    unit: str | None = None,
    own: dict[str, Any] | None = None,
) -> Profiles:
    """Return the tables of columns, or pairs of these, at some positions."""
    target, tables = problem.target, []
    for position in positions:
        tables.append(table_of(position))
        step()
    table = pd.concat(tables, ignore_index=True)
    errors = table.pop("refit_error").to_numpy() if target.n_refits else None
    rows, ticks = problem.background, {}
    for j in np.ravel(positions):
        column = target.columns[j]
        ticks[column.name] = ticks_of(column, rows[:, j], resolution)
    return Profiles(
        table,
        method,
        len(rows),
        ticks,
        unit or target.unit,
        own,
        refit_errors=errors,
        n_refits=target.n_refits,
    )
