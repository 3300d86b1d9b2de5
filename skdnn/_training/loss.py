"""The loss of a batch, in Keras operations that every backend has."""

from skdnn._network.spec import NetworkSpec
from skdnn._runtime import keras_backend


def penalised_loss(spec: NetworkSpec, logits, y, weight, kernels, l2, l1, smoothing):
    """Return what training lowers for one batch.

    The weighted mean of the cross-entropy, plus the elastic-net penalty of the
    kernels divided by the total weight of the batch, as in ``MLPClassifier``.

    Parameters
    ----------
    spec : NetworkSpec
        Says what turns logits into probabilities.
    logits : tensor of shape (n_rows, n_outputs)
        What the last layer gives.
    y : tensor of shape (n_rows,) or (n_rows, n_outputs)
        Positions of the classes, or zeros and ones for labels.
    weight : tensor of shape (n_rows,)
        Weights of the rows.
    kernels : sequence of tensors
        The arrays that are penalised.
    l2, l1, smoothing : scalar tensor or None
        See ``Penalties``; None where there is none, which costs nothing.

    Returns
    -------
    loss, hits, total : scalar tensors
        The loss, the weight of the rows that are told rightly (all their labels, if
        there are several), and the weight of all rows. A batch without weight has
        loss 0.
    """
    ops = keras_backend.load().ops
    losses, hit = _row_losses(ops, spec, logits, y, smoothing)
    total = ops.sum(weight)
    share = ops.where(total > 0, 1 / ops.where(total > 0, total, 1), 0)
    loss = ops.sum(weight * losses) * share
    for kernel in kernels:
        if l2 is not None:
            loss = loss + share * l2 / 2 * ops.sum(ops.square(kernel))
        if l1 is not None:
            loss = loss + share * l1 * ops.sum(ops.abs(kernel))
    return loss, ops.sum(weight * ops.cast(hit, weight.dtype)), total


def _row_losses(ops, spec, logits, y, smoothing):
    """Return cross-entropy and hit of every row."""
    if spec.output == "logistic":
        # one column for two classes, one a label otherwise; a row's losses add up
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
