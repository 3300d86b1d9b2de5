"""Importance, agreement and effects as bars, and a summary of the first and last."""

from typing import Any

import numpy as np
import pandas as pd

from skdnn.explain._model.options import check_count
from skdnn.explain._plots import canvas
from skdnn.explain._plots.canvas import Axes
from skdnn.explain._results.frames import rows_by
from skdnn.explain._results.registry import register
from skdnn.explain._results.summary import Summary, part_of, ranks_of
from skdnn.explain._results.tables import ResultTable

_GROUP = 0.84  # height of the bars of a row
_LIMIT = 1.45  # the longest bar, of length 1, and space for its number
_MAX_LABEL = 59


@register("plot", ResultTable)
def plot_table(result: ResultTable, max_display: Any, ax: Axes | None) -> Axes:
    """Draw a small table as bars; see ``ResultTable.plot``."""
    check_count("max_display", max_display, 1)
    table, title = result.table, result.title
    if result.kind == "effects":
        return _draw_effects(table, title, max_display, ax)
    if result.kind == "importance":
        table = table.sort_values("importance", ascending=False, kind="stable")
        shown = table.head(max_display)
        ax = canvas.axes_of(ax, (6.4, 0.34 * len(shown) + 1.3))
        _draw_importance_bars(ax, shown, "importance")
        ax.set_xlabel("drop of the score when shuffled (95% interval)")
        return canvas.name_rows(ax, list(shown["feature"]), title, len(table))
    table = table.head(max_display)
    labels = table["method_a"] + " and " + table["method_b"]
    ax = canvas.axes_of(ax, (6.4, 0.6 * len(table) + 1.2))
    ax.barh(range(len(table)), table["rank"].fillna(0), color=canvas.COLORS[0])
    ax.set_xlim(min(0, table["rank"].min() * 1.1), 1)
    ax.set_xlabel("rank correlation (1: the same order)")
    return canvas.name_rows(ax, list(labels), title)


def _draw_importance_bars(ax: Axes, table: pd.DataFrame, column: str) -> None:
    """Draw a bar with its interval for each row of a table."""
    rows = range(len(table))
    ax.barh(rows, table[column], color=canvas.COLORS[0], alpha=0.85)
    canvas.draw_intervals(ax, table[column], rows, table["ci_low"], table["ci_high"])
    ax.axvline(0, color=canvas.GREY, lw=0.8)


def _draw_effects(
    table: pd.DataFrame, title: str, max_display: int, ax: Axes | None
) -> Axes:
    """Draw the effects of each column on its own scale, as their units differ."""
    groups = _groups(table)
    shown = [table.iloc[rows] for rows in groups[:max_display]]
    classes = list(dict.fromkeys(table["class"]))
    ax = canvas.axes_of(ax, (7.2, _effects_height(len(shown), len(classes))))
    height = _GROUP / len(classes)
    for row, part in enumerate(shown):
        at = row - _GROUP / 2 + height * (np.arange(len(part)) + 0.5)
        colors = [canvas.color_of(classes.index(label)) for label in part["class"]]
        _draw_group(ax, part, at, height, colors)
    for place, label in enumerate(classes):
        text = canvas.short(label, canvas.MAX_CLASS, classes)
        ax.plot([], [], "s", ms=8, color=canvas.color_of(place), label=text)
    ax.axvline(0, color="black", lw=0.8)
    ax.set_xlim(-_LIMIT, _LIMIT)
    ax.set_xticks([])
    unit = title.rpartition(" the ")[2]  # "Average conditional effects on the …"
    ax.set_xlabel(f"change of the {unit} per unit (bars: each column on its own scale)")
    canvas.legend_of(ax)
    names = [_row_name(part.iloc[0], table) for part in shown]
    return canvas.name_rows(ax, names, title, len(groups), length=_MAX_LABEL)


def _groups(table: pd.DataFrame) -> list[list[int]]:
    """Return the positions of the effects in each row of the plot."""
    keys = [table[name] for name in ("feature", "level") if name in table]
    return list(rows_by(*keys).values())


def _effects_height(n_rows: int, n_classes: int) -> float:
    return n_rows * (0.19 * n_classes + 0.14) + 1.3


def _draw_group(
    ax: Axes, part: pd.DataFrame, at: np.ndarray, height: float, colors: list[str]
) -> None:
    """Draw the bars of one column or category, one per class."""
    scale = np.nanmax(np.abs(part[["effect", "ci_low", "ci_high"]].to_numpy()))
    scale = scale if scale > 0 else 1.0
    lengths = part["effect"] / scale
    low, high = part["ci_low"] / scale, part["ci_high"] / scale
    ax.barh(at, lengths, height=height, color=colors)
    canvas.draw_intervals(ax, lengths, at, low, high)
    # numbers stand beyond the interval, where there is one
    low, high = low.fillna(lengths), high.fillna(lengths)
    ends = np.where(lengths >= 0, np.maximum(high, 0), np.minimum(low, 0))
    for y, end, effect in zip(at, ends, part["effect"], strict=True):
        gap, side = (4, "left") if effect >= 0 else (-4, "right")
        ax.annotate(
            f"{effect:+.3g}", (end, y), xytext=(gap, 0), textcoords="offset points",
            va="center", fontsize=7.5, ha=side,
        )  # fmt: skip


def _row_name(first: pd.Series, table: pd.DataFrame) -> str:
    features = table["feature"].unique()
    name = canvas.short(first["feature"], canvas.MAX_COLUMN, features)
    if "level" not in first or pd.isna(first["reference"]):
        return name
    of_column = table[table["feature"] == first["feature"]]
    known = {*of_column["level"], *of_column["reference"]}
    pair = first["level"], first["reference"]
    levels = [canvas.short(level, canvas.MAX_CELL, known) for level in pair]
    return f"{name}: {' vs '.join(levels)}"


@register("plot", Summary)
def plot_summary(
    result: Summary, max_display: Any, ax: tuple[Axes, Axes] | None
) -> np.ndarray:
    """Draw importances with their ranks, and effects; see ``Summary.plot``."""
    check_count("max_display", max_display, 1)
    importance, effects = part_of(result, "importance"), part_of(result, "effect")
    if ax is None:
        n_rows = min(max_display, len(_groups(effects)))
        height = _effects_height(n_rows, effects["class"].nunique())
        ax = canvas.new_axes((13, max(3.2, height)), 1, 2)[0]
    first, second = ax
    shown = importance.head(max_display)
    _draw_importance_bars(first, shown, "value")
    label = "increase of the cross-entropy when shuffled, in nats (95% interval)"
    first.set_xlabel(label)
    names = [
        f"{canvas.short(name, canvas.MAX_COLUMN, shown['feature'])} (rank {rank})"
        for name, rank in zip(shown["feature"], ranks_of(shown), strict=True)
    ]
    canvas.name_rows(first, names, "Importance", len(importance), length=_MAX_LABEL)
    heading = f"Average conditional effects on the {result.unit}"
    effects = effects.rename(columns={"value": "effect"})
    _draw_effects(effects, heading, max_display, second)
    return np.array([first, second])
