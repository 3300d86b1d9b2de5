"""What a program needs of TensorFlow: tensors, gradients, compiling."""

from collections.abc import Callable

import numpy as np


def tensor(value: np.ndarray):
    """Return a copy of an array as a tensor."""
    import tensorflow as tf

    return tf.constant(value)


def value_and_gradient(function: Callable) -> Callable:
    """Return a function that gives value and gradients of ``loss, others``.

    Parameters
    ----------
    function : callable
        From a list of tensors to a scalar tensor and anything besides.
    """
    import tensorflow as tf

    def both(values):
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(values)
            loss, others = function(values)
        return (loss, others), tape.gradient(loss, values)

    return both


def compiled(function: Callable, signature: list, *, xla: bool) -> Callable:
    """Return a function compiled for arguments of the given shapes and dtypes.

    Parameters
    ----------
    function : callable
        Of tensors, without side effects.
    signature : list
        A pair of shape and dtype in place of each tensor; None is any length.
    xla : bool
        Whether XLA compiles it, once more for each length that it meets.
    """
    import tensorflow as tf

    specs = _map_pairs(lambda shape, dtype: tf.TensorSpec(shape, dtype), signature)
    # a concrete function is called at a third of the cost of a function
    traced = tf.function(function, autograph=False, jit_compile=xla or None)
    return traced.get_concrete_function(*specs)


def _map_pairs(make: Callable, signature):
    if isinstance(signature, tuple) and not hasattr(signature, "_fields"):
        return make(*signature)
    mapped = [_map_pairs(make, part) for part in signature]
    return type(signature)(*mapped) if isinstance(signature, tuple) else mapped
