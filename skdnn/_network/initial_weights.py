"""Initial weights: as MLPClassifier draws them, or fitted to the training rows."""

from collections.abc import Mapping

import numpy as np

from skdnn._network.numpy_activations import ACTIVATION_FUNCTIONS
from skdnn._network.spec import InputEncoding, NetworkSpec

# Rows used to scale the layers, at most, and rows averaged for a bias.
_MAX_ROWS = 1000
_BIAS_ROWS = 5
# Start of unused bins, which no value reaches.
_UNREACHED = 1e9


def uniform_weights(
    spec: NetworkSpec, random_state: np.random.RandomState
) -> list[np.ndarray]:
    """Draw the weights that ``MLPClassifier`` would start from.

    Kernels and biases are uniform within ``sqrt(6 / (fan_in + fan_out))``, with 2 in
    place of 6 for logistic units (Glorot and Bengio, 2010, eq. 16).
    """
    is_logistic = bool(spec.hidden) and spec.hidden[0].activation == "sigmoid"
    factor = 2.0 if is_logistic else 6.0
    weights, bound = [], 0.0
    for array in spec.arrays:
        if array.role == "kernel":  # the bias after it has the same
            bound = np.sqrt(factor / sum(array.shape))
        if array.role in ("kernel", "bias"):
            value = random_state.uniform(-bound, bound, array.shape)
        else:
            is_one = array.role in ("gamma", "moving_variance")
            value = np.full(array.shape, float(is_one))
        weights.append(value.astype(spec.dtype, copy=False))
    return weights


def bin_edges(
    numbers: np.ndarray, weight: np.ndarray, bins: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return start and width of the bins of each column, of shape (n_numeric, bins).

    Edges are quantiles of the distinct values, each weighted by the root of its count:
    a value of many rows takes few of the bins, not all. Few values are the edges.
    """
    numbers, weight = numbers[weight > 0], weight[weight > 0]
    shape = (numbers.shape[1], bins)
    start, width = np.full(shape, _UNREACHED), np.ones(shape)
    for j, column in enumerate(numbers.T):
        edges = _edges(column.astype(np.float64), weight, bins)
        start[j, : len(edges) - 1] = edges[:-1]
        width[j, : len(edges) - 1] = np.diff(edges)
    return start, width


def _edges(column: np.ndarray, weight: np.ndarray, bins: int) -> np.ndarray:
    values, of_row = np.unique(column, return_inverse=True)
    shares = np.sqrt(np.bincount(of_row, weights=weight))
    middle = np.cumsum(shares) - shares / 2
    edges = np.interp(np.linspace(0, 1, bins + 1) * shares.sum(), middle, values)
    edges[0], edges[-1] = values[0], values[-1]
    if len(values) <= 4 * bins:
        # rounding must not move an edge beyond the value that it is
        at = np.searchsorted(values, edges - 1e-9).clip(0, len(values) - 1)
        edges = values[at]
    return np.unique(edges)


def data_driven_weights(
    spec: NetworkSpec,
    X: np.ndarray,
    weight: np.ndarray,
    edges: tuple[np.ndarray, np.ndarray] | None,
    random_state: np.random.RandomState,
) -> list[np.ndarray]:
    """Draw the initial weights of a member of a network with input encoding.

    Layer by layer: kernels are normal, and each column is divided by the standard
    deviation of its product over the rows; a bias is minus a random mean of five of
    these products, so that every unit has rows on both sides of zero. The last layer is
    zero (Holzmüller et al., 2024, appendix A). `edges` are of `bin_edges`, if any.
    """
    encoding = spec.encoding
    assert encoding is not None
    counted = np.flatnonzero(weight > 0)
    if len(counted) > _MAX_ROWS:
        counted = random_state.choice(counted, _MAX_ROWS, replace=False)
    X, weight = X[counted], weight[counted].astype(np.float64)
    drawn = _encoding_weights(encoding, edges, random_state)
    h = _encoded(encoding, drawn, X.astype(np.float64))
    arrays = [drawn[array.role] for array in encoding.arrays]
    for layer in spec.hidden:
        kernel = random_state.normal(size=(h.shape[1], layer.units))
        sums = h @ kernel / h.shape[1] ** 0.5
        mean = np.average(sums, axis=0, weights=weight)
        deviation = np.sqrt(np.average((sums - mean) ** 2, axis=0, weights=weight))
        deviation += 1e-6
        kernel /= deviation
        sums /= deviation
        bias = -_random_means(sums, weight, random_state)
        arrays += [kernel, bias]
        h = ACTIVATION_FUNCTIONS[str(layer.activation)](sums + bias)
    arrays += [np.zeros((h.shape[1], spec.n_outputs)), np.zeros(spec.n_outputs)]
    return [array.astype(spec.dtype) for array in arrays]


def _encoding_weights(
    encoding: InputEncoding,
    edges: tuple[np.ndarray, np.ndarray] | None,
    random_state: np.random.RandomState,
) -> dict[str, np.ndarray]:
    """Return the arrays of the encoding: its functions start close to zero."""
    drawn: dict[str, np.ndarray] = {}
    for array in encoding.arrays:
        if array.role == "piecewise_linear":
            drawn[array.role] = random_state.normal(scale=1e-4, size=array.shape)
        elif array.role == "scale":
            drawn[array.role] = np.ones(array.shape)
        elif array.role.startswith("embedding"):
            drawn[array.role] = random_state.normal(size=array.shape)
    if edges is not None:
        drawn["bin_start"], drawn["bin_width"] = edges
    return drawn


def _encoded(
    encoding: InputEncoding, arrays: Mapping[str, np.ndarray], X: np.ndarray
) -> np.ndarray:
    """Return what the first layer receives, piecewise-linear functions as zero."""
    functions = np.zeros((len(X), encoding.n_piecewise_linear))
    numeric, flags, codes = np.split(X, [encoding.n_numeric, encoding.n_dense], axis=1)
    parts = [numeric, functions, flags]
    for i, column in enumerate(codes.T.astype(np.intp)):
        embedding = arrays[f"embedding_{i}"]
        parts.append(np.vstack([np.zeros_like(embedding[:1]), embedding])[column])
    return np.hstack(parts)


def _random_means(
    sums: np.ndarray, weight: np.ndarray, random_state: np.random.RandomState
) -> np.ndarray:
    """Return for each column a random mean of five of its values, drawn by weight."""
    shape = (_BIAS_ROWS, sums.shape[1])
    marks = random_state.uniform(size=shape)
    shares = random_state.dirichlet(np.ones(_BIAS_ROWS), size=sums.shape[1]).T
    order = np.argsort(sums, axis=0)
    means = np.zeros(sums.shape[1])
    for j in range(sums.shape[1]):
        below = np.cumsum(weight[order[:, j]])
        at = np.searchsorted(below, marks[:, j] * below[-1])
        means[j] = shares[:, j] @ sums[order[at.clip(0, len(sums) - 1), j], j]
    return means
