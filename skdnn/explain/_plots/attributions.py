"""Results on matplotlib Axes. Nothing is computed here but places to draw at."""

import numpy as np
import pandas as pd

from skdnn.explain._model.options import check_option
from skdnn.explain._plots.images import plot_image
from skdnn.explain._results.attributions import Attributions
from skdnn.explain._results.registry import register

# Okabe and Ito's colours: told apart by every kind of sight.
COLORS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442")
UP, DOWN, GREY = "#D55E00", "#0072B2", "#7f7f7f"
_MOST_NAME = 34
MOST_CLASS = 24  # in a legend
_ATTRIBUTION_KINDS = ("bar", "beeswarm", "waterfall", "image")


@register("plot", Attributions)
def plot_attributions(result, kind, sample, target_class, max_display, ax):
    """Draw attributions; see ``Attributions.plot``."""
    check_option("kind", kind, _ATTRIBUTION_KINDS)
    check_most(max_display)
    if sample is not None:
        sample = result.sample_position(sample)
    k = None if target_class is None else result.class_position(target_class)
    if kind == "beeswarm":
        k = np.abs(result.values).sum(axis=(0, 1)).argmax() if k is None else k
        return _beeswarm(result, k, max_display, ax)
    if kind == "waterfall":
        sample = 0 if sample is None else sample
        k = result.predictions[sample].argmax() if k is None else k
        return _waterfall(result, sample, k, max_display, ax)
    if kind == "image":
        sample = 0 if sample is None else sample
        k = result.predictions[sample].argmax() if k is None else k
        return plot_image(result, sample, k, ax)
    if sample is None:
        return _mean_bars(result, k, max_display, ax)
    k = result.predictions[sample].argmax() if k is None else k
    return _row_bars(result, sample, k, max_display, ax)


def _mean_bars(result, k, max_display, ax):
    """Draw the mean size of the attributions, stacked by class."""
    classes = range(len(result.class_names)) if k is None else [k]
    sizes = np.abs(result.values).mean(axis=0)[:, list(classes)]
    order = np.argsort(-sizes.sum(axis=1), kind="stable")
    shown = order[:max_display]
    ax = axes_of(ax, (6.8, 0.34 * len(shown) + 1.6))
    left = np.zeros(len(shown))
    for place, c in enumerate(classes):
        ax.barh(
            range(len(shown)), sizes[shown, place], left=left,
            color=COLORS[place % len(COLORS)],
            hatch="//" if place >= len(COLORS) else None,
            label=short(result.class_names[c], MOST_CLASS),
        )  # fmt: skip
        left += sizes[shown, place]
    ax.set_xlabel(f"mean size of the attribution ({_unit(result)})")
    legend_of(ax, "class")
    names = [result.feature_names[j] for j in shown]
    poor = _poor_note(result, list(classes))
    return name_rows(ax, names, result.title + poor, len(order))


def _row_bars(result, sample, k, max_display, ax):
    """Draw the attributions of one row for one class."""
    values = result.values[sample, :, k]
    order = np.argsort(-np.abs(values), kind="stable")
    shown = order[:max_display]
    ax = axes_of(ax, (6.8, 0.34 * len(shown) + 1.5))
    _, high = result.interval()
    errors = np.nan_to_num(high[sample, shown, k] - values[shown])
    ax.barh(
        range(len(shown)), values[shown], xerr=errors, ecolor="black",
        error_kw={"elinewidth": 1},
        color=np.where(values[shown] >= 0, UP, DOWN),
    )  # fmt: skip
    told = f"{_unit(result)} of {short(result.class_names[k])}"
    if result.n_refits:
        reach = result.refit_interval()[1][sample, shown, k] - values[shown]
        ax.errorbar(
            values[shown], range(len(shown)), xerr=reach, fmt="none", ecolor=GREY,
            elinewidth=1, capsize=3,
        )  # fmt: skip
        told += "\ngrey: where another fit would lie (95 %)"
    ax.axvline(0, color=GREY, lw=0.8)
    label_x(ax, told)
    title = _row_title(result, sample, k)
    _fade(ax, result, ([sample], [k]))
    names = [cell_name(result, sample, j) for j in shown]
    return name_rows(ax, names, title, len(order))


