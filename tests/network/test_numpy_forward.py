"""The NumPy forward pass: blocks, sparse rows, batch norm."""

import keras
import numpy as np
import pytest
from networks import plain_network
from scipy.sparse import csr_matrix

from skdnn._network import numpy_forward, prediction
from skdnn._network.keras_models import build_model
from skdnn._network.spec import Hidden, NetworkSpec
from skdnn._runtime import threads


@pytest.mark.parametrize("batch_norm", [False, True])
def test_equals_keras_in_float64(batch_norm):
    spec, weights, X = plain_network("gelu", "float64", 3, batch_norm)
    ours = prediction.Predictor(spec, weights).proba(X)
    theirs = keras.ops.convert_to_numpy(build_model(spec, weights)(X))
    assert ours.dtype == theirs.dtype == np.float64
    np.testing.assert_allclose(ours, theirs, atol=1e-12)


def test_blocks_do_not_change_the_result(monkeypatch):
    spec, weights, X = plain_network(dtype="float64")
    whole = prediction.Predictor(spec, weights).logits(X)
    # private: blocks of the real size would need many rows
    monkeypatch.setattr(numpy_forward, "_BLOCK_BYTES", 1)
    np.testing.assert_allclose(
        prediction.Predictor(spec, weights).logits(X), whole, rtol=1e-12
    )


def test_many_blocks_in_threads_equal_one_block(monkeypatch):
    spec, weights, X = plain_network(dtype="float64")
    X = np.tile(X, (20, 1))
    blocks = prediction.Predictor(spec, weights).proba(X)
    # private: blocks of the real size would need many rows
    monkeypatch.setattr(numpy_forward, "_BLOCK_BYTES", 1)
    used = []
    run = numpy_forward.run_blocks
    monkeypatch.setattr(
        numpy_forward, "run_blocks", lambda *a, **k: (used.append(1), run(*a, **k))
    )
    monkeypatch.setattr(threads, "blas_thread_count", lambda: 3)
    in_threads = prediction.Predictor(spec, weights).proba(X)
    assert used
    np.testing.assert_allclose(in_threads, blocks, rtol=1e-12)


def test_sparse_rows():
    spec, weights, X = plain_network(dtype="float64")
    np.testing.assert_allclose(
        prediction.Predictor(spec, weights).logits(csr_matrix(X)),
        prediction.Predictor(spec, weights).logits(X),
    )


def test_input_and_weights_are_not_overwritten():
    spec, weights, X = plain_network(dtype="float64")
    before = X.copy()
    kept = [w.copy() for w in weights]
    prediction.Predictor(spec, weights).logits(X)
    np.testing.assert_array_equal(X, before)
    for a, b in zip(weights, kept, strict=True):
        np.testing.assert_array_equal(a, b)


def test_an_overflow_gives_no_warning():
    spec = NetworkSpec(1, (Hidden(1, "exponential"),), 2, "softmax", "float32")
    weights = [np.ones(array.shape, "float32") for array in spec.arrays]
    X = np.array([[1000.0]], "float32")
    with np.errstate(over="raise"):
        logits = prediction.Predictor(spec, weights).logits(X)
    assert np.isposinf(logits).all()
