"""Importance, agreement and effects as bars, and a summary of the first and last."""

from typing import Any

import numpy as np
import pandas as pd

from skdnn.explain._model.options import check_count
from skdnn.explain._plots import canvas
from skdnn.explain._plots.canvas import Axes
from skdnn.explain._plots.classes import Chosen, choose
from skdnn.explain._results.frames import rows_by
from skdnn.explain._results.registry import register
from skdnn.explain._results.summary import Summary, part_of, ranks_of
from skdnn.explain._results.tables import ResultTable

_BAR = 0.34  # height of an importance, in inches
_GROUP = 0.84  # height of the bars of a row
_EFFECTS_MARGIN = 1.5  # inches
_LIMIT = 1.6  # the longest bar, of length 1, and space for its number
_MAX_LABEL = 59


@register("plot", ResultTable)
def plot_table(
    result: ResultTable, classes: Any, max_display: Any, ax: Axes | None
) -> Axes:
    """Draw a small table as bars; see ``ResultTable.plot``."""
    check_count("max_display", max_display, 1)
    table, title = result.table, result.title
    if result.kind == "effects":
        return _draw_effects(table, title, classes, max_display, ax)
    if classes is not None:
        raise ValueError(
            f"`classes` must be None for a table without classes. Got {classes!r}."
        )
    if result.kind == "importance":
        table = table.sort_values("importance", ascending=False, kind="stable")
        margin = 1.5
        shown = table.head(canvas.n_fitting(max_display, _BAR, margin, ax))
        ax = canvas.axes_of(ax, (7.4, _BAR * len(shown) + margin))
        _draw_importance_bars(ax, shown, "importance")
        ax.set_xlabel("drop of the score when shuffled\n(95% interval)")
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
    table: pd.DataFrame, title: str, classes: Any, max_display: int, ax: Axes | None
) -> Axes:
    """Draw the effects of each column on its own scale, as their units differ."""
    labels, chosen = _classes(table, classes)
    groups = _groups(table)
    per_row = _row_height(chosen)
    n_shown = canvas.n_fitting(max_display, per_row, _EFFECTS_MARGIN, ax)
    shown = [table.iloc[rows] for rows in groups[:n_shown]]
    ax = canvas.axes_of(ax, (8.0, per_row * len(shown) + _EFFECTS_MARGIN))
    for row, part in enumerate(shown):
        _draw_group(ax, part, row, labels, chosen)
    for place, k in enumerate(chosen.colored):
        text = canvas.short(labels[k], canvas.MAX_CLASS, labels)
        ax.plot([], [], "s", ms=8, color=canvas.color_of(place), label=text)
    if chosen.others:
        ax.plot([], [], "|", ms=8, color=canvas.GREY, label=chosen.note)
    ax.axvline(0, color=canvas.ink_of(ax), lw=0.8)
    ax.set_xlim(-_LIMIT, _LIMIT)
    ax.set_xticks([])
    unit = title.rpartition(" the ")[2]  # "Average conditional effects on the …"
    ax.set_xlabel(
        f"change of the {unit} per unit\n(bars: each column on its own scale)"
    )
    canvas.legend_of(ax)
    names = [_row_name(part.iloc[0], table) for part in shown]
    return canvas.name_rows(ax, names, title, len(groups), length=_MAX_LABEL)


def _groups(table: pd.DataFrame) -> list[list[int]]:
    """Return the positions of the effects in each row of the plot."""
    keys = [table[name] for name in ("feature", "level") if name in table]
    return list(rows_by(*keys).values())


def _classes(table: pd.DataFrame, classes: Any) -> tuple[list[Any], Chosen]:
    """Return all classes, and those that are coloured: the largest effects."""
    labels = list(dict.fromkeys(table["class"]))
    sizes = table["effect"].abs().to_numpy(float)
    moves = np.zeros(len(labels))
    for rows in _groups(table):
        share = sizes[rows] / (np.nanmax(sizes[rows]) or 1.0)
        for label, part in zip(table["class"].iloc[rows], share, strict=True):
            moves[labels.index(label)] += np.nan_to_num(part)
    return labels, choose(labels, moves, classes)


def _row_height(chosen: Chosen) -> float:
    """Return the height of the bars of a column, in inches."""
    return 0.19 * _n_lines(chosen) + 0.14


def _n_lines(chosen: Chosen) -> int:
    """Return the number of bars of a column; grey marks share one line."""
    return len(chosen.colored) + bool(chosen.others)


def _draw_group(
    ax: Axes, group: pd.DataFrame, row: int, labels: list[Any], chosen: Chosen
) -> None:
    """Draw the bars of one column or category, one per class."""
    group = group.set_index(pd.Index([labels.index(c) for c in group["class"]]))
    part = group.reindex(chosen.colored)
    grey = group["effect"].reindex(chosen.others)
    numbers = [part[["effect", "ci_low", "ci_high"]].to_numpy(float).ravel(), grey]
    scale = np.nanmax(np.abs(np.concatenate(numbers)), initial=0.0) or 1.0
    height = _GROUP / _n_lines(chosen)
    at = row - _GROUP / 2 + height * (np.arange(len(part)) + 0.5)
    colors = [canvas.color_of(place) for place in range(len(part))]
    if chosen.others:
        below = np.full(len(grey), at[-1] + height)
        ax.plot(grey / scale, below, "|", ms=7, color=canvas.GREY, alpha=0.7)
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
    result: Summary, classes: Any, max_display: Any, ax: tuple[Axes, Axes] | None
) -> np.ndarray:
    """Draw importances with their ranks, and effects; see ``Summary.plot``."""
    check_count("max_display", max_display, 1)
    importance, effects = part_of(result, "importance"), part_of(result, "effect")
    effects = effects.rename(columns={"value": "effect"})
    n_effects = n_importances = max_display
    if ax is None:
        per_row = _row_height(_classes(effects, classes)[1])
        n_effects = canvas.n_fitting(max_display, per_row, _EFFECTS_MARGIN, None)
        height = per_row * min(n_effects, len(_groups(effects))) + _EFFECTS_MARGIN
        n_importances = canvas.n_fitting(max_display, _BAR, _EFFECTS_MARGIN, None)
        ax = canvas.new_axes((14, max(3.2, height)), 1, 2)[0]
    first, second = ax
    shown = importance.head(n_importances)
    _draw_importance_bars(first, shown, "value")
    label = "increase of the cross-entropy when shuffled, in nats\n(95% interval)"
    first.set_xlabel(label)
    names = [
        f"{canvas.short(name, canvas.MAX_COLUMN, shown['feature'])} (rank {rank})"
        for name, rank in zip(shown["feature"], ranks_of(shown), strict=True)
    ]
    canvas.name_rows(first, names, "Importance", len(importance), length=_MAX_LABEL)
    heading = f"Average conditional effects on the {result.unit}"
    _draw_effects(effects, heading, classes, n_effects, second)
    return np.array([first, second])