def _waterfall(result, sample, k, max_display, ax):
    """Draw how attributions lead from the base value to the prediction."""
    values = result.values[sample, :, k]
    order = np.argsort(-np.abs(values), kind="stable")
    shown, rest = order[: max_display - 1], order[max_display - 1 :]
    if len(rest) == 1:
        shown, rest = order, order[:0]
    moves = [*values[shown], *([values[rest].sum()] if len(rest) else [])]
    names = [cell_name(result, sample, j) for j in shown]
    names += [f"{len(rest)} other columns"] if len(rest) else []
    base = np.broadcast_to(result.base_values, result.predictions.shape)[sample, k]
    ends = base + np.cumsum(moves[::-1])[::-1]
    starts = ends - np.array(moves)
    ax = axes_of(ax, (7.2, 0.38 * len(moves) + 1.7))
    ax.barh(
        range(len(moves)), moves, left=starts, height=0.7,
        color=np.where(np.array(moves) >= 0, UP, DOWN),
    )  # fmt: skip
    low, high = min(starts.min(), ends.min()), max(starts.max(), ends.max())
    reach = (high - low) or 1.0
    for i, (move, start, end) in enumerate(zip(moves, starts, ends, strict=True)):
        right = max(start, end) + 0.01 * reach
        told = f"{round(move, 3) + 0.0:+.3f}"  # a minus before 0.000 says nothing
        ax.text(right, i, told, va="center", fontsize=8.5)
    ax.set_xlim(low - 0.04 * reach, high + 0.14 * reach)
    ax.axvline(base, color=GREY, lw=1, ls=":")
    name = short(result.class_names[k])
    final = result.predictions[sample, k]
    told = f"from {base:.3f} on average to {final:.3f}"
    if result.score is not None:  # a surrogate misses its mark
        told = f"from {base:.3f}, nothing alike, to {ends[0]:.3f}; it is {final:.3f}"
    label_x(ax, f"{_unit(result)} of {name}\n{told}")
    _fade(ax, result, ([sample], [k]))
    return name_rows(ax, names, _row_title(result, sample, k))


def _beeswarm(result, k, max_display, ax):
    """Draw every row's attribution, coloured by the size of its cell."""
    values = result.values[:, :, k]
    order = np.argsort(-np.abs(values).mean(axis=0), kind="stable")
    shown = order[:max_display]
    ax = axes_of(ax, (7.2, 0.42 * len(shown) + 1.5))
    points = None
    for i, j in enumerate(shown):
        x = values[:, j]
        y = i + _spread(x, values[:, shown])
        shade = _ranks(result.data[:, j])
        if shade is None:  # words have no high or low
            ax.scatter(x, y, s=13, color=GREY, linewidths=0, alpha=0.8)
            continue
        points = ax.scatter(
            x, y, s=13, c=shade, cmap="viridis", vmin=0, vmax=1, linewidths=0, alpha=0.9
        )
    ax.axvline(0, color=GREY, lw=0.8)
    name = short(result.class_names[k])
    label_x(ax, f"attribution ({_unit(result)} of {name})")
    if points is not None:
        bar = ax.figure.colorbar(points, ax=ax, ticks=[0, 1], aspect=30, pad=0.02)
        bar.ax.set_yticklabels(["low", "high"])
        bar.set_label("value of the cell", labelpad=-14)
        bar.outline.set_visible(False)
    names = [result.feature_names[j] for j in shown]
    title = f"{result.title}\nclass {name}{_poor_note(result, [k])}"
    return name_rows(ax, names, title, len(order))


def _row_title(result, sample, k) -> str:
    title = f"{result.title}: row {sample}\nclass {short(result.class_names[k])}"
    if result.score is None:
        return title
    poor = ", a poor fit" if result.poor_fit[sample, k] else ""
    return f"{title}, local R² {result.score[sample, k]:.2f}{poor}"


def _poor_note(result, classes) -> str:
    """Return a line of a title that counts the surrogates that fit poorly."""
    if result.poor_fit is None or not result.poor_fit[:, classes].any():
        return ""
    poor = result.poor_fit[:, classes]
    return f"\n{poor.sum()} of {poor.size} surrogates fit poorly (R² below 0.5)"


