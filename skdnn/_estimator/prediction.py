"""Probabilities and classes, as a fitted classifier predicts them."""

from collections.abc import Callable
from functools import reduce
from typing import Any

import numpy as np

from skdnn._network.prediction import predictor_of
from skdnn._network.spec import NetworkSpec
from skdnn._streaming.feature_blocks import by_blocks
from skdnn._tabular.encoder import TableEncoder


class Prediction:
    """The part of `DNNClassifier` that predicts."""

    # set by skdnn._estimator.finalize
    classes_: np.ndarray
    _spec: NetworkSpec
    _weights: Any
    _encoder: TableEncoder
    _checked: Callable[[Any], Any]  # of `Uncertainty`

    def predict(self, X: Any) -> np.ndarray:
        """Return the most probable class of each row, or its labels.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
            The columns of `fit`, in the same order.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_labels)

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from skdnn import DNNClassifier
        >>> X, y = load_iris(return_X_y=True, as_frame=True)
        >>> y = y.map({0: "setosa", 1: "versicolor", 2: "virginica"})
        >>> DNNClassifier(random_state=0).fit(X, y).predict(X[::50])
        array(['setosa', 'versicolor', 'virginica'], dtype=object)
        """
        proba = self.predict_proba(X)
        if self._spec.is_multilabel:
            return (proba > 0.5).astype(int)
        return self.classes_[proba.argmax(axis=1)]

    @by_blocks(axis=0)
    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the probability of each class for each row.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
            The columns of `fit`, in the same order.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Columns in the order of ``classes_``; rows sum to 1, unless a row may have
            several labels.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from skdnn import DNNClassifier
        >>> X, y = load_iris(return_X_y=True)
        >>> network = DNNClassifier(random_state=0).fit(X, y)
        >>> network.predict_proba(X[::50]).round().astype(int)
        array([[1, 0, 0],
               [0, 1, 0],
               [0, 0, 1]])
        """
        X = self._checked(X)
        if hasattr(self, "estimators_"):
            members = (member._proba(X) for member in self.estimators_)
            return reduce(np.add, members) / len(self.estimators_)
        return self._proba(X)

    @by_blocks(axis=0)
    def predict_log_proba(self, X: Any) -> np.ndarray:
        """Return the logarithm of `predict_proba`, exact for tiny probabilities.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
            The columns of `fit`, in the same order.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn.datasets import load_iris
        >>> from skdnn import DNNClassifier
        >>> X, y = load_iris(return_X_y=True)
        >>> network = DNNClassifier(random_state=0).fit(X, y)
        >>> log_proba = network.predict_log_proba(X)
        >>> bool(np.allclose(np.exp(log_proba), network.predict_proba(X)))
        True
        """
        X = self._checked(X)
        if hasattr(self, "estimators_"):
            members = (member._log_proba(X) for member in self.estimators_)
            return reduce(np.logaddexp, members) - np.log(len(self.estimators_))
        return self._log_proba(X)

    def _proba(self, X: Any) -> np.ndarray:
        predictor = predictor_of(self, self._spec, self._weights)
        return predictor.proba(self._encoder.encode(X))

    def _log_proba(self, X: Any) -> np.ndarray:
        predictor = predictor_of(self, self._spec, self._weights)
        return predictor.log_proba(self._encoder.encode(X))
