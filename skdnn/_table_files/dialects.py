"""The separator and the quote character of a text file.

A dialect is scored as in van den Burg, Nazabal and Sutton (2019), Wrangling messy CSV
files by detecting row and type patterns: by how regular the rows are, times the share
of cells that look like something. Here the line of names must fit as well, and numbers
may have a decimal comma.
"""

import csv
import re
from collections import Counter
from dataclasses import dataclass
from itertools import islice

from skdnn._table_files.number_formats import looks_like_number

_SEPARATORS = (",", ";", "\t", "|")
_QUOTES = ('"', "'")
_N_ROWS = 200
_NAMES = {
    ",": "comma",
    ";": "semicolon",
    "\t": "tab",
    "|": "vertical bar",
    " ": "blank",
}
# A cell without characters that separate or quote.
_CLEAN = re.compile(r"[^,;\t|\"']*")
_SINGLE = re.compile(r"(?:^|[,;\t|])\s*'")
_HINT = re.compile(r"\ufeff?\"?sep=(.)\"?\r?\n?", re.IGNORECASE)


@dataclass(frozen=True)
class Dialect:
    """How the cells of a line are separated and quoted.

    `n_skipped` lines precede the names: Excel's ``sep=;``.
    """

    separator: str
    quote: str = '"'
    n_skipped: int = 0

    def fact(self) -> str | None:
        """Return a sentence on a dialect that is not the usual one."""
        parts = []
        if self.separator != ",":
            name = _NAMES.get(self.separator, repr(self.separator))
            parts.append(f"Separator: {name}.")
        if self.quote != '"':
            parts.append("Cells are quoted by single quotes.")
        return " ".join(parts) or None


def detect_dialect(lines: list[str], separator: str | None = None) -> Dialect:
    """Return the dialect of the first lines of a file, the names among them."""
    hint = _HINT.fullmatch(lines[0]) if lines else None
    n_skipped = 0
    if hint:
        lines, n_skipped = lines[1:], 1
        separator = separator or hint[1]
    # without a cell that begins so, it would only hide that a double one is not closed
    quotes = _QUOTES if any(map(_SINGLE.search, lines)) else _QUOTES[:1]
    candidates = [
        Dialect(one, quote, n_skipped)
        for one in ([separator] if separator else _SEPARATORS)
        for quote in quotes
    ]
    # of equal scores the first: a comma, and double quotes
    return max(candidates, key=lambda dialect: _score(lines, dialect))


def _score(lines: list[str], dialect: Dialect) -> float:
    """Return regularity of rows times the share of cells that look like something."""
    reader = csv.reader(lines, delimiter=dialect.separator, quotechar=dialect.quote)
    try:
        rows = [row for row in islice(reader, _N_ROWS) if row]
    except csv.Error:
        return 0.0
    if not rows:
        return 0.0
    n_names, body = len(rows[0]), rows[1:] or rows
    (n_cells, n_regular), *_ = Counter(map(len, body)).most_common(1)
    regular = n_regular / len(body)
    if n_cells != n_names:  # an error is reported later, by the right separator
        regular, n_names = regular / 2, min(n_names, n_cells)
    cells = [cell for row in body for cell in row]
    known = sum(_is_known(cell) for cell in cells) / max(len(cells), 1)
    return regular * (n_names - 1) / n_names * known


def _is_known(cell: str) -> bool:
    cell = cell.strip()
    return looks_like_number(cell) or _CLEAN.fullmatch(cell) is not None
