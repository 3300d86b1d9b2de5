"""Targets of the network from classes, and classes from its outputs."""

from typing import Any

import numpy as np

from skdnn._keras_wrapper import scikeras_import

_transformers = scikeras_import.load("scikeras.utils.transformers")


class ClassEncoder(_transformers.ClassifierLabelEncoder):  # type: ignore[misc, name-defined]
    """scikeras's encoder of classes; a single row keeps its two dimensions.

    The categorical cross-entropy gets one column per class for two classes, too.
    """

    def _type_of_target(self, y: np.ndarray) -> str:
        kind: str = super()._type_of_target(y)
        return "multiclass" if kind == "binary" and self._is_categorical else kind

    @property
    def is_exclusive(self) -> bool:
        """Whether a row has one class, as a number in y, not a column per label."""
        return self._target_type in ("binary", "multiclass")

    @property
    def gives_codes(self) -> bool:
        """Whether a target is the position of its class, not a column per class."""
        return self.is_exclusive and not self._is_categorical

    @property
    def _is_categorical(self) -> bool:
        # private: no public function of scikeras reports when it one-hot encodes
        return bool(_transformers._is_categorical_crossentropy(self.loss))

    def inverse_transform(self, y: np.ndarray, return_proba: bool = False) -> Any:
        """Return classes, or with `return_proba` a probability for each class."""
        if not return_proba:
            return super().inverse_transform(y)
        one_column = y.ndim == 1 or (y.ndim == 2 and y.shape[1] == 1)
        if self._target_type != "binary" or not one_column:
            return y
        return np.column_stack([1 - y.reshape(-1), y.reshape(-1)])
