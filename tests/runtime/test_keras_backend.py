import os
import sys

import keras
import numpy as np
import pytest
from optional import require

from skdnn._runtime import keras_backend
from skdnn.exceptions import ForkError

LEVEL = "TF_CPP_MIN_LOG_LEVEL"


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
    jax = require("jax")
    assert keras_backend.precision("float64") == "float64"
    monkeypatch.setattr(keras_backend, "backend", lambda: "jax")
    assert keras_backend.precision("float64") == "float32"
    jax.config.update("jax_enable_x64", True)
    request.addfinalizer(lambda: jax.config.update("jax_enable_x64", False))
    assert keras_backend.precision("float64") == "float64"
    assert keras_backend.precision("float32") == "float32"


def test_this_process_may_use_keras():
    keras_backend.load()
    assert keras_backend.is_used_here()
    assert keras_backend.load() is keras


def test_a_child_of_a_process_that_used_keras_is_refused(monkeypatch):
    keras_backend.load()
    parent = os.getpid()
    monkeypatch.setattr(os, "getpid", lambda: parent + 1)
    assert not keras_backend.is_used_here()
    with pytest.raises(ForkError, match=f"forked from {parent}.*'loky' backend"):
        keras_backend.load()


def test_output_is_held_back_unless_the_block_raises(capfd):
    def write():
        os.write(2, b"from below\n")

    with keras_backend.descriptor_silenced(2):
        write()
    assert capfd.readouterr().err == ""

    def fail():
        write()
        raise ImportError

    with pytest.raises(ImportError), keras_backend.descriptor_silenced(2):
        fail()
    assert capfd.readouterr().err == "from below\n"
    write()
    print("after", file=sys.stderr)  # noqa: T201
    assert capfd.readouterr().err == "from below\nafter\n"


@pytest.mark.parametrize(
    ("before", "inside"), [(None, "2"), ("1", "2"), ("0", "0"), ("3", "3")]
)
def test_log_level_is_set_and_restored(before, inside, monkeypatch):
    monkeypatch.setenv(LEVEL, before or "")
    if before is None:
        monkeypatch.delenv(LEVEL)
    with keras_backend.only_errors_logged():
        assert os.environ[LEVEL] == inside
    assert os.environ.get(LEVEL) == before
