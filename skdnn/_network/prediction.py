"""Which road a prediction takes, and what turns logits into probabilities."""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from skdnn._network import numpy_forward
from skdnn._network.spec import NetworkSpec


def predict_logits(spec: NetworkSpec, weights: Sequence[np.ndarray], X) -> np.ndarray:
    """Return the logits times the inverse temperature; see `predict`."""
    return predict(spec, weights, X, _as_it_is)


def predict_proba(spec: NetworkSpec, weights: Sequence[np.ndarray], X) -> np.ndarray:
    """Return the probabilities, of shape (n_samples, n_classes); see `predict`."""
    return predict(spec, weights, X, partial(probabilities, spec))


def predict(
    spec: NetworkSpec,
    weights: Sequence[np.ndarray],
    X,
    output: Callable[[np.ndarray], np.ndarray],
) -> np.ndarray:
    """Return what a function makes of the last layer, for any network.

    A network of known activations goes through NumPy, one with a function of the
    user's through Keras.

    Parameters
    ----------
    spec : NetworkSpec
        The network.
    weights : list of ndarray
        Its weights, in the order of ``spec.arrays``.
    X : {ndarray, sparse matrix} of shape (n_samples, n_inputs)
        In the dtype of the network.
    output : callable
        From logits of shape (n_rows, n_outputs), which it may write over, to an array
        of as many rows.

    Returns
    -------
    ndarray of shape (n_samples, ...)
    """

    def sharpened(logits: np.ndarray) -> np.ndarray:
        return output(logits * logits.dtype.type(spec.inverse_temperature))

    finish = output if spec.inverse_temperature == 1 else sharpened
    if numpy_forward.supports(spec):
        return numpy_forward.predict(spec, weights, X, finish)
    from skdnn._network.keras_forward import predict_logits as predict_compiled

    return finish(predict_compiled(spec, weights, X))


def _as_it_is(logits: np.ndarray) -> np.ndarray:
    return logits


def log_probabilities(spec: NetworkSpec, logits: np.ndarray) -> np.ndarray:
    """Return the logarithm of the probabilities, of shape (n_samples, n_classes)."""
    if spec.output == "logistic":
        return -np.logaddexp(0, -_both_ways(spec, logits))
    return numpy_forward.log_softmax(logits)


def probabilities(spec: NetworkSpec, logits: np.ndarray) -> np.ndarray:
    """Return the probabilities, of shape (n_samples, n_classes)."""
    if spec.output == "logistic":
        return numpy_forward.sigmoid(_both_ways(spec, logits))
    return numpy_forward.softmax(logits)


def mean_loss(spec: NetworkSpec, logits: np.ndarray, y, weight) -> float:
    """Return the weighted mean cross-entropy of rows, several labels added up."""
    log_p = log_probabilities(spec, logits)
    if spec.is_multilabel:
        log_not_p = -np.logaddexp(0, logits)
        losses = -np.where(y, log_p, log_not_p).sum(axis=1)
    else:
        losses = -log_p[np.arange(len(y)), y]
    return float(weight @ losses / weight.sum())


def _both_ways(spec: NetworkSpec, logits: np.ndarray) -> np.ndarray:
    """Return the logits of both classes where one unit tells two apart."""
    return logits if spec.is_multilabel else np.hstack([-logits, logits])
