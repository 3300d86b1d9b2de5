"""The one place that imports Keras: late, quietly, and never in a forked child."""

import contextlib
import os
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from typing import Any

import joblib
import numpy as np

from skdnn import exceptions

_lock = threading.Lock()
_first_process: int | None = None
_cache_clears: list[Callable[[], None]] = []


def load() -> Any:
    """Import Keras and its backend, without their messages, and return the module.

    Raises
    ------
    skdnn.exceptions.ForkError
        In a process that was forked after its parent had used Keras here: the
        backend's threads did not survive the fork, and the first call would hang.
    """
    global _first_process
    if _first_process is not None and _first_process != os.getpid():
        raise exceptions.ForkError(
            "A network must be trained in the process that first used Keras, or in a "
            f"fresh one; this process ({os.getpid()}) was forked from {_first_process} "
            "after that, where TensorFlow would hang. Start workers with joblib's "
            "'loky' backend or multiprocessing.get_context('spawn'); predicting "
            "works in any process."
        )
    keras = sys.modules.get("keras")
    if _first_process is None or keras is None:
        with _lock:
            keras = _first_load()
            _first_process = os.getpid()
    return keras


def backend() -> str:
    """Return the name of the Keras backend in use: tensorflow, jax or torch."""
    return load().backend.backend()


def precision(dtype: str) -> str:
    """Return the dtype that a network for numbers of a dtype is trained in.

    JAX has float64 only where the user has set ``jax_enable_x64``.
    """
    if backend() == "jax":
        import jax

        if not jax.config.read("jax_enable_x64"):
            return "float32"
    return dtype


def to_numpy(value) -> np.ndarray:
    """Return a copy of a Keras tensor or variable as an array."""
    tensor = getattr(value, "value", value)
    if backend() == "tensorflow":
        return np.array(tensor.numpy())  # np.array(tensor) makes NumPy 2 warn
    return np.array(load().ops.convert_to_numpy(tensor))


def register_cache(clear: Callable[[], None]) -> None:
    """Have `clear_caches` call `clear`."""
    _cache_clears.append(clear)


def clear_caches() -> None:
    """Let go of every compiled program that is kept for the next fit of its shape."""
    for clear in _cache_clears:
        clear()
    release_kernels()
    if "jax" in sys.modules and backend() == "jax":
        import jax

        jax.clear_caches()


def release_kernels() -> None:
    """Let go of what TensorFlow keeps of every variable that there ever was."""
    if _first_process == os.getpid() and backend() == "tensorflow":
        from tensorflow.python.eager import context  # as keras.utils.clear_session

        context.context().clear_kernel_cache()


def _first_load():
    quiet = "tensorflow" not in sys.modules
    if not quiet:
        import keras

        return keras
    _limit_threads_of_worker()
    # TensorFlow's C++ start-up lines go past sys.stderr and ignore its own settings;
    # what it would tell later of its graphs keeps to the level that it found
    with _descriptor_silenced(2), _only_errors_logged():
        import keras

        if keras.backend.backend() == "tensorflow":
            import tensorflow as tf

            # the first op starts the runtime, which speaks as well
            tf.constant(0.0) + 1.0
    return keras


def thread_count() -> int:
    """Return how many threads this process may use: one a core, or as joblib set."""
    return _threads_of_worker() or joblib.cpu_count()


def _limit_threads_of_worker() -> None:
    """Give TensorFlow the thread count that joblib set for this worker process."""
    threads = _threads_of_worker()
    if threads:
        os.environ.setdefault("TF_NUM_INTRAOP_THREADS", str(threads))
        os.environ.setdefault("TF_NUM_INTEROP_THREADS", str(threads))


def _threads_of_worker() -> int | None:
    """Return the threads that joblib gave to this worker; None if it is no worker."""
    threads = os.environ.get("OMP_NUM_THREADS", "")
    is_worker = "LOKY_WORKER_NUMBER" in os.environ
    return int(threads) if is_worker and threads.isdigit() else None


@contextlib.contextmanager
def _only_errors_logged() -> Iterator[None]:
    """Have TensorFlow find a log level of errors only, unless the user has set one."""
    name = "TF_CPP_MIN_LOG_LEVEL"
    before = os.environ.get(name)
    if before not in (None, "1"):  # 1 is what JAX sets where it is installed
        yield
        return
    os.environ[name] = "2"
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


@contextlib.contextmanager
def _descriptor_silenced(descriptor: int) -> Iterator[None]:
    """Keep what is written to a file descriptor; give it back if the block raises."""
    sys.stderr.flush()
    with tempfile.TemporaryFile() as kept:
        saved = os.dup(descriptor)
        os.dup2(kept.fileno(), descriptor)
        try:
            yield
        except BaseException:
            os.dup2(saved, descriptor)
            kept.seek(0)
            os.write(descriptor, kept.read())
            raise
        finally:
            os.dup2(saved, descriptor)
            os.close(saved)
