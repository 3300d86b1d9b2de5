"""What is kept of a classifier by pickle, joblib, copies and model files."""

import inspect
import os
from typing import Any

import pandas as pd

from skdnn._runtime.version import with_versions, without_versions

# Attributes that a release after 0.1 has added: the name of each, and its value for a
# classifier that an earlier release has kept. Parameters have their own defaults.
ADDED_ATTRIBUTES: dict[str, Any] = {}


def kept_state(attributes: dict[str, Any]) -> dict[str, Any]:
    """Return the attributes of a classifier as plain data, with versions.

    The history is a dict of columns, as a frame is rebuilt by pickle only. The Keras
    model is left out; it is built again from the weights.
    """
    state = {name: value for name, value in attributes.items() if name != "_model"}
    if isinstance(state.get("checkpoint"), os.PathLike):  # another kind of object
        state["checkpoint"] = os.fspath(state["checkpoint"])
    history = state.get("history_")
    if isinstance(history, pd.DataFrame):
        columns = {name: history[name].to_numpy() for name in history}
        state["history_"] = columns
    return with_versions(state)


def restored_attributes(kind: type, state: dict[str, Any]) -> dict[str, Any]:
    """Return the attributes of a classifier from its state; warn of other versions."""
    attributes = without_versions(state, kind.__name__)
    parameters = inspect.signature(kind).parameters.values()
    defaults = {one.name: one.default for one in parameters}
    attributes = {**defaults, **ADDED_ATTRIBUTES, **attributes}
    if isinstance(attributes.get("history_"), dict):
        attributes["history_"] = pd.DataFrame(attributes["history_"])
    return attributes
