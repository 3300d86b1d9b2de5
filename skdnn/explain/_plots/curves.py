"""The curves or bars of one column, for each class."""

from typing import Any

import numpy as np
import pandas as pd

from skdnn.explain._plots import canvas
from skdnn.explain._plots.canvas import Axes
from skdnn.explain._plots.classes import Chosen
from skdnn.explain._results.frames import inferred, rows_by
from skdnn.explain._results.profiles import Profiles

_MAX_CURVES = 200  # of single rows in one plot
_FEW_POINTS = 12  # fewer have markers
# of the classes that are not coloured
_FAINT: dict[str, Any] = {"color": canvas.GREY, "alpha": 0.5, "lw": 0.8, "zorder": 1}


def draw_column(
    result: Profiles,
    table: pd.DataFrame,
    name: str,
    chosen: Chosen,
    ax: Axes,
    with_dots: bool = False,
) -> None:
    """Draw one column: a line or a group of bars per class.

    On an axis without 0 there are dots instead of bars.
    """
    label = canvas.short(name, among=table["feature"].unique())
    table = table[table["feature"] == name]
    x = inferred(table["x"])
    if pd.api.types.is_numeric_dtype(x) and not pd.api.types.is_bool_dtype(x):
        _draw_curves(result, table.assign(x=x.astype(float)), name, chosen, ax)
    else:
        _draw_bars(result, table, name, chosen, ax, with_dots)
    if result.unit.startswith("change"):
        ax.axhline(0, color=canvas.ink_of(ax), lw=0.8)
    ax.set_xlabel(label, parse_math=False)
    ax.set_ylabel(result.unit)
    ax.spines[["top", "right"]].set_visible(False)


def _parts(
    table: pd.DataFrame, chosen: Chosen
) -> list[tuple[pd.DataFrame, str | None, str]]:
    """Return the rows of each class, its colour (None: grey), and its label."""
    rows_of = rows_by(table["class"])
    labels = [label for (label,) in rows_of]
    by_class = [table.iloc[rows] for rows in rows_of.values()]
    parts: list[tuple[pd.DataFrame, str | None, str]] = []
    for place, k in enumerate(chosen.colored):
        text = canvas.short(labels[k], canvas.MAX_CLASS, labels)
        parts.append((by_class[k], canvas.color_of(place), text))
    for k in chosen.others:  # one entry in the legend
        text = chosen.note if k == chosen.others[0] else ""
        parts.append((by_class[k], None, text))
    return parts


def _draw_curves(
    result: Profiles, table: pd.DataFrame, name: str, chosen: Chosen, ax: Axes
) -> None:
    """Draw a numeric column: each row's curve, or their mean, or both."""
    for part, color, text in _parts(table, chosen):
        look = _FAINT if color is None else {"color": color, "lw": 1.8}
        if "sample" in part:
            _draw_rows(result, part, name, ax, color)
        if result.own is not None:
            if text:
                ax.plot([], [], **look, label=text)
            continue
        mean = part.groupby("x", dropna=False)["value"].mean()
        marker = "o" if len(mean) < _FEW_POINTS and color is not None else None
        ax.plot(mean.index, mean, **look, label=text or None, marker=marker, ms=3.5)
        if color is not None and result.n_refits and "sample" not in part:
            # the interval of another fit's curve
            low, high = (end[part.index] for end in result.refit_interval())
            ax.fill_between(part["x"], low, high, color=color, alpha=0.15, lw=0)
    deciles = result.ticks.get(name, ())
    ax.plot(
        deciles, np.zeros(len(deciles)), "|", color=canvas.ink_of(ax), ms=7,
        clip_on=False, transform=ax.get_xaxis_transform(),
    )  # fmt: skip


def _draw_rows(
    result: Profiles, part: pd.DataFrame, name: str, ax: Axes, color: str | None
) -> None:
    """Draw the curves of single rows for one class; of many rows, some."""
    samples = part["sample"].unique()
    shown = samples[:: -(-len(samples) // _MAX_CURVES)]
    is_thin = result.own is None or len(shown) > 1
    look: dict[str, Any] = _FAINT
    if color is not None:
        alpha = 0.25 if result.own is None else 0.8
        look = {"color": color, "lw": 0.5 if is_thin else 1.8, "alpha": alpha}
    elif result.own is None:
        return  # the means suffice for classes that are not coloured
    for sample in shown:
        curve = part[part["sample"] == sample]
        ax.plot(curve["x"], curve["value"], **look)
        if result.own is not None and color is not None:  # a dot at the row's own cell
            at = curve["x"] == result.own[name][sample]
            ax.plot(curve["x"][at], curve["value"][at], "o", ms=5, color=color)


def _draw_bars(
    result: Profiles,
    table: pd.DataFrame,
    name: str,
    chosen: Chosen,
    ax: Axes,
    with_dots: bool,
) -> None:
    """Draw a text column: a group of bars per category; grey classes as marks."""
    width = 0.8 / len(chosen.colored)
    for place, (part, color, text) in enumerate(_parts(table, chosen)):
        rows_of = rows_by(part["x"])
        mean = [part["value"].iloc[rows].mean() for rows in rows_of.values()]
        if color is None:
            ax.plot(
                range(len(mean)), mean, "_", ms=9, color=canvas.GREY, alpha=0.7,
                label=text or None,
            )  # fmt: skip
            continue
        at = np.arange(len(mean)) - 0.4 + width * (place + 0.5)
        if with_dots:
            ax.plot(at, mean, "o", color=color, label=text)
        else:
            ax.bar(at, mean, width=width, color=color, label=text)
        if result.n_refits and "sample" not in part:
            reach = (result.refit_interval()[1][part.index] - part["value"]).to_numpy()
            ink = canvas.ink_of(ax)
            ax.errorbar(at, mean, reach, fmt="none", ecolor=ink, elinewidth=0.8)
    known = [category for (category,) in rows_of]
    labels = [canvas.short(category, canvas.MAX_CELL, known) for category in known]
    if result.own is not None and table["sample"].nunique() == 1:
        own = result.own[name][table["sample"].iloc[0]]
        is_own = [(pd.isna(x) and pd.isna(own)) or x == own for (x,) in rows_of]
        labels[is_own.index(True)] += "\n(this row)"
    turned = 30 if len(labels) > 3 else 0
    look = {"rotation_mode": "anchor", "ha": "right"} if turned else {}
    places = range(len(labels))
    ax.set_xticks(places, labels, rotation=turned, parse_math=False, **look)
