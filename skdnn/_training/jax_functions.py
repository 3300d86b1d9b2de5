"""What a program needs of JAX: tensors, gradients, compiling."""

from collections.abc import Callable

import numpy as np


def tensor(value: np.ndarray):
    """Return a copy of an array as a tensor."""
    import jax

    # jnp.array would compile a program of its own for every shape
    return jax.device_put(value, may_alias=False)


def value_and_gradient(function: Callable) -> Callable:
    """Return a function that gives value and gradients of ``loss, others``.

    Parameters
    ----------
    function : callable
        From a list of tensors to a scalar tensor and anything besides.
    """
    import jax

    return jax.value_and_grad(function, has_aux=True)


def compiled(function: Callable, signature: list, *, xla: bool) -> Callable:
    """Return a function compiled for the shapes that it meets.

    Parameters
    ----------
    function : callable
        Of tensors, without side effects.
    signature, xla
        Not used: JAX looks at the arguments, and always compiles by XLA.
    """
    import jax

    del signature, xla
    return jax.jit(function)
