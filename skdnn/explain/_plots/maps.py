"""The output over pairs of columns, as maps."""

from typing import Any

import numpy as np
import pandas as pd

from skdnn.explain._model.options import check_option
from skdnn.explain._plots import canvas
from skdnn.explain._plots.canvas import Axes
from skdnn.explain._plots.classes import choose
from skdnn.explain._results.frames import inferred, rows_by


def draw_maps(
    table: pd.DataFrame,
    unit: str,
    feature: Any,
    classes: Any,
    max_display: int,
    ax: Axes | None,
) -> Axes | np.ndarray:
    """Draw a map of each pair of columns and class; of many, those that vary most."""
    pairs = list(dict.fromkeys(_pairs(table)))
    if feature is not None:
        feature = tuple(feature) if isinstance(feature, list) else feature
        check_option("feature", feature, pairs)
        pairs = [feature]
    height, n_pairs = 3.3, len(pairs)
    pairs = pairs[: canvas.n_fitting(max_display, height, 0.0, ax)]
    labels = list(dict.fromkeys(table["class"]))
    table = table[[pair in pairs for pair in _pairs(table)]]
    rows_of = rows_by(table["class"])
    values = table["value"].to_numpy(float)
    spans = [np.ptp(values[rows_of[(label,)]]) for label in labels]
    classes = [labels[k] for k in choose(labels, spans, classes).colored]
    table = table[[label in classes for label in table["class"]]]
    if ax is None:
        size = (3.6 * len(classes) + 0.8, height * len(pairs))
        axes = canvas.new_axes(size, len(pairs), len(classes))
    elif len(pairs) * len(classes) == 1:
        axes = np.array([[ax]])
    else:
        raise ValueError(
            "`ax` holds one pair of columns and one class: name them with `feature` "
            f"and `target_class`. Got {len(pairs)} and {len(classes)}."
        )
    low, high = table["value"].min(), table["value"].max()
    for row, pair in zip(axes, pairs, strict=True):
        of_pair = (table["feature"] == pair[0]) & (table["feature_2"] == pair[1])
        for place, label in zip(row, classes, strict=True):
            part = table[of_pair & (table["class"] == label)]
            mesh = _draw_map(part, place, low, high)
            title = canvas.short(label, among=labels)
            place.set_title(title, fontsize=11, parse_math=False)
    bar = axes[0, 0].figure.colorbar(mesh, ax=axes.ravel().tolist(), pad=0.02)
    bar.set_label(unit)
    bar.outline.set_visible(False)
    if ax is not None:
        return ax
    left_out = [
        f"{len(shown)} of {n_all} {noun}"
        for shown, n_all, noun in (
            (pairs, n_pairs, "pairs of columns"),
            (classes, len(labels), "classes, those that vary most"),
        )
        if len(shown) < n_all and n_all > 2
    ]
    if left_out:
        axes[0, 0].figure.supxlabel("; ".join(left_out), fontsize=10)
    return axes


def _pairs(table: pd.DataFrame) -> list[tuple[Any, Any]]:
    return list(zip(table["feature"], table["feature_2"], strict=True))


def _draw_map(table: pd.DataFrame, ax: Axes, low: float, high: float) -> Any:
    """Draw one class's output over two columns; categories have equal widths."""
    sides = [list(dict.fromkeys(_keys(table[name]))) for name in ("x", "x_2")]
    values = table["value"].to_numpy().reshape(len(sides[0]), len(sides[1]))
    spans = []
    for side, set_ticks in zip(sides, (ax.set_xticks, ax.set_yticks), strict=True):
        if len(side) > 1 and all(isinstance(x, float) and x == x for x in side):
            spans.append(np.array(side))
        else:
            spans.append(np.arange(len(side)))
            names = [canvas.short(x, canvas.MAX_CELL, side) for x in side]
            set_ticks(spans[-1], names, parse_math=False)
    pair = table["feature"].iloc[0], table["feature_2"].iloc[0]
    x_name, y_name = (canvas.short(name, canvas.MAX_COLUMN, pair) for name in pair)
    ax.set_xlabel(x_name, parse_math=False)
    ax.set_ylabel(y_name, parse_math=False)
    x, y = (edges_of(span) for span in spans)
    return ax.pcolormesh(x, y, values.T, vmin=low, vmax=high, cmap="viridis")


def _keys(column: pd.Series) -> list[Any]:
    """Return cells that can be compared; None for any missing one."""
    return [None if pd.isna(cell) else cell for cell in inferred(column)]


def edges_of(middles: np.ndarray) -> np.ndarray:
    """Return the edges of the fields around grid points."""
    if len(middles) == 1:
        return middles + np.array([-0.5, 0.5])
    wide = np.pad(middles, 1, "reflect", reflect_type="odd")
    return np.asarray((wide[1:] + wide[:-1]) / 2)
