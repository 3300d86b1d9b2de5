"""Steps from the base value to a prediction."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from skdnn.explain._plots import canvas
from skdnn.explain._plots.bars import fade_poor_fit, row_title
from skdnn.explain._plots.canvas import Axes
from skdnn.explain._results.attributions import Attributions, BreakDown

_BAR = 0.7
# space for the numbers beside the bars, and minimum, as shares of the range
_ROOM, _MARGIN = 0.16, 0.03


def draw_waterfall(
    result: Attributions, sample: int, k: int, max_display: int, ax: Axes | None
) -> Axes:
    """Draw how attributions add up: base value at the bottom, prediction at the top."""
    values = result.values[sample, :, k]
    order = np.argsort(-np.abs(values), kind="stable")
    moves, names = _moves(result, sample, k, order, max_display)
    base = np.broadcast_to(result.base_values, result.predictions.shape)[sample, k]
    ends = base + np.cumsum(moves[::-1])[::-1]
    ax = canvas.axes_of(ax, (7.2, 0.38 * len(moves) + 1.7))
    texts = [_signed(move) for move in moves]
    _draw_steps(ax, ends - moves, moves, canvas.up_down(moves), texts)
    ax.axvline(base, color=canvas.GREY, lw=1, ls=":")
    final = result.predictions[sample, k]
    text = f"from {base:.3f} on average to {final:.3f}"
    if result.score is not None:  # a surrogate misses the prediction
        text = f"surrogate from {base:.3f} to {ends[0]:.3f}; prediction {final:.3f}"
    ax.set_xlabel(f"{canvas.output_of(result, k)}\n{text}", parse_math=False)
    fade_poor_fit(ax, result, sample, k)
    return canvas.name_rows(ax, names, row_title(result, sample, k))


def draw_break_down(
    result: BreakDown, sample: int, k: int, max_display: int, ax: Axes | None
) -> Axes:
    """Draw the steps in their order, between bars of base value and prediction."""
    moves, names = _moves(result, sample, k, result.orders[sample], max_display)
    base, final = result.base_values[k], result.predictions[sample, k]
    starts = base + np.cumsum([0.0, *moves[:-1]])
    ax = canvas.axes_of(ax, (7.2, 0.38 * (len(moves) + 2) + 1.7))
    texts = [f"{base:.3f}", *(_signed(move) for move in moves), f"{final:.3f}"]
    colors = [canvas.GREY, *canvas.up_down(moves), canvas.GREY]
    _draw_steps(ax, [0, *starts, 0], [base, *moves, final], colors, texts)
    ax.set_xlabel(canvas.output_of(result, k), parse_math=False)
    names = ["on average", *names, "prediction"]
    return canvas.name_rows(ax, names, row_title(result, sample, k))


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
