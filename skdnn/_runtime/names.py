"""Names as they are shown: long ones, and characters that are invisible."""

import re
from collections.abc import Container

# Control characters, halves of surrogate pairs, and characters that reorder what
# follows; one by one, so that different names are shown differently.
_INVISIBLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def visible(text: str, keep: str = "") -> str:
    r"""Replace characters that cannot be shown by their escapes, except for `keep`.

    >>> visible("a\x0cb")
    'a\\x0cb'
    """
    return _INVISIBLE.sub(
        lambda match: match[0] if match[0] in keep else ascii(match[0])[1:-1], text
    )


def shorten(name: str, width: int) -> str:
    """Make a name visible, and of a long one replace the middle by "…".

    The result has at most `width` characters.

    Two thirds of what remains are from its beginning, one third from its end: names of
    columns and classes differ most often at their ends.

    >>> shorten("abcdefghij", 5)
    'abc…j'
    """
    name = visible(name)
    if len(name) <= width:
        return name
    tail = (width - 1) // 3
    return f"{name[: width - 1 - tail]}…{name[len(name) - tail :]}"


def free_name(name: str, taken: Container[object]) -> str:
    """Return a name, with underscores at its end if it is taken."""
    while name in taken:
        name += "_"
    return name
