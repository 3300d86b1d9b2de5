"""Every activation in NumPy equals that of Keras."""

import keras
import numpy as np
import pytest
from networks import plain_network

from skdnn._network import prediction
from skdnn._network.keras_models import build_model
from skdnn._network.numpy_activations import ACTIVATION_FUNCTIONS


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("activation", ACTIVATION_FUNCTIONS)
def test_networks_equal_keras(activation, n_classes, batch_norm):
    spec, weights, X = plain_network(activation, "float32", n_classes, batch_norm)
    ours = prediction.Predictor(spec, weights).proba(X)
    theirs = keras.ops.convert_to_numpy(build_model(spec, weights)(X))
    assert ours.dtype == np.float32
    assert ours.shape == theirs.shape == (200, n_classes)
    np.testing.assert_allclose(ours, theirs, atol=1e-5)
    np.testing.assert_allclose(ours.sum(axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize("activation", ACTIVATION_FUNCTIONS)
def test_functions_equal_keras(activation):
    x = np.linspace(-6, 6, 240).reshape(40, 6)
    # Keras divides by a root of 2 in float32 in gelu, whatever the dtype
    theirs = getattr(keras.activations, activation)(keras.ops.convert_to_tensor(x))
    ours = ACTIVATION_FUNCTIONS[activation](x.copy())
    np.testing.assert_allclose(
        ours, keras.ops.convert_to_numpy(theirs), rtol=1e-6, atol=1e-12
    )


def test_activations_are_all_that_keras_has_by_name():
    needs_arguments_or_halves = {"threshold", "glu"}
    names = {
        name
        for name in dir(keras.activations)
        if callable(getattr(keras.activations, name))
    } - {"get", "serialize", "deserialize", "swish", "hard_swish"}
    assert names - needs_arguments_or_halves == set(ACTIVATION_FUNCTIONS)
