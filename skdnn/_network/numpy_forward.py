"""The forward pass in NumPy: no Keras, safe after a fork."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from sklearn.utils.extmath import safe_sparse_dot

from skdnn._network import numpy_encoding
from skdnn._network.numpy_activations import ACTIVATION_FUNCTIONS, Activation, linear
from skdnn._network.spec import NetworkSpec
from skdnn._runtime.threads import run_blocks

# Rows are taken in blocks whose widest layer fits the cache of a core.
_BLOCK_BYTES = 2**20
_BATCH_NORM_EPSILON = 1e-3  # Keras's default, which the network is built with

Forward = Callable[[Any], np.ndarray]


def supports(spec: NetworkSpec) -> bool:
    return all(layer.activation in ACTIVATION_FUNCTIONS for layer in spec.hidden)


def predict(
    spec: NetworkSpec,
    weights: Sequence[np.ndarray],
    X: Any,
    output: Callable[[np.ndarray], np.ndarray],
) -> np.ndarray:
    """Return a function of the logits, see `prediction`; cores share blocks of rows."""
    forward, width = _forward(spec, weights)

    def outputs(X: Any) -> np.ndarray:
        with np.errstate(over="ignore"):
            logits = forward(X)
        return output(logits)

    n = X.shape[0]
    size = max(64, _BLOCK_BYTES // (width * np.dtype(spec.dtype).itemsize))
    first = outputs(X[:size])
    if n <= size:
        return first
    out = np.empty((n, *first.shape[1:]), dtype=first.dtype)
    out[:size] = first

    def work(start: int) -> None:
        rows = slice(start, start + size)
        out[rows] = outputs(X[rows])

    run_blocks(work, range(size, n, size))
    return out


def _forward(spec: NetworkSpec, weights: Sequence[np.ndarray]) -> tuple[Forward, int]:
    """Return a function from rows to logits, and the largest width of a row in it."""
    if spec.encoding is not None:
        return numpy_encoding.forward(spec, weights), numpy_encoding.max_width(spec)
    layers = _folded_layers(spec, weights)

    def forward(h: Any) -> np.ndarray:
        for kernel, bias, activation in layers:
            h = safe_sparse_dot(h, kernel)
            h += bias
            h = activation(h)
        return np.asarray(h)

    return forward, max(spec.widths)


def _folded_layers(
    spec: NetworkSpec, weights: Sequence[np.ndarray]
) -> list[tuple[np.ndarray, np.ndarray, Activation]]:
    """Return kernel, bias and activation per layer, with batch norm multiplied in."""
    layers: list[tuple[np.ndarray, np.ndarray, Activation]] = []
    values = iter(weights)
    for layer in spec.hidden:
        kernel = next(values)
        if layer.batch_norm:
            gamma, beta, mean, variance = (next(values) for _ in range(4))
            scale = gamma / np.sqrt(variance + _BATCH_NORM_EPSILON)
            kernel, bias = kernel * scale, beta - mean * scale
        else:
            bias = next(values)
        layers.append((kernel, bias, ACTIVATION_FUNCTIONS[str(layer.activation)]))
    layers.append((next(values), next(values), linear))
    return layers
