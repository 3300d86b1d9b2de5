"""The loop over epochs: order of rows, rates, stopping, callbacks."""

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from skdnn._runtime import keras_backend
from skdnn._training import devices
from skdnn._training.callbacks import (
    ModelCallbacks,
    NoCallbacks,
    SpecCallbacks,
    need_batches,
)
from skdnn._training.compiled_epochs import (
    ModelEpochs,
    SpecEpochs,
    program_for,
    train_together,
)
from skdnn._training.keras_fallback import KerasEpochs, fit_by_keras, overrides
from skdnn._training.lbfgs import train_lbfgs
from skdnn._training.loss import require_finite, require_finite_network
from skdnn._training.model_functions import build_training
from skdnn._training.optimizers import hides_scaled_variables
from skdnn._training.recording import NotRecordableError, seeded
from skdnn._training.replicated_epochs import ReplicatedEpochs
from skdnn._training.saved_results import (
    history_as_tree,
    history_from_tree,
    keep_result,
    keep_state,
    kept_result,
    kept_state,
)
from skdnn._training.task import (
    EarlyStoppingMonitor,
    ModelTask,
    Record,
    TrainingResult,
    TrainingTask,
)

# Training rows of which a trained network must have finite outputs.
FEW_ROWS = 64
# Methods whose overriding a compiled epoch would not notice.
_OWN_LOOPS = (
    "fit",
    "evaluate",
    "make_train_function",
    "make_test_function",
    "train_step",
    "test_step",
)


def train(
    task: TrainingTask, n_fits: int = 1, wants_stop: Callable[[], bool] = lambda: False
) -> TrainingResult:
    """Train one network from a spec; raise ``ValueError`` if it is no longer finite.

    An interrupt of the user ends training after the first epoch, and is raised before.
    `n_fits` is how many of its shape are about to be trained, itself included;
    `wants_stop` returns whether to end as if the user had interrupted. What an earlier
    run has kept in a checkpoint is not trained again.
    """
    result = kept_result(task)
    if result is None:
        result = _train(task, n_fits, wants_stop)
        keep_result(task, result)
    return result


def _train(
    task: TrainingTask, n_fits: int, wants_stop: Callable[[], bool]
) -> TrainingResult:
    if task.solver.full_batch:
        result = train_lbfgs(task)
        require_finite_weights(task, result.weights)
        return result
    training = Training(task, n_fits)
    if state := kept_state(task):
        training.restore(state)
    interrupted = False
    try:
        training.run(wants_stop)
    except KeyboardInterrupt:
        if not training.n_epochs:
            raise
        interrupted = True
    return training.result(interrupted=interrupted)


class Training:
    """A network from a spec in training, some epochs at a time."""

    def __init__(self, task: TrainingTask, n_fits: int = 1):
        callbacks = SpecCallbacks(task) if task.callbacks else NoCallbacks()
        epochs = _choose_epochs(task, callbacks, n_fits)
        self._task, self._loop = task, _Loop(task, epochs, callbacks)

    @property
    def n_epochs(self) -> int:
        return len(self._loop.history)

    @property
    def history(self) -> list[Record]:
        """The records of the epochs until now."""
        return self._loop.history

    def run(
        self,
        wants_stop: Callable[[], bool] = lambda: False,
        n_epochs: float = np.inf,
        others: Sequence["Training"] = (),
    ) -> None:
        """Train until a rule, a callback or the user ends it, or for `n_epochs`.

        With `others`, each step is one of all these networks, which are of one size.
        """
        self._loop.run(wants_stop, n_epochs, [other._loop for other in others])

    def take_logits(self) -> list[np.ndarray]:
        """Return the validation logits after each epoch since the last call."""
        logits, self._loop.logits = self._loop.logits, []
        return logits

    def weights(self) -> list[np.ndarray]:
        return self._loop.epochs.weights()

    def state(self) -> dict[str, Any]:
        """Return what `restore` needs to continue from here, between two epochs."""
        return self._loop.state()

    def restore(self, state: dict[str, Any]) -> None:
        """Continue, before the first epoch, where a training of equal arguments was."""
        self._loop.restore(state)

    def result(self, *, interrupted: bool = False) -> TrainingResult:
        """End training; raise ``ValueError`` if the network is no longer finite."""
        loop = self._loop
        loop.finish()
        weights = loop.epochs.weights()
        require_finite_weights(self._task, weights)
        return TrainingResult(
            weights=weights,
            optimizer_state=loop.epochs.optimizer_state(),
            history=loop.history,
            rows_trained=loop.rows_trained,
            stopped=loop.stopped,
            interrupted=interrupted,
        )


