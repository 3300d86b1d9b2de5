"""The one place that imports Keras: late, quietly, and never in a forked child."""

import sys
import threading
from typing import Any

import numpy as np

from skdnn._runtime import fork_guard, threads
from skdnn._runtime.silence import descriptor_silenced, only_errors_logged

_lock = threading.Lock()


def load() -> Any:
    """Import Keras and its backend, without their messages, and return the module.

    Raises `ForkError` in a process that was forked after its parent had used Keras.
    """
    fork_guard.check_process()
    keras = sys.modules.get("keras")
    if keras is None or not fork_guard.is_used_here():
        with _lock:
            keras = _import_keras()
            fork_guard.mark_used()
    return keras


def backend() -> str:
    """Return the name of the Keras backend in use: tensorflow, jax or torch."""
    name: str = load().backend.backend()
    return name


def precision(dtype: str) -> str:
    """Return the dtype that a network is trained in, for rows of a dtype.

    JAX has float64 only where the user has set ``jax_enable_x64``.
    """
    if backend() == "jax":
        import jax

        if not getattr(jax.config, "jax_enable_x64", False):
            return "float32"
    return dtype


def to_numpy(value: Any) -> np.ndarray:
    """Return a copy of a Keras tensor or variable as an array."""
    tensor = getattr(value, "value", value)
    if backend() == "tensorflow":
        return np.array(tensor.numpy())  # np.array(tensor) makes NumPy 2 warn
    return np.array(load().ops.convert_to_numpy(tensor))


def _import_keras() -> Any:
    if "tensorflow" in sys.modules:
        import keras

        return keras
    threads.limit_tensorflow_threads()
    # TensorFlow's C++ start-up lines bypass sys.stderr and ignore its own settings;
    # later messages about graphs follow the log level found at its import
    with descriptor_silenced(2), only_errors_logged():
        import keras

        if keras.backend.backend() == "tensorflow":
            import tensorflow as tf

            # the first op starts the runtime, which writes as well; in 2.20 the first
            # XLA compilation does, and no setting of TensorFlow's prevents it
            number = tf.constant(0.0) + 1.0
            if tf.__version__.startswith("2.20."):
                tf.function(lambda x: x + 1.0, jit_compile=True)(number)
    return keras