def _fade(ax, result, where) -> None:
    """Hatch and pale the bars of a surrogate that is no picture of the classifier."""
    if result.poor_fit is None or not result.poor_fit[where].all():
        return
    for bar in ax.patches:
        bar.set(alpha=0.35, hatch="///")


def check_most(max_display) -> None:
    if not isinstance(max_display, int | np.integer) or max_display < 1:
        raise ValueError(
            f"`max_display` must be a whole number, at least 1. Got {max_display!r}."
        )


def axes_of(ax, size):
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    return plt.subplots(figsize=size, layout="constrained")[1]


def name_rows(ax, names, title, n_all=None, length=_MOST_NAME):
    """Write a name at each bar, from the top down, and the title."""
    names = [short(name, length) for name in names]
    ax.set_yticks(range(len(names)), names, parse_math=False)
    ax.set_ylim(len(names) - 0.4, -0.6)
    if n_all is not None and n_all > len(names):
        title += f"\n{len(names)} of {n_all} columns"
    ax.set_title(title, fontsize=11, parse_math=False)
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def label_x(ax, text):
    ax.set_xlabel(text, parse_math=False)


def legend_of(ax, title):
    # beside the Axes, where it hides nothing
    handles, labels = ax.get_legend_handles_labels()
    legend = ax.legend(
        handles, labels, title=title, frameon=False, fontsize=9, loc="upper left",
        bbox_to_anchor=(1.01, 1), borderaxespad=0, ncols=-(-len(labels) // 16),
    )  # fmt: skip
    for text in legend.get_texts():
        text.set_parse_math(False)


def _spread(x: np.ndarray, everything: np.ndarray) -> np.ndarray:
    """Return how far each point is moved aside so that none hides another."""
    low, high = everything.min(), everything.max()
    bins = np.floor(100 * (x - low) / ((high - low) or 1.0))
    aside = np.zeros(len(x))
    for place in np.unique(bins):
        here = np.flatnonzero(bins == place)
        here = here[np.argsort(x[here], kind="stable")]
        steps = np.arange(len(here))
        aside[here] = np.where(steps % 2, 1, -1) * ((steps + 1) // 2)
    most = np.abs(aside).max()
    return aside * min(0.07, 0.4 / most) if most else aside


def _ranks(cells: np.ndarray) -> np.ndarray | None:
    """Return where each cell lies between the lowest, 0, and the highest, 1."""
    numbers = pd.to_numeric(pd.Series(cells), errors="coerce").to_numpy(float)
    if np.isnan(numbers).all() or any(isinstance(cell, str) for cell in cells):
        return None
    low, high = np.nanmin(numbers), np.nanmax(numbers)
    return (numbers - low) / ((high - low) or 1.0)


def cell_name(result, sample, j) -> str:
    value = result.data[sample, j]
    if isinstance(value, float | np.floating):
        value = f"{value:.4g}"
    return f"{short(result.feature_names[j], 24)} = {short(value, 14)}"


def _unit(result) -> str:
    return "probability" if result.output == "probability" else "log odds"


def short(name, length: int = _MOST_NAME) -> str:
    """Return the name on one line, cut in the middle if it is long."""
    name = "(missing)" if pd.isna(name) else str(name)
    if not (name.isascii() and name.isprintable()):
        name = _drawable(name)
    half = (length - 1) // 2
    return name if len(name) <= length else f"{name[:half]}…{name[-half:]}"


def _drawable(name: str) -> str:
    """Return the name with what the fonts do not hold as escapes.

    matplotlib would draw the same box for each of these and warn. A font that holds
    them is used if ``matplotlib.rcParams["font.family"]`` lists it.
    """
    from matplotlib.font_manager import FontProperties, findfont, get_font

    fonts = []
    for family in FontProperties().get_family():
        try:
            path = findfont(FontProperties(family=[family]), fallback_to_default=False)
        except ValueError:  # listed, but not on this machine
            continue
        fonts.append(get_font(path))
    return "".join(
        char
        if char.isprintable() and any(font.get_char_index(ord(char)) for font in fonts)
        else char.encode("unicode_escape").decode()
        for char in name
    )
