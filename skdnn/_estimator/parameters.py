"""Parameters of the classifier: what they may be, and what they mean together."""

import copy
import difflib
import warnings
from collections.abc import Iterable
from numbers import Integral, Real

import numpy as np

from skdnn._network.spec import ACTIVATION_ALIASES, ACTIVATIONS, Hidden, NetworkSpec
from skdnn._runtime.compat import (
    HasMethods,
    Interval,
    InvalidParameterError,
    Options,
    StrOptions,
    validate_parameter_constraints,
)
from skdnn._tabular.dataset import Dataset
from skdnn._training.optimizers import (
    KERAS_OPTIMIZERS,
    Solver,
    default_weight_decay,
    lbfgs_solver,
    optimizer_rate,
    serialized,
    solver_from_name,
    solver_from_optimizer,
)
from skdnn._training.task import Penalties, Rate, Stopping

_share = [Interval(Real, 0, 1, closed="left")]
_not_negative = [Interval(Real, 0, None, closed="left")]
_positive = [Interval(Real, 0, None, closed="neither")]
_count = [Interval(Integral, 1, None, closed="left")]

CONSTRAINTS: dict = {
    "hidden_layer_sizes": ["array-like", *_count, None],
    "activation": [StrOptions({*ACTIVATIONS, *ACTIVATION_ALIASES}), callable, None],
    "solver": [
        StrOptions({*KERAS_OPTIMIZERS, "lbfgs"}),
        HasMethods(["get_config", "update_step"]),
    ],
    "alpha": [*_not_negative, None],
    "batch_size": [StrOptions({"auto"}), *_count],
    "learning_rate": [
        StrOptions({"constant", "invscaling", "adaptive"}),
        HasMethods(["get_config", "__call__"]),
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
}


# What None means for a plain network: MLPClassifier's values. The recipe has its own.
_PLAIN_VALUES = {
    "activation": "relu",
    "alpha": 1e-4,
    "learning_rate": "constant",
    "learning_rate_init": 1e-3,
    "max_iter": 200,
    "beta_2": 0.999,
    "label_smoothing": 0.0,
}


def value(estimator, name: str):
    """Return a parameter as it was given, or a plain network's value for None."""
    given = getattr(estimator, name)
    return _PLAIN_VALUES[name] if given is None else given


def check_parameters(estimator) -> None:
    """Raise ``ValueError`` for a parameter that cannot be, before any work.

    The message holds the rule, the value and, for a word, its nearest right one.
    """
    parameters = estimator.get_params(deep=False)
    name = type(estimator).__name__
    for key, value in parameters.items():
        try:
            validate_parameter_constraints(CONSTRAINTS, {key: value}, name)
        except InvalidParameterError as error:
            raise InvalidParameterError(f"{error}{_nearest(key, value)}") from None
    sizes = _hidden_sizes(parameters["hidden_layer_sizes"])
    # how many layers None has is not known yet
    n_layers = None if parameters["hidden_layer_sizes"] is None else len(sizes)
    rates = dropout_rates(estimator, n_layers)
    _check_callbacks(parameters["callbacks"])
    if parameters["oob_score"] and not parameters["bootstrap"]:
        raise ValueError(
            "oob_score=True needs rows that a network has not seen. Got "
            "bootstrap=False; set bootstrap=True and n_estimators to 10 or more."
        )
    if parameters["solver"] == "lbfgs":
        _check_full_batch(parameters | {"dropout": any(rates)})


def _check_full_batch(parameters: dict) -> None:
    """Raise ``ValueError`` for what makes no sense where all rows are one batch."""
    for name in ("dropout", "batch_norm", "weight_decay", "callbacks"):
        if parameters[name]:
            raise ValueError(
                "solver='lbfgs' minimises one fixed function of the weights, which "
                f"{name} is not part of. Got {name}={parameters[name]!r}. Set it to "
                "its default, or use solver='adam'."
            )
    if parameters["validation_fraction"] is not None:
        raise ValueError(
            "solver='lbfgs' trains on all rows and takes no validation rows. Got "
            f"validation_fraction={parameters['validation_fraction']!r}. Set it to "
            "None, or use solver='adam'."
        )


def is_stochastic(estimator) -> bool:
    """Return whether training goes by batches, as `partial_fit` must."""
    if isinstance(estimator.solver, str) and estimator.solver == "lbfgs":
        raise AttributeError(
            "partial_fit goes by batches, which solver='lbfgs' does not. Use 'adam'."
        )
    return True


def check_incremental(estimator) -> None:
    """Raise ``ValueError`` for parameters that `partial_fit` cannot serve."""
    wrong = {
        "early_stopping": estimator.early_stopping,
        "validation_fraction": estimator.validation_fraction,
        "class_weight": estimator.class_weight == "balanced",
        "bootstrap": estimator.bootstrap,
        "calibration": estimator.calibration,
    }
    for name, is_wrong in wrong.items():
        if is_wrong:
            raise ValueError(
                "partial_fit sees rows by portions, where there is no whole to cut "
                f"validation rows from, to balance or to draw from. Got "
                f"{name}={getattr(estimator, name)!r}. Set it to its default, and "
                "pass sample_weight to weigh rows."
            )


def check_calibration(estimator, rows: Dataset, *, is_judged: bool) -> None:
    """Raise ``ValueError`` where there is nothing to calibrate by.

    Parameters
    ----------
    estimator : DNNClassifier
        With checked parameters.
    rows : Rows
        To be trained on.
    is_judged : bool
        Whether there are rows that the network is not trained on.
    """
    if estimator.calibration is None:
        return
    if rows.y.ndim == 2:
        raise ValueError(
            "calibration='temperature' is for rows of one class each. Got y of shape "
            f"{rows.y.shape}. Set calibration=None."
        )
    if not is_judged:
        raise ValueError(
            "calibration='temperature' needs rows that the network is not trained on. "
            f"Got {len(rows)} rows, all to train on. Set validation_fraction or "
            "early_stopping=True, hand over X_val and y_val, or set calibration=None."
        )


def check_same_network(old: NetworkSpec, new: NetworkSpec) -> None:
    """Raise ``ValueError`` if weights of one network do not fit the other."""
    if (old.arrays, old.dtype) != (new.arrays, new.dtype):
        raise ValueError(
            "A fit that goes on needs the network it began with: layers of "
            f"{list(old.widths)} units in {old.dtype}. Got {list(new.widths)} in "
            f"{new.dtype}. Set warm_start=False, or clone the estimator, to begin anew."
        )


def batch_size(estimator, n_samples: int) -> int:
    """Return the rows of a step: at most all there are."""
    if estimator.batch_size == "auto":
        return min(200, n_samples)
    if estimator.batch_size > n_samples:
        warnings.warn(
            f"batch_size={estimator.batch_size} is more than the {n_samples} training "
            f"rows and is taken as {n_samples}.",
            UserWarning,
            stacklevel=2,
        )
    return min(int(estimator.batch_size), n_samples)


def network_spec(
    estimator, n_inputs: int, n_classes: int, dtype, *, multilabel: bool
) -> NetworkSpec:
    """Return the network that the parameters describe.

    Parameters
    ----------
    estimator : DNNClassifier
        With checked parameters.
    n_inputs, n_classes : int
        Columns and classes of the data.
    dtype : dtype
        Of the data.
    multilabel : bool
        Whether a row may have several labels.

    Returns
    -------
    NetworkSpec
    """
    activation = value(estimator, "activation")
    if callable(activation):
        # Keras's own functions are known by their names
        name = getattr(activation, "__name__", None)
        module = getattr(activation, "__module__", None) or ""
        if name in ACTIVATIONS and module.startswith("keras."):
            activation = name
    else:
        activation = ACTIVATION_ALIASES.get(activation, activation)
    sizes = _hidden_sizes(estimator.hidden_layer_sizes)
    hidden = tuple(
        Hidden(size, activation, rate, bool(estimator.batch_norm))
        for size, rate in zip(sizes, dropout_rates(estimator, len(sizes)), strict=True)
    )
    binary = n_classes == 2 and not multilabel
    return NetworkSpec(
        n_inputs=n_inputs,
        hidden=hidden,
        n_outputs=1 if binary else n_classes,
        output="logistic" if binary or multilabel else "softmax",
        dtype=np.dtype(dtype).name,
    )


def solver_and_rate(estimator) -> tuple[Solver, Rate | None]:
    """Return the optimizer, and the rate unless a schedule of the optimizer's rules.

    As in ``MLPClassifier``, ``learning_rate="invscaling"`` and ``"adaptive"`` act on
    ``solver="sgd"`` only.
    """
    solver, policy = estimator.solver, value(estimator, "learning_rate")
    if isinstance(solver, str) and solver == "lbfgs":
        return lbfgs_solver(), None
    schedule = None if isinstance(policy, str) else serialized(policy)
    if not isinstance(solver, str):
        initial = optimizer_rate(solver)
        rate = None if initial is None else Rate(initial)
        return solver_from_optimizer(solver), rate
    made = solver_from_name(
        solver,
        momentum=estimator.momentum,
        nesterov=estimator.nesterovs_momentum,
        beta_1=estimator.beta_1,
        beta_2=value(estimator, "beta_2"),
        epsilon=estimator.epsilon,
        schedule=schedule,
    )
    if schedule is not None:
        return made, None
    policy = policy if solver == "sgd" else "constant"
    return made, Rate(
        float(value(estimator, "learning_rate_init")), policy, float(estimator.power_t)
    )


def penalties(estimator) -> Penalties:
    """Return the regularisation that the parameters describe."""
    weight_decay = estimator.weight_decay
    if weight_decay is None:
        solver = estimator.solver
        weight_decay = default_weight_decay(solver) if isinstance(solver, str) else 0.0
    return Penalties(
        l2=float(value(estimator, "alpha") * (1 - estimator.l1_ratio)),
        l1=float(value(estimator, "alpha") * estimator.l1_ratio),
        weight_decay=float(weight_decay),
        label_smoothing=float(value(estimator, "label_smoothing")),
    )


def stopping(estimator, incremental: bool) -> Stopping:
    """Return the rules by which a fit ends; a partial fit is one epoch."""
    return Stopping(
        max_iter=1 if incremental else int(value(estimator, "max_iter")),
        tol=float(estimator.tol),
        patience=float(estimator.n_iter_no_change),
        early=bool(estimator.early_stopping) and estimator.solver != "lbfgs",
        max_fun=int(estimator.max_fun),
    )


def copied_callbacks(estimator) -> list:
    """Return copies of the callbacks: what they learn in a fit stays in that fit."""
    callbacks = estimator.callbacks
    if callbacks is None:
        return []
    if not isinstance(callbacks, list | tuple):
        callbacks = [callbacks]
    return [copy.deepcopy(callback) for callback in callbacks]


def _hidden_sizes(sizes) -> list[int]:
    if sizes is None:
        return [100]  # MLPClassifier's
    if not isinstance(sizes, Iterable):
        sizes = [sizes]
    sizes = list(sizes)
    for size in sizes:
        if not isinstance(size, Integral) or isinstance(size, bool) or size < 1:
            raise ValueError(
                "The 'hidden_layer_sizes' parameter of DNNClassifier must hold whole "
                f"numbers of units > 0. Got {size!r} in {sizes!r} instead."
            )
    return [int(size) for size in sizes]


def dropout_rates(estimator, n_layers: int | None) -> list[float]:
    """Return the rate of each hidden layer; of however many, as far as is known.

    Raises
    ------
    ValueError
        If there is not one for each layer, or one is no share.
    """
    rates = estimator.dropout
    if isinstance(rates, Real):
        return [float(rates)] * (1 if n_layers is None else n_layers)
    rates = list(rates)
    if n_layers is not None and len(rates) != n_layers:
        raise ValueError(
            "The 'dropout' parameter of DNNClassifier must be one rate, or one a "
            f"hidden layer: {n_layers} here. Got {len(rates)} rates instead: {rates!r}."
        )
    for rate in rates:
        if not isinstance(rate, Real) or not 0 <= float(rate) < 1:
            raise ValueError(
                "The 'dropout' parameter of DNNClassifier must hold rates in [0, 1). "
                f"Got {rate!r} in {rates!r} instead."
            )
    return [float(rate) for rate in rates]


def _check_callbacks(callbacks) -> None:
    for callback in callbacks if isinstance(callbacks, list | tuple) else ():
        if not hasattr(callback, "set_model") or not hasattr(callback, "on_epoch_end"):
            raise ValueError(
                "The 'callbacks' parameter of DNNClassifier must hold instances of "
                f"keras.callbacks.Callback. Got {callback!r} instead."
            )


def _nearest(parameter: str, value) -> str:
    """Return a hint at the word that was meant, if one is near."""
    if not isinstance(value, str):
        return ""
    words = {
        word
        for constraint in CONSTRAINTS[parameter]
        if isinstance(constraint, StrOptions)
        for word in constraint.options
    }
    near = difflib.get_close_matches(value.lower(), words, n=1)
    return f" Did you mean {near[0]!r}?" if near else ""
