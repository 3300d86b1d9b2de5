"""One registry of all caches of compiled programs, so that they can be cleared."""

import sys
from collections.abc import Callable

from skdnn._runtime import compat, keras_backend

_clears: list[Callable[[], object]] = []


def register_cache(clear: Callable[[], object]) -> None:
    """Have `clear_caches` call `clear`."""
    _clears.append(clear)


def clear_caches() -> None:
    """Release every compiled program that is kept for the next fit of its shape."""
    for clear in _clears:
        clear()
    release_kernels()
    jax = sys.modules.get("jax")
    if jax is not None and keras_backend.backend() == "jax":
        jax.clear_caches()


def release_kernels() -> None:
    """Release what TensorFlow keeps of every variable that has ever existed."""
    if keras_backend.is_used_here() and keras_backend.backend() == "tensorflow":
        compat.clear_kernel_cache()
