"""The forward pass in NumPy: no Keras, safe after a fork."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from scipy.sparse import issparse
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
    """Return whether every activation of the network exists in NumPy."""
    return all(layer.activation in ACTIVATION_FUNCTIONS for layer in spec.hidden)


def predict(
    spec: NetworkSpec,
    weights: Sequence[np.ndarray],
    X: Any,
    output: Callable[[np.ndarray], np.ndarray],
) -> np.ndarray:
    """Return a function of the logits, block by block of rows; see `prediction`.

    A block stays in the cache of the core that works on it. Many blocks are shared
    among the cores, which is faster than to give all cores to the linear algebra of
    each block.
    """
    forward, width = _forward(spec, weights)
    n = X.shape[0]
    size = max(64, _BLOCK_BYTES // (width * np.dtype(spec.dtype).itemsize))
    if n <= size:
        return output(forward(X))
    first = output(forward(X[:size]))
    out = np.empty((n, *first.shape[1:]), dtype=first.dtype)
    out[:size] = first

    def work(start: int) -> None:
        rows = slice(start, start + size)
        out[rows] = output(forward(X[rows]))

    run_blocks(work, range(size, n, size))
    return out


def _forward(spec: NetworkSpec, weights: Sequence[np.ndarray]) -> tuple[Forward, int]:
    """Return a function from rows to logits, and the largest width of a row in it."""
    if spec.encoding is not None:
        activations = [ACTIVATION_FUNCTIONS[str(h.activation)] for h in spec.hidden]
        run = numpy_encoding.forward(spec, weights, [*activations, linear])
        return _without_overflow_warning(run), numpy_encoding.max_width(spec)
    layers = _folded_layers(spec, weights)

    def forward(h: Any) -> np.ndarray:
        for kernel, bias, activation in layers:
            h = safe_sparse_dot(h, kernel) if issparse(h) else h @ kernel
            h += bias
            h = activation(h)
        return np.asarray(h)

    return _without_overflow_warning(forward), max(spec.widths)


def _without_overflow_warning(forward: Forward) -> Forward:
    def run(X: Any) -> np.ndarray:
        with np.errstate(over="ignore"):
            return forward(X)

    return run


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
