"""What of an estimator a model file cannot keep, found before anything is written."""

import types
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
from scipy.sparse import issparse

from skdnn._model_files.trusted import is_trusted

_CONTAINERS = {list: "ListNode", tuple: "TupleNode", set: "SetNode"}
# Read at once, whatever they hold.
_LEAVES: tuple[type, ...] = (
    type(None), bool, int, float, str, bytes, slice, Decimal, Fraction,
    np.dtype, np.generic, np.ma.MaskedArray, np.random.RandomState,
)  # fmt: skip
_FUNCTIONS = (types.FunctionType, types.BuiltinFunctionType, np.ufunc)
# Types of keys that skops restores from a text.
_KEYS = (str, int, float)
_KERAS = "skdnn.keras_classifier.KerasClassifier"
# Parameters that only `fit` uses, and what to set them to.
_FOR_FIT = {"callbacks": None, "learning_rate": None, "solver": "adam"}


@dataclass(frozen=True)
class Unkept:
    """A part that a model file cannot keep: its type, and the attribute it is in."""

    what: str
    owner: str  # the class of the estimator or part
    attribute: str

    def __str__(self) -> str:
        if self.what == _KERAS:
            return f"{_KERAS}, which holds a Keras model: keep model_ by model_.save"
        text = f"{self.what} in `{self.attribute}` of {self.owner}"
        if self.owner == "DNNClassifier" and self.attribute in _FOR_FIT:
            value = _FOR_FIT[self.attribute]
            return (
                f"{text}. It is used in fit only: call "
                f"set_params({self.attribute}={value!r}) on that estimator first"
            )
        return text


def unkept(estimator: Any) -> list[Unkept]:
    """Return the parts of an estimator that a model file cannot keep."""
    problems: list[Unkept] = []
    name = _full_name(type(estimator))
    if not is_trusted("ObjectNode", name):
        return [Unkept(name, type(estimator).__name__, "itself")]
    known = {id(estimator): estimator}  # kept alive, so that no other has its id
    stack = list(_attributes(estimator))
    while stack:
        value, owner, attribute = stack.pop()
        if isinstance(value, _LEAVES) or id(value) in known:
            continue
        known[id(value)] = value
        problem = _problem(value)
        if problem is not None:
            problems.append(Unkept(problem, owner, attribute))
            continue
        stack += list(_parts(value, owner, attribute))
    return list(dict.fromkeys(problems))


def _problem(value: Any) -> str | None:
    """Return in words what a value is, if it cannot be kept; its parts may be kept."""
    kind = type(value)
    if isinstance(value, np.ndarray):
        return None if kind is np.ndarray else _full_name(kind)
    if kind in _CONTAINERS:
        return None
    if isinstance(value, _FUNCTIONS):
        name = _full_name(value)
        return None if is_trusted("FunctionNode", name) else f"the function {name}"
    if isinstance(value, type):
        name = _full_name(value)
        return None if is_trusted("TypeNode", name) else f"the class {name}"
    if isinstance(value, dict):
        return _problem_of_dict(value)
    if isinstance(value, tuple):  # with names
        return None if is_trusted("TupleNode", _full_name(kind)) else _full_name(kind)
    if issparse(value):
        return f"a sparse matrix ({kind.__name__})"
    return None if is_trusted("ObjectNode", _full_name(kind)) else _full_name(kind)


def _problem_of_dict(value: dict[Any, Any]) -> str | None:
    name = _full_name(type(value))
    if not is_trusted("DictNode", name):
        return name
    keys = [key.item() if isinstance(key, np.generic) else key for key in value]
    odd = [key for key in keys if type(key) not in _KEYS]
    if odd:
        return f"a dict with the key {odd[0]!r}, of type {type(odd[0]).__name__},"
    if len({str(key) for key in keys}) < len(keys):
        return "a dict whose keys are equal as text"
    return None


def _parts(value: Any, owner: str, attribute: str) -> Iterator[tuple[Any, str, str]]:
    """Yield the parts of a value, each with the attribute that it is in."""
    if isinstance(value, np.ndarray):
        items = value.ravel().tolist() if value.dtype == object else []
    elif isinstance(value, dict):
        items = list(value.values())
    elif isinstance(value, list | tuple | set):
        items = list(value)
    elif isinstance(value, (type, *_FUNCTIONS)):
        items = []
    else:
        yield from _attributes(value)
        return
    for item in items:
        yield item, owner, attribute


def _attributes(value: Any) -> Iterator[tuple[Any, str, str]]:
    """Yield the attributes of an object as they are kept, parameters last."""
    state = value.__getstate__() or {}
    parameters = value.get_params(deep=False) if hasattr(value, "get_params") else {}
    if isinstance(state, dict):
        # the last are examined first, and a parameter is what the user can change
        for name in sorted(state, key=lambda name: name in parameters):
            yield state[name], type(value).__name__, name


def _full_name(kind: Any) -> str:
    """Return module and name of a type or function."""
    module = getattr(kind, "__module__", None) or "numpy"  # of some ufuncs
    # older ufuncs have no `__qualname__`
    return f"{module}.{getattr(kind, '__qualname__', None) or kind.__name__}"
