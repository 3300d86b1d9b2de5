"""Networks with input encoding: NumPy, the saved and the training model agree."""

import keras
import numpy as np
import pytest
from networks import ENCODINGS, encoding_network

from skdnn._network import numpy_forward, prediction
from skdnn._network.keras_models import build_model, build_network, set_weights


def by_training_network(spec, weights, X):
    """Return the scaled mean of the probabilities of the network that is trained."""
    network = build_network(spec)
    proba = []
    for arrays in spec.member_weights(weights):
        set_weights(network, spec, arrays)
        logits = keras.ops.convert_to_numpy(network(X)).astype(np.float64)
        proba.append(np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True))
    mean = np.mean(proba, axis=0) ** spec.inverse_temperature
    return mean / mean.sum(axis=1, keepdims=True)


@pytest.mark.parametrize(("dtype", "atol"), [("float32", 1e-5), ("float64", 1e-12)])
@pytest.mark.parametrize("name", ENCODINGS)
def test_three_implementations_agree(name, dtype, atol):
    spec, weights, X = encoding_network(ENCODINGS[name], dtype)
    ours = prediction.Predictor(spec, weights).proba(X)
    model = build_model(spec, weights)
    assert ours.dtype == dtype
    np.testing.assert_allclose(ours, by_training_network(spec, weights, X), atol=atol)
    np.testing.assert_allclose(
        ours, keras.ops.convert_to_numpy(model(X)), atol=atol, rtol=0
    )
    logits = prediction.Predictor(spec, weights).logits(X)
    np.testing.assert_allclose(
        np.exp(prediction.log_probabilities(spec, logits)), ours, atol=atol
    )


@pytest.mark.parametrize("members", [1, 2])
@pytest.mark.parametrize("inverse_temperature", [1.0, 0.6])
@pytest.mark.parametrize("activation", ["softmax", "tanh"])
def test_any_activation_and_number_of_members(members, inverse_temperature, activation):
    spec, weights, X = encoding_network(
        ENCODINGS["all"],
        members=members,
        inverse_temperature=inverse_temperature,
        activation=activation,
    )
    ours = prediction.Predictor(spec, weights).proba(X)
    np.testing.assert_allclose(ours, by_training_network(spec, weights, X), atol=1e-12)
    theirs = keras.ops.convert_to_numpy(build_model(spec, weights)(X))
    np.testing.assert_allclose(ours, theirs, atol=1e-12)


def test_a_code_of_zero_adds_nothing():
    spec, weights, X = encoding_network(ENCODINGS["all"])
    unknown = X.copy()
    unknown[:, -1] = 0
    # as if the embedding of the last input were zero for all of its codes
    silent = [
        np.zeros_like(array) if description.role == "embedding_1" else array
        for description, array in zip(spec.arrays, weights, strict=True)
    ]
    np.testing.assert_allclose(
        prediction.Predictor(spec, weights).proba(unknown),
        prediction.Predictor(spec, silent).proba(X),
        atol=1e-14,
    )
    assert not np.allclose(
        prediction.Predictor(spec, weights).proba(unknown),
        prediction.Predictor(spec, weights).proba(X),
    )


def test_blocks_do_not_change_the_result(monkeypatch):
    spec, weights, X = encoding_network(ENCODINGS["all"])
    before = X.copy()
    whole = prediction.Predictor(spec, weights).proba(X)
    # private: blocks of the real size would need many rows
    monkeypatch.setattr(numpy_forward, "_BLOCK_BYTES", 1)
    np.testing.assert_allclose(prediction.Predictor(spec, weights).proba(X), whole)
    np.testing.assert_array_equal(X, before)
