"""Attributions, drawn by `kind`, or on the image that they explain."""

from typing import Any

import numpy as np

from skdnn.explain._model.options import check_count, check_option
from skdnn.explain._plots import canvas
from skdnn.explain._plots.bars import (
    draw_break_down,
    draw_mean_bars,
    draw_row_bars,
    draw_waterfall,
)
from skdnn.explain._plots.beeswarm import draw_beeswarm
from skdnn.explain._plots.canvas import Axes
from skdnn.explain._plots.classes import check_no_target
from skdnn.explain._results.attributions import Attributions, BreakDown
from skdnn.explain._results.registry import register

# Opacity of the patch with the largest attribution; others are more transparent.
_OPACITY = 0.85
# The image is drawn in light greys, so that they do not darken the colours.
_LIGHTER = 1.8
_KINDS = ("bar", "beeswarm", "waterfall", "image")


@register("plot", Attributions)
def plot_attributions(
    result: Attributions,
    kind: str,
    sample: Any,
    target_class: Any,
    classes: Any,
    max_display: Any,
    ax: Axes | None,
) -> Axes:
    """Draw attributions; see ``Attributions.plot``."""
    check_option("kind", kind, _KINDS)
    check_count("max_display", max_display, 1)
    check_no_target(target_class, classes)
    if classes is not None and (kind != "bar" or sample is not None):
        target_class = _only_class(kind, classes)
    at = None if sample is None else result.sample_position(sample)
    k = None if target_class is None else result.class_position(target_class)
    if kind == "beeswarm":
        k = _most_moved(result) if k is None else k
        return draw_beeswarm(result, k, max_display, ax)
    if kind == "bar" and at is None:
        return draw_mean_bars(result, k, classes, max_display, ax)
    at = 0 if at is None else at
    k = result.default_class(at) if k is None else k
    if kind == "bar":
        return draw_row_bars(result, at, k, max_display, ax)
    if kind == "image":
        return draw_image(result, at, k, ax)
    if isinstance(result, BreakDown):
        return draw_break_down(result, at, k, max_display, ax)
    return draw_waterfall(result, at, k, max_display, ax)


def _only_class(kind: str, classes: Any) -> Any:
    """Return the class of a plot of one class."""
    if isinstance(classes, str) or np.size(classes) != 1:
        raise ValueError(
            f"`classes` must have one class: kind={kind!r}, or the bars of one row, "
            f"show one. Got {classes!r}. Use kind='bar' without `sample`."
        )
    return classes[0]


def _most_moved(result: Attributions) -> int:
    """Return the class with the largest attributions; of two, the second."""
    if len(result.class_names) == 2:
        return 1
    return int(np.abs(result.values).sum(axis=(0, 1)).argmax())


def draw_image(result: Attributions, sample: int, k: int, ax: Axes | None) -> Axes:
    """Draw the attributions of one image for one class; others raise ``ValueError``."""
    if result.images is None or result.layout is None or result.images.ndim > 4:
        rows = result.data if result.images is None else result.images
        raise ValueError(
            "kind='image' must have rows that are images, of two dimensions, or three "
            f"with channels. Got rows of shape {rows.shape[1:]}; use kind='bar'."
        )
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    ax = canvas.axes_of(ax, (5.2, 4.4))
    moved = result.values[sample, :, k][result.layout]
    if moved.ndim == 3:
        # a patch has all channels of a pixel; attributions of single cells add up
        is_single = len(np.unique(result.layout[0, 0])) > 1
        moved = moved.sum(axis=-1) if is_single else moved[..., 0]
    most = np.abs(moved).max() or 1.0
    image = result.images[sample]
    grey = image if image.ndim == 2 else image.mean(axis=-1)
    darkest = grey.min() + _LIGHTER * (np.ptp(grey) or 1.0)
    ax.imshow(grey, cmap="gray_r", vmin=grey.min(), vmax=darkest)
    scale = ScalarMappable(Normalize(-most, most), "RdBu_r")
    opacity = _OPACITY * np.abs(moved) / most
    ax.imshow(moved, alpha=opacity, cmap=scale.cmap, norm=scale.norm)
    label = f"attribution ({canvas.unit_of(result)})"
    ax.figure.colorbar(scale, ax=ax, label=label, shrink=0.9)
    ax.set_axis_off()
    p = result.predictions[sample, k]
    name = canvas.class_name(result, k)
    title = f"{result.title}: image {sample}\nclass {name}, {p:.3f}"
    ax.set_title(title, parse_math=False)
    return ax
