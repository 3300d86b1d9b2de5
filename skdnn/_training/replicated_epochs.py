"""Training on several devices by a strategy of TensorFlow, each with a part of a batch.

A device that has no row of a batch gets rows of weight 0: all parts are of one size.
The loss of a batch is that of all its rows, so that it does not depend on the number of
devices, except for rounding.
"""

from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import Any

import numpy as np

from skdnn._network.keras_models import network_variables
from skdnn._training.batching import dense_arrays
from skdnn._training.keras_fallback import KerasEpochs, penalised_model_class
from skdnn._training.loss import epoch_record, penalised_loss
from skdnn._training.task import Record, TrainingTask


class ReplicatedEpochs(KerasEpochs):
    """Epochs of a network from a spec, each one ``Model.fit`` on all devices."""

    def __init__(
        self,
        task: TrainingTask,
        strategy: Any,
        batch_callback: Callable[[Any], Any] | None = None,
    ):
        import tensorflow as tf

        if isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
            raise ValueError(
                "A strategy of TensorFlow must be for the devices of one process, as "
                "Keras's Model.fit fails to average its results over several. Got a "
                f"MultiWorkerMirroredStrategy of {strategy.num_replicas_in_sync} "
                "devices. Use MirroredStrategy."
            )
        if task.spec.has_batch_norm:
            raise ValueError(
                "batch_norm=True needs all rows of a batch on one device, as "
                "TensorFlow's strategies compute statistics on each. Got a strategy of "
                f"{strategy.num_replicas_in_sync} devices. Set batch_norm=False, or "
                "train with JAX and keras.distribution."
            )
        self._strategy = strategy
        super().__init__(task, batch_callback)

    def _make_model(self) -> Any:
        model = _replicated_model_class()(self._network, self._task)
        spec = self._task.spec
        width = spec.n_inputs + _n_labels(self._task) + 2
        model(np.zeros((1, width), spec.dtype))
        return model

    def _epoch(self, order: np.ndarray) -> Record:
        parts = self._strategy.distribute_datasets_from_function(
            partial(self._device_parts, order)
        )
        history = self._model.fit(
            parts,
            steps_per_epoch=self._task.steps_per_epoch,
            shuffle=False,
            verbose=0,
            callbacks=self._callbacks,
        )
        sums = {name: values[-1] for name, values in history.history.items()}
        return epoch_record(sums["total"], len(order), sums["hits"], sums["weight"])

    def _device_parts(self, order: np.ndarray, context: Any) -> Any:
        """Return a data set of the parts for the devices, in turn."""
        import tensorflow as tf

        batches = partial(_parts, self._task, order, context.num_replicas_in_sync)
        width = self._task.spec.n_inputs + _n_labels(self._task) + 2
        signature = tf.TensorSpec((None, width), self._task.spec.dtype)
        return tf.data.Dataset.from_generator(batches, output_signature=signature)


def _n_labels(task: TrainingTask) -> int:
    """Return the columns of y."""
    return int(np.prod(task.table.y.shape[1:]))


def _parts(
    task: TrainingTask, order: np.ndarray, n_devices: int
) -> Iterator[np.ndarray]:
    """Yield the parts of each batch: columns of X, y, weight and whether a row."""
    size = -(-task.batch_size // n_devices)
    for start in range(0, len(order), task.batch_size):
        batch = order[start : start + task.batch_size]
        for device in range(n_devices):
            part = batch[device * size : (device + 1) * size]
            X, y, weight = dense_arrays(task.table, part, size)
            is_row = (np.arange(size) < len(part)).astype(weight.dtype)
            yield np.column_stack([X, y, weight, is_row]).astype(X.dtype)


@cache
def _replicated_model_class() -> type:
    import keras
    import tensorflow as tf

    class ReplicatedModel(penalised_model_class()):  # type: ignore[misc]
        def __init__(self, network: Any, task: TrainingTask):
            super().__init__(network, task)
            self._y_dtype = task.table.y.dtype
            self._total = keras.metrics.Sum(name="total", dtype=task.spec.dtype)

        def call(self, inputs: Any, training: bool = False) -> Any:
            return self.network(inputs[:, : self._spec.n_inputs], training=training)

        def compute_loss(
            self, x: Any, y: Any, y_pred: Any, sample_weight: Any, training: bool = True
        ) -> Any:
            context = tf.distribute.get_replica_context()
            n_devices = context.num_replicas_in_sync
            y = tf.cast(x[:, self._spec.n_inputs : -2], self._y_dtype)
            y = y if self._spec.is_multilabel else y[:, 0]
            sample_weight = x[:, -2]
            own = [tf.reduce_sum(sample_weight), tf.reduce_sum(x[:, -1])]
            weight, n_rows = context.all_reduce(tf.distribute.ReduceOp.SUM, own)
            variables = network_variables(self.network, self._spec)
            loss, hits, _ = penalised_loss(
                self._spec,
                y_pred,
                y,
                sample_weight,
                [variable for variable in variables if variable.name == "kernel"],
                self._penalties.l2 / n_devices,  # every device adds its share
                self._penalties.l1 / n_devices,
                self._penalties.label_smoothing,
                total=weight,
            )
            # Keras adds these up over the devices
            self._total.update_state(loss * n_rows)
            self._hits.update_state(hits)
            self._weight.update_state(tf.reduce_sum(sample_weight))
            return loss

    return ReplicatedModel
