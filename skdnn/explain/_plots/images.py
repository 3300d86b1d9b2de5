"""Attributions on the picture that they belong to."""

import numpy as np

# What the patch that moves most hides of the picture below it; others hide less.
_OPACITY = 0.85
# The picture is drawn in light greys, so that colours stay what they are.
_LIGHTER = 1.8


def plot_image(result, sample: int, k: int, ax):
    """Draw the attributions of one image for one class.

    Parameters
    ----------
    result : Attributions
        Of images.
    sample : int
        Position of the image.
    k : int
        Position of the class.
    ax : matplotlib Axes or None
        Where to draw; None makes a figure.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ValueError
        If the rows are no images.
    """
    if result.images is None or result.images.ndim > 4:
        raise ValueError(
            "kind='image' must have rows that are images, of two dimensions, or three "
            f"with channels. Got rows of shape {_shape(result)}; use kind='bar'."
        )
    from matplotlib import pyplot as plt
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    if ax is None:
        _, ax = plt.subplots(figsize=(5.2, 4.4), layout="constrained")
    moved = result.values[sample, :, k][result.layout]
    if moved.ndim == 3:
        # a patch holds all channels of a pixel; single cells add up
        parts = len(np.unique(result.layout[0, 0])) > 1
        moved = moved.sum(axis=-1) if parts else moved[..., 0]
    most = np.abs(moved).max() or 1.0
    grey = _grey(result.images[sample])
    dark = grey.min() + _LIGHTER * (np.ptp(grey) or 1.0)
    ax.imshow(grey, cmap="gray_r", vmin=grey.min(), vmax=dark)
    scale = ScalarMappable(Normalize(-most, most), "RdBu_r")
    opacity = _OPACITY * np.abs(moved) / most
    ax.imshow(moved, alpha=opacity, cmap=scale.cmap, norm=scale.norm)
    unit = "probability" if result.output == "probability" else "log odds"
    ax.figure.colorbar(scale, ax=ax, label=f"attribution ({unit})", shrink=0.9)
    ax.set_axis_off()
    p = result.predictions[sample, k]
    title = f"{result.title}: image {sample}\nclass {result.class_names[k]}, {p:.3f}"
    ax.set_title(title, parse_math=False)
    return ax


def _shape(result) -> tuple[int, ...]:
    rows = result.data if result.images is None else result.images
    return rows.shape[1:]


def _grey(image: np.ndarray) -> np.ndarray:
    """Return brightness: the mean over channels."""
    return image if image.ndim == 2 else image.mean(axis=-1)
