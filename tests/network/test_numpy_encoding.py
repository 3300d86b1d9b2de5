"""Networks behind a front: NumPy, the saved model and the trained network agree."""

import subprocess
import sys

import keras
import numpy as np
import pytest
from sklearn.utils import check_random_state

from skdnn._network import numpy_forward, prediction
from skdnn._network.initial_weights import bin_edges, starting_weights
from skdnn._network.keras_models import build_model, build_network, set_weights
from skdnn._network.spec import Hidden, InputEncoding, NetworkSpec

FRONTS = {
    "numbers": InputEncoding(3, 0, (), 4),
    "flags": InputEncoding(0, 5, (), 0),
    "codes": InputEncoding(0, 0, (12, 9), 0),
    "all": InputEncoding(3, 2, (12, 9), 4),
    "no numbers": InputEncoding(0, 2, (12,), 0),
    "no pieces": InputEncoding(3, 2, (12,), 0),
}


def make_rows(encoding, dtype, n=150):
    rng = check_random_state(0)
    numbers = rng.normal(size=(n, encoding.n_numeric)).clip(-3, 3)
    numbers[:, 1:2] = rng.randint(3, size=(n, 1))[:, : max(0, encoding.n_numeric - 1)]
    flags = rng.randint(2, size=(n, encoding.n_flags))
    codes = [rng.randint(size, size=n) for size in encoding.code_sizes]
    return np.column_stack([numbers, flags, *codes]).astype(dtype)


def make_network(
    encoding, dtype="float64", members=3, inverse_temperature=1.7, activation="selu"
):
    """Return a spec, weights that are all away from where they start, and rows."""
    X = make_rows(encoding, dtype)
    spec = NetworkSpec(
        X.shape[1],
        (Hidden(6, activation), Hidden(5, activation)),
        4,
        "softmax",
        dtype,
        encoding=encoding,
    )
    weight, rng = np.ones(len(X)), check_random_state(1)
    edges = None
    if encoding.bins:
        edges = bin_edges(X[:, : encoding.n_numeric], weight, encoding.bins)
    drawn = [starting_weights(spec, X, weight, edges, rng) for _ in range(members)]
    stacked = [np.stack(arrays) for arrays in zip(*drawn, strict=True)]
    weights = [
        array + rng.normal(scale=0.7, size=array.shape).astype(dtype)
        if description.trainable
        else array
        for description, array in zip(spec.arrays, stacked, strict=True)
    ]
    if members == 1:
        weights = [array[0] for array in weights]
    several = NetworkSpec(
        spec.n_inputs,
        spec.hidden,
        4,
        "softmax",
        dtype,
        encoding=encoding,
        members=members,
        inverse_temperature=inverse_temperature,
    )
    return several, weights, X


def by_training_network(spec, weights, X):
    """Return the mean of what the network that is trained tells, made sharper."""
    network = build_network(spec)
    proba = []
    for arrays in spec.member_weights(weights):
        set_weights(network, spec, arrays)
        logits = keras.ops.convert_to_numpy(network(X)).astype(np.float64)
        proba.append(np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True))
    mean = np.mean(proba, axis=0) ** spec.inverse_temperature
    return mean / mean.sum(axis=1, keepdims=True)


@pytest.mark.parametrize(("dtype", "atol"), [("float32", 1e-5), ("float64", 1e-12)])
@pytest.mark.parametrize("name", FRONTS)
def test_three_roads_agree(name, dtype, atol):
    spec, weights, X = make_network(FRONTS[name], dtype)
    ours = prediction.predict_proba(spec, weights, X)
    model = build_model(spec, weights)
    assert ours.dtype == dtype
    np.testing.assert_allclose(ours, by_training_network(spec, weights, X), atol=atol)
    np.testing.assert_allclose(
        ours, keras.ops.convert_to_numpy(model(X)), atol=atol, rtol=0
    )
    logits = prediction.predict_logits(spec, weights, X)
    np.testing.assert_allclose(
        np.exp(prediction.log_probabilities(spec, logits)), ours, atol=atol
    )


@pytest.mark.parametrize("members", [1, 2])
@pytest.mark.parametrize("inverse_temperature", [1.0, 0.6])
@pytest.mark.parametrize("activation", ["softmax", "tanh"])
def test_any_activation_and_count_of_members(members, inverse_temperature, activation):
    spec, weights, X = make_network(
        FRONTS["all"],
        members=members,
        inverse_temperature=inverse_temperature,
        activation=activation,
    )
    ours = prediction.predict_proba(spec, weights, X)
    np.testing.assert_allclose(ours, by_training_network(spec, weights, X), atol=1e-12)
    theirs = keras.ops.convert_to_numpy(build_model(spec, weights)(X))
    np.testing.assert_allclose(ours, theirs, atol=1e-12)


def test_a_code_of_zero_adds_nothing():
    encoding = FRONTS["all"]
    spec, weights, X = make_network(encoding)
    unseen = X.copy()
    unseen[:, -1] = 0
    # as if the embedding of the last input were zero for all of its codes
    silent = [
        np.zeros_like(array) if description.role == "embed_1" else array
        for description, array in zip(spec.arrays, weights, strict=True)
    ]
    np.testing.assert_allclose(
        prediction.predict_proba(spec, weights, unseen),
        prediction.predict_proba(spec, silent, X),
        atol=1e-14,
    )
    assert not np.allclose(
        prediction.predict_proba(spec, weights, unseen),
        prediction.predict_proba(spec, weights, X),
    )


def test_blocks_do_not_change_the_answer(monkeypatch):
    spec, weights, X = make_network(FRONTS["all"])
    before = X.copy()
    whole = prediction.predict_proba(spec, weights, X)
    monkeypatch.setattr(numpy_forward, "_BLOCK_BYTES", 1)
    np.testing.assert_allclose(prediction.predict_proba(spec, weights, X), whole)
    np.testing.assert_array_equal(X, before)


def test_sharpness_of_a_plain_network():
    for n_outputs, output in [(1, "logistic"), (3, "softmax"), (3, "logistic")]:
        spec = NetworkSpec(
            4,
            (Hidden(5, "tanh"),),
            n_outputs,
            output,
            "float64",
            inverse_temperature=2.5,
        )
        rng = np.random.default_rng(0)
        weights = [rng.normal(size=array.shape) for array in spec.arrays]
        X = rng.normal(size=(40, 4))
        ours = prediction.predict_proba(spec, weights, X)
        theirs = keras.ops.convert_to_numpy(build_model(spec, weights)(X))
        np.testing.assert_allclose(ours, theirs, atol=1e-12)
        hidden = np.tanh(X @ weights[0] + weights[1])
        logits = 2.5 * (hidden @ weights[2] + weights[3])
        np.testing.assert_allclose(prediction.predict_logits(spec, weights, X), logits)


@pytest.mark.slow
def test_saved_model_needs_nothing_of_ours(tmp_path):
    spec, weights, X = make_network(FRONTS["all"], "float32")
    build_model(spec, weights).save(tmp_path / "model.keras")
    np.save(tmp_path / "X.npy", X)
    script = (
        "import sys, keras, numpy as np\n"
        "model = keras.models.load_model('model.keras')\n"
        "np.save('proba.npy', model.predict(np.load('X.npy'), verbose=0))\n"
        "assert 'skdnn' not in sys.modules\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    np.testing.assert_allclose(
        np.load(tmp_path / "proba.npy"),
        prediction.predict_proba(spec, weights, X),
        atol=1e-5,
    )
