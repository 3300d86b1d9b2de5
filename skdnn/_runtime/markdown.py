"""Text and tables in Markdown."""

from collections.abc import Sequence


def escaped(text: str) -> str:
    """Return text in which nothing is markup."""
    lines = " ".join(str(text).split())
    for mark in "\\`*_[]<>#|~":
        lines = lines.replace(mark, f"\\{mark}")
    return lines


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table; its cells are not escaped."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)
