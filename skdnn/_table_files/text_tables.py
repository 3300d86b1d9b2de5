"""Read a table from a text file, such as CSV."""

import csv
from collections.abc import Iterator
from itertools import chain, islice
from typing import IO

import numpy as np

from skdnn._runtime.names import visible
from skdnn._table_files.dialects import Dialect, detect_dialect
from skdnn._table_files.encodings import MAX_LINE, detect_encoding, text_of
from skdnn._table_files.number_formats import detect_decimal, looks_like_number
from skdnn._table_files.raw_table import RawColumn, RawTable, check_names
from skdnn._table_files.sources import Source
from skdnn._table_files.table_file_error import TableFileError

_N_HEAD = 200  # lines that the separator is determined by
_HEAD_CHARACTERS = MAX_LINE
_EXAMINED = 1000  # distinct cells of a column that the decimal sign is determined by


def read_text(
    source: Source,
    *,
    separator: str | None = None,
    decimal: str | None = None,
    encoding: str | None = None,
    usual_decimal: str | None = None,
) -> RawTable:
    """Return the table in a text file; what is None is detected.

    `usual_decimal` is the decimal sign where no cell decides.

    Raises ``TableFileError`` with the line for anything that is not a table.
    """
    detected = detect_encoding(source, encoding)
    with source.opened() as stream, text_of(stream, detected) as text:
        head = _head(text)
        dialect = detect_dialect(head, separator)
        rows = _Rows(source.name, chain(head, text), dialect)
        columns = rows.read()
    facts = [f for f in (detected.fact, dialect.fact()) if f]
    table = RawTable(
        source.name,
        columns,
        np.array(rows.lines, dtype=np.int64),
        separator=dialect.separator,
        facts=facts,
    )
    _set_decimal(table, decimal, usual_decimal)
    return table


def _head(text: IO[str]) -> list[str]:
    """Return the first lines, or fewer if they are long."""
    lines, n_characters = [], 0
    for line in islice(text, _N_HEAD):
        lines.append(line)
        n_characters += len(line)
        if n_characters > _HEAD_CHARACTERS:
            break
    return lines


class _Rows:
    """Reads rows one by one, and checks that each has a cell for each name."""

    def __init__(self, name: str, lines: Iterator[str], dialect: Dialect):
        self._name, self._dialect = name, dialect
        skipped = islice(lines, dialect.n_skipped, None)
        # an unclosed quote would take the rest of the file for one cell
        csv.field_size_limit(MAX_LINE)
        self._reader = dialect.records(skipped)
        self.lines: list[int] = []

    def read(self) -> dict[str, RawColumn]:
        """Return the columns by name."""
        records = self._records()
        _, first = next(records, (1, []))
        names = self._names([""] * self._dialect.has_row_names + first)
        codes: list[list[int]] = [[] for _ in names]
        known: list[dict[str, int]] = [{} for _ in names]
        pairs = list(zip(codes, known, strict=True))
        for line, record in records:
            if len(record) != len(names):
                self._refuse(line, len(record), len(names))
            self.lines.append(line)
            for (column, positions), cell in zip(pairs, record, strict=True):
                cell = cell.strip()
                column.append(positions.setdefault(cell, len(positions)))
        if not self.lines:
            raise TableFileError(
                f"{self._name} has a line of column names and no rows. It must hold a "
                "line for each row."
            )
        return self._named(names, codes, known)

    def _records(self) -> Iterator[tuple[int, list[str]]]:
        """Yield the first line and the cells of each record that is not blank."""
        offset = self._dialect.n_skipped
        line = offset
        try:
            for record in self._reader:
                start, line = line + 1, self._reader.line_num + offset
                if any(record) or len(record) > 1:
                    yield start, record
        except csv.Error as error:
            raise TableFileError(
                f"{self._name} cannot be read from line {line + 1} on: {error}. Check "
                "that each quote in that line is closed."
            ) from error

    def _names(self, first: list[str]) -> list[str]:
        names = check_names(first, self._name)
        numbers = [name for name in first if looks_like_number(name.strip())]
        if len(numbers) > len(first) / 2:
            raise TableFileError(
                f"The first line of {self._name} must hold the names of the columns. "
                f"It holds numbers, such as {numbers[0].strip()}. Put a line of names "
                "before it."
            )
        return names

    def _refuse(self, line: int, n_cells: int, n_names: int) -> None:
        last = self._reader.line_num + self._dialect.n_skipped
        hint = "Correct the line"
        if last > line:
            hint = f"A quote opened in it is closed in line {last} only; check that"
        elif self._dialect.separator == "," and n_cells > n_names:
            hint = "Quote cells that hold commas, or correct the line"
        raise TableFileError(
            f"Line {line} of {self._name} has {n_cells} cells, and there are {n_names} "
            f"names in the first line (separator {self._dialect.separator!r}). {hint}, "
            "or name another separator with --separator."
        )

    def _named(
        self,
        names: list[str],
        codes: list[list[int]],
        known: list[dict[str, int]],
    ) -> dict[str, RawColumn]:
        columns = {}
        for j, name in enumerate(names):
            values = list(known[j])
            if name == f"Unnamed: {j}" and values == [""]:
                continue  # of a separator at the end of each line
            columns[name] = RawColumn(np.array(codes[j], dtype=np.int64), values)
            codes[j] = []  # release the memory of what is converted
        return columns


def _set_decimal(table: RawTable, given: str | None, usual: str | None) -> None:
    """Determine the decimal sign of the numbers of a table, and state it."""
    cells = [
        (name, cell)
        for name, column in table.columns.items()
        for cell in column.values[:_EXAMINED]
    ]
    if given is not None:
        table.decimal = given
        return
    texts = (cell for _, cell in cells)
    table.decimal = detect_decimal(texts, table.separator or ",", usual)
    examples = [pair for pair in cells if "," in pair[1] and looks_like_number(pair[1])]
    if table.decimal == "," and examples:
        name, example = examples[0]
        table.facts.append(
            f"Decimal sign: comma, as in {visible(example)} ({visible(name)})."
        )
