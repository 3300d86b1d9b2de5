"""Layers of the NumPy forward pass, computed in memory that blocks of rows share."""

import math
import threading
from collections.abc import Sequence

import numpy as np

from skdnn._network.numpy_activations import ACTIVATION_FUNCTIONS, Activation
from skdnn._network.spec import Hidden

# Values that an activation is applied to at once: its temporary arrays are small.
_ACTIVATION_VALUES = 2**14


class Buffers(threading.local):
    """Arrays by name, each thread its own.

    The system takes longer to hand out new memory than a block of rows to compute.
    """

    def __init__(self) -> None:
        self._arrays: dict[str, np.ndarray] = {}

    def get(
        self, name: str, shape: tuple[int, ...], dtype: np.dtype[np.generic]
    ) -> np.ndarray:
        """Return the array of a name, for the caller to fill."""
        size = math.prod(shape)
        array = self._arrays.get(name)
        if array is None or array.size < size or array.dtype != dtype:
            array = self._arrays[name] = np.empty(size, dtype)
        return array[:size].reshape(shape)


def dense(
    x: np.ndarray, kernel: np.ndarray, bias: np.ndarray, buffers: Buffers, name: str
) -> np.ndarray:
    """Return ``x @ kernel + bias``, of one network or of all members, in a buffer.

    `kernel` is of shape (..., n_inputs, n_units), `bias` of shape (..., 1, n_units).
    """
    shape = *kernel.shape[:-2], x.shape[-2], kernel.shape[-1]
    out = buffers.get(name, shape, kernel.dtype)
    np.matmul(x, kernel, out=out)
    out += bias
    return out


def logits_of(
    sums: np.ndarray,
    hidden: Sequence[Hidden],
    layers: Sequence[tuple[np.ndarray, np.ndarray]],
    buffers: Buffers,
) -> np.ndarray:
    """Return the logits, in a buffer, from the sums of the first layer.

    `layers` are kernels and biases of all layers after the first.
    """
    for i, (layer, (kernel, bias)) in enumerate(zip(hidden, layers, strict=True)):
        _activate(ACTIVATION_FUNCTIONS[str(layer.activation)], sums)
        sums = dense(sums, kernel, bias, buffers, f"layer {i}")
    return sums


def _activate(activation: Activation, sums: np.ndarray) -> None:
    """Replace sums, whose last axis is for the units, by their activation."""
    rows = sums.reshape(-1, sums.shape[-1])
    size = max(1, _ACTIVATION_VALUES // rows.shape[1])
    for start in range(0, len(rows), size):
        part = rows[start : start + size]
        result = activation(part)
        if result is not part:
            part[:] = result
