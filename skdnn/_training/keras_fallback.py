"""An epoch through ``keras.Model.fit``: the slow twin of the compiled epoch.

It serves callbacks that ask for batches and backends that have no compiled epoch,
and it is what the compiled epoch is tested against.
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
from skdnn._training.config import TrainingTask
from skdnn._training.loss import penalised_loss
from skdnn._training.optimizers import optimizer_variables

_EVALUATION_ROWS = 4096


class KerasEpochs:
    """A network and its optimizer, trained by ``keras.Model.fit``.

    Parameters
    ----------
    fit : Fit
        What to do.
    batch_callback : callable or None
        Makes a Keras callback from the model that trains; it hears of every batch.
    """

    epochs_at_once = 1

    def __init__(
        self, fit: TrainingTask, batch_callback: Callable[[Any], Any] | None = None
    ):
        keras = keras_backend.load()
        self._fit = fit
        self._network = build_network(fit.spec)
        self._optimizer = fit.solver.make()
        self._decay_kernels_only(fit)
        self._optimizer.build(self._network.trainable_variables)
        self.set_weights(fit.weights)
        for variable, value in zip(
            optimizer_variables(self._optimizer),
            fit.optimizer_state or (),
            strict=False,
        ):
            variable.assign(value)
        set_dropout(self._network, fit.spec, fit.dropout_seed)
        self._model = _model_class()(keras, self._network, fit)
        self._model.compile(optimizer=self._optimizer, loss=None)
        self._callbacks = [batch_callback(self._model)] if batch_callback else []

    def train(self, orders: np.ndarray, rate: float) -> np.ndarray:
        """Take a step a batch, epoch after epoch; see ``CompiledEpochs.train``."""
        if not self._fit.solver.has_schedule:
            self._optimizer.learning_rate = rate
        return np.stack([self._epoch(order) for order in orders])

    def _epoch(self, order: np.ndarray) -> np.ndarray:
        history = self._model.fit(
            _batches_class()(self._fit.table, order, self._fit.batch_size),
            shuffle=False,
            verbose=0,
            callbacks=self._callbacks,
        )
        sums = {name: values[-1] for name, values in history.history.items()}
        n = len(order)
        return np.array([sums["loss"] * n, n, sums["hits"], sums["weight"]])

    def evaluate(self) -> np.ndarray:
        """Return sums over the validation rows; see ``CompiledEpochs.evaluate``."""
        rows = self._fit.validation
        assert rows is not None
        convert = keras_backend.load().ops.convert_to_tensor
        sums = np.zeros(3)
        for start in range(0, len(rows), _EVALUATION_ROWS):
            block = rows.take(slice(start, start + _EVALUATION_ROWS)).dense()
            loss, hits, total = penalised_loss(
                self._fit.spec,
                self._network(block.X, training=False),
                convert(block.y),
                convert(block.weight),
                kernels=(),
                l2=None,
                l1=None,
                smoothing=None,
            )
            sums += [float(loss) * float(total), float(hits), float(total)]
        return sums

    def weights(self) -> list[np.ndarray]:
        """Return copies of the weight arrays."""
        return get_weights(self._network, self._fit.spec)

    def set_weights(self, weights: Sequence[np.ndarray]) -> None:
        """Copy weight arrays in."""
        set_weights(self._network, self._fit.spec, weights)

    def optimizer_state(self) -> list[np.ndarray]:
        """Return copies of the optimizer's variables."""
        return [keras_backend.to_numpy(v) for v in optimizer_variables(self._optimizer)]

    def rate(self) -> float:
        """Return the rate that the optimizer's own schedule has come to."""
        return float(keras_backend.to_numpy(self._optimizer.learning_rate))

    def _decay_kernels_only(self, fit: TrainingTask) -> None:
        if not fit.penalties.weight_decay:
            return
        self._optimizer.weight_decay = fit.penalties.weight_decay
        variables = network_variables(self._network, fit.spec)
        self._optimizer.exclude_from_weight_decay(
            [
                variable
                for variable, array in zip(variables, fit.spec.arrays, strict=True)
                if array.role != "kernel"
            ]
        )


@cache
def _batches_class() -> type:
    """Return the class that hands batches to Keras, which rounds arrays to float32."""
    keras = keras_backend.load()

    class Batches(keras.utils.PyDataset):  # type: ignore[name-defined]
        def __init__(self, rows: Dataset, order: np.ndarray, batch_size: int):
            super().__init__()
            self._rows, self._order, self._size = rows, order, batch_size

        def __len__(self):
            return -(-len(self._order) // self._size)

        def __getitem__(self, index):
            start = index * self._size
            batch = self._rows.take(self._order[start : start + self._size]).dense()
            return batch.X, batch.y, batch.weight

    return Batches


@cache
def _model_class() -> type:
    """Return the class of the model that trains; made once Keras is loaded."""
    keras = keras_backend.load()

    class PenalisedModel(keras.Model):  # type: ignore[name-defined]
        def __init__(self, keras, network, fit: TrainingTask):
            super().__init__(dtype=fit.spec.dtype)
            self.network = network
            self._spec: NetworkSpec = fit.spec
            self._penalties = fit.penalties
            dtype = fit.spec.dtype
            self._hits = keras.metrics.Sum(name="hits", dtype=dtype)
            self._weight = keras.metrics.Sum(name="weight", dtype=dtype)

        def call(self, inputs, training=False):
            return self.network(inputs, training=training)

        def compute_loss(self, x, y, y_pred, sample_weight, training=True):
            kernels = [
                variable
                for variable, array in zip(
                    network_variables(self.network, self._spec),
                    self._spec.arrays,
                    strict=True,
                )
                if array.role == "kernel"
            ]
            loss, hits, total = penalised_loss(
                self._spec,
                y_pred,
                y,
                sample_weight,
                kernels,
                self._penalties.l2,
                self._penalties.l1,
                self._penalties.label_smoothing,
            )
            self._hits.update_state(hits)
            self._weight.update_state(total)
            return loss

    return PenalisedModel
