"""The text in which skops describes an object: types checked, names made regular."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from skdnn._model_files.container import SCHEMA, damaged
from skdnn._model_files.trusted import is_trusted

# Protocols before this one name functions in other places of an entry.
_LEAST_PROTOCOL = 2
# Entries of values that never change; whether two are one object depends on Python.
_VALUES = {
    "BytesNode", "DTypeNode", "FunctionNode", "JsonNode", "TupleNode", "TypeNode",
}  # fmt: skip


def read_schema(members: Mapping[str, bytes]) -> dict[str, Any]:
    """Return the description of the object; ``ValueError`` if there is none."""
    try:
        schema = json.loads(members[SCHEMA])
        protocol = schema["protocol"]
    except KeyError as error:
        raise damaged(f"there is no {error}") from error
    except (ValueError, TypeError, RecursionError) as error:
        raise damaged(f"{SCHEMA} cannot be read ({error})") from error
    if type(protocol) is not int or protocol < _LEAST_PROTOCOL:
        raise ValueError(
            f"The protocol of skops must be {_LEAST_PROTOCOL} or later. Got "
            f"{protocol!r}. Write the file again with skops 0.13 or later."
        )
    return schema


def entries(schema: Any) -> Iterator[dict[str, Any]]:
    """Yield each entry of a description: a dict that names its loader."""
    stack = [schema]
    while stack:
        part = stack.pop()
        if isinstance(part, dict):
            if "__loader__" in part:
                yield part
            stack.extend(reversed(part.values()))
        elif isinstance(part, list):
            stack.extend(reversed(part))


def trusted_types(schema: dict[str, Any]) -> list[str]:
    """Return the types that a description names; ``ValueError`` if some are not known.

    Nothing is imported to find out.
    """
    names: set[str] = set()
    unknown: set[str] = set()
    for entry in entries(schema):
        loader = entry["__loader__"]
        name = f"{entry.get('__module__')}.{entry.get('__class__')}"
        known = isinstance(loader, str) and is_trusted(loader, name)
        (names if known else unknown).add(name)
    if unknown:
        raise ValueError(
            "A model file may hold types that skdnn and scikit-learn's transformers, "
            f"pipelines and searches need. Got also: {', '.join(sorted(unknown))}. "
            "Nothing of the file was run. If you trust its author, use skops.io.load "
            "with these types as `trusted`."
        )
    return sorted(names)


def regular(members: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the members as skops wrote them, with regular names.

    skops names arrays and objects by their addresses; these are replaced by numbers in
    the order of the description, so that equal models give equal bytes.
    """
    schema = json.loads(members[SCHEMA])
    files: dict[str, str] = {}
    ids: dict[int, int] = {}
    for entry in entries(schema):
        if entry["__loader__"] in _VALUES:
            entry.pop("__id__", None)
        elif "__id__" in entry:  # from 1, as skops takes 0 for none
            entry["__id__"] = ids.setdefault(entry["__id__"], len(ids) + 1)
        if "file" in entry:
            name = entry["file"]
            suffix = name.rpartition(".")[2]
            entry["file"] = files.setdefault(name, f"{len(files)}.{suffix}")
    text = json.dumps(schema, separators=(",", ":")).encode()
    return {SCHEMA: text} | {new: members[old] for old, new in files.items()}
