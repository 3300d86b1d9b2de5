import keras
import numpy as np
import pytest

from skdnn._network import keras_layers


def test_dropout_has_a_rate_that_can_be_set():
    layer = keras_layers.dropout_layer()(dtype="float64")
    x = np.ones((200, 50))
    layer.build(x.shape)
    layer.rate.assign(0.25)
    np.testing.assert_array_equal(layer(x), x)
    out = keras.ops.convert_to_numpy(layer(x, training=True))
    assert set(np.unique(out)) == {0, 1 / 0.75}
    assert np.mean(out == 0) == pytest.approx(0.25, abs=0.02)


def test_both_dtypes_drop_the_same_units():
    dropped = []
    for dtype in ("float32", "float64"):
        layer = keras_layers.dropout_layer()(dtype=dtype)
        layer.build((20, 10))
        layer.rate.assign(0.5)
        out = layer(np.ones((20, 10), dtype), training=True)
        dropped.append(keras.ops.convert_to_numpy(out) == 0)
    np.testing.assert_array_equal(*dropped)
    assert dropped[0].any()


def test_a_scaled_layer_divides_by_the_root_of_the_inputs():
    layer = keras_layers.scaled_dense()(3, dtype="float64")
    x = np.random.default_rng(0).normal(size=(5, 16))
    layer.build(x.shape)
    kernel, bias = np.full((16, 3), 2.0), np.arange(3.0)
    layer.set_weights([kernel, bias])
    np.testing.assert_allclose(layer(x), x @ kernel / 4 + bias)


def test_a_scale_keeps_all_digits_of_float64():
    layer = keras_layers.rescaling(1 / 3, "float64")
    assert float(layer(np.ones((1, 1)))[0, 0]) == 1 / 3