def require_finite_weights(task: TrainingTask, weights: list[np.ndarray]) -> None:
    """Raise ``ValueError`` if the network has become infinite on some of its rows."""
    few = task.table.take(task.positions[:FEW_ROWS]).dense()
    require_finite_network(task.spec, weights, few.X)


def _choose_epochs(
    task: TrainingTask, callbacks: NoCallbacks, n_fits: int
) -> SpecEpochs | KerasEpochs:
    forwarder = None
    if isinstance(callbacks, SpecCallbacks) and need_batches(task.callbacks):
        forwarder = callbacks.batch_forwarder
    strategy = devices.strategy()
    if strategy is not None and task.schedule is None:
        return ReplicatedEpochs(task, strategy, forwarder)
    if forwarder is not None:
        devices.check_equal_parts(task.n_train, task.batch_size)
        return KerasEpochs(task, forwarder)
    return SpecEpochs(task, program_for(task, n_fits))


def train_model(task: ModelTask) -> Any:
    """Train a compiled model and return the ``History`` of Keras.

    An epoch is one compiled call if only the time differs: one input, one output, no
    callback that needs batches, no loop of the user's own, and not JAX. Otherwise
    ``Model.fit`` trains with the same rows in the same order.
    """
    if keras_backend.backend() == "torch":
        with seeded(task.seed):
            return _train_model(task)
    return _train_model(task)


def _train_model(task: ModelTask) -> Any:
    parts = [task.table] if task.validation is None else [task.table, task.validation]
    if not (can_compile(task) and all(part.is_plain for part in parts)):
        return fit_by_keras(task)
    if task.callbacks or not task.model.built:
        rows = task.table.take(slice(0, 2)).in_dtype_of(task.model)
        build_training(task.model, rows.batch())
    try:
        epochs = ModelEpochs(task)
    except NotRecordableError:  # with PyTorch, a layer that draws from its own seed
        return fit_by_keras(task)
    loop = _Loop(task, epochs, ModelCallbacks(task))
    loop.run()
    loop.finish()
    return task.model.history


def can_compile(task: ModelTask) -> bool:
    model = task.model
    return (
        keras_backend.backend() in ("tensorflow", "torch")
        and not model.run_eagerly
        and not is_distributed(model)
        and not any(overrides(model, method) for method in _OWN_LOOPS)
        and not task.other
        and not hides_scaled_variables(model.optimizer)
        and not need_batches(task.callbacks)
    )


def is_distributed(model: Any) -> bool:
    """Return whether TensorFlow trains a model on several devices."""
    strategy = getattr(model, "distribute_strategy", None)
    return strategy is not None and strategy.num_replicas_in_sync > 1


