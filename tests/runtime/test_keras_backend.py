import keras
import numpy as np
import pytest

from skdnn._runtime import keras_backend


def test_the_module_and_its_backend():
    assert keras_backend.load() is keras
    assert keras_backend.backend() == keras.backend.backend()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_tensors_and_variables_are_copied_to_arrays(dtype):
    values = np.arange(6, dtype=dtype).reshape(2, 3)
    variable = keras.Variable(values, dtype=dtype)
    for value in (keras.ops.convert_to_tensor(values), variable):
        array = keras_backend.to_numpy(value)
        assert array.dtype == dtype
        np.testing.assert_array_equal(array, values)
    array[:] = 0
    np.testing.assert_array_equal(keras_backend.to_numpy(variable), values)


def test_jax_trains_in_float32_unless_told_otherwise(monkeypatch, request):
    jax = pytest.importorskip("jax")
    assert keras_backend.precision("float64") == "float64"
    monkeypatch.setattr(keras_backend, "backend", lambda: "jax")
    assert keras_backend.precision("float64") == "float32"
    jax.config.update("jax_enable_x64", True)
    request.addfinalizer(lambda: jax.config.update("jax_enable_x64", False))
    assert keras_backend.precision("float64") == "float64"
    assert keras_backend.precision("float32") == "float32"
