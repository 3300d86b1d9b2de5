"""Prediction by any Keras network, through one compiled function."""

import weakref
from collections.abc import Callable, Hashable, Sequence
from typing import Any

import numpy as np

from skdnn._runtime import keras_backend
from skdnn._training import description
from skdnn._training.keras_fallback import overrides
from skdnn._training.model_functions import call_with_training
from skdnn._training.nested_rows import count, in_dtype_of, take
from skdnn._training.program import ProgramCache

# Cells passed to the network at once, and minimum and maximum of rows.
_BLOCK_CELLS = 2**20
_BLOCK_ROWS = (32, 8192)

# Networks of one description share a function; others keep theirs while they live.
functions: ProgramCache[Callable[..., Any]] = ProgramCache(32)


def predict(
    model: Any, X: Any, batch_size: int | None = None, callbacks: Sequence[Any] = ()
) -> Any:
    """Return a built network's outputs for rows, as ``Model.predict``, but faster."""
    if overrides(model, "predict"):
        return model.predict(
            take(X, slice(None)), batch_size=batch_size, callbacks=list(callbacks)
        )
    keras = keras_backend.load()
    X = in_dtype_of(model, X)
    size = batch_size or _block_rows(X)
    function = functions.get_for_model(model, None, lambda: _make_function(model))
    blocks = []
    listeners = keras.callbacks.CallbackList(list(callbacks), model=model)
    listeners.on_predict_begin()
    for i, start in enumerate(range(0, count(X), size)):
        listeners.on_predict_batch_begin(i)
        outputs = function(take(X, slice(start, start + size)))
        blocks.append(keras.tree.map_structure(keras_backend.to_numpy, outputs))
        listeners.on_predict_batch_end(i, {"outputs": blocks[-1]})
    listeners.on_predict_end()
    return keras.tree.map_structure(lambda *parts: np.concatenate(parts), *blocks)


def _block_rows(X: Any) -> int:
    first = X if hasattr(X, "shape") else keras_backend.load().tree.flatten(X)[0]
    cells = int(np.prod(first.shape[1:]))
    least, most = _BLOCK_ROWS
    return min(most, max(least, _BLOCK_CELLS // max(1, cells)))


def _make_function(model: Any) -> Callable[..., Any]:
    described = description.architecture(model)
    backend = keras_backend.backend()
    # what is cached must not keep the model alive
    reference = weakref.ref(model)
    if backend == "torch" or (backend == "jax" and described is None):
        return lambda X: call_with_training(reference(), X, training=False)
    if described is None:
        own = _compiled(lambda _, X: reference().predict_step((X,)))  # type: ignore[union-attr]
        return lambda X: own((), X)

    def forward() -> Callable[..., Any]:
        copy = keras_backend.load().models.clone_model(model)
        return _compiled(lambda w, X: copy.stateless_call(*w, X, training=False)[0])

    shared = functions.get(described, forward)
    trainable = list(model.trainable_variables)
    fixed = list(model.non_trainable_variables)
    return lambda X: shared(([v.value for v in trainable], [v.value for v in fixed]), X)


def _compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of weights and rows, compiled once for any number of rows."""
    if keras_backend.backend() == "jax":
        import jax

        jitted: Callable[..., Any] = jax.jit(function)
        return jitted
    import tensorflow as tf

    tree = keras_backend.load().tree
    # a concrete function does not count its calls, and warn of retracing
    traced = tf.function(function, autograph=False)
    concrete: dict[Hashable, Callable[..., Any]] = {}

    def spec(array: Any, rows: Sequence[None] = ()) -> Any:
        return tf.TensorSpec([*rows, *array.shape[len(rows) :]], array.dtype)

    def call(weights: Any, X: Any) -> Any:
        key = tuple((leaf.dtype.str, leaf.shape[1:]) for leaf in tree.flatten(X))
        if key not in concrete:
            concrete[key] = traced.get_concrete_function(
                tree.map_structure(spec, weights),
                tree.map_structure(lambda array: spec(array, [None]), X),
            )
        return concrete[key](weights, X)

    return call
