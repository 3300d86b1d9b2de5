"""Attributions on the image that they explain."""

import numpy as np

from skdnn.explain._plots import canvas
from skdnn.explain._plots.canvas import Axes
from skdnn.explain._results.attributions import Attributions

# Opacity of the patch with the largest attribution; others are more transparent.
_OPACITY = 0.85
# The image is drawn in light greys, so that they do not darken the colours.
_LIGHTER = 1.8


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
    title = f"{result.title}: image {sample}\nclass {result.class_names[k]}, {p:.3f}"
    ax.set_title(title, parse_math=False)
    return ax
