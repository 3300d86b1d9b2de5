"""Every row's attributions for one class, coloured by the cell."""

import numpy as np
import pandas as pd

from skdnn.explain._plots import canvas
from skdnn.explain._plots.canvas import Axes
from skdnn.explain._results.attributions import Attributions, poor_note

_N_BINS = 100  # along the x axis; points of one bin are spread along the y axis
_STEP, _MAX_SPREAD = 0.07, 0.4


def draw_beeswarm(
    result: Attributions, k: int, max_display: int, ax: Axes | None
) -> Axes:
    """Draw one point per row and column."""
    values = result.values[:, :, k]
    order = np.argsort(-np.abs(values).mean(axis=0), kind="stable")
    shown = order[:max_display]
    ax = canvas.axes_of(ax, (7.2, 0.42 * len(shown) + 1.5))
    points, look = None, {"s": 13, "linewidths": 0}
    for i, j in enumerate(shown):
        x = values[:, j]
        y = i + _spread(x, values[:, shown])
        shade = _scaled(result.data[:, j])
        if shade is None:  # text has no high or low
            ax.scatter(x, y, color=canvas.GREY, alpha=0.8, **look)
            continue
        scale = {"c": shade, "cmap": "viridis", "vmin": 0, "vmax": 1}
        points = ax.scatter(x, y, alpha=0.9, **scale, **look)
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
    """Return cells scaled from 0, the lowest, to 1, the highest; None for text."""
    numbers = pd.to_numeric(pd.Series(cells), errors="coerce").to_numpy(float)
    if np.isnan(numbers).all() or any(isinstance(cell, str) for cell in cells):
        return None
    low, high = np.nanmin(numbers), np.nanmax(numbers)
    return np.asarray((numbers - low) / ((high - low) or 1.0))
