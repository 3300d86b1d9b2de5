"""The NumPy forward pass: blocks, sparse rows, batch norm."""

from dataclasses import replace

import keras
import numpy as np
import pytest
from networks import ENCODINGS, encoding_network, plain_network
from resources import blas_counts, left_by, peak_of
from scipy.sparse import csr_matrix
from threadpoolctl import threadpool_limits

from skdnn._network import numpy_forward, prediction
from skdnn._network.keras_models import build_model
from skdnn._network.numpy_activations import linear
from skdnn._network.numpy_forward import NumpyForward
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


def wide_network(width, n_rows, dtype="float64", n_layers=1):
    """Return the forward pass of layers of a width, and rows."""
    spec = NetworkSpec(2, (Hidden(width, "relu"),) * n_layers, 3, "softmax", dtype)
    rng = np.random.default_rng(0)
    weights = [rng.normal(size=array.shape).astype(dtype) for array in spec.arrays]
    X = rng.normal(size=(n_rows, 2)).astype(dtype)
    return NumpyForward(spec, weights), X


def test_memory_of_wide_layers_is_given_back():
    forward, X = wide_network(20_000, 100)  # 10 MB for the fewest rows of a block
    forward.predict(X[:1], linear)
    assert left_by(lambda: forward.predict(X, linear)) < 1e6


def test_memory_of_narrow_layers_is_used_again():
    forward, X = wide_network(256, 512)
    one_layer = X.shape[0] * 256 * 8
    forward.predict(X, linear)
    assert peak_of(lambda: forward.predict(X, linear)) < one_layer / 2


@pytest.mark.parametrize(
    ("width", "dtype"), [(512, "float64"), (512, "float32"), (10_000, "float32")]
)
def test_blocks_are_of_a_mebibyte_or_of_64_rows(width, dtype):
    forward, X = wide_network(width, 1000, dtype)
    sizes = []

    def output(logits):
        sizes.append(len(logits))
        return logits

    forward.predict(X, output)
    assert sum(sizes) == 1000
    row_bytes = width * np.dtype(dtype).itemsize
    if 64 * row_bytes > 2**20:
        assert max(sizes) == 64
    else:
        assert 2**19 < max(sizes) * row_bytes <= 2**20


@pytest.mark.parametrize(
    ("width", "n_rows", "n_threads"),
    [(8, 63, 2), (8, 64, 1), (8, 1000, 1), (2300, 63, 2), (2300, 300, 2)],
)
def test_blas_threads_of_small_blocks_are_limited(width, n_rows, n_threads):
    forward, X = wide_network(width, n_rows, "float32", n_layers=2)
    counts = []

    def output(logits):
        counts.extend(blas_counts())
        return logits

    with threadpool_limits(2, "blas"):
        forward.predict(X, output)
    assert set(counts) == {n_threads}


def test_members_are_networks_alone():
    spec, weights, X = encoding_network(ENCODINGS["all"])
    together = NumpyForward(spec, weights).predict_members(X, linear)
    alone = [
        NumpyForward(replace(spec, members=1), own).predict(X, linear)
        for own in spec.member_weights(weights)
    ]
    assert together.shape == (len(X), 1 + len(alone), 4)
    np.testing.assert_allclose(together[:, 1:], np.stack(alone, axis=1), atol=1e-10)
    mean = NumpyForward(spec, weights).predict(X, linear)
    np.testing.assert_allclose(together[:, 0], mean, atol=1e-12)
