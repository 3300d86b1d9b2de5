"""Training through ``keras.Model.fit``, the reference of the compiled epoch.

It serves callbacks that need batches, backends without a compiled epoch, and models
with a training loop of their own.
"""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np

from skdnn._network.keras_models import (
    build_network,
    get_weights,
    network_variables,
    set_dropout,
    set_weights,
)
from skdnn._network.spec import NetworkSpec
from skdnn._runtime import keras_backend
from skdnn._tabular.dataset import Dataset
from skdnn._training import devices
from skdnn._training.batching import Rows, dense_arrays
from skdnn._training.execution import EVALUATION_ROWS
from skdnn._training.loss import epoch_record, penalised_loss
from skdnn._training.nested_rows import take
from skdnn._training.optimizers import optimizer_variables
from skdnn._training.task import ModelTask, Record, TrainingTask


class KerasEpochs:
    """Epochs of a network from a spec, each one call of ``Model.fit``."""

    epochs_at_once = 1

    def __init__(
        self, task: TrainingTask, batch_callback: Callable[[Any], Any] | None = None
    ):
        self._task = task
        self._network = build_network(task.spec)
        self._optimizer = task.solver.make()
        self._decay_kernels_only()
        self._optimizer.build(self._network.trainable_variables)
        self.set_weights(task.weights)
        variables = optimizer_variables(self._optimizer)
        for variable, value in zip(variables, task.optimizer_state or (), strict=False):
            variable.assign(value)
        set_dropout(self._network, task.spec, task.dropout_seed)
        self._model = self._make_model()
        self._callbacks = [batch_callback(self._model)] if batch_callback else []

    def _make_model(self) -> Any:
        """Return what trains, and has `stop_training`."""
        model = penalised_model_class()(self._network, self._task)
        model.compile(optimizer=self._optimizer, loss=None)
        return model

    def train(self, orders: np.ndarray, rate: float) -> list[Record]:
        if not self._task.solver.has_schedule:
            self._optimizer.learning_rate = rate
        return [self._epoch(order) for order in orders]

    def _epoch(self, order: np.ndarray) -> Record:
        batches = batches_class()(self._task.table, order, self._task.batch_size)
        history = self._model.fit(
            batches, shuffle=False, verbose=0, callbacks=self._callbacks
        )
        sums = {name: values[-1] for name, values in history.history.items()}
        n = len(order)
        return epoch_record(sums["loss"] * n, n, sums["hits"], sums["weight"])

    def evaluate(self) -> Record:
        rows: Dataset | None = self._task.validation
        assert rows is not None
        convert = keras_backend.load().ops.convert_to_tensor
        sums = np.zeros(3)
        for start in range(0, len(rows), EVALUATION_ROWS):
            block = rows.take(slice(start, start + EVALUATION_ROWS)).dense()
            loss, hits, total = penalised_loss(
                self._task.spec,
                self._network(block.X, training=False),
                convert(block.y),
                convert(block.weight),
            )
            # torch warns when a tensor that tracks gradients becomes a float
            loss, hits, total = map(keras_backend.to_numpy, (loss, hits, total))
            sums += [float(loss) * float(total), float(hits), float(total)]
        return {"loss": float(sums[0] / sums[2]), "accuracy": float(sums[1] / sums[2])}

    def weights(self) -> list[np.ndarray]:
        return get_weights(self._network, self._task.spec)

    def set_weights(self, weights: Sequence[np.ndarray]) -> None:
        set_weights(self._network, self._task.spec, weights)

    def optimizer_state(self) -> list[np.ndarray]:
        return [keras_backend.to_numpy(v) for v in optimizer_variables(self._optimizer)]

    def rate(self) -> float:
        return float(keras_backend.to_numpy(self._optimizer.learning_rate))

    def _decay_kernels_only(self) -> None:
        if self._task.penalties.weight_decay:
            self._optimizer.weight_decay = self._task.penalties.weight_decay
            variables = network_variables(self._network, self._task.spec)
            others = [v for v in variables if v.name != "kernel"]
            self._optimizer.exclude_from_weight_decay(others)


