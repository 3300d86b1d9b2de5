"""Which networks may share a compiled program: those that Keras describes in full."""

import inspect
import json
from collections.abc import Iterator
from typing import Any

from skdnn._runtime import compat, keras_backend

_OWN = "keras."
_PLAIN = (str, int, float, bool, type(None))


def architecture(model: Any) -> str | None:
    """Return a description that only equal networks share, or None.

    Code that is not Keras's could differ under one description, and what a layer learns
    outside training (``adapt``) is no weight.
    """
    if type(model).__name__ not in ("Sequential", "Functional") or not _is_own(model):
        return None
    parts = list(_parts(model, {id(model)}))
    if any(not _is_own(part) or hasattr(part, "adapt") for part in parts):
        return None
    return _described(model)


def training(model: Any) -> str | None:
    """Return a description of network, optimizer, loss and metrics, or None."""
    described = architecture(model)
    settings = getattr(compat.compile_config(model), "config", None)
    if described is None or settings is None:
        return None
    if compat.has_weight_decay_exclusions(model.optimizer):
        return None
    described_settings = _setting({**settings, "optimizer": model.optimizer})
    return described_settings and described + described_settings


def _setting(value: Any) -> str | None:
    """Return a description of something that a model is compiled with, or None."""
    if isinstance(value, _PLAIN):
        return repr(value)
    if isinstance(value, dict):
        value = [part for item in value.items() for part in item]
    if isinstance(value, list | tuple):
        parts = [_setting(part) for part in value]
        return None if None in parts else repr(parts)
    if not _is_own(value) or not all(map(_is_own, _parts(value, {id(value)}))):
        return None
    if inspect.isfunction(value):
        return f"{value.__module__}.{value.__qualname__}"
    described = _described(value)
    return described and f"{type(value).__qualname__} {described}"


def _is_own(part: Any) -> bool:
    owner = part if inspect.isroutine(part) or inspect.isclass(part) else type(part)
    return f"{owner.__module__}.".startswith(_OWN)


def _parts(thing: Any, visited: set[int]) -> Iterator[Any]:
    """Yield the layers and functions that a layer, loss or metric is made of."""
    layer_class = keras_backend.load().layers.Layer
    for value in vars(thing).values():
        for part in value if isinstance(value, list | tuple) else [value]:
            if id(part) in visited:
                continue
            if isinstance(part, layer_class) or callable(part):
                visited.add(id(part))
                yield part
            if isinstance(part, layer_class):
                yield from _parts(part, visited)


def _described(thing: Any) -> str | None:
    """Return a configuration as text, or None if it names what is not Keras's."""
    try:
        config = _without_rate(thing.get_config())
        return None if _names_others(config) else json.dumps(config, sort_keys=True)
    except Exception:  # whatever a part of the user's raises: it cannot be described
        return None


def _without_rate(config: dict[str, Any]) -> dict[str, Any]:
    """Return a configuration without a constant learning rate: it is a variable."""
    config = dict(config)
    if not isinstance(config.get("learning_rate"), dict):
        config.pop("learning_rate", None)
    inner = config.get("inner_optimizer")  # of one that scales the loss
    if isinstance(inner, dict):
        # names are counted, and without effect
        config["name"], unnamed = None, _without_rate(inner["config"]) | {"name": None}
        config["inner_optimizer"] = inner | {"config": unnamed}
    return config


def _names_others(node: Any) -> bool:
    if isinstance(node, list | tuple):
        return any(map(_names_others, node))
    if not isinstance(node, dict):
        return False
    module = node.get("module")
    if isinstance(module, str) and not f"{module}.".startswith(_OWN):
        return True
    return any(map(_names_others, node.values()))
