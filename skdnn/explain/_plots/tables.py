"""Importance, agreement and effects as bars."""

from typing import Any

import pandas as pd

from skdnn.explain._model.options import check_count
from skdnn.explain._plots import canvas
from skdnn.explain._plots.canvas import Axes
from skdnn.explain._plots.effects import draw_effects
from skdnn.explain._results.registry import register
from skdnn.explain._results.tables import ResultTable


@register("plot", ResultTable)
def plot_table(result: ResultTable, max_display: Any, ax: Axes | None) -> Axes:
    """Draw a small table as bars; see ``ResultTable.plot``."""
    check_count("max_display", max_display, 1)
    draw = {
        "agreement": _draw_agreement,
        "effects": draw_effects,
        "importance": _draw_importance,
    }[result.kind]
    return draw(result.table, result.title, max_display, ax)


def _draw_agreement(
    table: pd.DataFrame, title: str, max_display: int, ax: Axes | None
) -> Axes:
    table = table.head(max_display)
    labels = table["method_a"] + " and " + table["method_b"]
    ax = canvas.axes_of(ax, (6.4, 0.6 * len(table) + 1.2))
    ax.barh(range(len(table)), table["rank"].fillna(0), color=canvas.COLORS[0])
    ax.set_xlim(min(0, table["rank"].min() * 1.1), 1)
    ax.set_xlabel("rank correlation (1: the same order)")
    return canvas.name_rows(ax, list(labels), title)


def _draw_importance(
    table: pd.DataFrame, title: str, max_display: int, ax: Axes | None
) -> Axes:
    table = table.sort_values("importance", ascending=False, kind="stable")
    shown = table.head(max_display)
    ax = canvas.axes_of(ax, (6.4, 0.34 * len(shown) + 1.3))
    draw_importance_bars(ax, shown, "importance")
    ax.set_xlabel("drop of the score when shuffled (95% interval)")
    return canvas.name_rows(ax, list(shown["feature"]), title, len(table))


def draw_importance_bars(ax: Axes, table: pd.DataFrame, column: str) -> None:
    """Draw a bar with its interval for each row of a table."""
    rows = range(len(table))
    ax.barh(rows, table[column], color=canvas.COLORS[0], alpha=0.85)
    canvas.draw_intervals(ax, table[column], rows, table["ci_low"], table["ci_high"])
    ax.axvline(0, color=canvas.GREY, lw=0.8)