class _Loop:
    """The state of one fit between its epochs."""

    def __init__(self, task: Any, epochs: Any, callbacks: NoCallbacks):
        self._task, self.epochs, self._callbacks = task, epochs, callbacks
        self._orders = task.orders()
        self._monitor = EarlyStoppingMonitor(task.stopping)
        self._rate = task.rate.initial if task.rate else epochs.rate()
        self._best_weights: list[np.ndarray] | None = None
        self.rows_trained = task.rows_trained
        self.history: list[Record] = []
        self.logits: list[np.ndarray] = []
        self.stopped = False

    def run(
        self,
        wants_stop: Callable[[], bool] = lambda: False,
        n_epochs: float = np.inf,
        others: Sequence["_Loop"] = (),
    ) -> None:
        """Train until a rule, a callback, the user or the last epoch ends it."""
        if not self.history:
            self._callbacks.begin(self.epochs)
        last = min(self._task.stopping.max_iter, len(self.history) + n_epochs)
        while not self.stopped and len(self.history) < last:
            if wants_stop():
                raise KeyboardInterrupt
            left = int(last) - len(self.history)
            self._advance(self._epochs_together(left), others)
            if self._task.checkpoint is not None and self._task.checkpoint.is_due:
                keep_state(self._task, self.state())

    def state(self) -> dict[str, Any]:
        """Return what differs from a loop that begins."""
        return {
            "epochs": self.epochs.saved_state(),
            "history": history_as_tree(self.history),
            "rows_trained": int(self.rows_trained),
            "rate": self._rate,
            "best_loss": self._monitor.best,
            "stalled": self._monitor.stalled,
            "best_weights": self._best_weights,
            "stopped": self.stopped,
        }

    def restore(self, state: dict[str, Any]) -> None:
        self.epochs.restore(state["epochs"])
        self.history = history_from_tree(state["history"])
        self.rows_trained, self._rate = state["rows_trained"], state["rate"]
        self._monitor.best = state["best_loss"]
        self._monitor.stalled = state["stalled"]
        self._best_weights, self.stopped = state["best_weights"], state["stopped"]
        for record in self.history:
            next(self._orders)  # each epoch shuffles the order of the one before
            self._task.on_epoch(record)

    def finish(self) -> None:
        """Restore the best weights, and let callbacks change them."""
        if self._best_weights is not None:
            self.epochs.set_weights(self._best_weights)
        self._callbacks.end()

    def _epochs_together(self, left: int) -> int:
        """Return for how many epochs nothing can end training or needs a notice."""
        task = self._task
        validates = task.validation is not None and not task.keeps_logits
        every = self._callbacks.needs_every_epoch
        if every or validates or not task.has_constant_rate:
            return 1
        at_once = min(left, self._monitor.epochs_to_stall, self.epochs.epochs_at_once)
        return max(1, int(at_once))  # a large epoch fills several blocks

    def _advance(self, n_epochs: int, others: Sequence["_Loop"]) -> None:
        """Train for some epochs."""
        loops = [self, *others]
        orders = [loop._begin(n_epochs) for loop in loops]
        started = time.perf_counter()
        if others:
            rates = [loop._rate for loop in loops]
            records = train_together([loop.epochs for loop in loops], orders, rates)
        else:
            records = [self.epochs.train(orders[0], self._rate)]
        for loop, own in zip(loops, records, strict=True):
            loop._end(own, started)

    def _begin(self, n_epochs: int) -> np.ndarray:
        """Return the order of the rows in each of the next epochs."""
        epoch = self._task.first_epoch + len(self.history)
        self._rate = self._callbacks.begin_epoch(epoch, self._rate)
        return np.stack([next(self._orders) for _ in range(n_epochs)])

    def _end(self, records: Sequence[Record], started: float) -> None:
        """Keep what epochs have given, and whether the last ends training."""
        task = self._task
        validated = self._validate(len(records))
        seconds = (time.perf_counter() - started) / len(records)
        for trained, of_validation in zip(records, validated, strict=True):
            record = trained | of_validation
            record["learning_rate"] = self._rate if task.rate else self.epochs.rate()
            record["seconds"] = seconds
            self.history.append(record)
            if task.requires_finite_loss:
                rate = record["learning_rate"]
                require_finite(record["loss"], len(self.history), rate)
            self.rows_trained += task.n_train
            task.on_epoch(record)
            self.stopped = self._after_epoch(record)

    def _validate(self, n_epochs: int) -> list[Record]:
        if self._task.validation is None:
            return [{}] * n_epochs
        if self._task.keeps_logits:  # the caller computes the figures from them
            self.logits += self.epochs.take_logits()
            return [{}] * n_epochs
        figures = self._callbacks.evaluate(self.epochs)
        return [{f"val_{name}": value for name, value in figures.items()}]

    def _after_epoch(self, record: Record) -> bool:
        """Keep the best weights, adapt the rate; return whether training ends."""
        task = self._task
        early = task.stopping.early
        improved = self._monitor.update(record["val_loss" if early else "loss"])
        if early and improved:
            self._best_weights = self.epochs.weights()
        if task.rate:
            self._rate = task.rate.after_epoch(self._rate, self.rows_trained)
        stops = False
        if self._monitor.is_stalled:
            rate = task.rate.after_stall(self._rate) if task.rate else None
            stops = rate is None
            self._rate = self._rate if rate is None else rate
            self._monitor.stalled = 0
        epoch = task.first_epoch + len(self.history) - 1
        self._rate = self._callbacks.end_epoch(epoch, self._rate, record)
        return stops or self._callbacks.wants_stop
