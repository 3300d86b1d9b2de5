import pickle
from dataclasses import replace

import keras
import numpy as np
import pytest
from networks import ENCODINGS, encoding_network, plain_network
from resources import peak_of
from scipy.sparse import csr_matrix
from sklearn.datasets import load_iris
from sklearn.metrics import log_loss

from skdnn import DNNClassifier
from skdnn._network import numpy_forward, prediction
from skdnn._network.keras_models import build_model
from skdnn._network.spec import Hidden, NetworkSpec


@pytest.mark.parametrize("factor", [0.5, 2.0])
@pytest.mark.parametrize(
    ("n_outputs", "output"), [(1, "logistic"), (3, "softmax"), (3, "logistic")]
)
def test_inverse_temperature_multiplies_the_logits(n_outputs, output, factor):
    spec = NetworkSpec(
        4,
        (Hidden(5, "tanh"),),
        n_outputs,
        output,
        "float64",
        inverse_temperature=factor,
    )
    rng = np.random.default_rng(0)
    weights = [rng.normal(size=array.shape) for array in spec.arrays]
    X = rng.normal(size=(40, 4))
    ours = prediction.Predictor(spec, weights).proba(X)
    theirs = keras.ops.convert_to_numpy(build_model(spec, weights)(X))
    np.testing.assert_allclose(ours, theirs, atol=1e-12)
    hidden = np.tanh(X @ weights[0] + weights[1])
    logits = factor * (hidden @ weights[2] + weights[3])
    np.testing.assert_allclose(prediction.Predictor(spec, weights).logits(X), logits)


def test_log_probabilities_are_exact_for_large_logits():
    binary, _, _ = plain_network(n_classes=2, dtype="float64")
    log_p = prediction.log_probabilities(binary, np.array([[800.0], [-800.0], [0.0]]))
    np.testing.assert_allclose(
        log_p, [[-800, 0], [0, -800], [np.log(0.5), np.log(0.5)]]
    )
    softmax, _, _ = plain_network(dtype="float64")
    log_p = prediction.log_probabilities(softmax, np.array([[0.0, 800.0, 0.0]]))
    np.testing.assert_allclose(log_p, [[-800, 0, -800]])


@pytest.mark.parametrize("n_classes", [2, 3])
def test_mean_loss_is_the_weighted_log_loss(n_classes, monkeypatch):
    spec, weights, X = plain_network("tanh", "float64", n_classes)
    rng = np.random.default_rng(0)
    y, weight = rng.integers(0, n_classes, len(X)), rng.uniform(0.1, 2, len(X))
    proba = prediction.Predictor(spec, weights).proba(X)
    expected = log_loss(y, proba, sample_weight=weight)
    loss = prediction.mean_loss(spec, weights, X, y, weight)
    assert loss == pytest.approx(expected)
    monkeypatch.setattr(prediction, "_LOSS_CELLS", 2)  # private: few rows at a time
    loss = prediction.mean_loss(spec, weights, X, y, weight)
    assert loss == pytest.approx(expected)


def test_memory_of_a_loss_does_not_grow_with_rows():
    spec = NetworkSpec(1, (), 500, "softmax", "float32")
    weights = [np.zeros(array.shape, "float32") for array in spec.arrays]
    n = 20_000
    X, y, weight = np.zeros((n, 1), "float32"), np.zeros(n, int), np.ones(n)
    losses = []
    peak = peak_of(
        lambda: losses.append(prediction.mean_loss(spec, weights, X, y, weight))
    )
    assert losses == [pytest.approx(np.log(500))]
    assert peak < n * 500 * 4  # the logits of all rows


def test_losses_of_several_labels_are_summed():
    spec = NetworkSpec(2, (), 3, "logistic", "float64")
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(50, 2)), rng.integers(0, 2, (50, 3))
    weights = [rng.normal(size=(2, 3)), rng.normal(size=3)]
    weight = rng.uniform(0.1, 2, 50)
    proba = prediction.Predictor(spec, weights).proba(X)
    expected = sum(
        log_loss(y[:, k], proba[:, k], sample_weight=weight) for k in range(3)
    )
    loss = prediction.mean_loss(spec, weights, X, y, weight)
    assert loss == pytest.approx(expected)


def doubled(x):
    return keras.ops.relu(x) * 2


def test_a_function_of_the_user_is_evaluated_in_keras():
    spec, weights, X = plain_network(doubled, "float64")
    assert not numpy_forward.supports(spec)
    expected = keras.ops.convert_to_numpy(build_model(spec, weights)(X))
    logits = prediction.Predictor(spec, weights).logits(X)
    np.testing.assert_allclose(prediction.probabilities(spec, logits), expected)
    np.testing.assert_allclose(
        prediction.keras_logits(spec, weights, csr_matrix(X)), logits
    )


@pytest.mark.parametrize("members", [1, 2, 3])
def test_probabilities_of_members_and_of_their_mean(members):
    factor = 2.0
    spec, weights, X = encoding_network(ENCODINGS["all"], "float64", members, factor)
    # without the factor, as the mean is taken before
    plain = replace(spec, members=1, inverse_temperature=1.0)
    each = [
        keras.ops.convert_to_numpy(build_model(plain, own)(X))
        for own in spec.member_weights(weights)
    ]
    expected = np.stack([np.mean(each, axis=0), *each]) ** factor
    expected /= expected.sum(axis=2, keepdims=True)
    predictor = prediction.Predictor(spec, weights)
    mean, of_members = predictor.proba_and_members(X)
    assert of_members.shape == (members, len(X), 4)
    np.testing.assert_allclose(of_members, expected[1:], atol=1e-12)
    for proba in (mean, predictor.proba(X)):
        np.testing.assert_allclose(proba, expected[0], atol=1e-12)


def test_both_forward_passes_agree(monkeypatch):
    spec, weights, X = plain_network("tanh", "float64", batch_norm=True)
    # private: blocks of the real size would need many rows
    monkeypatch.setattr(prediction, "_KERAS_ROWS", 64)
    np.testing.assert_allclose(
        prediction.keras_logits(spec, weights, X),
        prediction.Predictor(spec, weights).logits(X),
        atol=1e-12,
    )


@pytest.mark.parametrize("is_encoded", [False, True])
def test_a_result_outlives_the_next_prediction(is_encoded):
    network = encoding_network(ENCODINGS["all"]) if is_encoded else plain_network()
    spec, weights, X = network
    predictor = prediction.Predictor(spec, weights)
    first = predictor.logits(X)
    before = first.copy()
    assert not np.array_equal(predictor.logits(X[::-1]), before)
    np.testing.assert_array_equal(first, before)


def test_an_estimator_has_one_predictor_until_its_next_fit():
    X, y = load_iris(return_X_y=True)
    net = DNNClassifier((4,), solver="lbfgs", random_state=0).fit(X, y)
    proba, attributes = net.predict_proba(X), dict(vars(net))
    kept = prediction.predictor_of(net, net._spec, net._weights)  # private: the cache
    net.predict_proba(X)
    # private: the cache has no public name
    assert prediction.predictor_of(net, net._spec, net._weights) is kept
    assert vars(net) == attributes
    net.set_params(random_state=1).fit(X, y)
    assert not np.allclose(net.predict_proba(X), proba)
    again = pickle.loads(pickle.dumps(net))
    np.testing.assert_array_equal(again.predict_proba(X), net.predict_proba(X))
