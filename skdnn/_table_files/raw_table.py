"""A table as it is in a file, before anything is made of its cells."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from skdnn._runtime.names import visible
from skdnn._table_files.table_file_error import TableFileError

MAX_COLUMNS = 10_000
_LISTED = 12


@dataclass
class RawColumn:
    """The cells of a column: the distinct values, and which one each row has.

    `values` are strings, "" for an empty cell, in files of text; in others also
    numbers, booleans and dates, and None for an empty cell.
    """

    codes: np.ndarray  # (n_rows,)
    values: list[Any]

    def counts(self) -> np.ndarray:
        """Return how often each of the values occurs."""
        return np.bincount(self.codes, minlength=len(self.values))

    def take(self, rows: np.ndarray) -> "RawColumn":
        """Return the cells of some rows, given by a mask or positions."""
        kept, codes = np.unique(self.codes[rows], return_inverse=True)
        return RawColumn(codes.reshape(-1), [self.values[k] for k in kept])


@dataclass
class RawTable:
    """The columns of a file by name, with what was noticed while it was read.

    `lines` is the line in the file that each row begins in, or its row in a sheet.
    """

    name: str
    columns: dict[str, RawColumn]
    lines: np.ndarray  # (n_rows,)
    decimal: str = "."
    separator: str | None = None  # None if the file is not text
    facts: list[str] = field(default_factory=list)

    @property
    def n_rows(self) -> int:
        """Return the number of rows."""
        return len(self.lines)

    def take(self, rows: np.ndarray) -> "RawTable":
        """Return some rows, given by a mask or positions."""
        columns = {name: column.take(rows) for name, column in self.columns.items()}
        return RawTable(
            self.name, columns, self.lines[rows], self.decimal, self.separator
        )

    def first_line(self, column: str, codes: Sequence[int]) -> int:
        """Return the line of the first row with one of some values of a column."""
        is_one = np.isin(self.columns[column].codes, codes)
        return int(self.lines[is_one.argmax()])


def check_names(names: Sequence[str], source: str) -> list[str]:
    """Return the names of columns; raise unless each column has its own.

    A first column without a name, as row names of R and pandas have, is "Unnamed: 0";
    other columns without one have their position.
    """
    if len(names) > MAX_COLUMNS:
        raise TableFileError(
            f"{source} has {len(names)} columns. At most {MAX_COLUMNS} are read; keep "
            "those that matter in a smaller file."
        )
    named = [name.strip() or f"Unnamed: {j}" for j, name in enumerate(names)]
    first: dict[str, int] = {}
    for j, name in enumerate(named, start=1):
        if name in first:
            raise TableFileError(
                f"{source} has two columns of the name {visible(name)!r}: number "
                f"{first[name]} and {j}. Rename one of them in the first line."
            )
        first[name] = j
    return named


def listed(names: Sequence[Any]) -> str:
    """Return names in a sentence; of many the first ones and how many there are.

    >>> listed(["a", "b"])
    'a, b'
    """
    shown = [visible(str(name)) for name in names[:_LISTED]]
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")
