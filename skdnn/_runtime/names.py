"""Long names on little space."""


def shorten(name: str, width: int) -> str:
    """Replace the middle of a name by "…" so that it has at most `width` characters.

    Two thirds of what remains are from its beginning, one third from its end: names of
    columns and classes differ most often at their ends.

    >>> shorten("abcdefghij", 5)
    'abc…j'
    """
    if len(name) <= width:
        return name
    tail = (width - 1) // 3
    return f"{name[: width - 1 - tail]}…{name[len(name) - tail :]}"
