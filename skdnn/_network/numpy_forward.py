"""The forward pass in NumPy: no Keras, safe after a fork."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from scipy.sparse import issparse

from skdnn._network import numpy_encoding
from skdnn._network.numpy_activations import ACTIVATION_FUNCTIONS
from skdnn._network.numpy_layers import Buffers, dense, logits_of
from skdnn._network.spec import NetworkSpec
from skdnn._runtime.threads import one_blas_thread, run_blocks

# Rows are taken in blocks that fit the cache of a core.
_BLOCK_BYTES = 2**20
# Multiplications of a block from which the threads of linear algebra pay: some ms.
_BLAS_THREADS_PAY = 2**28
# With fewer rows linear algebra uses several threads only where they pay.
_BLAS_THREADS_ROWS = 64
_BATCH_NORM_EPSILON = 1e-3  # Keras's default, which the network is built with

_buffers = Buffers()


def supports(spec: NetworkSpec) -> bool:
    return all(layer.activation in ACTIVATION_FUNCTIONS for layer in spec.hidden)


class NumpyForward:
    """The forward pass of a network, whose weights are arranged for it once."""

    def __init__(self, spec: NetworkSpec, weights: Sequence[np.ndarray]):
        self._logits: Callable[..., np.ndarray]
        if spec.encoding is None:
            self._logits, width = _plain_forward(spec, weights), max(spec.widths)
        else:
            self._logits = numpy_encoding.forward(spec, weights)
            width = numpy_encoding.row_values(spec)
        row_bytes = width * np.dtype(spec.dtype).itemsize
        self._block_rows = max(64, _BLOCK_BYTES // row_bytes)
        self._n_weights = sum(array.size for array in weights)
        # memory of many rows is given back
        is_kept = self._block_rows * row_bytes <= _BLOCK_BYTES
        self._buffers = _buffers if is_kept else None

    def predict(self, X: Any, output: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        """Return a function of the logits; cores share blocks of rows.

        `output` works row by row, maybe in place.
        """
        return self._run(self._logits, X, output)

    def predict_members(
        self, X: Any, output: Callable[[np.ndarray], np.ndarray]
    ) -> np.ndarray:
        """Return `predict` and the same of each member, (n_rows, 1 + n_members, …).

        Of networks with several members only.
        """
        return self._run(partial(self._logits, members=True), X, output)

    def _run(
        self,
        logits_of_rows: Callable[..., np.ndarray],
        X: Any,
        output: Callable[[np.ndarray], np.ndarray],
    ) -> np.ndarray:
        buffers = self._buffers or Buffers()

        def outputs(X: Any) -> np.ndarray:
            with np.errstate(over="ignore"):
                logits = logits_of_rows(X, buffers)
            return output(logits)

        n, size = X.shape[0], self._block_rows
        small = min(n, size) * self._n_weights < _BLAS_THREADS_PAY
        with one_blas_thread(small and n >= _BLAS_THREADS_ROWS):
            first = outputs(X[:size])
        if n <= size:
            return first
        out = np.empty((n, *first.shape[1:]), dtype=first.dtype)
        out[:size] = first

        def work(start: int) -> None:
            rows = slice(start, start + size)
            out[rows] = outputs(X[rows])

        run_blocks(work, range(size, n, size), small=small)
        return out


def _plain_forward(
    spec: NetworkSpec, weights: Sequence[np.ndarray]
) -> Callable[[Any, Buffers], np.ndarray]:
    """Return a function from rows to logits, for networks without input encoding."""
    (first_kernel, first_bias), *others = folded_layers(spec, weights)

    def run(X: Any, buffers: Buffers) -> np.ndarray:
        if issparse(X):
            sums = np.asarray(X @ first_kernel) + first_bias
        else:
            sums = dense(X, first_kernel, first_bias, buffers, "first layer")
        logits = logits_of(sums, spec.hidden, others, buffers)
        return np.array(logits)  # as the next block uses the same memory

    return run


def folded_layers(
    spec: NetworkSpec, weights: Sequence[np.ndarray]
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return kernel and bias per layer, with batch norm multiplied in."""
    layers: list[tuple[np.ndarray, np.ndarray]] = []
    values = iter(weights)
    for layer in spec.hidden:
        kernel = next(values)
        if layer.batch_norm:
            gamma, beta, mean, variance = (next(values) for _ in range(4))
            scale = gamma / np.sqrt(variance + _BATCH_NORM_EPSILON)
            kernel, bias = kernel * scale, beta - mean * scale
        else:
            bias = next(values)
        layers.append((kernel, bias))
    layers.append((next(values), next(values)))
    return layers
