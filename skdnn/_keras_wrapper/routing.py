"""From parameters such as ``optimizer__learning_rate`` to what Keras is called with."""

import inspect
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from skdnn._keras_wrapper import scikeras_import
from skdnn._runtime import keras_backend
from skdnn._runtime.suggestions import did_you_mean

# private: no public function of scikeras routes parameters by their prefix
_parameters = scikeras_import.load("scikeras._utils")

# Names of metrics that Keras fits to the loss by itself.
_LEFT_TO_KERAS = ("acc", "accuracy", "ce", "crossentropy")


def compile_arguments(
    params: Mapping[str, Any], names: Iterable[str]
) -> dict[str, Any]:
    """Return the arguments of ``Model.compile``: instances of classes, and copies."""
    arguments: dict[str, Any] = _parameters.route_params(params, "compile", names)
    for name in ("optimizer", "loss", "metrics"):
        routed = _parameters.route_params(params, name, (), strict=name == "optimizer")
        value = _parameters.try_to_convert_strings_to_classes(
            arguments[name], partial(_named, name, has_settings=bool(routed))
        )
        arguments[name] = _parameters.unflatten_params(_copied(value), routed)
    metrics = arguments["metrics"]
    if metrics is not None and not isinstance(metrics, dict | list):
        arguments["metrics"] = [metrics]
    return arguments


def _named(kind: str, name: str, has_settings: bool) -> Any:
    """Return the optimizer, loss or metric of a name: its class if it has settings."""
    keras = keras_backend.load()
    if kind == "optimizer":
        return type(keras.optimizers.get(name))
    if kind == "metrics" and name in _LEFT_TO_KERAS:
        return name
    value = (keras.losses if kind == "loss" else keras.metrics).get(name)
    if not has_settings or inspect.isclass(value):
        return value
    if not inspect.isfunction(value):
        return type(value)
    camel = "".join(word.capitalize() for word in value.__name__.split("_"))
    return getattr(keras.losses, camel, value) if kind == "loss" else value


def _copied(value: Any) -> Any:
    """Copy the caller's optimizers and metrics: each belongs to its first network."""
    keras = keras_backend.load()
    if isinstance(value, list | tuple):
        return type(value)(map(_copied, value))
    if isinstance(value, Mapping):
        return {name: _copied(part) for name, part in value.items()}
    if isinstance(value, keras.optimizers.Optimizer | keras.metrics.Metric):
        return type(value).from_config(value.get_config())
    return value


def method_arguments(
    method: str, params: Mapping[str, Any], names: Iterable[str]
) -> dict[str, Any]:
    """Return the arguments of ``Model.fit`` or ``Model.predict``, without callbacks."""
    routed = _parameters.route_params(params, method, names, strict=method == "predict")
    return {k: v for k, v in routed.items() if not k.startswith("callbacks")}


def refuse_unknown(what: str, given: Iterable[str], known: Iterable[str]) -> None:
    """Raise ``TypeError`` for a name that is not among the known ones."""
    known = list(known)
    for name in given:
        if name not in known:
            hint = did_you_mean(name, known) or f" There are: {known}."
            raise TypeError(
                f"{what} got an unexpected keyword argument {name!r}.{hint}"
            )


def check_names(
    params: Mapping[str, Any],
    given: set[str],
    builder: Callable[..., Any],
    prefixes: set[str],
) -> None:
    """Raise ``TypeError`` for parameters that nothing takes.

    Those `given` beside the constructor's need its function, or one of the `prefixes`.
    """
    own = set(params) - {name for name in given if "__" not in name}
    taken = inspect.signature(builder).parameters.values()
    takes_any = any(p.kind == p.VAR_KEYWORD for p in taken)
    own |= set(params) if takes_any else {p.name for p in taken}
    refuse_unknown("KerasClassifier", (n for n in params if "__" not in n), own)
    for name in params:
        prefix, is_routed, _ = name.partition("__")
        if is_routed and prefix not in prefixes:
            hint = did_you_mean(prefix, prefixes) or f" There are {sorted(prefixes)}."
            raise TypeError(
                f"KerasClassifier got an unexpected keyword argument {name!r}: what is "
                f"before __ must be one of those it passes parameters to.{hint}"
            )
