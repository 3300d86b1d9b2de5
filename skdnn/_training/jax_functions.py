"""What a program needs of JAX: tensors, gradients, compiling."""

from collections.abc import Callable
from typing import Any

import numpy as np


def tensor(value: np.ndarray) -> Any:
    """Return a copy of an array as a tensor."""
    import jax

    # jnp.array would compile a program of its own for every shape
    return jax.device_put(value, may_alias=False)


def value_and_gradient(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that returns value and gradients of ``loss, others``.

    `function` maps a list of tensors to a scalar tensor and anything else.
    """
    import jax

    both: Callable[..., Any] = jax.value_and_grad(function, has_aux=True)
    return both


def compiled(
    function: Callable[..., Any], signature: list[Any], *, xla: bool
) -> Callable[..., Any]:
    """Return a function of tensors, without side effects, compiled.

    `signature` and `xla` are not used: JAX compiles for the shapes that it meets, and
    always by XLA.
    """
    import jax

    del signature, xla
    jitted: Callable[..., Any] = jax.jit(function)
    return jitted
