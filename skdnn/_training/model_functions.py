"""What a compiled `keras.Model` adds to a program: its loss, metrics, optimizer."""

import inspect
import weakref
from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any

import numpy as np

from skdnn._runtime import compat, keras_backend
from skdnn._training import description
from skdnn._training.backend_functions import tensor, value_and_gradient
from skdnn._training.execution import Execution
from skdnn._training.optimizers import (
    is_loss_scaled,
    optimizer_variables,
    stateless_optimizer,
)
from skdnn._training.program import Program, State, programs, stateless


def model_program(
    model: Any, arrays: Sequence[np.ndarray], execution: Execution
) -> Program:
    """Return what trains a model: shared by all that are described alike, or its own.

    The model is compiled and built; `arrays` are a few rows as it takes them.
    """

    def make(network: Callable[[], Any]) -> Program:
        return Program(ModelFunctions(network, arrays), execution)

    described = description.training(model)
    if described is None:
        return programs.get_for_model(
            model, compat.compile_config(model), lambda: make(weakref.ref(model))
        )

    def make_shared() -> Program:
        duplicate = keras_backend.load().models.clone_model(model)
        duplicate.compile_from_config(model.get_compile_config())
        optimizer = model.optimizer
        if type(duplicate.optimizer) is not type(optimizer):
            # compiled under another dtype policy, which scaled the loss or did not
            duplicate.optimizer = type(optimizer).from_config(optimizer.get_config())
        return make(lambda: duplicate)

    return programs.get((described, keras_backend.backend()), make_shared)


def build_training(model: Any, arrays: Sequence[np.ndarray]) -> None:
    """Create all variables of a model: of its layers, metrics and optimizer.

    A program can create none, and callbacks find the direction of built metrics only.
    """
    X, y, *weight = map(keras_backend.load().ops.convert_to_tensor, arrays)
    y_pred = model(X)
    call_with_training(
        model.compute_loss, X, y, y_pred, *weight or [None], training=False
    )
    model.compute_metrics(X, y, y_pred, *weight or [None])
    model.reset_metrics()
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)


def call_with_training(function: Any, *args: Any, training: bool) -> Any:
    """Call a method of a model, with `training` if it takes that, as Keras does."""
    called = function.call if hasattr(function, "call") else function
    takes_it = "training" in inspect.signature(called).parameters
    return function(*args, training=training) if takes_it else function(*args)


