"""Attributions as bars: their mean size, or those of one row."""

import numpy as np

from skdnn.explain._plots import canvas
from skdnn.explain._plots.canvas import Axes
from skdnn.explain._results.attributions import Attributions, poor_note


def draw_mean_bars(
    result: Attributions, k: int | None, max_display: int, ax: Axes | None
) -> Axes:
    """Draw the mean size of the attributions, stacked by class."""
    classes = range(len(result.class_names)) if k is None else [k]
    sizes = np.abs(result.values).mean(axis=0)[:, list(classes)]
    order = np.argsort(-sizes.sum(axis=1), kind="stable")
    shown = order[:max_display]
    ax = canvas.axes_of(ax, (6.8, 0.34 * len(shown) + 1.6))
    left = np.zeros(len(shown))
    for place, c in enumerate(classes):
        ax.barh(
            range(len(shown)), sizes[shown, place], left=left,
            color=canvas.color_of(place),
            hatch="//" if place >= len(canvas.COLORS) else None,
            label=canvas.short(result.class_names[c], canvas.MAX_CLASS),
        )  # fmt: skip
        left += sizes[shown, place]
    ax.set_xlabel(f"mean absolute attribution ({canvas.unit_of(result)})")
    canvas.legend_of(ax)
    names = [result.feature_names[j] for j in shown]
    note = poor_note(result, list(classes))
    title = f"{result.title}\n{note}" if note else result.title
    return canvas.name_rows(ax, names, title, len(order))


def draw_row_bars(
    result: Attributions, sample: int, k: int, max_display: int, ax: Axes | None
) -> Axes:
    """Draw the attributions of one row for one class, with their intervals."""
    values = result.values[sample, :, k]
    order = np.argsort(-np.abs(values), kind="stable")
    shown = order[:max_display]
    ax = canvas.axes_of(ax, (6.8, 0.34 * len(shown) + 1.5))
    _, high = result.interval()
    errors = np.nan_to_num(high[sample, shown, k] - values[shown])
    ax.barh(
        range(len(shown)), values[shown], xerr=errors, ecolor="black",
        error_kw={"elinewidth": 1}, color=canvas.up_down(values[shown]),
    )  # fmt: skip
    label = canvas.output_of(result, k)
    if result.n_refits:
        reach = result.refit_interval()[1][sample, shown, k] - values[shown]
        ax.errorbar(
            values[shown], range(len(shown)), xerr=reach, fmt="none",
            ecolor=canvas.GREY, elinewidth=1, capsize=3,
        )  # fmt: skip
        label += "\ngrey: 95% interval of another fit"
    ax.axvline(0, color=canvas.GREY, lw=0.8)
    ax.set_xlabel(label, parse_math=False)
    fade_poor_fit(ax, result, sample, k)
    names = [canvas.cell_name(result, sample, j) for j in shown]
    return canvas.name_rows(ax, names, row_title(result, sample, k), len(order))


def row_title(result: Attributions, sample: int, k: int) -> str:
    """Return the title of a plot of one row and class."""
    title = f"{result.title}: row {sample}\nclass {canvas.short(result.class_names[k])}"
    if result.score is None or result.poor_fit is None:
        return title
    poor = ", a poor fit" if result.poor_fit[sample, k] else ""
    return f"{title}, local R² {result.score[sample, k]:.2f}{poor}"


def fade_poor_fit(ax: Axes, result: Attributions, sample: int, k: int) -> None:
    """Hatch the bars of a surrogate that fits poorly, in pale colours."""
    if result.poor_fit is not None and result.poor_fit[sample, k]:
        for bar in ax.patches:
            bar.set(alpha=0.35, hatch="///")
