"""Activation functions in NumPy, with the formulas and constants of Keras."""

from collections.abc import Callable

import numpy as np

# From an array, which it may overwrite.
Activation = Callable[[np.ndarray], np.ndarray]


def linear(x: np.ndarray) -> np.ndarray:
    return x


def sigmoid(x: np.ndarray) -> np.ndarray:
    """Return the logistic function, written over `x`."""
    from scipy.special import expit

    expit(x, out=x)
    return x


def softmax(x: np.ndarray) -> np.ndarray:
    x = np.exp(x - x.max(axis=-1, keepdims=True))
    x /= x.sum(axis=-1, keepdims=True)
    return x


def log_softmax(x: np.ndarray) -> np.ndarray:
    x = x - x.max(axis=-1, keepdims=True)
    x -= np.log(np.exp(x).sum(axis=-1, keepdims=True))
    return x


def _elu(x: np.ndarray, alpha: float = 1.0, scale: float = 1.0) -> np.ndarray:
    below = np.minimum(x, 0)
    np.expm1(below, out=below)
    below *= scale * alpha
    np.maximum(x, 0, out=x)
    x *= scale
    x += below
    return x


def _gelu(x: np.ndarray) -> np.ndarray:
    from scipy.special import erf

    share = 1 + erf(x / np.sqrt(2).astype(x.dtype))
    return np.asarray(x * 0.5 * share)


def _hard_sigmoid(x: np.ndarray) -> np.ndarray:
    return np.asarray(np.clip(x + 3, 0, 6) / 6)


def _softplus(x: np.ndarray) -> np.ndarray:
    return np.asarray(np.logaddexp(x, 0))


def _sparsemax(x: np.ndarray) -> np.ndarray:
    # Keras adds up the partial sums within the support where Martins and Astudillo
    # (2016, algorithm 1) take the last one; prediction must do as training does.
    ordered = -np.sort(-x, axis=-1)
    above = np.cumsum(ordered, axis=-1)
    rank = np.arange(1, x.shape[-1] + 1, dtype=x.dtype)
    support = ordered - (above - 1) / rank > 0
    total = np.where(support, above, 0).sum(axis=-1, keepdims=True)
    size = support.sum(axis=-1, keepdims=True, dtype=x.dtype)
    return np.asarray(np.maximum(x - (total - 1) / size, 0))


ACTIVATION_FUNCTIONS: dict[str, Activation] = {
    "celu": _elu,
    "elu": _elu,
    "exponential": lambda x: np.exp(x, out=x),
    "gelu": _gelu,
    "hard_shrink": lambda x: np.where(np.abs(x) > 0.5, x, 0),
    "hard_sigmoid": _hard_sigmoid,
    "hard_silu": lambda x: x * _hard_sigmoid(x),
    "hard_tanh": lambda x: np.clip(x, -1, 1, out=x),
    "leaky_relu": lambda x: np.maximum(x, 0.2 * x, out=x),
    "linear": linear,
    "log_sigmoid": lambda x: -_softplus(-x),
    "log_softmax": log_softmax,
    "mish": lambda x: x * np.tanh(_softplus(x)),
    "relu": lambda x: np.maximum(x, 0, out=x),
    "relu6": lambda x: np.clip(x, 0, 6, out=x),
    "selu": lambda x: _elu(x, 1.6732632423543772, 1.0507009873554805),
    "sigmoid": sigmoid,
    "silu": lambda x: x * sigmoid(x.copy()),
    "soft_shrink": lambda x: np.sign(x) * np.maximum(np.abs(x) - 0.5, 0),
    "softmax": softmax,
    "softplus": _softplus,
    "softsign": lambda x: x / (1 + np.abs(x)),
    "sparse_plus": lambda x: np.where(x <= -1, 0, np.where(x < 1, (x + 1) ** 2 / 4, x)),
    "sparse_sigmoid": lambda x: np.clip((x + 1) / 2, 0, 1),
    "sparsemax": _sparsemax,
    "squareplus": lambda x: (x + np.sqrt(x * x + 4)) / 2,
    "tanh": lambda x: np.tanh(x, out=x),
    "tanh_shrink": lambda x: x - np.tanh(x),
}
