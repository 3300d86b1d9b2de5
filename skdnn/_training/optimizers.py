"""From a solver's name or a Keras optimizer to what a program trains with."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cache
from typing import Any

import numpy as np

from skdnn._runtime import compat, keras_backend

# Their step treats each weight alone, so that all weights can be one vector: a step of
# a small network then costs ten operations in place of ten per array.
ELEMENTWISE = frozenset(
    ("adadelta", "adagrad", "adam", "adamax", "adamw", "ftrl", "lion", "rmsprop", "sgd")
)
KERAS_OPTIMIZERS = ELEMENTWISE | {"adafactor", "lamb", "muon", "nadam"}
_FLOAT32_ONLY = frozenset(("lamb", "muon"))  # they mix in constants of float32
_TAKES_BETAS = frozenset(("adam", "adamax", "adamw", "lamb", "nadam"))
_FACTORS = {
    "adam": ("beta_1", "beta_2", "epsilon"),
    "adamw": ("beta_1", "beta_2", "epsilon"),
    "sgd": ("momentum",),
}


@dataclass(frozen=True)
class Solver:
    """An optimizer as plain, hashable data: its Keras class and its config as JSON."""

    kind: type
    config: str
    elementwise: bool  # all weights may be passed to it as one vector
    full_batch: bool = False  # SciPy's L-BFGS takes the steps, over all rows at once

    def __reduce__(self) -> tuple[Any, ...]:
        """Have whoever unpickles it load Keras first, without its messages."""
        values = tuple(getattr(self, field.name) for field in fields(self))
        return _unpickled, (_KerasFirst(), *values)

    @property
    def name(self) -> str:
        return "lbfgs" if self.full_batch else self.kind.__name__.lower()

    @property
    def has_schedule(self) -> bool:
        """Whether its learning rate follows a schedule of its own."""
        return isinstance(json.loads(self.config)["learning_rate"], dict)

    def make(self, *, pure: bool = False) -> Any:
        """Return a new Keras optimizer; in a ``StatelessScope`` only a `pure` works."""
        kind: Any = _without_strategy(self.kind) if pure else self.kind
        optimizer = kind.from_config(json.loads(self.config))
        # a Python number would be rounded to float32 before it meets float64 weights
        for name in _FACTORS.get(self.kind.__name__.lower(), ()):
            setattr(optimizer, name, np.float64(getattr(optimizer, name)))
        return optimizer


class _KerasFirst:
    """Loads Keras where it is unpickled, before the classes that follow it."""

    def __reduce__(self) -> tuple[Any, ...]:
        return keras_backend.load, ()


def _unpickled(keras: Any, *values: Any) -> Solver:
    return Solver(*values)


def solver_from_name(
    name: str,
    *,
    momentum: float,
    nesterov: bool,
    beta_1: float,
    beta_2: float,
    epsilon: float,
    schedule: Mapping[str, Any] | None,
) -> Solver:
    """Return the solver of a name in `KERAS_OPTIMIZERS`; other settings are Keras's.

    With a `schedule` of None the training loop sets the rate.
    """
    config: dict[str, Any] = {"learning_rate": 1.0 if schedule is None else schedule}
    if name == "sgd":
        config |= {"momentum": float(momentum), "nesterov": bool(nesterov)}
    elif name in _TAKES_BETAS:
        own = {"beta_1": beta_1, "beta_2": beta_2, "epsilon": epsilon}
        config |= {key: float(value) for key, value in own.items()}
    if name in ("adamw", "lion", "lamb"):
        config["weight_decay"] = 0.0  # the program decays, and kernels only
    return _named_solver(name, json.dumps(config, sort_keys=True))


@cache
def _named_solver(name: str, config: str) -> Solver:
    # to an optimizer and back fills in its defaults, so that equal solvers are equal
    optimizers = keras_backend.load().optimizers
    kind = next(n for n in dir(optimizers) if n.lower() == name)  # "adamw": AdamW
    optimizer = getattr(optimizers, kind).from_config(json.loads(config))
    return _solver(optimizer, elementwise=name in ELEMENTWISE)


def lbfgs_solver() -> Solver:
    plain = keras_backend.load().optimizers.SGD(1.0)
    return replace(_solver(plain, elementwise=True), full_batch=True)


def solver_from_optimizer(optimizer: Any) -> Solver:
    """Return the solver of a Keras optimizer, which is copied, not used."""
    config = optimizer.get_config()
    name = type(optimizer).__name__.lower()
    across_weights = any(
        config.get(key)
        for key in (
            "weight_decay",
            "clipnorm",
            "clipvalue",
            "global_clipnorm",
            "use_ema",
            "loss_scale_factor",
            "gradient_accumulation_steps",
        )
    )
    return _solver(optimizer, elementwise=name in ELEMENTWISE and not across_weights)


def optimizer_variables(optimizer: Any) -> list[Any]:
    """Return all that a built Keras optimizer changes at a step, except the weights.

    Nadam has a variable that it does not list.
    """
    listed = list(optimizer.variables)
    kind = keras_backend.load().Variable
    hidden = [value for value in vars(optimizer).values() if isinstance(value, kind)]
    return listed + [v for v in hidden if all(v is not known for known in listed)]


def hides_scaled_variables(optimizer: Any) -> bool:
    """Return whether a loss-scaled step would lose variables that are not listed."""
    nadam = keras_backend.load().optimizers.Nadam
    return isinstance(getattr(optimizer, "inner_optimizer", None), nadam)


def optimizer_rate(optimizer: Any) -> float | None:
    """Return the constant rate of a Keras optimizer, None if it follows a schedule."""
    rate = optimizer.get_config()["learning_rate"]
    return None if isinstance(rate, Mapping) else float(rate)


def check_dtype(solver: Solver, dtype: str) -> None:
    """Raise ``ValueError`` if Keras has the optimizer for float32 only."""
    if solver.name in _FLOAT32_ONLY and dtype != "float32":
        raise ValueError(
            f"The Keras optimizer {solver.kind.__name__} works on float32 only. Got X "
            f"of {dtype}. Pass X.astype('float32'), or use another solver."
        )


def serialized(schedule: Any) -> Mapping[str, Any]:
    """Return a Keras ``LearningRateSchedule`` as plain data."""
    return dict(keras_backend.load().optimizers.schedules.serialize(schedule))


def default_weight_decay(name: str) -> float:
    return 0.004 if name == "adamw" else 0.0  # Keras's own


def stateless_optimizer(optimizer: Any) -> Any:
    """Return a Keras optimizer over the same variables, for a ``StatelessScope``."""
    own: Any = type(optimizer)
    kind = _without_strategy(own)
    copied = kind.__new__(kind)  # copy.copy would save and load it, as Keras pickles
    vars(copied).update(vars(optimizer))
    compat.rekey_optimizer(copied, optimizer)
    if is_loss_scaled(optimizer):
        vars(copied)["inner_optimizer"] = stateless_optimizer(optimizer.inner_optimizer)
    return copied


def is_loss_scaled(optimizer: Any) -> bool:
    """Return whether an optimizer scales the loss, as for float16."""
    return hasattr(optimizer, "inner_optimizer")


@cache
def _without_strategy(kind: Any) -> Any:
    """Return an optimizer's class with the methods that all backends share.

    Those for TensorFlow's distribution strategies need variables in place of values,
    and PyTorch's write into the values.
    """

    def ancestor(*names: str) -> Any:
        return next((c for c in kind.__mro__ if c.__name__ in names), None)

    if in_place := ancestor("TorchParallelOptimizer"):
        kind = next(c for c in kind.__mro__ if not issubclass(c, in_place))
    backend = ancestor("TFOptimizer", "TorchOptimizer")
    base = ancestor("BaseOptimizer")
    if backend is None:
        return kind
    shared = {
        name: getattr(base, name)
        for name, value in vars(backend).items()
        if callable(value) and not name.startswith("__") and hasattr(base, name)
    }
    # behind the optimizer itself, and before what it sets back
    shared_by_all = type("SharedByAll", (backend,), shared)
    return type(kind.__name__, (kind, shared_by_all), {})


def _solver(optimizer: Any, elementwise: bool) -> Solver:
    config = optimizer.get_config()
    config.pop("name", None)
    text = json.dumps(config, sort_keys=True, default=float)
    return Solver(type(optimizer), text, elementwise)
