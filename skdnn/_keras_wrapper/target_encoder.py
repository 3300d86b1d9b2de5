"""Targets of the network from classes, and probabilities from its outputs."""

from typing import Any

import numpy as np

from skdnn._keras_wrapper import scikeras_import
from skdnn._runtime import keras_backend

_transformers = scikeras_import.load("scikeras.utils.transformers")


class ClassEncoder(_transformers.ClassifierLabelEncoder):  # type: ignore[misc, name-defined]
    """scikeras's encoder of classes; a single row keeps its two dimensions.

    The categorical cross-entropy gets one column per class for two classes, too.
    """

    def _type_of_target(self, y: np.ndarray) -> str:
        kind: str = super()._type_of_target(y)
        # private: no public function of scikeras reports when it one-hot encodes
        is_categorical = _transformers._is_categorical_crossentropy(self.loss)
        return "multiclass" if kind == "binary" and is_categorical else kind

    def inverse_transform(self, y: np.ndarray, return_proba: bool = False) -> Any:
        """Return classes, or with `return_proba` a probability for each class."""
        if not return_proba:
            return super().inverse_transform(y)
        one_column = y.ndim == 1 or (y.ndim == 2 and y.shape[1] == 1)
        if self._target_type != "binary" or not one_column:
            return y
        return np.column_stack([1 - y.reshape(-1), y.reshape(-1)])


def as_probabilities(model: Any, outputs: Any, *, exclusive: bool) -> Any:
    """Return the outputs of a network as probabilities of float32 or float64.

    Outputs of half precision are normalised where classes are `exclusive`.
    """
    keras = keras_backend.load()
    if not isinstance(outputs, np.ndarray):  # several outputs
        return keras.tree.map_structure(_single_precision, outputs)
    wide = _single_precision(outputs)
    if getattr(model.loss, "from_logits", False):
        is_binary = isinstance(model.loss, keras.losses.BinaryCrossentropy)
        kind = keras.activations.sigmoid if is_binary else keras.activations.softmax
        return keras_backend.to_numpy(kind(keras.ops.convert_to_tensor(wide)))
    if wide is not outputs and exclusive and wide.ndim == 2 and wide.shape[1] > 1:
        return wide / wide.sum(axis=1, keepdims=True)
    return wide


def _single_precision(outputs: np.ndarray) -> np.ndarray:
    """Return float16 and bfloat16 as float32, others unchanged."""
    return outputs if outputs.dtype.itemsize > 2 else outputs.astype(np.float32)
