"""What a network from a spec adds to a program, in operations every backend has."""

import operator
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from skdnn._network.keras_models import build_network, fixed_values
from skdnn._network.spec import NetworkSpec
from skdnn._runtime import keras_backend
from skdnn._training.backend_functions import tensor, value_and_gradient
from skdnn._training.execution import Execution
from skdnn._training.loss import penalised_loss
from skdnn._training.optimizers import Solver, optimizer_variables
from skdnn._training.program import Program, State, programs, stateless
from skdnn._training.schedules import RATE_FACTORS
from skdnn._training.task import TrainingTask


def spec_program(
    spec: NetworkSpec, solver: Solver, active: tuple[bool, ...], execution: Execution
) -> Program:
    """Return the program of a network with these penalties, for any dropout rates."""
    return programs.get(
        (spec.without_rates(), solver, active, execution),
        lambda: Program(
            SpecFunctions(spec, solver, active, by_array=execution.by_array), execution
        ),
    )


class SpecFunctions:
    """Pure functions of tensors for a network from a spec.

    All trainable weights are one vector where the optimizer allows it, which saves
    operations. With `by_array`, steps are taken on its parts, as XLA wants it: joining
    the gradients of large arrays takes it ten times as long as computing them. The
    hyperparameters of a step are rate, l2, l1, weight decay, label smoothing and the
    factor of the rate for piecewise-linear encodings; figures are sums over the rows:
    loss, rows, weighted hits, weight.
    """

    n_figures = 4

    def __init__(
        self,
        spec: NetworkSpec,
        solver: Solver,
        active: tuple[bool, ...],
        *,
        by_array: bool,
    ):
        keras = keras_backend.load()
        self._ops, self.spec, self._active = keras.ops, spec, active
        self.figure_dtype = spec.dtype
        self.network = build_network(spec)
        self._optimizer = solver.make(pure=True)
        self._follows_schedule = solver.has_schedule
        trainable = [array for array in spec.arrays if array.trainable]
        self._sizes = [array.size for array in trainable]
        self._shapes = [array.shape for array in trainable]
        self._ends = np.cumsum(self._sizes).tolist()
        self._is_flat = solver.elementwise
        self._by_array = by_array and self._is_flat
        self._variables = self.network.trainable_variables
        if self._is_flat:
            zeros = np.zeros(self._ends[-1], spec.dtype)
            self._variables = [keras.Variable(zeros, dtype=spec.dtype)]
        self._decayed = self._numbers(a.role == "kernel" for a in trainable)
        self._penalised_shares = self._decayed
        self._factors: list[Any] | None = None
        self._is_piecewise_linear: list[Any] = []
        if spec.encoding is not None:  # elsewhere all arrays have the same rate
            self._factors = self._numbers(
                RATE_FACTORS.get(a.role, 1) for a in trainable
            )
            # the effective kernel is divided by the square root of its number of inputs
            self._penalised_shares = self._numbers(
                a.shape[0] ** -0.5 if a.role == "kernel" else 0 for a in trainable
            )
            self._is_piecewise_linear = self._numbers(
                a.role == "piecewise_linear" for a in trainable
            )
        self._optimizer.build(self._variables)
        self._slots = optimizer_variables(self._optimizer)
        self._initial_slots = [keras_backend.to_numpy(v) for v in self._slots]

        self._elementwise = list(zip(self._variables, [self._optimizer], strict=False))
        if self._by_array:
            self._elementwise = [
                _with_optimizer(np.zeros(a.shape, spec.dtype), solver)
                for a in trainable
            ]

    def _numbers(self, numbers: Iterable[float]) -> list[Any]:
        """Return the number of each array, or a vector of those of all weights."""
        of_arrays = [float(number) for number in numbers]
        if self._by_array or not self._is_flat:
            return of_arrays
        repeated = np.repeat(of_arrays, self._sizes)
        return [tensor(repeated.astype(self.spec.dtype))]

    # states

    def start(self, task: TrainingTask) -> State:
        return State(
            weights=self._trainable(task.weights),
            fixed=self._fixed(task, task.weights),
            slots=list(map(tensor, task.optimizer_state or self._initial_slots)),
            metrics=[],
        )

    def with_weights(
        self, state: State, task: TrainingTask, weights: Sequence[np.ndarray]
    ) -> State:
        """Return a state with other weights and statistics, its seeds unchanged."""
        roles = {array.role for array in self.spec.arrays}
        fixed = [
            theirs if variable.name in roles else ours
            for variable, ours, theirs in zip(
                self.network.non_trainable_variables,
                state.fixed,
                self._fixed(task, weights),
                strict=True,
            )
        ]
        return state._replace(weights=self._trainable(weights), fixed=fixed)

    def _trainable(self, weights: Sequence[np.ndarray]) -> list[Any]:
        arrays = zip(self.spec.arrays, weights, strict=True)
        values = [value for array, value in arrays if array.trainable]
        if self._is_flat:
            values = [np.concatenate([value.ravel() for value in values])]
        return list(map(tensor, values))

    def _fixed(self, task: TrainingTask, weights: Sequence[np.ndarray]) -> list[Any]:
        values = fixed_values(self.network, task.spec, weights, task.dropout_seed)
        return list(map(tensor, values))

    def weights(self, state: State) -> list[np.ndarray]:
        """Return copies of the weight arrays, in the order of ``spec.arrays``."""
        values = [keras_backend.to_numpy(value) for value in state.weights]
        if self._is_flat:
            parts = np.split(values[0], self._ends[:-1])
            values = [p.reshape(s) for p, s in zip(parts, self._shapes, strict=True)]
        trainable = map(np.array, values)
        # Keras lists the variables of either kind in the order of all
        roles = {array.role for array in self.spec.arrays}
        variables = zip(self.network.non_trainable_variables, state.fixed, strict=True)
        fixed = (keras_backend.to_numpy(v) for k, v in variables if k.name in roles)
        return [
            next(trainable if array.trainable else fixed) for array in self.spec.arrays
        ]

    def rate(self, state: State) -> float:
        return float(keras_backend.to_numpy(self._scheduled_rate(state.slots)))

    # graphs

    def split(self, state: State) -> State:
        """Return a state whose vectors are lists of arrays, where steps want them."""
        if not self._by_array:
            return state
        weights = self._parts(state.weights[0])
        slots = [self._parts(s) if len(s.shape) else s for s in state.slots]
        return state._replace(weights=weights, slots=slots)

    def join(self, state: State) -> State:
        """Return a state whose arrays are vectors again."""
        if not self._by_array:
            return state
        slots = [self._joined(s) if isinstance(s, list) else s for s in state.slots]
        return state._replace(weights=[self._joined(state.weights)], slots=slots)

    def _joined(self, arrays: Sequence[Any]) -> Any:
        return self._ops.concatenate([self._ops.reshape(a, (-1,)) for a in arrays])

    def begin_epoch(self, state: State, epoch: Any) -> Any:
        return self._ops.zeros((self.n_figures,), self.spec.dtype)

    def end_epoch(self, state: State, sums: Any) -> tuple[State, Any]:
        return state, sums

    def step(
        self, state: State, sums: Any, batch: Any, count: Any, mask: Any, numbers: Any
    ) -> tuple[State, Any]:
        rate, l2, l1, weight_decay, smoothing = self._unstack(numbers)

        def loss_of(values: Any) -> Any:
            return self._loss(values, state.fixed, batch, l2, l1, smoothing, mask)

        differentiated = value_and_gradient(loss_of)
        (loss, (hits, total, fixed)), gradients = differentiated(state.weights)
        if self._follows_schedule:
            rate = self._ops.cast(self._scheduled_rate(state.slots), rate.dtype)
        values = state.weights
        if weight_decay is not None:
            values = [
                value * (1 - rate * weight_decay * decayed)
                for value, decayed in zip(values, self._decayed, strict=True)
            ]
        rates = [rate] * len(values)
        if self._factors is not None:
            rates = [
                rate * (factor + numbers[5] * is_piecewise_linear)
                for factor, is_piecewise_linear in zip(
                    self._factors, self._is_piecewise_linear, strict=True
                )
            ]
        stepped = self._stepped_each if self._is_flat else self._stepped_together
        values, slots = stepped(values, state.slots, gradients, rates)
        taken = self._ops.cast(count, self.spec.dtype)
        sums = sums + self._ops.stack([loss * taken, taken, hits, total])
        return State(list(values), list(fixed), list(slots), []), sums

    def _stepped_each(
        self,
        values: list[Any],
        slots: list[Any],
        gradients: list[Any],
        rates: list[Any],
    ) -> tuple[list[Any], list[Any]]:
        """Return values and slots after a step whose size differs between arrays.

        Slots of weights are a vector, or a list of arrays; others are common to all.
        """
        now, changed = [], []
        for i, (variable, optimizer) in enumerate(self._elementwise):
            own = [slot[i] if isinstance(slot, list) else slot for slot in slots]
            variables = [variable, *optimizer_variables(optimizer)]
            with stateless(variables, [values[i], *own]) as scope:
                # the optimizer's own rate is float32, ours is in the dtype of the data
                optimizer.update_step(gradients[i], variable, rates[i])
                optimizer.iterations.assign_add(1)
            value, *own = map(scope.get_current_value, variables)
            now.append(value)
            changed.append(own)
        return now, [
            [own[k] for own in changed] if isinstance(slot, list) else changed[0][k]
            for k, slot in enumerate(slots)
        ]

    def _stepped_together(
        self,
        values: list[Any],
        slots: list[Any],
        gradients: list[Any],
        rates: list[Any],
    ) -> tuple[list[Any], list[Any]]:
        """Return values and slots after a step of an optimizer that needs all."""
        if not self._follows_schedule:
            slots = self._with_rate(slots, rates[0])
        variables = [*self._variables, *self._slots]
        with stateless(variables, [*values, *slots]) as scope:
            self._optimizer.apply(gradients, self._variables)
        now = [scope.get_current_value(variable) for variable in variables]
        return now[: len(values)], now[len(values) :]

    def _with_rate(self, slots: list[Any], rate: Any) -> list[Any]:
        own = self._optimizer.learning_rate
        return [
            self._ops.cast(rate, slot.dtype) if variable is own else slot
            for variable, slot in zip(self._slots, slots, strict=True)
        ]

    def _scheduled_rate(self, slots: list[Any]) -> Any:
        with stateless(self._slots, slots):
            return self._ops.convert_to_tensor(self._optimizer.learning_rate)

    def logits(self, weights: Any, fixed: Any, X: Any) -> Any:
        arrays = self._arrays(weights)
        return self.network.stateless_call(arrays, fixed, X, training=False)[0]

    def evaluate(self, weights: Any, fixed: Any, rows: Any) -> Any:
        """Return the weighted sums of cross-entropy and hits, and the weight."""
        X, y, weight = rows
        logits = self.logits(weights, fixed, X)
        loss, hits, total = penalised_loss(self.spec, logits, y, weight)
        return self._ops.stack([loss * total, hits, total])

    def gradient(self, weights: Any, fixed: Any, batch: Any, numbers: Any) -> Any:
        """Return loss, accuracy and gradient, all rows one batch."""
        _, l2, l1, _, smoothing = self._unstack(numbers)

        def loss_of(values: Any) -> Any:
            return self._loss(values, fixed, batch, l2, l1, smoothing)

        differentiated = value_and_gradient(loss_of)
        (loss, (hits, total, _)), (gradient,) = differentiated(weights)
        return loss, hits / total, gradient

    def _loss(
        self,
        values: Any,
        fixed: Any,
        batch: Any,
        l2: Any,
        l1: Any,
        smoothing: Any,
        mask: Any = None,
    ) -> Any:
        """Return the loss of a batch; its hits, weight, and new statistics."""
        X, y, weight = batch
        # rows of padding are kept out of the statistics of a batch
        masked = {} if mask is None or not self.spec.has_batch_norm else {"mask": mask}
        logits, changed = self.network.stateless_call(
            self._arrays(values), fixed, X, training=True, **masked
        )
        kernels = map(operator.mul, values, self._penalised_shares)
        loss, hits, total = penalised_loss(
            self.spec, logits, y, weight, kernels, l2, l1, smoothing
        )
        return loss, (hits, total, changed)

    def _unstack(self, numbers: Any) -> tuple[Any, ...]:
        """Return rate and penalties; None for a penalty that is not active."""
        active = enumerate(self._active, start=1)
        return numbers[0], *(numbers[i] if on else None for i, on in active)

    def _arrays(self, values: Any) -> Any:
        """Return the trainable arrays: the values, or parts of their one vector."""
        if not self._is_flat or len(values) > 1:
            return values
        return self._parts(values[0])

    def _parts(self, vector: Any) -> list[Any]:
        # the gradient of a split is one concatenation
        parts = self._ops.split(vector, self._ends[:-1])
        return [
            self._ops.reshape(part, shape)
            for part, shape in zip(parts, self._shapes, strict=True)
        ]


def _with_optimizer(value: np.ndarray, solver: Solver) -> tuple[Any, Any]:
    """Return a variable, and an optimizer of it alone."""
    variable = keras_backend.load().Variable(value, dtype=value.dtype)
    optimizer = solver.make(pure=True)
    optimizer.build([variable])
    return variable, optimizer
