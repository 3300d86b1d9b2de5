"""Every row's attributions for one class, coloured by the cell."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from skdnn.explain._plots import canvas
from skdnn.explain._plots.canvas import Axes
from skdnn.explain._results.attributions import Attributions, poor_note

_N_BINS = 100  # along the x axis; points of one bin are spread along the y axis
_STEP, _MAX_SPREAD = 0.07, 0.4
_POINT: dict[str, Any] = {"s": 13, "linewidths": 0}
_ENDS = 0.2, 0.95  # of the colour map
_MAX_LEVELS = 3  # most frequent categories with a colour
_MAX_LEVEL = 12  # characters
_LINE, _LETTERS = 9.0, 8.0  # height of a line, and of its letters, in points


def draw_beeswarm(
    result: Attributions, k: int, max_display: int, ax: Axes | None
) -> Axes:
    """Draw one point per row and column."""
    values = result.values[:, :, k]
    order = np.argsort(-np.abs(values).mean(axis=0), kind="stable")
    height, margin = 0.5, 1.5
    shown = order[: canvas.n_fitting(max_display, height, margin, ax)]
    ax = canvas.axes_of(ax, (7.6, height * len(shown) + margin))
    points = None
    for i, j in enumerate(shown):
        x, cells = values[:, j], result.data[:, j]
        y = i + _spread(x, values[:, shown])
        shade = _scaled(cells)
        if shade is None:  # text has no high or low
            _draw_categories(ax, x, y, i, cells)
            continue
        known = ~np.isnan(shade)
        scale = {"c": shade[known], "cmap": _colors(), "vmin": 0, "vmax": 1}
        points = ax.scatter(x[known], y[known], alpha=0.9, **scale, **_POINT)
        if not known.all():
            ax.scatter(x[~known], y[~known], color=canvas.GREY, alpha=0.8, **_POINT)
            _write_levels(ax, i, [("missing", canvas.GREY)])
    ax.axvline(0, color=canvas.GREY, lw=0.8)
    name = canvas.class_name(result, k)
    ax.set_xlabel(f"attribution ({canvas.output_of(result, k)})", parse_math=False)
    if points is not None:
        bar = ax.figure.colorbar(points, ax=ax, ticks=[0, 1], aspect=30, pad=0.02)
        bar.ax.set_yticklabels(["low", "high"])
        bar.set_label("cell value", labelpad=-14)
        bar.outline.set_visible(False)
    names = [result.feature_names[j] for j in shown]
    note = poor_note(result, [k])
    title = f"{result.title}\nclass {name}" + (f"\n{note}" if note else "")
    return canvas.name_rows(ax, names, title, len(order))


def _colors() -> Any:
    """Return viridis without its ends, which are lost on black and on white."""
    from matplotlib import colormaps
    from matplotlib.colors import ListedColormap

    return ListedColormap(colormaps["viridis"](np.linspace(*_ENDS, 256)))


def _draw_categories(
    ax: Axes, x: np.ndarray, y: np.ndarray, row: int, cells: np.ndarray
) -> None:
    """Draw a text column: its most frequent categories have colours, named beside."""
    texts = pd.Series([canvas.short(cell, 10**6) for cell in cells], dtype=object)
    counts: dict[str, int] = {}
    for text in texts:
        counts[text] = counts.get(text, 0) + 1
    # the first of equally frequent ones is the first by name
    levels = sorted(counts, key=lambda text: (-counts[text], text))
    n_named = len(levels) if len(levels) <= _MAX_LEVELS + 1 else _MAX_LEVELS
    named = []
    for place, level in enumerate(levels[:n_named]):
        here = (texts == level).to_numpy()
        color = canvas.color_of(place)
        ax.scatter(x[here], y[here], color=color, alpha=0.9, **_POINT)
        named.append((canvas.short(level, _MAX_LEVEL, levels), color))
    if n_named < len(levels):
        rest = texts.isin(levels[n_named:]).to_numpy()
        ax.scatter(x[rest], y[rest], color=canvas.GREY, alpha=0.8, **_POINT)
        named.append((f"{len(levels) - n_named} others", canvas.GREY))
    _write_levels(ax, row, named)


def _write_levels(ax: Axes, row: int, named: Sequence[tuple[str, str]]) -> None:
    """Write categories in their colours at the right of a row, one below another."""
    for place, (text, color) in enumerate(named):
        down = _LINE * ((len(named) - 1) / 2 - place)
        label = ax.annotate(
            text, (1, row), (4, down), xycoords=ax.get_yaxis_transform(),
            textcoords="offset points", va="center", fontsize=_LETTERS, color=color,
            annotation_clip=False,
        )  # fmt: skip
        label.set_parse_math(False)


def _spread(x: np.ndarray, everything: np.ndarray) -> np.ndarray:
    """Return offsets of the points so that none hides another."""
    low, high = everything.min(), everything.max()
    bins = np.floor(_N_BINS * (x - low) / ((high - low) or 1.0))
    offsets = np.zeros(len(x))
    for place in np.unique(bins):
        here = np.flatnonzero(bins == place)
        here = here[np.argsort(x[here], kind="stable")]
        steps = np.arange(len(here))
        offsets[here] = np.where(steps % 2, 1, -1) * ((steps + 1) // 2)
    most = np.abs(offsets).max()
    return offsets * min(_STEP, _MAX_SPREAD / most) if most else offsets


def _scaled(cells: np.ndarray) -> np.ndarray | None:
    """Return cells scaled from 0, the lowest, to 1, the highest; None for text.

    A missing cell is NaN.
    """
    numbers = pd.to_numeric(pd.Series(cells), errors="coerce").to_numpy(float)
    if np.isnan(numbers).all() or any(isinstance(cell, str) for cell in cells):
        return None
    low, high = np.nanmin(numbers), np.nanmax(numbers)
    return np.asarray((numbers - low) / ((high - low) or 1.0))
