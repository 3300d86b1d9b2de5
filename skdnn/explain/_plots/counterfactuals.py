"""Counterfactuals as a table of the cells that change."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from skdnn.explain._model.options import check_count
from skdnn.explain._plots import canvas
from skdnn.explain._plots.canvas import Axes
from skdnn.explain._results.counterfactuals import Counterfactuals
from skdnn.explain._results.registry import register

_MAX_CELL, _MAX_TARGET, _MAX_COLUMN = 11, 17, 21
_WIDTH, _HEIGHT = 0.94, 0.84  # of a cell
_MAX_COLUMNS = 8  # that fit side by side
_ALPHA = 0.35
_MEANINGS = {
    canvas.UP: "higher",
    canvas.DOWN: "lower",
    canvas.GREY: "another category",
}


@register("plot", Counterfactuals)
def plot_counterfactuals(
    result: Counterfactuals, max_display: Any, ax: Axes | None
) -> Axes:
    """Draw the changed cells, before and after; see ``Counterfactuals.plot``."""
    check_count("max_display", max_display, 1)
    height, margin = 0.4, 1.7
    table = result.table.head(canvas.n_fitting(max_display, height, margin, ax))
    changes = result.changed[result.changed["row"] < len(table)]
    columns = changes["feature"].value_counts(sort=False)
    n_columns = len(columns)
    n_shown = min(max_display, _MAX_COLUMNS if ax is None else max_display)
    columns = columns.sort_values(ascending=False, kind="stable").index[:n_shown]
    size = max(5.4, 1.9 * len(columns) + 3.6), height * len(table) + margin
    ax = canvas.axes_of(ax, size)
    used = set()
    for change in changes[changes["feature"].isin(columns)].itertuples():
        known = changes.loc[changes["feature"] == change.feature, ["old", "new"]]
        pair = change.old, change.new
        cells = [_cell(cell, known.to_numpy().ravel()) for cell in pair]
        x, left = columns.get_loc(change.feature), _WIDTH / 2
        color = _color(change.old, change.new)
        used.add(color)
        ax.barh(
            change.row, _WIDTH, left=x - left, height=_HEIGHT, alpha=_ALPHA,
            color=color,
        )  # fmt: skip
        ax.text(
            x, change.row, " → ".join(cells), ha="center",
            va="center", fontsize=8.5, parse_math=False,
        )  # fmt: skip
    ax.set_xlim(-0.5, max(1, len(columns)) - 0.5)
    among = result.table.columns[3:]
    names = [canvas.short(name, _MAX_COLUMN, among) for name in columns]
    ax.set_xticks(range(len(names)), names, fontsize=8.5, parse_math=False)
    ax.xaxis.tick_top()
    ax.tick_params(length=0)
    rows = result.rows.head(len(table)).itertuples()
    targets, has_changes = result.rows["target"].unique(), set(changes["row"])
    labels = [_row_name(row, targets, row.Index in has_changes) for row in rows]
    n_all = len(result.table)
    cut = f"\n{len(table)} of {n_all} rows" if len(table) < n_all else ""
    if len(columns) < n_columns:
        cut += f"\n{len(columns)} of {n_columns} columns that change, the most frequent"
    ax = canvas.name_rows(ax, labels, result.title + cut)
    shown = [pair for pair in _MEANINGS.items() if pair[0] in used]
    canvas.legend_of_colors(ax, shown, alpha=_ALPHA)
    ax.spines[["left", "bottom"]].set_visible(False)
    return ax


def _row_name(row: Any, targets: Iterable[Any], is_changed: bool) -> str:
    target = canvas.short(row.target, _MAX_TARGET, targets)
    if row.found and not is_changed:
        return f"row {row.sample}: already {target}"
    return f"row {row.sample} → {target}{'' if row.found else ': not found'}"


def _color(old: Any, new: Any) -> str:
    """Return the colour of a change: up, down, or to another category."""
    if not all(isinstance(cell, int | float | np.number) for cell in (old, new)):
        return canvas.GREY
    return canvas.UP if new > old else canvas.DOWN


def _cell(cell: Any, known: Iterable[Any]) -> str:
    is_fraction = isinstance(cell, float | np.floating) and not pd.isna(cell)
    return f"{cell:.4g}" if is_fraction else canvas.short(cell, _MAX_CELL, known)
