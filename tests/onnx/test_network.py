"""Networks in ONNX give the probabilities of the forward pass in NumPy."""

import numpy as np
import pytest
from networks import ENCODINGS, encoding_network, plain_network
from optional import require

from skdnn._network.prediction import Predictor
from skdnn._network.spec import ACTIVATIONS
from skdnn._onnx.graph import Graph
from skdnn._onnx.network import add_probabilities

onnxruntime = require("onnxruntime")


def error(spec, weights, X):
    """Return the largest difference of probabilities."""
    graph = Graph(["X"])
    rows = graph.input("X", spec.dtype, X.shape[1])
    proba = add_probabilities(graph, spec, weights, rows)
    graph.output(proba, "probabilities", spec.dtype, [None, None])
    data = graph.model("", {}).SerializeToString()
    session = onnxruntime.InferenceSession(data)
    (result,) = session.run(None, {"X": X.astype(spec.dtype)})
    expected = Predictor(spec, weights).proba(X.astype(spec.dtype))
    assert result.dtype == expected.dtype
    return np.abs(result - expected).max()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_activations(activation, dtype):
    exact = dtype == "float64" and activation != "gelu"
    network = plain_network(activation, dtype, batch_norm=True)
    assert error(*network) < (1e-12 if exact else 1e-5)


@pytest.mark.parametrize("members", [1, 3])
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_input_encodings(encoding, members):
    spec, weights, X = encoding_network(ENCODINGS[encoding], "float64", members)
    X[0] = 0  # missing or unknown, and below all bins
    assert error(spec, weights, X) < 1e-12


def test_two_classes():
    spec, weights, X = plain_network(n_classes=2)
    assert error(spec, weights, X) < 1e-6


def test_functions_as_activations_are_refused():
    spec, weights, X = plain_network(activation="relu")
    from dataclasses import replace

    hidden = tuple(replace(layer, activation=abs) for layer in spec.hidden)
    with pytest.raises(ValueError, match=r"must be a name.*Fit it again"):
        error(replace(spec, hidden=hidden), weights, X)
