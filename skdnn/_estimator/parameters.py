"""Parameters of the classifier: the values allowed, alone and together."""

import copy
from collections.abc import Iterable, Mapping, Sequence
from numbers import Integral, Real
from types import SimpleNamespace
from typing import Any

import numpy as np

from skdnn._checkpoint.checkpoint import PLACES
from skdnn._network.spec import ACTIVATION_ALIASES, ACTIVATIONS
from skdnn._runtime.compat import (
    HasMethods,
    Interval,
    InvalidParameterError,
    Options,
    StrOptions,
    validate_parameter_constraints,
)
from skdnn._runtime.suggestions import did_you_mean
from skdnn._training.optimizers import KERAS_OPTIMIZERS, Solver, solver_from_name
from skdnn._training.task import Penalties

_share = [Interval(Real, 0, 1, closed="left")]
_not_negative = [Interval(Real, 0, None, closed="left")]
_positive = [Interval(Real, 0, None, closed="neither")]
_count = [Interval(Integral, 1, None, closed="left")]
_optimizer = HasMethods(["get_config", "update_step"])
_schedule = HasMethods(["get_config", "__call__"])

CONSTRAINTS: dict[str, list[Any]] = {
    "hidden_layer_sizes": ["array-like", *_count, None],
    "activation": [StrOptions({*ACTIVATIONS, *ACTIVATION_ALIASES}), callable, None],
    "solver": [StrOptions({*KERAS_OPTIMIZERS, "lbfgs"}), _optimizer],
    "alpha": [*_not_negative, None],
    "batch_size": [StrOptions({"auto"}), *_count],
    "learning_rate": [
        StrOptions({"constant", "invscaling", "adaptive"}),
        _schedule,
        None,
    ],
    "learning_rate_init": [*_positive, None],
    "power_t": _not_negative,
    "max_iter": [*_count, None],
    "shuffle": ["boolean"],
    "random_state": ["random_state"],
    "tol": _not_negative,
    "verbose": ["verbose"],
    "warm_start": ["boolean"],
    "momentum": [Interval(Real, 0, 1, closed="both")],
    "nesterovs_momentum": ["boolean"],
    "early_stopping": ["boolean"],
    "validation_fraction": [Interval(Real, 0, 1, closed="neither"), None],
    "beta_1": _share,
    "beta_2": [*_share, None],
    "epsilon": _positive,
    "n_iter_no_change": [*_count, Options(Real, {np.inf})],
    "max_fun": _count,
    "class_weight": [StrOptions({"balanced"}), dict, None],
    "calibration": [StrOptions({"temperature"}), None],
    "categorical_features": [StrOptions({"from_dtype"}), "array-like", None],
    "l1_ratio": [Interval(Real, 0, 1, closed="both")],
    "n_estimators": _count,
    "bootstrap": ["boolean"],
    "oob_score": ["boolean"],
    "dropout": [*_share, "array-like"],
    "batch_norm": ["boolean"],
    "weight_decay": [*_not_negative, None],
    "label_smoothing": [*_share, None],
    "callbacks": [HasMethods(["set_model", "on_epoch_end"]), "array-like", None],
    "checkpoint": PLACES,
}


class Parameters(SimpleNamespace):
    """The parameters of an estimator, read once: training never sees an estimator."""

    def with_values(self, **values: Any) -> "Parameters":
        """Return the parameters with other values for some."""
        return Parameters(**vars(self) | values)

    def filled(self, **defaults: Any) -> "Parameters":
        """Return the parameters with defaults in place of None."""
        given = {name: value for name, value in vars(self).items() if value is not None}
        return self.with_values(**defaults | given)

    def check_incremental(self) -> None:
        """Raise ``ValueError`` for parameters that `partial_fit` does not support."""
        given = vars(self) | {"class_weight": self.class_weight == "balanced"}
        names = ("early_stopping", "validation_fraction", "class_weight", "bootstrap")
        for name in (*names, "calibration"):
            if given[name]:
                raise ValueError(
                    "partial_fit is given a part of the rows at a time, so it cannot "
                    "split off validation rows, balance classes or draw samples. Got "
                    f"{name}={getattr(self, name)!r}. Set it to its default, and use "
                    "sample_weight to weight rows."
                )

    def check_calibration(self, y: np.ndarray, *, is_validated: bool) -> None:
        """Raise ``ValueError`` where there are no rows to calibrate on."""
        if self.calibration is None:
            return
        if y.ndim == 2:
            raise ValueError(
                "calibration='temperature' is for rows of one class each. Got y of "
                f"shape {y.shape}. Set calibration=None."
            )
        if not is_validated:
            raise ValueError(
                "calibration='temperature' needs rows that the network is not trained "
                f"on. Got {len(y)} rows, all to train on. Set validation_fraction or "
                "early_stopping=True, pass X_val and y_val, or set calibration=None."
            )

    def hidden_sizes(self) -> list[int]:
        """Return the units of each hidden layer of a plain network."""
        sizes = self.hidden_layer_sizes
        if sizes is None:
            return [100]  # MLPClassifier's
        sizes = list(sizes) if isinstance(sizes, Iterable) else [sizes]
        for size in sizes:
            if not isinstance(size, Integral) or isinstance(size, bool) or size < 1:
                raise ValueError(
                    "The 'hidden_layer_sizes' parameter of DNNClassifier must hold "
                    f"whole numbers of units > 0. Got {size!r} in {sizes!r} instead."
                )
        return [int(size) for size in sizes]

    def dropout_rates(self, n_layers: int | None) -> list[float]:
        """Return the dropout rate of each hidden layer, maybe of unknown number."""
        rates = self.dropout
        if isinstance(rates, Real):
            return [float(rates)] * (1 if n_layers is None else n_layers)
        rates = list(rates)
        if n_layers is not None and len(rates) != n_layers:
            raise ValueError(
                "The 'dropout' parameter of DNNClassifier must be one rate, or one per "
                f"hidden layer: {n_layers} here. Got {len(rates)} rates instead: "
                f"{rates!r}."
            )
        for rate in rates:
            if not isinstance(rate, Real) or not 0 <= float(rate) < 1:
                raise ValueError(
                    "The 'dropout' parameter of DNNClassifier must hold rates in "
                    f"[0, 1). Got {rate!r} in {rates!r} instead."
                )
        return [float(rate) for rate in rates]

    def activation_name(self) -> Any:
        """Return Keras's name of the activation, or the function that has none."""
        activation = self.activation
        if not callable(activation):
            return ACTIVATION_ALIASES.get(activation, activation)
        name = getattr(activation, "__name__", None)
        is_keras = (getattr(activation, "__module__", None) or "").startswith("keras.")
        return name if is_keras and name in ACTIVATIONS else activation

    def named_solver(self, schedule: Mapping[str, Any] | None = None) -> Solver:
        """Return the optimizer that `solver` names."""
        return solver_from_name(
            self.solver,
            momentum=self.momentum,
            nesterov=self.nesterovs_momentum,
            beta_1=self.beta_1,
            beta_2=self.beta_2,
            epsilon=self.epsilon,
            schedule=schedule,
        )

    def penalties(self) -> Penalties:
        """Return the regularisation of filled parameters."""
        return Penalties(
            l2=float(self.alpha * (1 - self.l1_ratio)),
            l1=float(self.alpha * self.l1_ratio),
            weight_decay=float(self.weight_decay),
            label_smoothing=float(self.label_smoothing),
        )

    def copied_callbacks(self) -> list[Any]:
        """Return copies of the callbacks, so that the user's own stay unchanged."""
        return [copy.deepcopy(callback) for callback in _listed(self.callbacks)]


