"""Attributions as bars: mean sizes, one row, or steps to a prediction."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from skdnn.explain._plots import canvas
from skdnn.explain._plots.canvas import Axes
from skdnn.explain._plots.classes import Chosen, choose
from skdnn.explain._results.attributions import Attributions, BreakDown, poor_note

_BAR = 0.7
_CLASS = canvas.MAX_CLASS
# space for the numbers beside the bars, and minimum, as shares of the range
_ROOM, _MARGIN = 0.16, 0.03


def draw_mean_bars(
    result: Attributions, k: int | None, classes: Any, max_display: int, ax: Axes | None
) -> Axes:
    """Draw the mean size of the attributions, stacked by class."""
    sizes = np.abs(result.values).mean(axis=0)
    n_classes = sizes.shape[1]
    chosen = Chosen([k], []) if k is not None else None
    if chosen is None:
        chosen = choose(list(result.class_names), sizes.sum(axis=0), classes)
    drawn = [*chosen.colored, *chosen.others]
    order = np.argsort(-sizes[:, drawn].sum(axis=1), kind="stable")
    height, margin = 0.34, 1.8
    shown = order[: canvas.n_fitting(max_display, height, margin, ax)]
    ax = canvas.axes_of(ax, (7.0, height * len(shown) + margin))
    parts = [
        (sizes[shown, c], canvas.color_of(place), canvas.class_name(result, c, _CLASS))
        for place, c in enumerate(chosen.colored)
    ]
    if chosen.others:
        total = sizes[shown][:, chosen.others].sum(axis=1)
        parts.append((total, canvas.GREY, chosen.note))
    left = np.zeros(len(shown))
    for widths, color, label in parts:
        ax.barh(range(len(shown)), widths, left=left, color=color, label=label)
        left += widths
    unit = f" ({canvas.unit_of(result)})"
    if len(drawn) < n_classes:
        unit = f"\n({canvas.output_of(result, drawn[0])})"
    ax.set_xlabel(f"mean absolute attribution{unit}", parse_math=False)
    if len(parts) > 1:
        canvas.legend_of(ax)
    names = [result.feature_names[j] for j in shown]
    note = poor_note(result, drawn)
    title = f"{result.title}\n{note}" if note else result.title
    return canvas.name_rows(ax, names, title, len(order))


def draw_row_bars(
    result: Attributions, sample: int, k: int, max_display: int, ax: Axes | None
) -> Axes:
    """Draw the attributions of one row for one class, with their intervals."""
    values = result.values[sample, :, k]
    order = np.argsort(-np.abs(values), kind="stable")
    height, margin = 0.34, 1.5
    shown = order[: canvas.n_fitting(max_display, height, margin, ax)]
    ax = canvas.axes_of(ax, (6.8, height * len(shown) + margin))
    _, high = result.interval()
    errors = np.nan_to_num(high[sample, shown, k] - values[shown])
    ax.barh(
        range(len(shown)), values[shown], xerr=errors, ecolor=canvas.ink_of(ax),
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
    canvas.legend_up_down(ax, values[shown])
    _fade_poor_fit(ax, result, sample, k)
    names = [canvas.cell_name(result, sample, j) for j in shown]
    return canvas.name_rows(ax, names, _row_title(result, sample, k), len(order))


def draw_waterfall(
    result: Attributions, sample: int, k: int, max_display: int, ax: Axes | None
) -> Axes:
    """Draw how attributions add up: base value at the bottom, prediction at the top."""
    values = result.values[sample, :, k]
    order = np.argsort(-np.abs(values), kind="stable")
    height, margin = 0.38, 1.7
    n_shown = canvas.n_fitting(max_display, height, margin, ax)
    moves, names = _moves(result, sample, k, order, n_shown)
    base = np.broadcast_to(result.base_values, result.predictions.shape)[sample, k]
    ends = base + np.cumsum(moves[::-1])[::-1]
    ax = canvas.axes_of(ax, (7.2, height * len(moves) + margin))
    texts = [_signed(move) for move in moves]
    _draw_steps(ax, ends - moves, moves, canvas.up_down(moves), texts)
    canvas.legend_up_down(ax, moves)
    ax.axvline(base, color=canvas.GREY, lw=1, ls=":")
    final = result.predictions[sample, k]
    text = f"from {base:.3f} on average to {final:.3f}"
    if result.score is not None:  # a surrogate misses the prediction
        text = f"surrogate from {base:.3f} to {ends[0]:.3f}; prediction {final:.3f}"
    ax.set_xlabel(f"{canvas.output_of(result, k)}\n{text}", parse_math=False)
    _fade_poor_fit(ax, result, sample, k)
    return canvas.name_rows(ax, names, _row_title(result, sample, k))


def draw_break_down(
    result: BreakDown, sample: int, k: int, max_display: int, ax: Axes | None
) -> Axes:
    """Draw the steps in their order, between bars of base value and prediction."""
    height, margin = 0.38, 2.5
    n_shown = canvas.n_fitting(max_display, height, margin, ax)
    moves, names = _moves(result, sample, k, result.orders[sample], n_shown)
    base, final = result.base_values[k], result.predictions[sample, k]
    starts = base + np.cumsum([0.0, *moves[:-1]])
    ax = canvas.axes_of(ax, (7.2, height * len(moves) + margin))
    texts = [f"{base:.3f}", *(_signed(move) for move in moves), f"{final:.3f}"]
    colors = [canvas.GREY, *canvas.up_down(moves), canvas.GREY]
    _draw_steps(ax, [0, *starts, 0], [base, *moves, final], colors, texts)
    canvas.legend_up_down(ax, moves)
    ax.set_xlabel(canvas.output_of(result, k), parse_math=False)
    names = ["on average", *names, "prediction"]
    return canvas.name_rows(ax, names, _row_title(result, sample, k))


def _moves(
    result: Attributions, sample: int, k: int, order: np.ndarray, max_display: int
) -> tuple[np.ndarray, list[str]]:
    """Return the first attributions in an order and their names, the others summed."""
    values = result.values[sample, order, k]
    n_shown = len(order) if len(order) <= max_display else max_display - 1
    names = [canvas.cell_name(result, sample, j) for j in order[:n_shown]]
    if n_shown == len(order):
        return values, names
    names.append(f"{len(order) - n_shown} other columns")
    return np.append(values[:n_shown], values[n_shown:].sum()), names


def _draw_steps(
    ax: Axes, lefts: Any, widths: Any, colors: Any, texts: Sequence[str]
) -> None:
    """Draw bars from `lefts`, each with a number at its right end."""
    ends = np.add(lefts, widths)
    low, high = min(*lefts, *ends), max(*lefts, *ends)
    reach = (high - low) or 1.0
    ax.barh(range(len(widths)), widths, left=lefts, color=colors, height=_BAR)
    for row, right in enumerate(np.maximum(lefts, ends)):
        ax.text(right + 0.01 * reach, row, texts[row], va="center", fontsize=8.5)
    ax.set_xlim(low - _MARGIN * reach, high + _ROOM * reach)


def _signed(value: float) -> str:
    return f"{round(value, 3) + 0.0:+.3f}"  # never a minus before 0.000


def _row_title(result: Attributions, sample: int, k: int) -> str:
    """Return the title of a plot of one row and class."""
    steps = ""
    if result.scales is not None:
        steps = f"steps of {result.scales[sample]:.3g} SD; "
    name = canvas.class_name(result, k)
    title = f"{result.title}: row {sample}\n{steps}class {name}"
    if result.score is None or result.poor_fit is None:
        return title
    poor = ", a poor fit" if result.poor_fit[sample, k] else ""
    return f"{title}, local R² {result.score[sample, k]:.2f}{poor}"


def _fade_poor_fit(ax: Axes, result: Attributions, sample: int, k: int) -> None:
    """Hatch the bars of a surrogate that fits poorly, in pale colours."""
    if result.poor_fit is not None and result.poor_fit[sample, k]:
        for bar in ax.patches:
            bar.set(alpha=0.35, hatch="///")
