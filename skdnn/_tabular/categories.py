"""Categories of a column as plain data, for what is kept of a fitted encoder."""

import json
from collections.abc import Iterable
from typing import Any

# JSON restores values of exactly these types, strings with surrogates among them.
_EXACT = (str, int, float, bool)


def pack(categories: Iterable[Any]) -> str | list[Any]:
    """Return categories as one JSON text, or as a list if JSON would change some.

    A text is written and read much faster than as many values, and keeps the types of
    values that are equal, such as 1 and True.
    """
    values = list(categories)
    return json.dumps(values) if all(type(v) in _EXACT for v in values) else values


def unpack(packed: str | list[Any]) -> tuple[Any, ...]:
    """Return the categories that `pack` was given."""
    return tuple(json.loads(packed) if isinstance(packed, str) else packed)
