"""The late import of scikeras, which leaves Keras unchanged."""

import importlib
import sys
from typing import Any

from skdnn._runtime import keras_backend

# What scikeras replaces when it is imported: every model that is pickled after that
# could only be loaded where scikeras is.
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
    before = [(owner, name, vars(owner).get(name)) for owner in classes
              for name in _REPLACED]  # fmt: skip
    try:
        return importlib.import_module(module)
    finally:
        for owner, name, method in before:
            if method is not None:
                setattr(owner, name, method)
            elif name in vars(owner):
                delattr(owner, name)
