"""The separator and the quote character of a text file.

A dialect is scored as in van den Burg, Nazabal and Sutton (2019), Wrangling messy CSV
files by detecting row and type patterns: by how regular the rows are, times the share
of cells that look like something. Here the line of names must fit as well, and numbers
may have a decimal comma. The package of these authors, clevercsv, takes twice the time,
and looks for no names of rows.

Runs of blanks and tabs separate the cells of a file that nothing else separates. As in
R, whose ``write.table`` writes such files, rows may begin with a name of their own that
the line of names leaves out.
"""

import csv
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from skdnn._table_files.number_formats import looks_like_number

BLANK = " "
_SEPARATORS = (",", ";", "\t", "|")
_QUOTES = ('"', "'")
_N_ROWS = 200
_NAMES = {
    ",": "comma",
    ";": "semicolon",
    "\t": "tab",
    "|": "vertical bar",
    BLANK: "blanks",
}
# A cell without characters that separate or quote.
_CLEAN = re.compile(r"[^,;\t|\"']*")
_SINGLE = re.compile(r"(?:^|[,;\t|])\s*'")
_HINT = re.compile(r"\ufeff?\"?sep=(.)\"?\r?\n?", re.IGNORECASE)


@dataclass(frozen=True)
class Dialect:
    """How the cells of a line are separated and quoted.

    `n_skipped` lines precede the names: Excel's ``sep=;``. With `has_row_names`, rows
    have one cell more than there are names, the first one.
    """

    separator: str
    quote: str = '"'
    n_skipped: int = 0
    has_row_names: bool = False

    def records(self, lines: Iterable[str]) -> Any:
        """Return a reader of the cells of each record; it counts lines read."""
        if self.separator != BLANK:
            return csv.reader(lines, delimiter=self.separator, quotechar=self.quote)
        return csv.reader(
            map(_with_single_blanks, lines),
            delimiter=BLANK,
            quotechar=self.quote,
            skipinitialspace=True,
        )

    def fact(self) -> str | None:
        """Return a sentence on a dialect that is not the usual one."""
        parts = []
        if self.separator != ",":
            name = _NAMES.get(self.separator, repr(self.separator))
            parts.append(f"Separator: {name}.")
        if self.quote != '"':
            parts.append("Cells are quoted by single quotes.")
        if self.has_row_names:
            parts.append("The first cell of each row is its name.")
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
    best = max(candidates, key=lambda dialect: _score(lines, dialect))
    if separator is None and _score(lines, best) == 0:
        # cells that are words have blanks, too: only where nothing else separates
        by_blanks = [Dialect(BLANK, quote, n_skipped) for quote in quotes]
        best = max([best, *by_blanks], key=lambda dialect: _score(lines, dialect))
    return replace(best, has_row_names=_has_row_names(lines, best))


def _with_single_blanks(line: str) -> str:
    """Return a line without blanks at its ends, and with blanks instead of tabs.

    Other blanks that follow each other are skipped by csv, which knows the quotes.
    """
    text = line.rstrip("\r\n")
    return text.strip(" \t").replace("\t", BLANK) + line[len(text) :]


def _rows(lines: list[str], dialect: Dialect) -> list[list[str]]:
    """Return the cells of the first lines that are not blank; none if csv can't."""
    try:
        return [row for row in islice(dialect.records(lines), _N_ROWS) if row]
    except csv.Error:
        return []


def _has_row_names(lines: list[str], dialect: Dialect) -> bool:
    """Return whether each row has one cell more than the names, the first a name."""
    names, *body = _rows(lines, dialect) or [[]]
    if len(names) < 2 or len(body) < 3:
        return False
    longer = [row for row in body if len(row) == len(names) + 1]
    firsts = {row[0].strip() for row in longer} - {""}
    # of lines that end in a separator, the last cell is empty instead
    return len(firsts) == len(body) and any(row[-1].strip() for row in longer)


def _score(lines: list[str], dialect: Dialect) -> float:
    """Return regularity of rows times the share of cells that look like something."""
    rows = _rows(lines, dialect)
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
