"""The one place that imports Keras: late, quietly, and never in a forked child."""

import contextlib
import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np

from skdnn import exceptions
from skdnn._runtime import compat, threads

_LOG_LEVEL = "TF_CPP_MIN_LOG_LEVEL"
_lock = threading.Lock()
_first_process: int | None = None  # that used Keras


def load() -> Any:
    """Import Keras and its backend, without their messages, and return the module.

    Raises `ForkError` in a process that was forked after its parent had used Keras, or
    other code in it the backend: the threads of the backend do not survive a fork, so
    that the first call hangs. Raises `ModuleNotFoundError`, with what to install, where
    Keras or its backend is missing.
    """
    global _first_process
    if _first_process is not None and not is_used_here():
        raise exceptions.ForkError(
            "A network must be trained in the process that first used Keras, or in a "
            f"fresh one; this process ({os.getpid()}) was forked from {_first_process} "
            "after that, where its backend would hang. Start workers with joblib's "
            "'loky' backend or multiprocessing.get_context('spawn'); predicting "
            "works in any process."
        )
    keras = sys.modules.get("keras")
    if keras is None or not is_used_here():
        with _lock:
            try:
                keras = _import_keras()
            except ModuleNotFoundError as error:
                raise _missing(error) from error
            _first_process = os.getpid()
    return keras


def _missing(error: ModuleNotFoundError) -> ModuleNotFoundError:
    """Return the error for a machine without Keras or its backend."""
    name = os.environ.get("KERAS_BACKEND", "tensorflow")
    return ModuleNotFoundError(
        f"Training needs Keras and its backend, which is {name!r} (KERAS_BACKEND). Got "
        f"no package {error.name!r}: pip install keras {name}. Predictions, "
        "explanations and reports of fitted classifiers work without them.",
        name=error.name,
    )


def _note_use_before_fork() -> None:
    """Remember, in a child just forked, that others had started the backend before."""
    global _first_process
    keras: Any = sys.modules.get("keras")
    name = os.environ.get("KERAS_BACKEND", "tensorflow")
    if hasattr(keras, "backend"):
        name = keras.backend.backend()
    if _first_process is None and name in compat.started_runtimes():
        _first_process = os.getppid()


if hasattr(os, "register_at_fork"):  # not on Windows, which has no fork
    os.register_at_fork(after_in_child=_note_use_before_fork)


def is_used_here() -> bool:
    """Return whether this very process has used Keras, not only its parent."""
    return _first_process == os.getpid()


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


@contextlib.contextmanager
def only_errors_logged() -> Iterator[None]:
    """Set TensorFlow's log level to errors only, unless the user has set one."""
    before = os.environ.get(_LOG_LEVEL)
    if before in (None, "1"):  # 1 is what JAX sets where it is installed
        os.environ[_LOG_LEVEL] = "2"
    try:
        yield
    finally:
        if before is None:
            del os.environ[_LOG_LEVEL]
        else:
            os.environ[_LOG_LEVEL] = before


@contextlib.contextmanager
def descriptor_silenced(descriptor: int) -> Iterator[None]:
    """Hold back what is written to a file descriptor; write it if the block raises."""
    sys.stderr.flush()
    with tempfile.TemporaryFile() as kept:
        saved = os.dup(descriptor)
        os.dup2(kept.fileno(), descriptor)
        try:
            yield
        except Exception:  # not where the user interrupts
            kept.seek(0)
            os.write(saved, kept.read())
            raise
        finally:
            os.dup2(saved, descriptor)
            os.close(saved)
