"""What identifies a fit: its parameters, its table, and the versions that run it."""

import hashlib
import platform
import types
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from importlib import metadata
from numbers import Number
from textwrap import shorten
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import issparse

from skdnn._runtime import keras_backend
from skdnn._runtime.version import __version__
from skdnn._tabular.columns import as_table

# Parameters that do not change what is trained.
_WITHOUT_EFFECT = ("checkpoint", "verbose")
# Differences that a message names, and the characters of a value.
_N_NAMED, _WIDTH = 4, 60


@dataclass(frozen=True)
class Identity:
    """Texts by name: of parameters, of the parts of the table, of versions."""

    parameters: dict[str, str]
    table: dict[str, str]
    versions: dict[str, str]

    def as_tree(self) -> dict[str, dict[str, str]]:
        return asdict(self)

    def differences(self, kept: Mapping[str, Mapping[str, str]]) -> list[str]:
        """Return what differs in the identity that a file keeps."""
        parts = []
        for kind, ours in self.as_tree().items():
            theirs = kept.get(kind, {})
            for name in {**ours, **theirs}:
                there, here = theirs.get(name), ours.get(name)
                if there == here:
                    continue
                if kind == "table":
                    parts.append(f"the {name} of the table")
                else:
                    what = "parameter" if kind == "parameters" else "version of"
                    values = f"{_short(there)} there, {_short(here)} here"
                    parts.append(f"the {what} {name} ({values})")
        return parts


def named(differences: list[str]) -> str:
    """Return some of the differences, and the number of the others."""
    n_more = len(differences) - _N_NAMED
    more = [f"{n_more} more"] if n_more > 0 else []
    return ", ".join([*differences[:_N_NAMED], *more])


def _short(text: str | None) -> str:
    return "missing" if text is None else shorten(text, _WIDTH, placeholder=" …")


def identity_of(
    parameters: Mapping[str, Any], table: Mapping[str, Any], dtype: str | None = None
) -> Identity:
    """Return the identity of a fit with these parameters and parts of its table."""
    backend = keras_backend.backend()
    versions = {
        "skdnn": __version__,
        "keras": _version("keras"),
        "numpy": np.__version__,
        "the backend": f"{backend} {_version(backend)}",
        "Python": ".".join(platform.python_version_tuple()[:2]),
    }
    if dtype is not None:
        versions["numbers"] = dtype
    return Identity(
        {
            name: describe(value, name)
            for name, value in parameters.items()
            if name.split("__")[-1] not in _WITHOUT_EFFECT
        },
        {name: digest(part) for name, part in table.items() if part is not None},
        versions,
    )


@cache
def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:  # as of tensorflow-cpu
        return "of unknown version"


def describe(value: Any, name: str) -> str:
    """Return a text that is equal for equal values, in any process.

    ``ValueError`` for a value without one; `name` is that of the parameter.
    """
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | Number | str | bytes):
        return repr(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(describe(part, name) for part in value)}]"
    if isinstance(value, dict | types.MappingProxyType):
        items = sorted((describe(k, name), describe(v, name)) for k, v in value.items())
        return f"{{{', '.join(f'{key}: {part}' for key, part in items)}}}"
    if isinstance(value, set | frozenset):
        return f"{{{', '.join(sorted(describe(part, name) for part in value))}}}"
    if isinstance(value, np.ndarray | pd.DataFrame | pd.Series) or issparse(value):
        return f"array {digest(value)}"
    if isinstance(value, type | np.dtype | np.ufunc | types.BuiltinFunctionType):
        return f"{getattr(value, '__module__', '')}.{value!r}"
    if isinstance(value, types.FunctionType):
        return _describe_function(value, name)
    if hasattr(value, "get_params") and not isinstance(value, type):
        parts = value.get_params(deep=False)
        own = {k: v for k, v in parts.items() if k not in _WITHOUT_EFFECT}
        return f"{_kind(value)}({describe(own, name)})"
    if hasattr(value, "get_config"):
        return f"{_kind(value)}({describe(value.get_config(), name)})"
    raise ValueError(
        f"With a checkpoint, the parameter {name} must be a value that can be "
        "recognised in another process: numbers, texts, arrays, functions, estimators "
        f"and objects of Keras. Got {value!r}. Give such a value, an int in place of a "
        "RandomState, or set checkpoint=None."
    )


def _kind(value: Any) -> str:
    kind = type(value)
    return f"{kind.__module__}.{kind.__qualname__}"


def _describe_function(function: types.FunctionType, name: str) -> str:
    """Return the name of a function, and a digest of what it does."""
    cells = [cell.cell_contents for cell in function.__closure__ or ()]
    cells = [value for value in cells if value is not function]  # that calls itself
    values = [function.__defaults__, function.__kwdefaults__, cells]
    content = f"{_code(function.__code__)} {describe(values, name)}"
    text = hashlib.sha256(content.encode()).hexdigest()[:16]
    return f"{function.__module__}.{function.__qualname__} {text}"


def _code(code: types.CodeType) -> str:
    constants = [
        _code(part) if isinstance(part, types.CodeType) else _constant(part)
        for part in code.co_consts
    ]
    return f"{code.co_code.hex()} {code.co_names} {constants}"


def _constant(value: Any) -> str:
    # the order of a set differs between processes
    return (
        str(sorted(map(repr, value))) if isinstance(value, frozenset) else repr(value)
    )


def digest(values: Any) -> str:
    """Return a digest of rows in any container, of labels or of weights."""
    sums = hashlib.sha256()
    _update(sums, as_table(values))
    return sums.hexdigest()[:32]


def _update(sums: Any, values: Any) -> None:
    if isinstance(values, dict):  # what else a fit is given
        for name in sorted(values):
            _update(sums, name)
            _update(sums, values[name])
    elif issparse(values):
        rows = values.tocsr()
        for part in (rows.data, rows.indices, rows.indptr, np.array(rows.shape)):
            _update(sums, part)
    elif isinstance(values, pd.DataFrame):
        for j in range(values.shape[1]):
            _update(sums, str(values.columns[j]))
            _update(sums, values.iloc[:, j])
    elif isinstance(values, pd.Series):
        sums.update(str(values.dtype).encode())
        if isinstance(values.dtype, pd.CategoricalDtype):
            _update(sums, [str(category) for category in values.dtype.categories])
        _update(sums, pd.util.hash_pandas_object(values, index=False).to_numpy())
    else:
        array = np.asarray(values, order="C")
        sums.update(f"{array.dtype.str} {array.shape}".encode())
        if array.dtype.hasobject:
            flat = array.reshape(-1).astype(object)
            array = pd.util.hash_array(flat, categorize=False)
        sums.update(array.reshape(-1).view(np.uint8).data)