def read_parameters(estimator: Any) -> Parameters:
    """Return the parameters of an estimator; ``ValueError`` if one is invalid."""
    values = estimator.get_params(deep=False)
    owner = type(estimator).__name__
    for name, value in values.items():
        try:
            validate_parameter_constraints(CONSTRAINTS, {name: value}, owner)
        except InvalidParameterError as error:
            raise InvalidParameterError(f"{error}{_hint(name, value)}") from None
    parameters = Parameters(**values)
    sizes = parameters.hidden_sizes()
    # how many layers None stands for depends on the data
    n_layers = None if parameters.hidden_layer_sizes is None else len(sizes)
    rates = parameters.dropout_rates(n_layers)
    for callback in _listed(parameters.callbacks):
        if not hasattr(callback, "set_model") or not hasattr(callback, "on_epoch_end"):
            raise ValueError(
                "The 'callbacks' parameter of DNNClassifier must hold instances of "
                f"keras.callbacks.Callback. Got {callback!r} instead."
            )
    if parameters.oob_score and not parameters.bootstrap:
        raise ValueError(
            "oob_score=True needs rows that a network is not trained on. Got "
            "bootstrap=False; set bootstrap=True and n_estimators to 10 or more."
        )
    if parameters.solver == "lbfgs":
        _check_full_batch(values | {"dropout": any(rates)})
    return parameters


def _hint(name: str, value: Any) -> str:
    """Return a hint at the option that was probably meant."""
    if name == "activation" and isinstance(value, Integral):
        return (
            " The sizes of all layers are one tuple: DNNClassifier((20, 20)), not "
            "DNNClassifier(20, 20)."
        )
    options = [c.options for c in CONSTRAINTS[name] if isinstance(c, StrOptions)]
    if not options or not isinstance(value, str):
        return ""
    return did_you_mean(value, sorted(*options))


def _check_full_batch(values: Mapping[str, Any]) -> None:
    """Raise ``ValueError`` for parameters that L-BFGS has no use for."""
    for name in ("dropout", "batch_norm", "weight_decay", "callbacks"):
        if values[name]:
            raise ValueError(
                "solver='lbfgs' minimises one fixed function of the weights, which "
                f"{name} is not part of. Got {name}={values[name]!r}. Set it to "
                "its default, or use solver='adam'."
            )
    if values["validation_fraction"] is not None:
        raise ValueError(
            "solver='lbfgs' trains on all rows and takes no validation rows. Got "
            f"validation_fraction={values['validation_fraction']!r}. Set it to "
            "None, or use solver='adam'."
        )


def is_stochastic(estimator: Any) -> bool:
    """Return whether training uses batches, as `partial_fit` must."""
    if isinstance(estimator.solver, str) and estimator.solver == "lbfgs":
        raise AttributeError(
            "partial_fit trains on batches, which solver='lbfgs' does not. Use 'adam'."
        )
    return True


def is_ensemble(parameters: Any) -> bool:
    """Return whether the networks (of an estimator, too) are members of an ensemble."""
    return bool(parameters.n_estimators > 1 or parameters.bootstrap)


def _listed(callbacks: Any) -> Sequence[Any]:
    if isinstance(callbacks, list | tuple):
        return callbacks
    return [] if callbacks is None else [callbacks]
