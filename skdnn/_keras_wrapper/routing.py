"""From parameters such as ``optimizer__learning_rate`` to what Keras is called with."""

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from skdnn._keras_wrapper import scikeras_import
from skdnn._runtime import keras_backend
from skdnn._runtime.suggestions import did_you_mean
from skdnn._training.keras_fallback import overrides
from skdnn._training.nested_rows import NestedRows
from skdnn._training.task import ModelTask

_parameters = scikeras_import.parameter_functions()

# Names of metrics that Keras fits to the loss by itself.
_LEFT_TO_KERAS = ("acc", "accuracy", "ce", "crossentropy")
# Arguments of ``Model.fit`` that a task has fields for.
_TASK_FIELDS = {
    "epochs": "epochs",
    "initial_epoch": "first_epoch",
    "shuffle": "shuffle",
    "verbose": "verbose",
}
_PREDICT_ARGUMENTS = ("batch_size", "verbose", "steps", "callbacks")


def compile_arguments(
    params: Mapping[str, Any], names: Iterable[str]
) -> dict[str, Any]:
    """Return the arguments of ``Model.compile``: instances of classes, and copies.

    `params` are all parameters of the estimator, `names` those that go to `compile`
    unchanged.
    """
    arguments: dict[str, Any] = _parameters.route_params(
        params, destination="compile", pass_filter=names
    )
    for name, class_of in (
        ("optimizer", _optimizer_class),
        ("loss", _loss_class),
        ("metrics", _metric_class),
    ):
        routed = _parameters.route_params(
            params, destination=name, pass_filter=set(), strict=name == "optimizer"
        )
        value = _parameters.try_to_convert_strings_to_classes(
            arguments[name],
            lambda word, find=class_of, has=bool(routed): find(word, has),
        )
        arguments[name] = _parameters.unflatten_params(
            items=_copied(value), params=routed
        )
    metrics = arguments["metrics"]
    if metrics is not None and not isinstance(metrics, dict | list):
        arguments["metrics"] = [metrics]
    return arguments


def _optimizer_class(name: str, has_settings: bool) -> type:
    return type(keras_backend.load().optimizers.get(name))


def _loss_class(name: str, has_settings: bool) -> Any:
    losses = keras_backend.load().losses
    found = losses.get(name)
    if not has_settings:
        return found
    if not inspect.isfunction(found):
        return type(found)
    camel = "".join(word.capitalize() for word in found.__name__.split("_"))
    return getattr(losses, camel, found)


def _metric_class(name: str, has_settings: bool) -> Any:
    if name in _LEFT_TO_KERAS:
        return name
    found = keras_backend.load().metrics.get(name)
    is_instance = not (inspect.isfunction(found) or inspect.isclass(found))
    return type(found) if has_settings and is_instance else found


def _copied(value: Any) -> Any:
    """Return the caller's optimizers and metrics as new ones of the same settings.

    An optimizer belongs to the network that it was first used with.
    """
    keras = keras_backend.load()
    if isinstance(value, list | tuple):
        return type(value)(map(_copied, value))
    if isinstance(value, Mapping):
        return {name: _copied(part) for name, part in value.items()}
    if isinstance(value, keras.optimizers.Optimizer | keras.metrics.Metric):
        return type(value).from_config(value.get_config())
    return value


def training_task(
    model: Any,
    rows: NestedRows,
    validation: NestedRows | None,
    arguments: Mapping[str, Any],
    **settings: Any,
) -> ModelTask:
    """Return how to train a model from arguments of ``Model.fit``.

    Those that are not known here are passed to ``Model.fit``. A batch size of -1 is
    all rows. `settings` are further fields of the task.
    """
    arguments = dict(arguments)
    n_rows = rows.X.shape[0] if hasattr(rows.X, "shape") else None
    batch_size = _batch_size("batch_size", arguments, n_rows) or 32
    in_validation = _batch_size("validation_batch_size", arguments, n_rows)
    known = {
        field: arguments.pop(name)
        for name, field in _TASK_FIELDS.items()
        if name in arguments
    }
    other = {name: value for name, value in arguments.items() if value is not None}
    if other.get("validation_freq") == 1:
        del other["validation_freq"]
    if not overrides(model, "fit"):
        accepted = inspect.signature(type(model).fit).parameters
        refuse_unknown("fit", other, accepted)
    return ModelTask(
        model,
        rows,
        validation,
        batch_size=batch_size,
        validation_batch_size=in_validation or batch_size,
        other=other,
        **known,
        **settings,
    )


def predict_arguments(
    params: Mapping[str, Any], names: Iterable[str], given: dict[str, Any]
) -> dict[str, Any]:
    """Return the arguments of ``Model.predict`` among parameters and those given."""
    routed = _parameters.route_params(
        params, destination="predict", pass_filter=names, strict=True
    )
    arguments = {
        name: value
        for name, value in routed.items()
        if not name.startswith("callbacks")
    } | given
    refuse_unknown("predict", arguments, _PREDICT_ARGUMENTS)
    return arguments


def fit_arguments(params: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Return the arguments of ``Model.fit`` among all parameters of an estimator."""
    routed = _parameters.route_params(params, destination="fit", pass_filter=names)
    return {k: v for k, v in routed.items() if not k.startswith("callbacks")}


def _batch_size(name: str, arguments: dict[str, Any], n_rows: int | None) -> int | None:
    value: int | None = arguments.pop(name, None)
    if value != -1:
        return value
    if n_rows is None:
        raise ValueError(
            f"`{name}=-1` requires that `X` implement `shape`, as all rows are one "
            f"batch then. Give a number, as the feature_encoder makes something else."
        )
    return n_rows


def refuse_unknown(what: str, given: Iterable[str], known: Iterable[str]) -> None:
    """Raise ``TypeError`` for a name that is not among the known ones."""
    known = list(known)
    for name in given:
        if name not in known:
            hint = did_you_mean(name, known) or f" There are: {known}."
            raise TypeError(
                f"{what} got an unexpected keyword argument {name!r}.{hint}"
            )


def check_names(params: Mapping[str, Any], own: set[str], prefixes: set[str]) -> None:
    """Raise ``TypeError`` for parameters that nothing takes.

    `own` are the names without a prefix that are taken, `prefixes` what may be before
    ``__``.
    """
    refuse_unknown("KerasClassifier", (n for n in params if "__" not in n), own)
    for name in params:
        prefix, is_routed, _ = name.partition("__")
        if is_routed and prefix not in prefixes:
            hint = did_you_mean(prefix, prefixes) or f" There are {sorted(prefixes)}."
            raise TypeError(
                f"KerasClassifier got an unexpected keyword argument {name!r}: what is "
                f"before __ must be one of those it passes parameters to.{hint}"
            )


def accepted_by(builder: Callable[..., Any]) -> set[str] | None:
    """Return the names that a function takes, or None if it takes any."""
    parameters = inspect.signature(builder).parameters.values()
    if any(p.kind == p.VAR_KEYWORD for p in parameters):
        return None
    return {p.name for p in parameters}
