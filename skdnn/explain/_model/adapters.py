"""Fitted Keras wrappers of other packages, predicting through one compiled function.

scikeras's and Keras's own wrapper call ``Model.predict``, which takes a tenth of a
second per call. They are recognised by the names of their classes: nothing is imported.
"""

import copy
from typing import Any

import numpy as np
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin

# Rows by which it is decided whether outputs are probabilities.
_N_PROBED = 100
_SUM_ERROR = 1e-4


def as_classifier(estimator: Any, X: Any) -> Any:
    """Return a fitted classifier with `predict_proba` and without slow predictions.

    Any estimator that neither is a Keras wrapper nor ends in one is returned unchanged.
    Rows X show whether a network outputs probabilities.
    """
    fast = _fast(estimator)
    if fast is not estimator and hasattr(X, "__getitem__"):
        few = X.iloc[:_N_PROBED] if hasattr(X, "iloc") else X[:_N_PROBED]
        fast.predict_proba(few)
    return fast


def _fast(estimator: Any) -> Any:
    for name in ("best_estimator_", "steps"):
        inner = getattr(estimator, name, None)
        if inner is None:
            continue
        last = inner[-1][1] if name == "steps" else inner
        fast = _fast(last)
        if fast is last:
            return estimator
        outer = copy.copy(estimator)
        replaced = [*inner[:-1], (inner[-1][0], fast)] if name == "steps" else fast
        setattr(outer, name, replaced)
        return outer
    adapter = _adapter_of(estimator)
    fitted = adapter is not None and hasattr(estimator, "model_")
    return adapter(estimator) if adapter is not None and fitted else estimator


def _adapter_of(estimator: Any) -> "type[_Adapter] | None":
    names = {f"{c.__module__}.{c.__name__}" for c in type(estimator).__mro__}
    if any(name.startswith("skdnn.") for name in names):
        return None
    if "scikeras.wrappers.KerasClassifier" in names:
        return _ScikerasAdapter
    is_keras = any(name.startswith("keras.") for name in names)
    is_wrapper = any(name.endswith(".SKLearnClassifier") for name in names)
    return _KerasAdapter if is_keras and is_wrapper else None


class _FastModel:
    """A Keras model whose `predict` is one compiled function."""

    def __init__(self, model: Any):
        self._model = model

    def predict(self, x: Any, batch_size: int | None = None, **_: Any) -> Any:
        from skdnn._keras_wrapper.prediction import predict

        return predict(self._model, x, batch_size)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._model, name)


class _Adapter(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """A fitted Keras wrapper whose model predicts fast."""

    def __init__(self, estimator: Any):
        self.estimator = copy.copy(estimator)
        self.estimator.model_ = _FastModel(estimator.model_)

    def fit(self, X: Any, y: Any) -> "_Adapter":
        """Return itself, already fitted: a Pipeline requires the method."""
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return True

    @property
    def classes_(self) -> Any:
        return self.estimator.classes_

    def predict(self, X: Any) -> Any:
        return self.estimator.predict(self._converted(X))

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        weight = {} if sample_weight is None else {"sample_weight": sample_weight}
        return self.estimator.score(self._converted(X), y, **weight)

    def _converted(self, X: Any) -> Any:
        """Return rows in a dtype that the wrapper accepts."""
        return X


class _ScikerasAdapter(_Adapter):
    def predict_proba(self, X: Any) -> Any:
        proba = self.estimator.predict_proba(self._converted(X))
        return np.reshape(proba, (1, -1)) if len(X) == 1 else proba

    def _converted(self, X: Any) -> Any:
        # float64 is refused after a fit to float32
        is_array = isinstance(X, np.ndarray)
        return X.astype(self.estimator.X_dtype_, copy=False) if is_array else X


class _KerasAdapter(_Adapter):
    """Keras's wrapper has no `predict_proba`; its network may return probabilities."""

    _are_probabilities: bool | None = None

    def predict_proba(self, X: Any) -> Any:
        wrapper = self.estimator
        # Keras 3.14 has no `decision_function`
        outputs = getattr(wrapper, "decision_function", wrapper.model_.predict)
        out = np.asarray(outputs(X), dtype=np.float64)
        if self._are_probabilities is None:
            errors = np.abs(out.sum(axis=1) - 1)
            self._are_probabilities = bool(out.min() >= 0 and errors.max() < _SUM_ERROR)
        return out if self._are_probabilities else softmax(out, axis=1)
