"""Fitted wrappers of Keras that are not ours, asked through one compiled function.

scikeras's and Keras's own wrapper ask ``Model.predict``, which takes a tenth of a
second a call. They are known by the names of their classes: nothing is imported.
"""

import copy
from typing import Any

import numpy as np
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin

# Rows by which outputs are told to be probabilities or not.
_ROWS_TOLD_BY = 100
_SUM_ERROR = 1e-4


def as_classifier(estimator: Any, X: Any) -> Any:
    """Return an estimator that has `predict_proba` and answers quickly.

    Parameters
    ----------
    estimator : object
        A fitted classifier, Pipeline or search. What is no wrapper of Keras, and ends
        in none, is returned as it is.
    X : {array-like, DataFrame} of shape (n_samples, n_features, ...)
        Rows it takes: they tell whether a network gives probabilities.
    """
    quick = _quick(estimator)
    if quick is not estimator and hasattr(X, "__getitem__"):
        few = X.iloc[:_ROWS_TOLD_BY] if hasattr(X, "iloc") else X[:_ROWS_TOLD_BY]
        quick.predict_proba(few)
    return quick


def _quick(estimator: Any) -> Any:
    for name in ("best_estimator_", "steps"):
        inner = getattr(estimator, name, None)
        if inner is None:
            continue
        last = inner[-1][1] if name == "steps" else inner
        quick = _quick(last)
        if quick is last:
            return estimator
        outer = copy.copy(estimator)
        told = [*inner[:-1], (inner[-1][0], quick)] if name == "steps" else quick
        setattr(outer, name, told)
        return outer
    kind = _KINDS.get(_kind(estimator))
    fitted = kind is not None and hasattr(estimator, "model_")
    return kind(estimator) if kind is not None and fitted else estimator


def _kind(estimator: Any) -> str | None:
    modules = {f"{c.__module__}.{c.__name__}" for c in type(estimator).__mro__}
    if any(name.startswith("skdnn.") for name in modules):
        return None
    if "scikeras.wrappers.KerasClassifier" in modules:
        return "scikeras"
    is_keras = any(name.startswith("keras.") for name in modules)
    is_wrapper = any(name.endswith(".SKLearnClassifier") for name in modules)
    return "keras" if is_keras and is_wrapper else None


class _QuickModel:
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


class _Wrapped(ClassifierMixin, BaseEstimator):
    """A fitted wrapper of Keras whose model is asked quickly."""

    def __init__(self, estimator: Any):
        self.estimator = copy.copy(estimator)
        self.estimator.model_ = _QuickModel(estimator.model_)

    def fit(self, X: Any, y: Any) -> "_Wrapped":
        """Return itself, fitted as it is: a Pipeline asks for such a method."""
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return True

    @property
    def classes_(self) -> Any:
        return self.estimator.classes_

    def predict(self, X: Any) -> Any:
        return self.estimator.predict(self._taken(X))

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        weight = {} if sample_weight is None else {"sample_weight": sample_weight}
        return self.estimator.score(self._taken(X), y, **weight)

    def _taken(self, X: Any) -> Any:
        """Return rows in a dtype that the wrapper takes."""
        return X


class _Scikeras(_Wrapped):
    def predict_proba(self, X: Any) -> Any:
        proba = self.estimator.predict_proba(self._taken(X))
        return np.reshape(proba, (1, -1)) if len(X) == 1 else proba

    def _taken(self, X: Any) -> Any:
        # float64 is refused where it was fitted to float32
        is_array = isinstance(X, np.ndarray)
        return X.astype(self.estimator.X_dtype_, copy=False) if is_array else X


class _KerasOwn(_Wrapped):
    """Keras's wrapper has `decision_function` only: what the network gives."""

    _are_probabilities: bool | None = None

    def predict_proba(self, X: Any) -> Any:
        # Keras 3.14 has no `decision_function`, which is the network's `predict`
        predict = getattr(
            self.estimator, "decision_function", self.estimator.model_.predict
        )
        out = np.asarray(predict(X), dtype=np.float64)
        if self._are_probabilities is None:
            sums = np.abs(out.sum(axis=1) - 1)
            told = out.min() >= 0 and sums.max() < _SUM_ERROR
            self._are_probabilities = bool(told)
        return out if self._are_probabilities else softmax(out, axis=1)


_KINDS: dict[str | None, Any] = {"scikeras": _Scikeras, "keras": _KerasOwn}
