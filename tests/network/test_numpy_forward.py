"""The NumPy forward pass equals Keras for every activation and layer."""

import keras
import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.utils import check_random_state

from skdnn._network import keras_forward, numpy_forward, prediction
from skdnn._network.keras_models import build_model
from skdnn._network.spec import ACTIVATIONS, Hidden, NetworkSpec, initial_weights
from skdnn._runtime import threads


def make_network(activation="relu", dtype="float32", n_classes=3, batch_norm=False):
    hidden = (
        Hidden(7, activation, dropout=0.4, batch_norm=batch_norm),
        Hidden(5, activation),
    )
    binary = n_classes == 2
    spec = NetworkSpec(
        4,
        hidden,
        1 if binary else n_classes,
        "logistic" if binary else "softmax",
        dtype,
    )
    rng = check_random_state(0)
    steep = 0.1 if activation == "exponential" else 3
    # wide enough that both sides of every kink are met
    weights = [
        np.abs(w) + rng.uniform(0.1, 2, w.shape).astype(dtype)
        if array.role == "moving_variance"
        else steep * w + rng.normal(scale=0.5, size=w.shape).astype(dtype)
        for array, w in zip(spec.arrays, initial_weights(spec, rng), strict=True)
    ]
    scale = 0.05 if activation == "exponential" else 2  # two in a row overflow
    X = rng.normal(scale=scale, size=(200, 4)).astype(dtype)
    return spec, weights, X


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_equals_keras(activation, n_classes, batch_norm):
    spec, weights, X = make_network(activation, "float32", n_classes, batch_norm)
    ours = prediction.predict_proba(spec, weights, X)
    model = build_model(spec, weights)
    theirs = keras.ops.convert_to_numpy(model(X))
    assert ours.dtype == np.float32
    assert ours.shape == theirs.shape == (200, n_classes)
    np.testing.assert_allclose(ours, theirs, atol=1e-5)
    np.testing.assert_allclose(ours.sum(axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize("batch_norm", [False, True])
def test_equals_keras_in_float64(batch_norm):
    spec, weights, X = make_network("gelu", "float64", 3, batch_norm)
    ours = prediction.predict_proba(spec, weights, X)
    theirs = keras.ops.convert_to_numpy(build_model(spec, weights)(X))
    assert ours.dtype == theirs.dtype == np.float64
    np.testing.assert_allclose(ours, theirs, atol=1e-12)


def test_activations_are_all_that_keras_has_by_name():
    needs_arguments_or_halves = {"threshold", "glu"}
    names = {
        name
        for name in dir(keras.activations)
        if callable(getattr(keras.activations, name))
    } - {"get", "serialize", "deserialize", "swish", "hard_swish"}
    assert names - needs_arguments_or_halves == set(ACTIVATIONS)


def test_blocks_do_not_change_the_answer(monkeypatch):
    spec, weights, X = make_network(dtype="float64")
    whole = prediction.predict_logits(spec, weights, X)
    monkeypatch.setattr(numpy_forward, "_BLOCK_BYTES", 1)
    np.testing.assert_allclose(
        prediction.predict_logits(spec, weights, X), whole, rtol=1e-12
    )


def test_sparse_rows():
    spec, weights, X = make_network(dtype="float64")
    np.testing.assert_allclose(
        prediction.predict_logits(spec, weights, csr_matrix(X)),
        prediction.predict_logits(spec, weights, X),
    )


def test_input_is_not_written_to():
    spec, weights, X = make_network(dtype="float64")
    before = X.copy()
    kept = [w.copy() for w in weights]
    prediction.predict_logits(spec, weights, X)
    np.testing.assert_array_equal(X, before)
    for a, b in zip(weights, kept, strict=True):
        np.testing.assert_array_equal(a, b)


def test_log_probabilities_are_exact_far_out():
    binary, _, _ = make_network(n_classes=2, dtype="float64")
    log_p = prediction.log_probabilities(binary, np.array([[800.0], [-800.0], [0.0]]))
    np.testing.assert_allclose(
        log_p, [[-800, 0], [0, -800], [np.log(0.5), np.log(0.5)]]
    )
    softmax, _, _ = make_network(dtype="float64")
    log_p = prediction.log_probabilities(softmax, np.array([[0.0, 800.0, 0.0]]))
    np.testing.assert_allclose(log_p, [[-800, 0, -800]])


def test_a_function_of_the_users_goes_through_keras():
    def doubled(x):
        return keras.ops.relu(x) * 2

    spec, weights, X = make_network(doubled, "float64")
    assert not numpy_forward.supports(spec)
    expected = keras.ops.convert_to_numpy(build_model(spec, weights)(X))
    logits = prediction.predict_logits(spec, weights, X)
    np.testing.assert_allclose(prediction.probabilities(spec, logits), expected)
    np.testing.assert_allclose(
        keras_forward.predict_logits(spec, weights, csr_matrix(X)), logits
    )


def test_many_blocks_in_threads_equal_one_block(monkeypatch):
    spec, weights, X = make_network(dtype="float64")
    X = np.tile(X, (20, 1))
    blocks = prediction.predict_proba(spec, weights, X)
    monkeypatch.setattr(numpy_forward, "_BLOCK_BYTES", 1)
    used = []
    run = numpy_forward.run_blocks
    monkeypatch.setattr(
        numpy_forward, "run_blocks", lambda *a: (used.append(1), run(*a))
    )
    monkeypatch.setattr(threads, "blas_thread_count", lambda: 3)
    in_threads = prediction.predict_proba(spec, weights, X)
    assert used
    np.testing.assert_allclose(in_threads, blocks, rtol=1e-12)
