"""Colours, Axes and names that all plots share."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from skdnn._runtime.names import shorten
from skdnn.explain._results.attributions import Attributions

Axes = Any  # matplotlib is imported only when something is drawn

# Okabe and Ito's colours, distinct for every kind of colour vision
COLORS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442")
UP, DOWN, GREY = "#D55E00", "#0072B2", "#7f7f7f"
# most characters of a name, a class in a legend, a column beside its cell, and a cell
MAX_NAME, MAX_CLASS, MAX_COLUMN, MAX_CELL = 33, 23, 23, 13
# inches; what is taller does not fit on a screen or page
MAX_HEIGHT = 13.0
_LEGEND_ROWS = 16
_SMALLEST = 1e-9  # probability at the ends of an axis of log odds


def color_of(place: int) -> str:
    """Return the colour of the class at a position."""
    return COLORS[place % len(COLORS)]


def ink_of(ax: Axes) -> Any:
    """Return the colour of the text of Axes: black, or white on a dark background."""
    return ax.xaxis.label.get_color()


def use_log_odds(axes: Sequence[Axes], unit: str) -> None:
    """Make the vertical axes, of probabilities, those of their log odds, all equal."""
    from matplotlib.ticker import FuncFormatter, NullFormatter

    values = np.concatenate([line.get_ydata() for ax in axes for line in ax.lines])
    inner = values[(values > 0) & (values < 1)].astype(float)
    known = logit(np.clip(inner, _SMALLEST, 1 - _SMALLEST))
    margin = 0.1 * np.ptp(known) + 0.2
    for ax in axes:
        # before the scale, which would be chosen for 0 and 1 as well
        ax.set_ylim(*expit([known.min() - margin, known.max() + margin]))
        ax.set_yscale("logit", nonpositive="clip")
        percent = FuncFormatter(lambda value, _: f"{100 * value:.6g}%")
        ax.yaxis.set_major_formatter(percent)
        ax.yaxis.set_minor_formatter(NullFormatter())
        ax.set_ylabel(f"{unit}\n(log-odds scale)")


def n_fitting(n: int, height: float, margin: float, ax: Axes | None) -> int:
    """Return how many rows of a height, in inches, a new figure shows; at least one.

    The user's own Axes show all.
    """
    return n if ax is not None else max(1, min(n, int((MAX_HEIGHT - margin) / height)))


def axes_of(ax: Axes | None, size: tuple[float, float]) -> Axes:
    """Return the Axes given, or those of a new figure."""
    return new_axes(size)[0, 0] if ax is None else ax


def new_axes(
    size: tuple[float, float], rows: int = 1, columns: int = 1, sharey: bool = False
) -> Any:
    """Return the Axes of a new figure, of shape (rows, columns)."""
    import matplotlib.pyplot as plt

    return plt.subplots(
        rows, columns, figsize=size, squeeze=False, layout="constrained", sharey=sharey
    )[1]


def name_rows(
    ax: Axes,
    names: Sequence[Any],
    title: str,
    n_all: int | None = None,
    length: int = MAX_NAME,
) -> Axes:
    """Write a name at each bar, from the top down, and the title."""
    labels = [short(name, length, names) for name in names]
    ax.set_yticks(range(len(labels)), labels, parse_math=False)
    ax.set_ylim(len(labels) - 0.4, -0.6)
    if n_all is not None and n_all > len(labels):
        title += f"\n{len(labels)} of {n_all} columns"
    ax.set_title(title, fontsize=11, parse_math=False)
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def legend_of(ax: Axes) -> None:
    """Add a legend of the classes beside the Axes, where it hides nothing."""
    n_columns = -(-len(ax.get_legend_handles_labels()[1]) // _LEGEND_ROWS)
    plain_legend(
        ax.legend, title="class", fontsize=9, loc="upper left", ncols=n_columns,
        bbox_to_anchor=(1.01, 1), borderaxespad=0,
    )  # fmt: skip


def plain_legend(add: Any, *shown: Any, **options: Any) -> None:
    """Add a legend whose names are drawn literally, not as formulas."""
    for text in add(*shown, frameon=False, **options).get_texts():
        text.set_parse_math(False)


def draw_intervals(ax: Axes, middles: Any, at: Any, low: Any, high: Any) -> None:
    """Draw horizontal intervals where they are known."""
    if pd.notna(low).any():
        ax.errorbar(
            middles, at, xerr=np.array([middles - low, high - middles]), fmt="none",
            ecolor=ink_of(ax), elinewidth=1, capsize=2,
        )  # fmt: skip


def up_down(values: Any) -> np.ndarray:
    """Return the colour of each value by its sign."""
    return np.where(np.asarray(values) >= 0, UP, DOWN)


def legend_of_colors(
    ax: Axes, colors: Sequence[tuple[str, str]], alpha: float | None = None
) -> None:
    """Add a legend of colours and their meanings beside the Axes."""
    from matplotlib.patches import Patch

    handles = [Patch(color=color, label=label, alpha=alpha) for color, label in colors]
    plain_legend(
        ax.legend, handles=handles, fontsize=9, loc="upper left",
        bbox_to_anchor=(1.01, 1), borderaxespad=0, handlelength=1,
    )  # fmt: skip


def legend_up_down(ax: Axes, values: Any) -> None:
    """Add a legend of the colours of `up_down` that occur."""
    meanings = {UP: "raises it", DOWN: "lowers it"}
    shown = set(up_down(values))
    legend_of_colors(ax, [pair for pair in meanings.items() if pair[0] in shown])


def unit_of(result: Attributions) -> str:
    """Return the unit of attributions as text."""
    return result.output.replace("_", " ")


def output_of(result: Attributions, k: int) -> str:
    """Return what attributions are parts of, such as "probability of virginica"."""
    return f"{unit_of(result)} of {class_name(result, k)}"


def class_name(result: Attributions, k: int, length: int = MAX_NAME) -> str:
    """Return the name of a class, distinct from those of the others."""
    return short(result.class_names[k], length, result.class_names)


def cell_name(result: Attributions, sample: int, j: int) -> str:
    """Return a column and its cell, such as "age = 39"."""
    value = result.data[sample, j]
    if isinstance(value, float | np.floating):
        value = f"{value:.4g}"
    column = short(result.feature_names[j], MAX_COLUMN, result.feature_names)
    return f"{column} = {short(value, MAX_CELL, result.data[:, j])}"


def short(name: Any, length: int = MAX_NAME, among: Iterable[Any] = ()) -> str:
    """Return the name on one line, cut if it is long; see `shorten`."""
    name = _as_text(name)
    if len(name) <= length:
        return name
    return shorten(name, length, map(_as_text, among))


def _as_text(name: Any) -> str:
    name = "(missing)" if pd.isna(name) else str(name)
    return name if name.isascii() and name.isprintable() else _drawable(name)


def _drawable(name: str) -> str:
    """Return the name with escapes for characters that no font in use has.

    matplotlib would draw the same box for each of these and warn.
    """
    from matplotlib.font_manager import FontProperties, findfont, get_font

    fonts = []
    for family in FontProperties().get_family():
        try:
            path = findfont(FontProperties(family=[family]), fallback_to_default=False)
        except ValueError:  # listed, but not installed
            continue
        fonts.append(get_font(path))
    return "".join(
        char
        if char.isprintable() and any(font.get_char_index(ord(char)) for font in fonts)
        else char.encode("unicode_escape").decode()
        for char in name
    )