class ModelFunctions:
    """Pure functions of tensors for a compiled `keras.Model`.

    `network` returns the model whose variables stand for those of a state. The learning
    rate is a variable of the optimizer; figures are the results of the metrics.
    """

    figure_dtype = "float32"

    def __init__(self, network: Callable[[], Any], arrays: Sequence[np.ndarray]):
        self._network, self._ops = network, keras_backend.load().ops
        model = network()
        build_training(model, arrays)
        self._optimizer = stateless_optimizer(model.optimizer)
        self._initial_metrics = list(
            map(keras_backend.to_numpy, model.metrics_variables)
        )
        self._fresh_metrics = list(map(tensor, self._initial_metrics))
        results = model.get_metrics_result()
        self._figure_shapes = {k: tuple(np.shape(v)) for k, v in results.items()}
        self.n_figures = sum(map(_size, self._figure_shapes.values()))

    # states

    def start(self, model: Any) -> State:
        if not model.optimizer.built:
            model.optimizer.build(model.trainable_variables)
        weights, fixed, slots = (
            [variable.value for variable in part] for part in _model_variables(model)
        )
        return State(weights, fixed, slots, self._fresh_metrics)

    def with_fresh_metrics(self, state: State) -> State:
        return state._replace(metrics=self._fresh_metrics)

    def assign(self, model: Any, state: State) -> None:
        for variables, values in zip(_model_variables(model), state[:3], strict=True):
            for variable, value in zip(variables, values, strict=True):
                variable.assign(value)

    def named(self, figures: np.ndarray) -> dict[str, Any]:
        """Return the figures of an epoch by the names of their metrics."""
        shapes = self._figure_shapes
        parts = np.split(figures, np.cumsum(list(map(_size, shapes.values())))[:-1])
        return {
            name: part.reshape(shape) if shape else float(part[0])
            for (name, shape), part in zip(shapes.items(), parts, strict=True)
        }

    # graphs

    def split(self, state: State) -> State:
        return state  # its weights are arrays already

    join = split

    def begin_epoch(self, state: State, epoch: Any) -> Any:
        """Return the metrics' variables: an epoch may have begun in an earlier call."""
        ops = self._ops
        return [
            ops.where(epoch > 0, ops.convert_to_tensor(initial), now)
            for initial, now in zip(self._initial_metrics, state.metrics, strict=True)
        ]

    def end_epoch(self, state: State, sums: Any) -> tuple[State, Any]:
        ops, model = self._ops, self._network()
        with stateless(model.metrics_variables, sums):
            results = model.get_metrics_result()
        flat = [
            ops.reshape(ops.cast(results[name], self.figure_dtype), (-1,))
            for name in self._figure_shapes
        ]
        return state._replace(metrics=sums), ops.concatenate(flat)

    def step(
        self, state: State, sums: Any, batch: Any, count: Any, mask: Any, numbers: Any
    ) -> tuple[State, Any]:
        def loss_of(weights: Any) -> Any:
            now = state._replace(weights=weights, metrics=sums)
            return self._loss(now, batch, training=True)

        differentiated = value_and_gradient(loss_of)
        (_, (fixed, metrics)), gradients = differentiated(state.weights)
        model = self._network()
        weights, slots = apply_gradients(
            self._optimizer, model.trainable_variables, state, gradients
        )
        return State(weights, fixed, slots, state.metrics), metrics

    def test_step(
        self, state: State, sums: Any, batch: Any, count: Any, mask: Any, numbers: Any
    ) -> tuple[State, Any]:
        state = state._replace(metrics=sums)
        _, (fixed, metrics) = self._loss(state, batch, training=False)
        return state._replace(fixed=fixed), metrics

    def _loss(self, state: State, batch: Any, *, training: bool) -> Any:
        """Return the scaled loss of a batch; other variables and metrics after it."""
        ops, model = self._ops, self._network()
        X, y, weight = (*batch, None)[:3]
        weights, fixed, slots = _model_variables(model)
        metrics = model.metrics_variables
        variables = [*weights, *fixed, *(slots if training else []), *metrics]
        with stateless(variables, list(chain(*state)), collect_losses=True) as scope:
            y_pred = call_with_training(model, X, training=training)
            loss = call_with_training(
                model.compute_loss, X, y, y_pred, weight, training=training
            )
            compat.loss_tracker(model).update_state(loss, ops.shape(X)[0])
            model.compute_metrics(X, y, y_pred, weight)
            if training:
                loss = model.optimizer.scale_loss(loss)
        now = scope.get_current_value
        return loss, ([now(v) for v in fixed], [now(v) for v in metrics])


def apply_gradients(
    optimizer: Any, variables: list[Any], state: State, gradients: list[Any]
) -> tuple[list[Any], list[Any]]:
    """Return weights and optimizer variables after a step of the optimizer."""
    if is_loss_scaled(optimizer):  # skips a step whose gradients overflow
        stepped = optimizer.stateless_apply(state.slots, gradients, state.weights)
        return list(stepped[0]), list(stepped[1])
    slots = optimizer_variables(optimizer)
    with stateless([*variables, *slots], [*state.weights, *state.slots]) as scope:
        optimizer.apply(gradients, variables)
    now = scope.get_current_value
    return [now(v) for v in variables], [now(v) for v in slots]


def _model_variables(model: Any) -> tuple[list[Any], list[Any], list[Any]]:
    return (
        model.trainable_variables,
        model.non_trainable_variables,
        optimizer_variables(model.optimizer),
    )


def _size(shape: tuple[int, ...]) -> int:
    return int(np.prod(shape))
