"""Pictures of a network and of its training, on matplotlib Axes."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from skdnn._network.numpy_encoding import first_layer, members_of
from skdnn._network.spec import NetworkSpec

# Okabe and Ito's colours: distinct for colour-blind readers, on light and dark.
BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#7f7f7f"
_MOST_NODES = 12
_MOST_NAME = 22


def plot_history(
    history: pd.DataFrame, baseline: float, best_epoch: int | None, ax: Any
) -> Any:
    """Draw the losses epoch by epoch against the baseline; return the Axes.

    Parameters
    ----------
    history : DataFrame
        A row per epoch: loss, val_loss.
    baseline : float
        Loss of predicting the class shares.
    best_epoch : int or None
        Epoch, from 1, whose weights were kept.
    ax : matplotlib Axes or None
        None makes a figure.
    """
    ax = _axes(ax, (7, 4.2))
    epochs = np.arange(1, len(history) + 1)
    marker = "o" if len(history) == 1 else None
    ax.axhline(baseline, color=GREY, ls="--", lw=1.2, label="baseline: class shares")
    ax.plot(epochs, history["loss"], color=BLUE, marker=marker, label="training")
    if history["val_loss"].notna().any():
        ax.plot(
            epochs,
            history["val_loss"],
            color=ORANGE,
            marker=marker,
            label="validation",
        )
    if best_epoch is not None:
        ax.axvline(best_epoch, color=GREY, lw=0.8, ls=":", label="best epoch")
    ax.set_xlabel("epoch")
    ax.set_ylabel("loss (cross-entropy, nats)")
    ax.set_title("Training")
    ax.set_ylim(bottom=0)
    ax.margins(x=0.02)
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False)
    return ax


def plot_network(
    spec: NetworkSpec,
    weights: Sequence[np.ndarray],
    feature_names: Sequence[str],
    class_names: Sequence[str],
    n_columns: int,
    ax: Any,
) -> Any:
    """Draw layers, units and the weights between them; return the Axes.

    Of a layer wider than 12 units the first and the last are drawn. A line is a
    weight: blue if positive, orange if negative, the darker the larger. Of members,
    the first is drawn; of a number with functions of it the linear part, of a code
    the mean of what its levels add.

    Parameters
    ----------
    spec : NetworkSpec
        The network.
    weights : list of ndarray
        In the order of ``spec.arrays``.
    feature_names : sequence of str
        Names of what the network receives.
    class_names : sequence of str
        Names of the classes.
    n_columns : int
        Columns of the table, of which a category may be many inputs.
    ax : matplotlib Axes or None
        None makes a figure.
    """
    # one unit separates two classes; the drawing shows both
    sizes = [*spec.widths[:-1], len(class_names)]
    shown = [_shown(size) for size in sizes]
    tallest = max(len(units) for units in shown)
    ax = _axes(ax, (2.6 + 2.1 * len(sizes), max(3.2, 0.42 * tallest + 1.2)))
    heights = [_heights(units, size) for units, size in zip(shown, sizes, strict=True)]
    kernels = _kernels(spec, weights)
    if spec.n_outputs == 1:
        kernels[-1] = np.hstack([-kernels[-1], kernels[-1]])
    for i, kernel in enumerate(kernels):
        block = kernel[np.ix_(shown[i], shown[i + 1])]
        _draw_weights(ax, i, heights[i], heights[i + 1], block)
    for i, (units, height) in enumerate(zip(shown, heights, strict=True)):
        ax.scatter(
            np.full(len(units), i), height, s=90, color="white", ec="black", zorder=3
        )
        if len(units) < sizes[i]:
            ax.text(i, 0, "⋮", ha="center", va="center", fontsize=15, zorder=4)
    top = max(height.max() for height in heights)
    for i, label in enumerate(_layer_labels(spec, n_columns, len(class_names))):
        ax.text(i, top + 0.8, label, ha="center", va="bottom", fontsize=9)
    _draw_names(ax, 0, shown[0], heights[0], feature_names, "right")
    _draw_names(ax, len(sizes) - 1, shown[-1], heights[-1], class_names, "left")
    ax.set_xlim(-1.05, len(sizes) - 1 + 1.05)
    ax.set_ylim(-top - 0.6, top + 2.6)
    ax.set_axis_off()
    return ax


def shorten(name: str, length: int = _MOST_NAME) -> str:
    """Return the name, cut in the middle if it is longer than `length`."""
    if len(name) <= length:
        return name
    half = (length - 1) // 2
    return f"{name[:half]}…{name[-half:]}"


def _axes(ax: Any, size: Any) -> Any:
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    return plt.subplots(figsize=size, layout="constrained")[1]


def _shown(size: int) -> np.ndarray:
    """Return the units that are drawn: all, or the first and the last few."""
    if size <= _MOST_NODES:
        return np.arange(size)
    half = _MOST_NODES // 2 - 1
    return np.r_[:half, size - half : size]


def _heights(units: np.ndarray, size: int) -> np.ndarray:
    """Return where the units stand, with a gap in the middle if some are left out."""
    heights = np.arange(len(units), dtype=float)
    if len(units) < size:
        heights[len(units) // 2 :] += 2
    return heights.mean() - heights


def _draw_weights(ax: Any, column: Any, left: Any, right: Any, block: Any) -> None:
    from matplotlib.collections import LineCollection

    largest = np.abs(block).max() or 1.0
    lines = [
        [(column, a), (column + 1, b)]
        for a, row in zip(left, block, strict=True)
        for b in right[: len(row)]
    ]
    strength = np.abs(block).ravel() / largest
    colors = np.where(block.ravel() >= 0, BLUE, ORANGE)
    ax.add_collection(
        LineCollection(
            lines,
            colors=list(colors),
            linewidths=0.3 + 1.2 * strength,
            alpha=0.08 + 0.72 * strength,
            zorder=1,
        )
    )


def _layer_labels(spec: NetworkSpec, n_columns: int, n_classes: int) -> list[str]:
    first = f"{n_columns} columns" if n_columns > 1 else "1 column"
    if spec.n_inputs != n_columns:
        first += f"\n{spec.n_inputs} inputs" if spec.n_inputs > 1 else "\n1 input"
    labels = [first]
    for layer in spec.hidden:
        activation = layer.activation
        name = (
            activation
            if isinstance(activation, str)
            else getattr(activation, "__name__", "function")
        )
        lines = [f"{layer.units} units", name]
        lines += ["batch norm"] if layer.batch_norm else []
        lines += [f"dropout {layer.dropout:g}"] if layer.dropout else []
        labels.append("\n".join(lines))
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
    ax: Any, column: Any, units: Any, heights: Any, names: Any, side: Any
) -> None:
    offset = -0.1 if side == "right" else 0.1
    for unit, height in zip(units, heights, strict=True):
        ax.text(
            column + offset,
            height,
            shorten(str(names[unit])),
            ha=side,
            va="center",
            fontsize=9,
            parse_math=False,
        )
