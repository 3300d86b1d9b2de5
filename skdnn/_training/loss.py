"""The loss of a batch in Keras operations that every backend has, and its baseline."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from skdnn._network import prediction
from skdnn._network.spec import NetworkSpec
from skdnn._runtime import keras_backend


def penalised_loss(
    spec: NetworkSpec,
    logits: Any,
    y: Any,
    weight: Any,
    kernels: Iterable[Any] = (),
    l2: Any = None,
    l1: Any = None,
    smoothing: Any = None,
    total: Any = None,
) -> tuple[Any, Any, Any]:
    """Return the loss of a batch, the weight of its correct rows, and of all its rows.

    The loss is the weighted mean of the cross-entropy plus the elastic-net penalty of
    the kernels divided by the total weight of the batch, as in ``MLPClassifier``; 0 for
    a batch without weight. Of several labels, all must be correct. A penalty of None
    costs nothing. `total` is the weight of the batch if these are not all its rows.
    """
    ops = keras_backend.load().ops
    losses, hit = _row_losses(ops, spec, logits, y, smoothing)
    total = ops.sum(weight) if total is None else total
    share = ops.where(total > 0, 1 / ops.where(total > 0, total, 1), 0)
    loss = ops.sum(weight * losses) * share
    for kernel in kernels:
        if l2 is not None:
            loss = loss + share * l2 / 2 * ops.sum(ops.square(kernel))
        if l1 is not None:
            loss = loss + share * l1 * ops.sum(ops.abs(kernel))
    return loss, ops.sum(weight * ops.cast(hit, weight.dtype)), total


def _row_losses(
    ops: Any, spec: NetworkSpec, logits: Any, y: Any, smoothing: Any
) -> tuple[Any, Any]:
    """Return the cross-entropy of every row and whether its prediction is correct."""
    if spec.output == "logistic":
        # one column for two classes, one per label otherwise; a row's losses add up
        target = ops.reshape(ops.cast(y, logits.dtype), (-1, spec.n_outputs))
        right = ops.equal(ops.cast(logits > 0, logits.dtype), target)
        if smoothing is not None:
            target = target * (1 - smoothing) + smoothing / 2
        losses = ops.sum(ops.softplus(logits) - logits * target, axis=-1)
        return losses, ops.all(right, axis=-1)
    losses = ops.sparse_categorical_crossentropy(y, logits, from_logits=True)
    losses = ops.cast(losses, logits.dtype)  # with JAX it may be float64
    if smoothing is not None:
        mean = -ops.mean(ops.log_softmax(logits, axis=-1), axis=-1)
        losses = (1 - smoothing) * losses + smoothing * mean
    return losses, ops.equal(ops.cast(ops.argmax(logits, axis=-1), y.dtype), y)


def epoch_record(
    loss: float, rows: float, hits: float, weight: float
) -> dict[str, Any]:
    """Return the record of an epoch from sums over its rows, not yet validated."""
    trained = {"loss": float(loss / rows), "accuracy": float(hits / weight)}
    return trained | dict.fromkeys(("val_loss", "val_accuracy"), np.nan)


def class_shares(y: np.ndarray, weight: np.ndarray, n_classes: int) -> np.ndarray:
    """Return the weighted share of each class, or of the rows with each label."""
    if y.ndim == 2:
        return np.asarray(weight @ y / weight.sum())
    shares = np.bincount(y, weights=weight, minlength=n_classes)
    return np.asarray(shares / shares.sum())


def class_share_loss(y: np.ndarray, weight: np.ndarray, shares: np.ndarray) -> float:
    """Return the cross-entropy of predicting the same `shares` for every row."""
    total = weight.sum()
    observed = class_shares(y, weight, len(shares))
    losses = -_xlogy(observed, shares)
    if y.ndim == 2:
        losses -= _xlogy(1 - observed, 1 - shares)
    return float(losses.sum()) if total > 0 else np.nan


def _xlogy(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return x log y, and 0 where x is 0; a y of 0 counts as 1e-12."""
    return np.where(x > 0, x * np.log(np.maximum(y, 1e-12)), 0.0)


def require_finite(loss: float, epoch: int, rate: float) -> None:
    if not np.isfinite(loss):
        raise ValueError(
            f"Training must keep the loss finite; it became {loss} in epoch {epoch}, "
            f"at learning rate {rate:.3g}. Scale the columns (MinMaxScaler or "
            "StandardScaler in a Pipeline), or lower learning_rate_init."
        )


def require_finite_network(
    spec: NetworkSpec, weights: Sequence[np.ndarray], X: Any
) -> None:
    """Raise ``ValueError`` if weights, or the logits of a few rows, are not finite.

    The loss of an epoch is computed before the last step.
    """
    with np.errstate(all="ignore"):
        is_finite = all(np.isfinite(array).all() for array in weights) and bool(
            np.isfinite(prediction.Predictor(spec, weights).logits(X)).all()
        )
    if not is_finite:
        raise ValueError(
            "Training must keep weights and outputs finite. Got non-finite parameter "
            "weights or outputs after the last step. Scale the columns (MinMaxScaler "
            "or StandardScaler in a Pipeline), or lower learning_rate_init."
        )
