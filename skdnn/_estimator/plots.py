"""Pictures of a network and of its training, on matplotlib Axes."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from skdnn._estimator.summary import count, extras_of
from skdnn._network.first_layer import first_layer, members_of
from skdnn._network.spec import NetworkSpec
from skdnn._runtime.names import shorten

if TYPE_CHECKING:
    from skdnn._estimator.fitted_network import FittedNetwork

# Okabe and Ito's colours: distinct for colour-blind readers, on light and dark.
_BLUE, _ORANGE, _GREY = "#0072B2", "#D55E00", "#7f7f7f"
_MOST_NODES = 12
_MOST_NAME = 22


def plot_history(network: "FittedNetwork", ax: Any) -> Any:
    """Draw the losses epoch by epoch against the baseline; return the Axes."""
    history, baseline = network.history_, network.baseline_loss_
    best_epoch = network._training_summary.best_epoch
    ax = _axes(ax, (7, 4.2))
    epochs = np.arange(1, len(history) + 1)
    style = {"marker": "o" if len(history) == 1 else None}
    ax.axhline(baseline, color=_GREY, ls="--", lw=1.2, label="baseline: class shares")
    ax.plot(epochs, history["loss"], color=_BLUE, label="training", **style)
    validated = network._training_summary.tried_losses or history["val_loss"].tolist()
    if np.isfinite(validated).any():
        tried = np.arange(1, len(validated) + 1)
        ax.plot(tried, validated, color=_ORANGE, label="validation", **style)
    if best_epoch is not None:
        ax.axvline(best_epoch, color=_GREY, lw=0.8, ls=":", label="best epoch")
    ax.set(xlabel="epoch", ylabel="loss (cross-entropy, nats)", title="Training")
    ax.set_ylim(bottom=0)
    ax.margins(x=0.02)
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False)
    return ax


def plot_network(
    network: "FittedNetwork", feature_names: Sequence[str], ax: Any
) -> Any:
    """Draw layers, units and the weights between them; return the Axes.

    Of a layer wider than 12 units the first and the last are drawn. A line is a
    weight: blue if positive, orange if negative, the darker the larger. Of members,
    the first is drawn; of a number with functions of it the linear part, of a code
    the mean of what its levels add.
    """
    spec, n_classes = network._spec, len(network.classes_)
    # one unit separates two classes; the drawing shows both
    sizes = [*spec.widths[:-1], n_classes]
    shown, heights = zip(*map(_shown, sizes), strict=True)
    tallest = max(len(units) for units in shown)
    ax = _axes(ax, (2.6 + 2.1 * len(sizes), max(3.2, 0.42 * tallest + 1.2)))
    kernels = _kernels(spec, getattr(network, "estimators_", [network])[0]._weights)
    if spec.n_outputs == 1:
        kernels[-1] = np.hstack([-kernels[-1], kernels[-1]])
    for i, kernel in enumerate(kernels):
        block = kernel[np.ix_(shown[i], shown[i + 1])]
        _draw_weights(ax, i, heights[i], heights[i + 1], block)
    top = max(height.max() for height in heights)
    labels = _layer_labels(spec, network.n_features_in_, n_classes)
    for i, (units, height) in enumerate(zip(shown, heights, strict=True)):
        x = np.full(len(units), i)
        ax.scatter(x, height, s=90, color="white", ec="black", zorder=3)
        if len(units) < sizes[i]:
            ax.text(i, 0, "⋮", ha="center", va="center", fontsize=15, zorder=4)
        ax.text(i, top + 0.8, labels[i], ha="center", va="bottom", fontsize=9)
    last = len(sizes) - 1
    _draw_names(ax, -0.1, shown[0], heights[0], feature_names, "right")
    _draw_names(ax, last + 0.1, shown[-1], heights[-1], network.classes_, "left")
    ax.set(xlim=(-1.05, last + 1.05), ylim=(-top - 0.6, top + 2.6))
    ax.set_axis_off()
    return ax


def _axes(ax: Any, size: tuple[float, float]) -> Any:
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    return plt.subplots(figsize=size, layout="constrained")[1]


def _shown(size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return which units are drawn, all or the first and the last few, and where."""
    if size <= _MOST_NODES:
        units, heights = np.arange(size), np.arange(size, dtype=float)
    else:
        half = _MOST_NODES // 2 - 1
        units = np.r_[:half, size - half : size]
        heights = np.r_[0.0:half, half + 2.0 : 2 * half + 2]
    return units, heights.mean() - heights


def _draw_weights(ax: Any, column: int, left: Any, right: Any, block: Any) -> None:
    from matplotlib.collections import LineCollection

    strength = (np.abs(block) / (np.abs(block).max() or 1.0)).ravel()
    lines = LineCollection(
        [[(column, a), (column + 1, b)] for a in left for b in right],
        colors=list(np.where(block.ravel() >= 0, _BLUE, _ORANGE)),
        linewidths=0.3 + 1.2 * strength,
        alpha=0.08 + 0.72 * strength,
        zorder=1,
    )
    ax.add_collection(lines)


def _layer_labels(spec: NetworkSpec, n_columns: int, n_classes: int) -> list[str]:
    first = count(n_columns, "column")
    if spec.n_inputs != n_columns:
        first += f"\n{count(spec.n_inputs, 'input')}"
    labels = [first]
    for layer in spec.hidden:
        name = layer.activation
        if not isinstance(name, str):
            name = getattr(name, "__name__", "function")
        labels.append("\n".join([f"{layer.units} units", name, *extras_of(layer)]))
    return [*labels, f"{n_classes} classes\n{spec.output}"]


def _kernels(spec: NetworkSpec, weights: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Return for each layer what leads from its inputs to its units."""
    if spec.encoding is None:
        pairs = zip(weights, spec.arrays, strict=True)
        return [weight for weight, array in pairs if array.role == "kernel"]
    layers = members_of(spec, weights)[0]
    first, encoding = first_layer(spec, [layers[0]]), spec.encoding
    flags = first.kernel[len(first.kernel) - encoding.n_flags :]
    codes = [table[1:].mean(axis=0) for table in first.tables]
    inputs = np.vstack([first.kernel[: encoding.n_numeric], flags, *codes])
    return [inputs, *(layer["kernel"] for layer in layers[1:])]


def _draw_names(
    ax: Any, x: float, units: Any, heights: Any, names: Any, side: str
) -> None:
    """Write the names of units, those too long for their place cut in the middle."""
    for unit, height in zip(units, heights, strict=True):
        name = shorten(str(names[unit]), _MOST_NAME, names)
        ax.text(x, height, name, ha=side, va="center", fontsize=9, parse_math=False)