def fit_by_keras(task: ModelTask) -> Any:
    model, rows = task.model, task.table
    devices.check_equal_parts(task.n_train, task.batch_size)
    if task.validation is not None:
        devices.check_equal_parts(len(task.validation), task.validation_batch_size)
    settings = {
        "epochs": task.epochs,
        "initial_epoch": task.first_epoch,
        "verbose": task.verbose,
        "callbacks": list(task.callbacks),
        **task.other,
    }
    if task.validation is not None:
        validation = task.validation.take(slice(None)).in_dtype_of(model)
        settings["validation_data"] = validation.batch()
        settings["validation_batch_size"] = task.validation_batch_size
    if overrides(model, "fit") or not _has_rows(rows):
        settings["batch_size"] = task.batch_size
        settings["shuffle"] = task.shuffle
        return model.fit(
            x=take(rows.X, slice(None)), y=rows.y, sample_weight=rows.weight, **settings
        )
    batches = batches_class()(
        rows.in_dtype_of(model), task.order(task.first_epoch), task.batch_size
    )

    def begin_epoch(epoch: int, logs: Any = None) -> None:
        batches.order = task.order(epoch)

    # a callback, as the hooks of PyDataset count epochs differently
    follower = keras_backend.load().callbacks.Callback()
    follower.on_epoch_begin = begin_epoch
    settings["callbacks"].insert(0, follower)
    return model.fit(batches, shuffle=False, **settings)


def overrides(model: Any, method: str) -> bool:
    """Return whether a model, or its class, has a method that is not Keras's."""
    if method in vars(model):
        return True
    owner = next(c for c in type(model).__mro__ if method in vars(c))
    return not owner.__module__.startswith("keras.")


def _has_rows(rows: Any) -> bool:
    """Return whether X and y are arrays, not a generator that an encoder made."""
    leaves = keras_backend.load().tree.flatten((rows.X, rows.y))
    return all(hasattr(leaf, "shape") for leaf in leaves)


@cache
def batches_class() -> type:
    """Return the class of a data set; ``Model.fit`` makes float32 of plain arrays."""
    keras = keras_backend.load()

    class Batches(keras.utils.PyDataset):  # type: ignore[name-defined, misc]
        def __init__(self, rows: Rows, order: np.ndarray, batch_size: int):
            super().__init__()
            self.order = order
            self._rows, self._size = rows, batch_size

        def __len__(self) -> int:
            return -(-len(self.order) // self._size)

        def __getitem__(self, index: int) -> Any:
            start = index * self._size
            positions = self.order[start : start + self._size]
            return _as_tuples(dense_arrays(self._rows, positions))

    return Batches


def _as_tuples(node: Any) -> Any:
    """Return nested lists as tuples, as TensorFlow takes a list for one array."""
    if isinstance(node, dict):
        return {name: _as_tuples(part) for name, part in node.items()}
    return tuple(map(_as_tuples, node)) if isinstance(node, list | tuple) else node


@cache
def penalised_model_class() -> type:
    keras = keras_backend.load()

    class PenalisedModel(keras.Model):  # type: ignore[name-defined, misc]
        def __init__(self, network: Any, task: TrainingTask):
            super().__init__(dtype=task.spec.dtype)
            self.network = network
            self._spec: NetworkSpec = task.spec
            self._penalties = task.penalties
            dtype = task.spec.dtype
            self._hits = keras.metrics.Sum(name="hits", dtype=dtype)
            self._weight = keras.metrics.Sum(name="weight", dtype=dtype)

        def call(self, inputs: Any, training: bool = False) -> Any:
            return self.network(inputs, training=training)

        def compute_loss(
            self, x: Any, y: Any, y_pred: Any, sample_weight: Any, training: bool = True
        ) -> Any:
            variables = network_variables(self.network, self._spec)
            loss, hits, total = penalised_loss(
                self._spec,
                y_pred,
                y,
                sample_weight,
                [variable for variable in variables if variable.name == "kernel"],
                self._penalties.l2,
                self._penalties.l1,
                self._penalties.label_smoothing,
            )
            self._hits.update_state(hits)
            self._weight.update_state(total)
            return loss

    return PenalisedModel
