"""From rows to logits and probabilities, through NumPy or Keras."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from scipy.sparse import issparse
from sklearn.utils import gen_batches

from skdnn._network import numpy_forward
from skdnn._network.keras_models import build_network, set_weights
from skdnn._network.numpy_activations import linear, log_softmax, sigmoid, softmax
from skdnn._network.spec import NetworkSpec
from skdnn._runtime import caches, keras_backend

_KERAS_ROWS = 8192
# Logits that are held at once to compute a loss.
_LOSS_CELLS = 2**20

_network = lru_cache(maxsize=16)(build_network)
caches.register_cache(_network.cache_clear)


class Predictor:
    """What a network predicts, from weights that are arranged for it once.

    Networks with an activation of the user are evaluated in Keras, others in NumPy.
    Their logits are multiplied by the inverse temperature.
    """

    def __init__(self, spec: NetworkSpec, weights: Sequence[np.ndarray]):
        self.spec, self.weights = spec, weights
        self._forward = None
        if numpy_forward.supports(spec):
            self._forward = numpy_forward.NumpyForward(spec, weights)

    def logits(self, X: Any) -> np.ndarray:
        """Return the logits, of shape (n_samples, n_outputs)."""
        return self._predict(X, linear)

    def proba(self, X: Any) -> np.ndarray:
        """Return the probabilities, of shape (n_samples, n_classes)."""
        return self._predict(X, lambda logits: probabilities(self.spec, logits))

    def proba_and_members(self, X: Any) -> tuple[np.ndarray, np.ndarray]:
        """Return `proba`, and that of each member, (n_members, n_samples, n_classes).

        The logits of members are multiplied by the inverse temperature, too, so that
        they are on the scale of the mean.
        """
        if self.spec.members == 1:
            proba = self.proba(X)
            return proba, proba[None]
        # several members have activations by name, as only the recipe trains them
        assert self._forward is not None
        out = self._forward.predict_members(X, self._after_scaling(softmax))
        return out[:, 0], out[:, 1:].swapaxes(0, 1)

    def log_proba(self, X: Any) -> np.ndarray:
        """Return their logarithms, exact for tiny probabilities."""
        return self._predict(X, lambda logits: log_probabilities(self.spec, logits))

    def _predict(
        self, X: Any, output: Callable[[np.ndarray], np.ndarray]
    ) -> np.ndarray:
        finish = self._after_scaling(output)
        if self._forward is None:
            return finish(keras_logits(self.spec, self.weights, X))
        return self._forward.predict(X, finish)

    def _after_scaling(
        self, output: Callable[[np.ndarray], np.ndarray]
    ) -> Callable[[np.ndarray], np.ndarray]:
        """Return the function `output` of logits times the inverse temperature."""
        scale = self.spec.inverse_temperature
        if scale == 1:
            return output
        return lambda logits: output(logits * logits.dtype.type(scale))


# apart from the estimators, whose attributes `predict` must not change
_predictors: WeakKeyDictionary[Any, Predictor] = WeakKeyDictionary()
caches.register_cache(_predictors.clear)


def predictor_of(
    estimator: Any, spec: NetworkSpec, weights: Sequence[np.ndarray]
) -> Predictor:
    """Return the predictor of a fitted estimator, kept until its next fit."""
    known = _predictors.get(estimator)
    if known is None or known.weights is not weights:
        known = _predictors[estimator] = Predictor(spec, weights)
    return known


def keras_logits(
    spec: NetworkSpec, weights: Sequence[np.ndarray], X: Any
) -> np.ndarray:
    """Return the logits of the network in Keras, before the inverse temperature."""
    network = _network(spec.without_rates())
    set_weights(network, spec, weights)
    blocks = []
    for rows in gen_batches(X.shape[0], _KERAS_ROWS):
        block = X[rows].toarray() if issparse(X) else X[rows]
        blocks.append(keras_backend.to_numpy(network(block, training=False)))
    return np.concatenate(blocks)


def log_probabilities(spec: NetworkSpec, logits: np.ndarray) -> np.ndarray:
    """Return the logarithm of the probabilities, of shape (n_samples, n_classes)."""
    if spec.output == "logistic":
        return -np.logaddexp(0, -_logits_of_classes(spec, logits))
    return log_softmax(logits)


def probabilities(spec: NetworkSpec, logits: np.ndarray) -> np.ndarray:
    """Return the probabilities of shape (n_samples, n_classes), maybe in `logits`."""
    if spec.output == "logistic":
        return sigmoid(_logits_of_classes(spec, logits))
    return softmax(logits)


def mean_loss(
    spec: NetworkSpec,
    weights: Sequence[np.ndarray],
    X: Any,
    y: np.ndarray,
    weight: np.ndarray,
) -> float:
    """Return the weighted mean cross-entropy of rows, summed over labels."""
    total, predictor = 0.0, Predictor(spec, weights)
    for rows in gen_batches(len(y), max(1, _LOSS_CELLS // spec.n_outputs)):
        logits, own = predictor.logits(X[rows]), y[rows]
        log_p = log_probabilities(spec, logits)
        if spec.is_multilabel:
            losses = -np.where(own, log_p, -np.logaddexp(0, logits)).sum(axis=1)
        else:
            losses = -log_p[np.arange(len(own)), own]
        total += float(weight[rows] @ losses)
    return total / float(weight.sum())


def _logits_of_classes(spec: NetworkSpec, logits: np.ndarray) -> np.ndarray:
    """Return one column per class or label; one unit serves two classes."""
    return logits if spec.is_multilabel else np.hstack([-logits, logits])
