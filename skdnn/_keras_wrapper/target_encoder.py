"""Targets of the network from classes, and classes from what it gives."""

import inspect
from typing import Any

import numpy as np

from skdnn._keras_wrapper import scikeras_import
from skdnn._runtime import keras_backend

_transformers = scikeras_import.load("scikeras.utils.transformers")


def class_encoder(loss: Any, classes: Any) -> "ClassEncoder":
    """Return an encoder for a loss, and for classes that are known beforehand.

    Parameters
    ----------
    loss : str, class, instance or callable
        The categorical cross-entropy, in whichever form, makes a column a class.
    classes : ndarray of shape (n_classes,) or None
        All there are, if y need not have them all.
    """
    kind = keras_backend.load().losses.CategoricalCrossentropy
    if inspect.isclass(loss) and issubclass(loss, kind):
        loss = "categorical_crossentropy"
    return ClassEncoder(loss, "auto" if classes is None else [classes])


class ClassEncoder(_transformers.ClassifierLabelEncoder):  # type: ignore[misc, name-defined]
    """scikeras's encoder of classes; a single row keeps its two dimensions.

    The categorical cross-entropy gets a column a class for two classes, too.
    """

    def _type_of_target(self, y: np.ndarray) -> str:
        kind = super()._type_of_target(y)
        if kind == "binary" and _transformers._is_categorical_crossentropy(self.loss):
            return "multiclass"
        return kind

    def inverse_transform(self, y: np.ndarray, return_proba: bool = False):
        """Return classes, or with `return_proba` a probability for each class."""
        if not return_proba:
            return super().inverse_transform(y)
        one_column = y.ndim == 1 or (y.ndim == 2 and y.shape[1] == 1)
        if self._target_type == "binary" and one_column:
            p = y.reshape(-1)
            return np.column_stack([1 - p, p])
        return y


def as_probabilities(model: Any, out: Any) -> Any:
    """Return what a network gives as probabilities, if its loss takes logits."""
    if not getattr(model.loss, "from_logits", False) or not isinstance(out, np.ndarray):
        return out
    keras = keras_backend.load()
    is_binary = isinstance(model.loss, keras.losses.BinaryCrossentropy)
    activation = keras.activations.sigmoid if is_binary else keras.activations.softmax
    return keras_backend.to_numpy(activation(keras.ops.convert_to_tensor(out)))
