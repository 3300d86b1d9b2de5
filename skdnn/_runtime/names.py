"""Names as they are shown: long ones, and characters that are invisible."""

import re
from collections.abc import Container, Iterable

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


def shorten(name: str, width: int, among: Iterable[str] = ()) -> str:
    """Make a name visible, and of a long one replace the middle by "…".

    The result has at most `width` characters. Two thirds of what remains are from its
    beginning, one third from its end: names of columns and classes differ most often
    at their ends. Names `among` which it stands that would be cut alike show the part
    in which they differ, else their number.

    >>> shorten("abcdefghij", 5)
    'abc…j'
    >>> shorten("gene_of_tissue_A1_normalised", 15, ["gene_of_tissue_B2_normalised"])
    'gene_…A1_n…ised'
    """
    name = visible(name)
    if len(name) <= width:
        return name
    short = _cut(name, width)
    others = {visible(str(other)) for other in among}
    alike = [o for o in others if len(o) > width and _cut(o, width) == short]
    alike = sorted({*alike, name})
    if len(alike) == 1:
        return short
    # of sorted names, the first and the last have the shortest common beginning
    pairs = enumerate(zip(alike[0], alike[-1], strict=False))
    start = next((i for i, (a, b) in pairs if a != b), len(alike[0]))
    shown = [_cut_around(other, width, start) for other in alike]
    if len(set(shown)) < len(alike):
        shown = [f"{_cut(o, width - 5)} ({i})"[:width] for i, o in enumerate(alike, 1)]
    return shown[alike.index(name)]


def _cut(name: str, width: int) -> str:
    tail = (width - 1) // 3
    return f"{name[: width - 1 - tail]}…{name[len(name) - tail :]}"


def _cut_around(name: str, width: int, start: int) -> str:
    """Return beginning, a part from `start` and end of a name, a third of it each."""
    third = (width - 2) // 3
    head = width - 2 - 2 * third
    return f"{name[:head]}…{name[start : start + third]}…{name[len(name) - third :]}"


def free_name(name: str, taken: Container[object]) -> str:
    """Return a name, with underscores at its end if it is taken."""
    while name in taken:
        name += "_"
    return name
