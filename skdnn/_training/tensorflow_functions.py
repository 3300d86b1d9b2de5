"""What a program needs of TensorFlow: tensors, gradients, compiling."""

from collections.abc import Callable
from typing import Any

import numpy as np


def tensor(value: np.ndarray) -> Any:
    """Return a copy of an array as a tensor."""
    import tensorflow as tf

    return tf.constant(value)


def value_and_gradient(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that returns value and gradients of ``loss, others``.

    `function` maps a list of tensors to a scalar tensor and anything else.
    """
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
    function: Callable[..., Any], signature: list[Any], *, xla: bool
) -> Callable[..., Any]:
    """Return a function of tensors, without side effects, compiled.

    `signature` has a pair of shape and dtype in place of each tensor; None is any
    length. XLA compiles it once more for each length that it meets.
    """
    import tensorflow as tf

    specs = _map_pairs(lambda shape, dtype: tf.TensorSpec(shape, dtype), signature)
    # a concrete function is called at a third of the cost of a function
    traced = tf.function(function, autograph=False, jit_compile=xla or None)
    concrete: Callable[..., Any] = traced.get_concrete_function(*specs)
    return concrete


def _map_pairs(make: Callable[..., Any], signature: Any) -> Any:
    if isinstance(signature, tuple) and not hasattr(signature, "_fields"):
        return make(*signature)
    mapped = [_map_pairs(make, part) for part in signature]
    return type(signature)(*mapped) if isinstance(signature, tuple) else mapped
