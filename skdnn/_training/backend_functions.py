"""What a program needs of a backend: tensors, gradients, compiling."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from skdnn._runtime import keras_backend
from skdnn._training import recording


def tensor(value: np.ndarray) -> Any:
    """Return a copy of an array as a tensor."""
    if keras_backend.backend() == "jax":
        import jax

        # jnp.array would compile a program of its own for every shape
        return jax.device_put(value, may_alias=False)
    if keras_backend.backend() == "torch":
        return keras_backend.load().ops.convert_to_tensor(value)  # on its device
    import tensorflow as tf

    return tf.constant(value)


def sharded(value: Any, sharding: Any) -> Any:
    """Return a tensor whose rows are on several devices, if JAX has a sharding."""
    if sharding is None:
        return value
    import jax

    constrain: Callable[..., Any] = jax.lax.with_sharding_constraint
    return constrain(value, sharding)


def value_and_gradient(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function from tensors to what `function` gives, and loss gradients."""
    if keras_backend.backend() == "jax":
        import jax

        return jax.value_and_grad(function, has_aux=True)
    if keras_backend.backend() == "torch":
        return recording.value_and_gradient(function)
    import tensorflow as tf

    def both(values: list[Any]) -> tuple[Any, list[Any]]:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(values)
            loss, others = function(values)
        gradients = tape.gradient(loss, values)
        # those of an embedding are slices, which a stateless optimizer cannot add
        dense = [g if g is None else tf.convert_to_tensor(g) for g in gradients]
        return (loss, others), dense

    return both


def compiled(
    function: Callable[..., Any],
    arguments: Sequence[Any],
    free: Sequence[int],
    *,
    xla: bool,
) -> Callable[..., Any]:
    """Return a function without side effects, compiled for arguments like these.

    So many first axes of an argument's tensors as `free` has may be of any length.
    """
    if keras_backend.backend() == "jax":
        import jax

        return jax.jit(function)
    if keras_backend.backend() == "torch":
        return recording.Recorded(function)
    import tensorflow as tf

    def signature(argument: Any, n: int) -> Any:
        return tf.nest.map_structure(
            lambda part: tf.TensorSpec([None] * n + part.shape[n:], part.dtype),
            argument,
        )

    # a concrete function is called at a third of the cost of a function
    traced = tf.function(function, autograph=False, jit_compile=xla or None)
    specs = [signature(*pair) for pair in zip(arguments, free, strict=True)]
    return traced.get_concrete_function(*specs)
