"""Training on several devices by a strategy of TensorFlow, each with a part of a batch.

A device that has no row of a batch gets rows of weight 0: all parts are of one size.
The loss of a batch is that of all its rows, so that it does not depend on the number of
devices, except for rounding. The devices may be of several processes; each makes the
parts for its own.

The loop is not ``Model.fit``, which fails with several processes in Keras 3
(https://github.com/keras-team/keras/issues/20585).
"""

from collections.abc import Callable, Iterator
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np

from skdnn._network.keras_models import network_variables
from skdnn._training.batching import dense_arrays
from skdnn._training.keras_fallback import KerasEpochs
from skdnn._training.loss import epoch_record, penalised_loss
from skdnn._training.task import Record, TrainingTask


class ReplicatedEpochs(KerasEpochs):
    """Epochs of a network from a spec, each batch on all devices."""

    def __init__(
        self,
        task: TrainingTask,
        strategy: Any,
        batch_callback: Callable[[Any], Any] | None = None,
    ):
        import tensorflow as tf

        if task.spec.has_batch_norm:
            raise ValueError(
                "batch_norm=True needs all rows of a batch on one device, as "
                "TensorFlow's strategies compute statistics on each. Got a strategy of "
                f"{strategy.num_replicas_in_sync} devices. Set batch_norm=False, or "
                "train with JAX and keras.distribution."
            )
        self._strategy = strategy
        self._step = tf.function(self._train_on_batch)
        super().__init__(task, batch_callback)

    def _make_model(self) -> Any:
        return SimpleNamespace(stop_training=False)

    def _epoch(self, order: np.ndarray) -> Record:
        parts = self._strategy.distribute_datasets_from_function(
            partial(self._device_parts, order)
        )
        sums = np.zeros(3)
        for i, part in enumerate(parts):
            for callback in self._callbacks:
                callback.on_train_batch_begin(i)
            sums += self._step(part).numpy()
            logs = {"loss": sums[0] / min(len(order), (i + 1) * self._task.batch_size)}
            for callback in self._callbacks:
                callback.on_train_batch_end(i, logs)
            if self._model.stop_training:
                break
        return epoch_record(sums[0], len(order), sums[1], sums[2])

    def _device_parts(self, order: np.ndarray, context: Any) -> Any:
        """Return a data set of the parts for the devices of this process, in turn."""
        import tensorflow as tf

        n_devices = context.num_replicas_in_sync
        n_own = n_devices // context.num_input_pipelines
        first = context.input_pipeline_id * n_own
        devices = range(first, first + n_own)
        batches = partial(_parts, self._task, order, n_devices, devices)
        width = self._task.spec.n_inputs + _n_labels(self._task) + 2
        signature = tf.TensorSpec((None, width), self._task.spec.dtype)
        return tf.data.Dataset.from_generator(batches, output_signature=signature)

    def _train_on_batch(self, part: Any) -> Any:
        """Return the sums over all devices of what `_train_on_part` returns."""
        import tensorflow as tf

        sums = self._strategy.run(self._train_on_part, args=(part,))
        return self._strategy.reduce(tf.distribute.ReduceOp.SUM, sums, axis=None)

    def _train_on_part(self, part: Any) -> Any:
        """Take a step, on one device; return its loss times rows, hits and weight."""
        import tensorflow as tf

        spec, penalties = self._task.spec, self._task.penalties
        y = tf.cast(part[:, spec.n_inputs : -2], self._task.table.y.dtype)
        y = y if spec.is_multilabel else y[:, 0]
        sample_weight = part[:, -2]
        context = tf.distribute.get_replica_context()
        n_devices = context.num_replicas_in_sync
        own = [tf.reduce_sum(sample_weight), tf.reduce_sum(part[:, -1])]
        weight, n_rows = context.all_reduce(tf.distribute.ReduceOp.SUM, own)
        variables = self._network.trainable_variables
        kernels = [
            variable
            for variable in network_variables(self._network, spec)
            if variable.name == "kernel"
        ]
        with tf.GradientTape() as tape:
            loss, hits, _ = penalised_loss(
                spec,
                self._network(part[:, : spec.n_inputs], training=True),
                y,
                sample_weight,
                kernels,
                penalties.l2 / n_devices,  # every device adds its share
                penalties.l1 / n_devices,
                penalties.label_smoothing,
                total=weight,
            )
        gradients = tape.gradient(loss, [variable.value for variable in variables])
        self._optimizer.apply_gradients(zip(gradients, variables, strict=True))
        return tf.stack([loss * n_rows, tf.cast(hits, loss.dtype), own[0]])


def _n_labels(task: TrainingTask) -> int:
    """Return the columns of y."""
    return int(np.prod(task.table.y.shape[1:]))


def _parts(
    task: TrainingTask, order: np.ndarray, n_devices: int, devices: range
) -> Iterator[np.ndarray]:
    """Yield the parts of each batch: columns of X, y, weight and whether a row.

    They are those of some of all devices.
    """
    size = -(-task.batch_size // n_devices)
    for start in range(0, len(order), task.batch_size):
        batch = order[start : start + task.batch_size]
        for device in devices:
            part = batch[device * size : (device + 1) * size]
            X, y, weight = dense_arrays(task.table, part, size)
            is_row = (np.arange(size) < len(part)).astype(weight.dtype)
            yield np.column_stack([X, y, weight, is_row]).astype(X.dtype)
