"""The late import of scikeras, which leaves Keras unchanged, and its private names."""

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from skdnn._runtime import keras_backend

# What scikeras replaces for the whole process when it is imported: every model that
# is pickled after that could only be loaded where scikeras is.
_REPLACED = ("__reduce__", "__deepcopy__")


def load(module: str) -> Any:
    """Import a module of scikeras, and keep the methods of Keras that it replaces.

    If the caller imported scikeras before, Keras is as the caller wanted it.
    """
    keras = keras_backend.load()
    if "scikeras" in sys.modules:
        return importlib.import_module(module)
    classes = (
        keras.Model,
        keras.losses.Loss,
        keras.metrics.Metric,
        keras.optimizers.Optimizer,
    )
    with _own_methods_kept(classes):
        return importlib.import_module(module)


def parameter_functions() -> Any:
    """Return scikeras's functions that route parameters by their prefix.

    Private, but what its own class routes with; no public function does it.
    """
    return load("scikeras._utils")


def needs_one_column_per_class(loss: Any) -> bool:
    """Return whether scikeras one-hot encodes classes for a loss.

    Private: scikeras decides it inside its own encoder.
    """
    module = load("scikeras.utils.transformers")
    return bool(module._is_categorical_crossentropy(loss))


@contextmanager
def _own_methods_kept(classes: tuple[type, ...]) -> Iterator[None]:
    before = [(owner, name, vars(owner).get(name)) for owner in classes
              for name in _REPLACED]  # fmt: skip
    try:
        yield
    finally:
        for owner, name, method in before:
            if method is not None:
                setattr(owner, name, method)
            elif name in vars(owner):
                delattr(owner, name)
