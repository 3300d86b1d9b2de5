"""Training of any compiled Keras network: through compiled epochs, or ``Model.fit``."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np

from skdnn._keras_wrapper.nested_rows import Rows, take
from skdnn._keras_wrapper.prediction import overrides
from skdnn._keras_wrapper.program import Program, program_of
from skdnn._runtime import keras_backend

_BATCH_HOOKS = tuple(
    f"on_{kind}batch_{when}"
    for kind in ("", "train_", "test_")
    for when in ("begin", "end")
)
# Methods of a user's own that Keras gives more than the compiled epoch looks at.
_OWN_LOOPS = (
    "fit",
    "evaluate",
    "make_train_function",
    "make_test_function",
    "train_step",
    "test_step",
)


@dataclass(frozen=True)
class TrainingConfig:
    """How a network is to be trained.

    Parameters
    ----------
    seed : int
        Of the order of rows.
    epochs, initial_epoch : int
        As in ``Model.fit``: where training ends, and where it begins.
    batch_size, validation_batch_size : int
        Rows a step.
    shuffle : bool
        Whether every epoch has an order of its own.
    verbose : int or str
        What the bar of Keras shows.
    callbacks : sequence of keras.callbacks.Callback
        As given; used as they are.
    other : dict
        Arguments of ``Model.fit`` that are none of these.
    """

    seed: int
    epochs: int = 1
    initial_epoch: int = 0
    batch_size: int = 32
    validation_batch_size: int = 32
    shuffle: bool = True
    verbose: Any = 1
    callbacks: Sequence[Any] = ()
    other: dict[str, Any] = field(default_factory=dict)

    def order(self, epoch: int, n_rows: int) -> np.ndarray:
        """Return the order of the rows in an epoch."""
        if not self.shuffle:
            return np.arange(n_rows)
        return np.random.default_rng([self.seed, epoch]).permutation(n_rows)


def train(
    model: Any, rows: Rows, validation: Rows | None, course: TrainingConfig
) -> Any:
    """Train a model and return the ``History`` of Keras.

    An epoch is one compiled call if that makes no difference but in time: one input,
    one output, no callback that asks for batches, no loop of the user's own, and
    TensorFlow. ``Model.fit`` trains with the same rows in the same order otherwise.
    """
    parts = [rows] if validation is None else [rows, validation]
    if can_compile(model, course) and all(part.is_plain for part in parts):
        return _train_compiled(model, rows, validation, course)
    return _train_by_keras(model, rows, validation, course)


def can_compile(model: Any, course: TrainingConfig) -> bool:
    """Return whether an epoch can be one call."""
    return (
        keras_backend.backend() == "tensorflow"
        and not model.run_eagerly
        and model.distribute_strategy.num_replicas_in_sync == 1
        and not any(overrides(model, method) for method in _OWN_LOOPS)
        and not course.other
        and not any(map(_asks_for_batches, course.callbacks))
    )


def _asks_for_batches(callback: Any) -> bool:
    callbacks = keras_backend.load().callbacks
    if isinstance(callback, callbacks.ModelCheckpoint):
        if callback.save_freq == "epoch":
            return False
    elif isinstance(callback, callbacks.History | callbacks.ProgbarLogger):
        return False
    return any(
        getattr(type(callback), hook, None) is not getattr(callbacks.Callback, hook)
        or hook in vars(callback)
        for hook in _BATCH_HOOKS
    )


def _train_compiled(model, rows, validation, course) -> Any:
    if not model.built:
        model(take(rows.X, slice(0, 1)))
    tell = keras_backend.load().callbacks.CallbackList(
        list(course.callbacks),
        add_history=True,
        add_progbar=course.verbose != 0,
        verbose=course.verbose,
        epochs=course.epochs,
        steps=-(-len(rows) // course.batch_size),
        model=model,
    )
    model.stop_training = False
    with program_of(model).running(model, rows) as program:
        tell.on_train_begin()
        logs = _epochs(model, program, rows, validation, course, tell)
        model.optimizer.finalize_variable_values(model.trainable_weights)
        tell.on_train_end(logs)
    return model.history


def _epochs(model, program: Program, rows, validation, course, tell) -> dict:
    """Run the epochs; callbacks see the model between them, and may change it."""
    put, put_validation = program.put(rows), validation and program.put(validation)
    logs: dict[str, float] = {}
    program.take()
    for epoch in range(course.initial_epoch, course.epochs):
        tell.on_epoch_begin(epoch)
        if course.callbacks:
            program.take()
        order = course.order(epoch, len(rows))
        logs = program.train(put, order, course.batch_size)
        if put_validation is not None:
            tell.on_test_begin()
            found = program.evaluate(put_validation, course.validation_batch_size)
            tell.on_test_end(found)
            logs |= {f"val_{name}": value for name, value in found.items()}
        if course.callbacks or epoch == course.epochs - 1:
            program.give()
        tell.on_epoch_end(epoch, logs)
        if model.stop_training:
            break
    return logs


def _train_by_keras(model, rows, validation, course) -> Any:
    settings = {
        "epochs": course.epochs,
        "initial_epoch": course.initial_epoch,
        "verbose": course.verbose,
        "callbacks": list(course.callbacks),
        **course.other,
    }
    if validation is not None:
        validation = validation.take(slice(None)).as_network_takes(model)
        settings["validation_data"] = validation.batch()
        settings["validation_batch_size"] = course.validation_batch_size
    if overrides(model, "fit") or not _has_rows(rows):
        settings["batch_size"] = course.batch_size
        settings["shuffle"] = course.shuffle
        return model.fit(
            x=take(rows.X, slice(None)), y=rows.y, sample_weight=rows.weight, **settings
        )
    batches = _batches_class()(rows.as_network_takes(model), course)
    settings["callbacks"].insert(0, _follower(batches.begin_epoch))
    return model.fit(batches, shuffle=False, **settings)


def _has_rows(rows: Rows) -> bool:
    """Return whether X and y are arrays, not a generator that an encoder made."""
    leaves = keras_backend.load().tree.flatten((rows.X, rows.y))
    return all(hasattr(leaf, "shape") for leaf in leaves)


@cache
def _batches_class() -> type:
    """Return the class that hands batches to ``Model.fit`` in the order of a course."""
    keras = keras_backend.load()

    class Batches(keras.utils.PyDataset):  # type: ignore[name-defined]
        def __init__(self, rows: Rows, course: TrainingConfig):
            super().__init__()
            self._rows, self._course = rows, course
            self.begin_epoch(course.initial_epoch)

        def begin_epoch(self, epoch, logs=None):
            self._order = self._course.order(epoch, len(self._rows))

        def __len__(self):
            return -(-len(self._order) // self._course.batch_size)

        def __getitem__(self, index):
            start = index * self._course.batch_size
            places = self._order[start : start + self._course.batch_size]
            return _as_tuples(self._rows.take(places).batch())

    return Batches


def _as_tuples(node: Any) -> Any:
    """Return nested lists as tuples, as TensorFlow takes a list for one array."""
    if isinstance(node, dict):
        return {name: _as_tuples(part) for name, part in node.items()}
    return tuple(map(_as_tuples, node)) if isinstance(node, list | tuple) else node


def _follower(begin_epoch: Callable) -> Any:
    """Return a callback that tells of each epoch; PyDataset's own hooks miscount."""
    follower = keras_backend.load().callbacks.Callback()
    follower.on_epoch_begin = begin_epoch
    return follower
