"""Networks with random weights for the tests of predictions."""

from dataclasses import replace

import numpy as np
from sklearn.utils import check_random_state

from skdnn._network.initial_weights import (
    bin_edges,
    data_driven_weights,
    uniform_weights,
)
from skdnn._network.spec import Hidden, InputEncoding, NetworkSpec

ENCODINGS = {
    "numeric": InputEncoding(3, 0, (), 4),
    "flags": InputEncoding(0, 5, (), 0),
    "codes": InputEncoding(0, 0, (12, 9), 0),
    "all": InputEncoding(3, 2, (12, 9), 4),
    "no numeric": InputEncoding(0, 2, (12,), 0),
    "no bins": InputEncoding(3, 2, (12,), 0),
}


def plain_network(activation="relu", dtype="float32", n_classes=3, batch_norm=False):
    """Return a spec without input encoding, weights and rows."""
    hidden = (
        Hidden(7, activation, dropout=0.4, batch_norm=batch_norm),
        Hidden(5, activation),
    )
    outputs = (1, "logistic") if n_classes == 2 else (n_classes, "softmax")
    spec = NetworkSpec(4, hidden, *outputs, dtype)
    rng = check_random_state(0)
    steep = 0.1 if activation == "exponential" else 3
    # wide enough that both sides of every kink are met
    weights = [
        np.abs(w) + rng.uniform(0.1, 2, w.shape).astype(dtype)
        if array.role == "moving_variance"
        else steep * w + rng.normal(scale=0.5, size=w.shape).astype(dtype)
        for array, w in zip(spec.arrays, uniform_weights(spec, rng), strict=True)
    ]
    scale = 0.05 if activation == "exponential" else 2  # two in a row overflow
    X = rng.normal(scale=scale, size=(200, 4)).astype(dtype)
    return spec, weights, X


def encoded_rows(encoding, dtype, n=150):
    """Return random rows for an input encoding."""
    rng = check_random_state(0)
    numeric = rng.normal(size=(n, encoding.n_numeric)).clip(-3, 3)
    numeric[:, 1:2] = rng.randint(3, size=(n, 1))[:, : max(0, encoding.n_numeric - 1)]
    flags = rng.randint(2, size=(n, encoding.n_flags))
    codes = [rng.randint(size, size=n) for size in encoding.code_sizes]
    return np.column_stack([numeric, flags, *codes]).astype(dtype)


def encoding_network(
    encoding, dtype="float64", members=3, inverse_temperature=1.7, activation="selu"
):
    """Return a spec, weights that all differ from the initial ones, and rows."""
    X = encoded_rows(encoding, dtype)
    hidden = (Hidden(6, activation), Hidden(5, activation))
    spec = NetworkSpec(X.shape[1], hidden, 4, "softmax", dtype, encoding=encoding)
    weight, rng = np.ones(len(X)), check_random_state(1)
    edges = None
    if encoding.bins:
        edges = bin_edges(X[:, : encoding.n_numeric], weight, encoding.bins)
    drawn = [data_driven_weights(spec, X, weight, edges, rng) for _ in range(members)]
    stacked = [np.stack(arrays) for arrays in zip(*drawn, strict=True)]
    weights = [
        array + rng.normal(scale=0.7, size=array.shape).astype(dtype)
        if description.trainable
        else array
        for description, array in zip(spec.arrays, stacked, strict=True)
    ]
    if members == 1:
        weights = [array[0] for array in weights]
    spec = replace(spec, members=members, inverse_temperature=inverse_temperature)
    return spec, weights, X
