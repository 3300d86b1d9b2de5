"""Where a network behind a front starts from: the rows decide."""

import numpy as np

from skdnn._network.numpy_forward import activation_function
from skdnn._network.spec import InputEncoding, NetworkSpec

# Rows that a start looks at, at most; and rows whose sums make up a bias.
_START_ROWS = 1000
_BIAS_ROWS = 5
# A piece that there is not is never reached.
_NEVER = 1e9


def bin_edges(
    numbers: np.ndarray, weight: np.ndarray, bins: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return where the pieces of the functions of each number begin, and their length.

    Their edges are quantiles of the distinct values, each weighted by the root of its
    count: a value that many rows have takes few of the pieces, not all. Where values
    are few the edges are values.

    Parameters
    ----------
    numbers : ndarray of shape (n_samples, n_numeric)
        As the network receives them.
    weight : ndarray of shape (n_samples,)
        Weights of the rows.
    bins : int
        Pieces of each function, at most.

    Returns
    -------
    start, length : ndarray of shape (n_numeric, bins)
    """
    numbers, weight = numbers[weight > 0], weight[weight > 0]
    start = np.full((numbers.shape[1], bins), _NEVER)
    length = np.ones((numbers.shape[1], bins))
    for j, column in enumerate(numbers.T):
        edges = _edges(column.astype(np.float64), weight, bins)
        start[j, : len(edges) - 1] = edges[:-1]
        length[j, : len(edges) - 1] = np.diff(edges)
    return start, length


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


def starting_weights(
    spec: NetworkSpec,
    X: np.ndarray,
    weight: np.ndarray,
    edges: tuple[np.ndarray, np.ndarray] | None,
    random_state: np.random.RandomState,
) -> list[np.ndarray]:
    """Draw starting weights such that every unit sees rows on both sides of zero.

    Layer by layer: kernels are normal, and each column is divided by the deviation of
    its product over the rows; a bias is minus a random mean of five of its sums. The
    last layer is zero (Holzmüller et al., 2024, appendix A). Rows count by their
    weights, in whatever order they come.

    Parameters
    ----------
    spec : NetworkSpec
        A member, with a front.
    X : ndarray of shape (n_samples, n_inputs)
        Training rows.
    weight : ndarray of shape (n_samples,)
        Their weights.
    edges : (start, length) or None
        From `bin_edges`, if the front has functions of numbers.
    random_state : RandomState
        Draws everything.

    Returns
    -------
    list of ndarray
        In the order of ``spec.arrays``.
    """
    counted = np.flatnonzero(weight > 0)
    if len(counted) > _START_ROWS:
        counted = random_state.choice(counted, _START_ROWS, replace=False)
    X, weight = X[counted], weight[counted].astype(np.float64)
    encoding = spec.encoding
    assert encoding is not None
    drawn = _front_arrays(encoding, edges, random_state)
    h = _front_outputs(encoding, drawn, X.astype(np.float64))
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
        h = activation_function(str(layer.activation))(sums + bias)
    arrays += [np.zeros((h.shape[1], spec.n_outputs)), np.zeros(spec.n_outputs)]
    return [array.astype(spec.dtype) for array in arrays]


def _front_arrays(
    encoding: InputEncoding, edges, random_state
) -> dict[str, np.ndarray]:
    """Return the arrays of the front: functions of numbers begin as good as zero."""
    drawn = {}
    for array in encoding.arrays:
        if array.role == "piecewise_linear":
            drawn[array.role] = random_state.normal(scale=1e-4, size=array.shape)
        elif array.role == "scale":
            drawn[array.role] = np.ones(array.shape)
        elif array.role.startswith("embed"):
            drawn[array.role] = random_state.normal(size=array.shape)
    if edges is not None:
        drawn["start"], drawn["length"] = edges
    return drawn


def _front_outputs(encoding: InputEncoding, arrays: dict, X: np.ndarray) -> np.ndarray:
    """Return what the first layer receives, the functions of numbers as zero."""
    n_dense = encoding.n_numeric + encoding.n_flags
    ramps = np.zeros(
        (len(X), encoding.n_numeric * encoding.units if encoding.bins else 0)
    )
    parts = [X[:, : encoding.n_numeric], ramps, X[:, encoding.n_numeric : n_dense]]
    for i in range(len(encoding.code_sizes)):
        embedding = arrays[f"embed_{i}"]
        rows = np.vstack([np.zeros_like(embedding[:1]), embedding])
        parts.append(rows[X[:, n_dense + i].astype(np.intp)])
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
