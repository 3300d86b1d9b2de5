"""Attributions, drawn by `kind`; break-downs have a waterfall of their own."""

from typing import Any

import numpy as np

from skdnn.explain._model.options import check_count, check_option
from skdnn.explain._plots.bars import draw_mean_bars, draw_row_bars
from skdnn.explain._plots.beeswarm import draw_beeswarm
from skdnn.explain._plots.canvas import Axes
from skdnn.explain._plots.image import draw_image
from skdnn.explain._plots.waterfall import draw_break_down, draw_waterfall
from skdnn.explain._results.attributions import Attributions
from skdnn.explain._results.break_down import BreakDown
from skdnn.explain._results.registry import register

_KINDS = ("bar", "beeswarm", "waterfall", "image")


@register("plot", Attributions)
def plot_attributions(
    result: Attributions,
    kind: str,
    sample: Any,
    target_class: Any,
    max_display: Any,
    ax: Axes | None,
) -> Axes:
    """Draw attributions; see ``Attributions.plot``."""
    check_option("kind", kind, _KINDS)
    check_count("max_display", max_display, 1)
    at = None if sample is None else result.sample_position(sample)
    k = None if target_class is None else result.class_position(target_class)
    if kind == "beeswarm":
        k = int(np.abs(result.values).sum(axis=(0, 1)).argmax()) if k is None else k
        return draw_beeswarm(result, k, max_display, ax)
    if kind == "bar" and at is None:
        return draw_mean_bars(result, k, max_display, ax)
    at = 0 if at is None else at
    k = int(result.predictions[at].argmax()) if k is None else k
    if kind == "bar":
        return draw_row_bars(result, at, k, max_display, ax)
    if kind == "image":
        return draw_image(result, at, k, ax)
    if isinstance(result, BreakDown):
        return draw_break_down(result, at, k, max_display, ax)
    return draw_waterfall(result, at, k, max_display, ax)
