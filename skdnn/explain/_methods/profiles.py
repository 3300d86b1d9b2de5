"""Curves of the output along columns, which all profile methods return."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from skdnn.explain._model.columns import Column
from skdnn.explain._model.grid import outputs_at, ticks_of
from skdnn.explain._model.target import Problem, Target
from skdnn.explain._results.profiles import Profiles


@dataclass(frozen=True)
class Curves:
    """Output along one column, and its standard deviation over the members.

    `points` are coded values; `values` and `refit_errors`, None without members, have
    shape (n_samples, n_points, n_classes).
    """

    points: np.ndarray
    values: np.ndarray
    refit_errors: np.ndarray | None


def grid_curves(
    target: Target, rows: np.ndarray, j: int, points: np.ndarray, *, average: bool
) -> Curves:
    """Return the curve of every row along column j, or their average."""
    values = np.empty((1 if average else len(rows), len(points), target.n_classes))
    errors = np.empty_like(values) if target.n_refits else None
    for part, output in outputs_at(target, rows, [j], points[:, None]):
        by_row = output.mean(axis=1)[None] if average else output.transpose(1, 0, 2)
        values[:, part], spread = target.split(by_row)
        if errors is not None:
            errors[:, part] = spread
    return Curves(points, values, errors)


def curve_table(
    column: Column, class_names: np.ndarray, curves: Curves, *, by_sample: bool
) -> pd.DataFrame:
    """Return curves as a frame: sample (if it is wanted), feature, class, x, value.

    With members there is a column `refit_error`, which `make_profiles` removes.
    """
    n, n_points, k = curves.values.shape
    samples = {"sample": np.repeat(np.arange(n), n_points * k)} if by_sample else {}
    columns: dict[str, Any] = {
        **samples,
        "feature": column.name,
        "class": np.tile(np.repeat(class_names, n_points), n),
        "x": np.tile(column.displayed(curves.points), n * k),
        "value": curves.values.transpose(0, 2, 1).ravel(),
    }
    if curves.refit_errors is not None:
        columns["refit_error"] = curves.refit_errors.transpose(0, 2, 1).ravel()
    return pd.DataFrame(columns)


def make_profiles(
    problem: Problem,
    tables: Iterable[pd.DataFrame],
    positions: Sequence[int],
    method: str,
    *,
    unit: str | None = None,
    own: dict[str, Any] | None = None,
) -> Profiles:
    """Return the tables of the columns at some positions as one result."""
    target, rows = problem.target, problem.background
    table = pd.concat(tables, ignore_index=True)
    errors = table.pop("refit_error").to_numpy() if target.n_refits else None
    ticks = {
        target.columns[j].name: ticks_of(target.columns[j], rows[:, j])
        for j in positions
    }
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
