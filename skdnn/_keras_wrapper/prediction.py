"""What any Keras network gives for rows, through one compiled function."""

import weakref
from collections.abc import Callable, Hashable, Sequence
from typing import Any

import numpy as np

from skdnn._keras_wrapper import description as _sharing
from skdnn._keras_wrapper.nested_rows import as_network_takes, count, take
from skdnn._runtime import caches, keras_backend

# Cells handed to the network at once, and rows.
_BLOCK_CELLS = 2**20
_BLOCK_ROWS = (32, 8192)

# What each model predicts with, as long as it lives; alike ones share a function.
_functions: weakref.WeakKeyDictionary[Any, Callable] = weakref.WeakKeyDictionary()
_forwards: _sharing.Kept[Callable] = _sharing.Kept(32)
caches.register_cache(_functions.clear)


def predict(
    model: Any, X: Any, batch_size: int | None = None, callbacks: Sequence[Any] = ()
) -> Any:
    """Return what a network gives for rows, as ``Model.predict``, but quickly.

    Parameters
    ----------
    model : keras.Model
        Built. One that has a `predict` of its own is asked through that.
    X : array, sparse matrix or nested arrays, each of shape (n_rows, ...)
        As the network takes them.
    batch_size : int or None
        Rows at a time. None: as many as fit a million cells.
    callbacks : sequence of keras.callbacks.Callback
        Told of the prediction.

    Returns
    -------
    ndarray of shape (n_rows, ...), or nested arrays
    """
    if overrides(model, "predict"):
        return model.predict(
            take(X, slice(None)), batch_size=batch_size, callbacks=list(callbacks)
        )
    tree = keras_backend.load().tree
    X = as_network_takes(model, X)
    n = count(X)
    size = batch_size or _block_rows(X)
    ask = _function(model)
    blocks = []
    tell = keras_backend.load().callbacks.CallbackList(list(callbacks), model=model)
    tell.on_predict_begin()
    for i, start in enumerate(range(0, n, size)):
        tell.on_predict_batch_begin(i)
        out = ask(take(X, slice(start, start + size)))
        blocks.append(tree.map_structure(keras_backend.to_numpy, out))
        tell.on_predict_batch_end(i, {"outputs": blocks[-1]})
    tell.on_predict_end()
    return tree.map_structure(lambda *parts: np.concatenate(parts), *blocks)


def overrides(model: Any, method: str) -> bool:
    """Return whether a model, or its class, has a method of its own."""
    if method in vars(model):
        return True
    owner = next(c for c in type(model).__mro__ if method in vars(c))
    return not owner.__module__.startswith("keras.")


def _block_rows(X: Any) -> int:
    first = X if hasattr(X, "shape") else keras_backend.load().tree.flatten(X)[0]
    cells = int(np.prod(first.shape[1:]))
    least, most = _BLOCK_ROWS
    return min(most, max(least, _BLOCK_CELLS // max(1, cells)))


def _function(model: Any) -> Callable:
    found = _functions.get(model)
    if found is None:
        found = _functions[model] = _make_function(model)
    return found


def _make_function(model: Any) -> Callable:
    described = _sharing.architecture(model)
    backend = keras_backend.backend()
    # the model must not be kept alive by what it predicts with
    reference = weakref.ref(model)
    if backend == "torch" or (backend == "jax" and described is None):
        return lambda X: reference()(X, training=False)  # type: ignore[misc]
    if described is None:
        own = _Compiled(lambda _, X: reference().predict_step((X,)))  # type: ignore[union-attr]
        return lambda X: own((), X)
    shared = _forwards.get(described, lambda: _forward(model))
    trainable = list(model.trainable_variables)
    fixed = list(model.non_trainable_variables)
    return lambda X: shared(([v.value for v in trainable], [v.value for v in fixed]), X)


def _forward(model: Any) -> "_Compiled":
    """Return a function of weights and rows, for all networks of a description."""
    twin = keras_backend.load().models.clone_model(model)
    return _Compiled(
        lambda weights, X: twin.stateless_call(*weights, X, training=False)[0]
    )


class _Compiled:
    """A function of weights and rows, compiled once for any number of rows."""

    def __init__(self, function: Callable):
        self._function = function
        self._compiled: dict[Hashable, Callable] = {}
        self._tree = keras_backend.load().tree

    def __call__(self, weights: tuple, X: Any) -> Any:
        leaves = self._tree.flatten(X)
        key = tuple((leaf.dtype.str, leaf.shape[1:]) for leaf in leaves)
        if key not in self._compiled:
            self._compiled[key] = self._compile(weights, X)
        return self._compiled[key](weights, X)

    def _compile(self, weights: tuple, X: Any) -> Callable:
        if keras_backend.backend() == "jax":
            import jax

            return jax.jit(self._function)
        import tensorflow as tf

        def spec(array, rows=()):
            return tf.TensorSpec([*rows, *array.shape[len(rows) :]], array.dtype)

        specs = (
            self._tree.map_structure(spec, weights),
            self._tree.map_structure(lambda array: spec(array, [None]), X),
        )
        # a concrete one does not count how many there are, and warn
        return tf.function(self._function, autograph=False).get_concrete_function(
            *specs
        )
