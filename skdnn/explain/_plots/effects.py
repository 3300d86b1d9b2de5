"""Average conditional effects as bars, with numbers beside them."""

import numpy as np
import pandas as pd

from skdnn.explain._plots import canvas
from skdnn.explain._plots.canvas import Axes

_GROUP = 0.84  # height of the bars of a row
_LIMIT = 1.45  # the longest bar, of length 1, and space for its number
_MAX_LABEL = 59


def draw_effects(
    table: pd.DataFrame, title: str, max_display: int, ax: Axes | None
) -> Axes:
    """Draw the effects of each column on its own scale.

    Units differ from column to column, so lengths cannot be compared across them.
    """
    groups = list(table.groupby(row_key(table), sort=False, dropna=False))
    shown = [part for _, part in groups[:max_display]]
    classes = list(dict.fromkeys(table["class"]))
    ax = canvas.axes_of(ax, (7.2, len(shown) * (0.19 * len(classes) + 0.14) + 1.3))
    height = _GROUP / len(classes)
    for row, part in enumerate(shown):
        at = row - _GROUP / 2 + height * (np.arange(len(part)) + 0.5)
        colors = [canvas.color_of(classes.index(label)) for label in part["class"]]
        _draw_group(ax, part, at, height, colors)
    for place, label in enumerate(classes):
        text = canvas.short(label, canvas.MAX_CLASS)
        ax.plot([], [], "s", ms=8, color=canvas.color_of(place), label=text)
    ax.axvline(0, color="black", lw=0.8)
    ax.set_xlim(-_LIMIT, _LIMIT)
    ax.set_xticks([])
    unit = title.rpartition(" the ")[2]  # "Average conditional effects on the …"
    ax.set_xlabel(f"change of the {unit} per unit (bars: each column on its own scale)")
    canvas.legend_of(ax, "class")
    names = [_row_name(part.iloc[0]) for part in shown]
    return canvas.name_rows(ax, names, title, len(groups), length=_MAX_LABEL)


def row_key(table: pd.DataFrame) -> list[str]:
    """Return the columns that name a row of the plot."""
    return [name for name in ("feature", "level") if name in table]


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
        side = 1 if effect >= 0 else -1
        ax.annotate(
            f"{effect:+.3g}", (end, y), xytext=(4 * side, 0),
            textcoords="offset points", va="center", fontsize=7.5,
            ha="left" if side > 0 else "right",
        )  # fmt: skip


def _row_name(first: pd.Series) -> str:
    name = canvas.short(first["feature"], canvas.MAX_COLUMN)
    if "level" not in first or pd.isna(first["reference"]):
        return name
    level, reference = (
        canvas.short(first[c], canvas.MAX_CELL) for c in ("level", "reference")
    )
    return f"{name}: {level} vs {reference}"
