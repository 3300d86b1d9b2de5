import keras
import numpy as np
import pytest
from networks import ENCODINGS, encoding_network, plain_network

from skdnn._network import keras_models, prediction
from skdnn._network.spec import Hidden, NetworkSpec


@pytest.mark.parametrize("batch_norm", [False, True])
def test_weights_come_back_from_a_model(batch_norm):
    spec, weights, _ = plain_network(batch_norm=batch_norm)
    model = keras_models.build_model(spec, weights)
    for a, b in zip(keras_models.get_weights(model, spec), weights, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_the_mean_model_averages_probabilities(n_classes):
    spec, weights, X = plain_network("tanh", "float64", n_classes)
    others = [array + 0.3 for array in weights]
    model = keras_models.build_mean_model([spec, spec], [weights, others])
    expected = [prediction.Predictor(spec, w).proba(X) for w in (weights, others)]
    np.testing.assert_allclose(model(X), np.mean(expected, axis=0), atol=1e-12)
    alone = keras_models.build_mean_model([spec], [weights])
    np.testing.assert_allclose(alone(X), expected[0], atol=1e-12)


def test_rates_and_seeds_of_dropout_are_set():
    hidden = (Hidden(7, "relu", 0.4), Hidden(5, "relu"), Hidden(5, "relu", 0.1))
    spec = NetworkSpec(4, hidden, 3, "softmax", "float32")
    network = keras_models.build_network(spec)
    keras_models.set_dropout(network, spec, seed=3)
    layers = [layer for layer in network.layers if hasattr(layer, "rate")]
    np.testing.assert_allclose([float(layer.rate) for layer in layers], [0.4, 0.1])
    first, second = (int(layer.seed_generator.state[0]) for layer in layers)
    assert first != second
    keras_models.set_dropout(network, spec, seed=4)
    assert int(layers[0].seed_generator.state[0]) != first


@pytest.mark.parametrize("kind", ["batch norm", "encoding"])
def test_fixed_values_are_those_of_the_variables(kind):
    if kind == "encoding":
        spec, weights, _ = encoding_network(ENCODINGS["all"], "float32", members=1)
    else:
        spec, weights, _ = plain_network(batch_norm=True)
    network = keras_models.build_network(spec)
    values = keras_models.fixed_values(network, spec, weights, dropout_seed=3)
    keras_models.set_weights(network, spec, weights)
    keras_models.set_dropout(network, spec, 3)
    variables = network.non_trainable_variables
    assert len(values) == len(variables) > 0
    for value, variable in zip(values, variables, strict=True):
        np.testing.assert_array_equal(value, keras.ops.convert_to_numpy(variable))
