"""The forward pass in NumPy: no Keras, no threads of its own, safe after a fork."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.utils.extmath import safe_sparse_dot

from skdnn._network import numpy_encoding
from skdnn._network.spec import ACTIVATIONS, NetworkSpec
from skdnn._runtime.threads import run_blocks

# Rows are taken in blocks whose widest layer fits the cache of a core.
_BLOCK_BYTES = 2**20
_BATCH_NORM_EPSILON = 1e-3  # Keras's default, which the network is built with


def supports(spec: NetworkSpec) -> bool:
    """Return whether every activation of the network is known here."""
    return all(
        isinstance(layer.activation, str) and layer.activation in _FUNCTIONS
        for layer in spec.hidden
    )


def activation_function(name: str) -> Callable[[np.ndarray], np.ndarray]:
    """Return a function of that name in `ACTIVATIONS`; it may write over its array."""
    return _FUNCTIONS[name]


def predict(
    spec: NetworkSpec,
    weights: Sequence[np.ndarray],
    X,
    output: Callable[[np.ndarray], np.ndarray],
) -> np.ndarray:
    """Return what a function makes of the last layer, block by block of rows.

    A block stays in the cache of the core that works on it. Many blocks are shared
    out among the cores, which is faster than to let the linear algebra of each block
    have them all.

    Parameters
    ----------
    spec : NetworkSpec
        A network that `supports` admits.
    weights : list of ndarray
        Its weights, in the order of ``spec.arrays``.
    X : {ndarray, sparse matrix} of shape (n_samples, n_inputs)
        In the dtype of the network.
    output : callable
        From logits of shape (n_rows, n_outputs), which it may write over, to an array
        of as many rows.

    Returns
    -------
    ndarray of shape (n_samples, ...)
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


def _forward(
    spec: NetworkSpec, weights: Sequence[np.ndarray]
) -> tuple[Callable[[Any], np.ndarray], int]:
    """Return a function from rows to logits, and how wide a row becomes in it."""
    if spec.encoding is not None:
        activations = [_FUNCTIONS[str(layer.activation)] for layer in spec.hidden]
        run = numpy_encoding.forward(spec, weights, [*activations, _linear])
        return _quiet(run), numpy_encoding.widest(spec)
    layers = _folded_layers(spec, weights)

    def forward(h):
        for kernel, bias, activation in layers:
            h = safe_sparse_dot(h, kernel) if issparse(h) else h @ kernel
            h += bias
            h = activation(h)
        return h

    return _quiet(forward), max(spec.widths)


def _quiet(forward: Callable) -> Callable:
    """Return the function with an overflow to infinity taken as it comes."""

    def run(X):
        with np.errstate(over="ignore"):
            return forward(X)

    return run


def _folded_layers(
    spec: NetworkSpec, weights: Sequence[np.ndarray]
) -> list[tuple[np.ndarray, np.ndarray, Callable]]:
    """Return kernel, bias and activation of each layer, batch norm multiplied in."""
    layers = []
    values = iter(weights)
    for layer in spec.hidden:
        kernel = next(values)
        if layer.batch_norm:
            gamma, beta, mean, variance = (next(values) for _ in range(4))
            scale = gamma / np.sqrt(variance + _BATCH_NORM_EPSILON)
            kernel, bias = kernel * scale, beta - mean * scale
        else:
            bias = next(values)
        layers.append((kernel, bias, _FUNCTIONS[str(layer.activation)]))
    layers.append((next(values), next(values), _linear))
    return layers


# Activations take an array that they may overwrite. Formulas and constants are those
# of keras.activations.


def _linear(x):
    return x


def _relu(x):
    return np.maximum(x, 0, out=x)


def _relu6(x):
    return np.clip(x, 0, 6, out=x)


def _leaky_relu(x):
    return np.maximum(x, 0.2 * x, out=x)


def _elu(x, alpha=1.0):
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def _selu(x):
    return 1.0507009873554805 * _elu(x, 1.6732632423543772)


def _gelu(x):
    from scipy.special import erf

    return x * 0.5 * (1 + erf(x / np.sqrt(2).astype(x.dtype)))


def sigmoid(x: np.ndarray) -> np.ndarray:
    """Return the logistic function, written over `x`."""
    from scipy.special import expit

    return expit(x, out=x)


def _silu(x):
    return x * sigmoid(x.copy())


def _softplus(x):
    return np.logaddexp(x, 0)


def _mish(x):
    return x * np.tanh(_softplus(x))


def _hard_sigmoid(x):
    return _relu6(x + 3) / 6


def log_softmax(x: np.ndarray) -> np.ndarray:
    """Return the logarithm of the softmax over the last axis."""
    x = x - x.max(axis=1, keepdims=True)
    return x - np.log(np.exp(x).sum(axis=1, keepdims=True))


def softmax(x: np.ndarray) -> np.ndarray:
    """Return the softmax over the last axis."""
    x = np.exp(x - x.max(axis=1, keepdims=True))
    x /= x.sum(axis=1, keepdims=True)
    return x


def _sparse_plus(x):
    return np.where(x <= -1, 0, np.where(x < 1, (x + 1) ** 2 / 4, x))


def _sparsemax(x):
    # Keras adds up the partial sums within the support where Martins and Astudillo
    # (2016, algorithm 1) take the last one; what was trained so must be predicted so.
    ordered = -np.sort(-x, axis=1)
    above = np.cumsum(ordered, axis=1)
    rank = np.arange(1, x.shape[1] + 1, dtype=x.dtype)
    support = ordered - (above - 1) / rank > 0
    total = np.where(support, above, 0).sum(axis=1, keepdims=True)
    return np.maximum(
        x - (total - 1) / support.sum(axis=1, keepdims=True, dtype=x.dtype), 0
    )


_FUNCTIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "celu": _elu,
    "elu": _elu,
    "exponential": lambda x: np.exp(x, out=x),
    "gelu": _gelu,
    "hard_shrink": lambda x: np.where(np.abs(x) > 0.5, x, 0),
    "hard_sigmoid": _hard_sigmoid,
    "hard_silu": lambda x: x * _hard_sigmoid(x),
    "hard_tanh": lambda x: np.clip(x, -1, 1, out=x),
    "leaky_relu": _leaky_relu,
    "linear": _linear,
    "log_sigmoid": lambda x: -_softplus(-x),
    "log_softmax": log_softmax,
    "mish": _mish,
    "relu": _relu,
    "relu6": _relu6,
    "selu": _selu,
    "sigmoid": sigmoid,
    "silu": _silu,
    "soft_shrink": lambda x: np.sign(x) * np.maximum(np.abs(x) - 0.5, 0),
    "softmax": softmax,
    "softplus": _softplus,
    "softsign": lambda x: x / (1 + np.abs(x)),
    "sparse_plus": _sparse_plus,
    "sparse_sigmoid": lambda x: np.clip((x + 1) / 2, 0, 1),
    "sparsemax": _sparsemax,
    "squareplus": lambda x: (x + np.sqrt(x * x + 4)) / 2,
    "tanh": lambda x: np.tanh(x, out=x),
    "tanh_shrink": lambda x: x - np.tanh(x),
}
assert set(_FUNCTIONS) == set(ACTIVATIONS)
