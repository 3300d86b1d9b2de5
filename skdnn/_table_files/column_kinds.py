"""What each column of a file holds, and its cells as numbers, categories or dates."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from skdnn._runtime.names import visible
from skdnn._table_files import dates
from skdnn._table_files.missing_markers import (
    find_markers,
    find_sentinels,
    is_word_for_missing,
)
from skdnn._table_files.number_formats import as_numbers, is_code
from skdnn._table_files.raw_table import RawColumn, RawTable, listed
from skdnn._table_files.table_file_error import TableFileError

# Share of the cells, and of the distinct ones, that are numbers in a numeric column
# with stray cells. In fewer, numbers are categories like the others.
_NEARLY_ALL = 0.9
_FEWEST_NUMBERS = 10
_MOST_STRAY = 3
_LONGEST = 40


@dataclass(frozen=True)
class ColumnKind:
    """How the cells of a column are read: `kind` is one of

    "number", "boolean", "category", "date", "empty" (no cell has a value) and
    "ambiguous date" (whose day may be its month). `missing` are the texts and numbers
    of cells without a value; `format` and `parts` are those of dates.
    """  # noqa: D400 - one list

    kind: str
    missing: tuple[Any, ...] = ()
    format: str | None = None
    parts: tuple[str, ...] = ()
    facts: tuple[str, ...] = field(default=(), compare=False)


def is_missing(value: Any) -> bool:
    """Return whether a cell of a file is empty."""
    return value is None or value == "" or value != value or value is pd.NaT


def as_text(value: Any, decimal: str = ".") -> str:
    """Return a cell as it would be written in a file of text."""
    if is_missing(value):
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        whole = value.is_integer() and abs(value) < 1e15
        return f"{value:.0f}" if whole else repr(value).replace(".", decimal)
    return str(value)


def learn_kind(
    table: RawTable,
    name: str,
    given: Sequence[str] | None = None,
    order: str | None = None,
) -> ColumnKind:
    """Return what a column of a table holds, with facts on what is not obvious.

    `given` are all markers of missing values; None finds them. `order` is that of day
    and month in dates that fit both; None leaves them ambiguous. Raises
    ``TableFileError`` if a numeric column has cells that may be misspelled.
    """
    values = table.columns[name].values
    known = [value for value in values if not is_missing(value)]
    if not known:
        return ColumnKind("empty")
    if all(isinstance(value, bool) for value in known):
        return ColumnKind("boolean")
    if all(isinstance(value, datetime.date) for value in known):
        return _learn_typed_dates(table.columns[name])
    if all(isinstance(value, int | float) for value in known):
        return _with_sentinels(ColumnKind("number"), np.array(known, float), given)
    return _learn_texts(table, name, given, order)


def _learn_typed_dates(column: RawColumn) -> ColumnKind:
    moments = _typed_dates(column.values)
    parts = dates.parts_of(moments, dates.TYPED)
    return ColumnKind("date", format=dates.TYPED, parts=tuple(parts))


def _typed_dates(values: Sequence[Any]) -> pd.Series:
    moments = [pd.NaT if is_missing(v) else pd.Timestamp(v) for v in values]
    zones = [m.tz_localize(None) if m is not pd.NaT and m.tz else m for m in moments]
    return pd.Series(pd.to_datetime(pd.Series(zones)))


def _learn_texts(
    table: RawTable, name: str, given: Sequence[str] | None, order: str | None
) -> ColumnKind:
    texts = [as_text(v, table.decimal) for v in table.columns[name].values]
    markers = find_markers(texts, given, among_numbers=True)
    words = [text for text in texts if text not in markers]
    if words:
        number = _learn_numbers(table, name, texts, markers, given)
        if number is not None:
            return number
        if {word.lower() for word in words} <= {"true", "false"}:
            return ColumnKind("boolean", tuple(sorted(markers - {""})))
        format = dates.detect_format(words)
        if format is not None:
            return _learn_dates(words, format, markers, order)
    markers = find_markers(texts, given, among_numbers=False)
    if set(texts) <= markers:
        return ColumnKind("empty")
    return ColumnKind("category", tuple(sorted(markers - {""})))


def _learn_numbers(
    table: RawTable,
    name: str,
    texts: list[str],
    markers: frozenset[str],
    given: Sequence[str] | None,
) -> ColumnKind | None:
    """Return how a numeric column is read; None if it holds something else."""
    is_marker = np.isin(texts, sorted(markers))
    numbers, is_number, units = as_numbers(texts, table.decimal)
    is_number &= ~is_marker
    # digits that begin with a zero are codes, and two units are two quantities
    if not is_number.any() or len(units) > 1 or any(map(is_code, texts)):
        return None
    stray = [t for t, n, m in zip(texts, is_number, is_marker, strict=True)
             if not (n or m)]  # fmt: skip
    facts = []
    if stray:
        counts = table.columns[name].counts()
        share = counts[is_number].sum() / counts[~is_marker].sum()
        n_known = int(is_number.sum())
        are_few = n_known >= _FEWEST_NUMBERS and share >= _NEARLY_ALL
        if not are_few or n_known < _NEARLY_ALL * (n_known + len(stray)):
            return None
        if given is not None or not _are_words(stray):
            raise _stray(table, name, texts.index(stray[0]), stray[0])
        markers = markers | set(stray)
    unit = next(iter(units))
    if unit:
        example = texts[int(is_number.argmax())]
        facts.append(f"{visible(name)} is read without its unit, as in {example!r}.")
    kind = ColumnKind("number", tuple(sorted(markers - {""})), facts=tuple(facts))
    return _with_sentinels(kind, numbers[is_number], given)


def _are_words(texts: Sequence[str]) -> bool:
    """Return whether texts are few words that may mean that a number is missing."""
    are_few = len(texts) <= _MOST_STRAY
    return are_few and not any(char.isdigit() for text in texts for char in text)


def _stray(table: RawTable, name: str, code: int, text: str) -> TableFileError:
    line = table.first_line(name, [code])
    other = "." if table.decimal == "," else ","
    remedy = f"count it as missing with --missing {visible(text)[:_LONGEST]!r}"
    if as_numbers([text], other)[1][0]:
        remedy = f"name the decimal sign of the file with --decimal {other}"
    return TableFileError(
        f"The column {visible(name)!r} of {table.name} must hold numbers. Got "
        f"{visible(text)[:_LONGEST]!r} in line {line}. Correct the cell, or "
        f"{remedy}."
    )


def _with_sentinels(
    kind: ColumnKind, numbers: np.ndarray, given: Sequence[str] | None
) -> ColumnKind:
    sentinels = find_sentinels(numbers, given)
    return ColumnKind(kind.kind, (*kind.missing, *sentinels), facts=kind.facts)


def _learn_dates(
    words: list[str],
    fitting: dates.DateFormat,
    markers: frozenset[str],
    order: str | None,
) -> ColumnKind:
    missing = tuple(sorted(markers - {""}))
    format = fitting.format
    if fitting.other is not None:
        if order is None:
            return ColumnKind("ambiguous date", missing, format)
        format = dates.in_order(format, order)
    parts = dates.parts_of(dates.parse(words, format), format)
    return ColumnKind("date", missing, format, tuple(parts))


def read_cells(table: RawTable, name: str, kind: ColumnKind) -> dict[str, Any]:
    """Return the columns that are made of a column of a file, by their names.

    They have a value for each row. Raises ``TableFileError`` with the line of a cell
    that is not of the kind.
    """
    column = table.columns[name]
    if kind.kind == "date":
        return _read_dates(table, name, kind)
    if kind.kind == "number":
        return {name: _read_numbers(table, name, kind)[column.codes]}
    texts = [as_text(value, table.decimal) for value in column.values]
    absent = {"", *kind.missing}
    if kind.kind == "boolean":
        return {name: _read_booleans(table, name, texts, absent)}
    values = np.array([None if t in absent else t for t in texts], dtype=object)
    return {name: values[column.codes]}


def _read_numbers(table: RawTable, name: str, kind: ColumnKind) -> np.ndarray:
    """Return the number of each distinct cell, NaN where it is missing."""
    values = table.columns[name].values
    absent = {"", *(m for m in kind.missing if isinstance(m, str))}
    texts = [v if isinstance(v, str) else "" for v in values]
    numbers, is_number, _ = as_numbers(texts, table.decimal)
    for i, value in enumerate(values):
        if isinstance(value, str):
            if value in absent or (not is_number[i] and is_word_for_missing(value)):
                numbers[i] = np.nan
            elif not is_number[i]:
                raise _stray(table, name, i, value)
        elif not is_missing(value):
            if not isinstance(value, int | float):
                raise _stray(table, name, i, as_text(value))
            numbers[i] = float(value)
    sentinels = [m for m in kind.missing if not isinstance(m, str)]
    numbers[np.isin(numbers, sentinels)] = np.nan
    is_whole = not np.isnan(numbers).any() and (numbers == np.round(numbers)).all()
    small = is_whole and np.abs(numbers).max(initial=0) < 2**53
    return numbers.astype(np.int64) if small else numbers


def _read_booleans(
    table: RawTable, name: str, texts: list[str], absent: set[Any]
) -> Any:
    known = {"true": True, "1": True, "false": False, "0": False}
    values = []
    for i, text in enumerate(texts):
        if text in absent or (text.lower() not in known and is_word_for_missing(text)):
            values.append(pd.NA)
        elif text.lower() in known:
            values.append(known[text.lower()])
        else:
            line = table.first_line(name, [i])
            raise TableFileError(
                f"The column {visible(name)!r} of {table.name} must hold true and "
                f"false. Got {visible(text)[:_LONGEST]!r} in line {line}. Correct the "
                "cell."
            )
    cells = pd.array(values, dtype="boolean")[table.columns[name].codes]
    return cells if cells.isna().any() else cells.to_numpy(dtype=bool)


def _read_dates(table: RawTable, name: str, kind: ColumnKind) -> dict[str, Any]:
    values = table.columns[name].values
    absent = {"", *kind.missing}
    is_typed = [isinstance(value, datetime.date) for value in values]
    texts = [as_text(value, table.decimal) for value in values]
    absent |= {text for text in texts if is_word_for_missing(text)}
    words = ["" if text in absent else text for text in texts]
    format = dates.ISO if kind.format in (dates.TYPED, None) else kind.format
    moments = (
        _typed_dates([v if t else None for v, t in zip(values, is_typed, strict=True)])
        if any(is_typed)
        else dates.parse(words, format)
    )
    for i, (word, moment) in enumerate(zip(words, moments, strict=True)):
        if word and moment is pd.NaT:
            line, other = table.first_line(name, [i]), _other_order(words, format)
            raise TableFileError(
                f"The column {visible(name)!r} of {table.name} must hold dates, "
                f"{dates.describe_format(format)}. Got {visible(word)[:_LONGEST]!r} in "
                f"line {line}. Write all dates in this way{other}."
            )
    derived = dates.derive(moments, kind.parts)
    codes = table.columns[name].codes
    return {f"{name}: {part}": cells[codes] for part, cells in derived.items()}


def _other_order(words: list[str], format: str) -> str:
    """Return the option that reads all dates of a column, if day and month do."""
    swapped = dates.swap_order(format)
    known = [word for word in words if word]
    if swapped is None or dates.parse(known, swapped).isna().any():
        return ""
    return f", or name their order with --dates {dates.order_of(swapped)}"


def kind_in_words(
    name: str, kind: ColumnKind, example: str, order: str | None = None
) -> str | None:
    """Return a sentence on a column of dates; None for other columns.

    `order` is the order of day and month that was given.
    """
    if kind.kind == "ambiguous date":
        return (
            f"{visible(name)} is not used: in dates such as {example} the day may be "
            "the month. Name the order with --dates day-first or --dates month-first, "
            "or write them year-month-day."
        )
    if kind.kind != "date":
        return None
    made = listed([f"{name}: {part}" for part in kind.parts])
    how = (
        ""
        if kind.format in (dates.TYPED, dates.ISO)
        else f", {dates.describe_format(str(kind.format))}"
    )
    own = dates.order_of(str(kind.format))
    but = f" They are not {order}." if order and own and own != order else ""
    return f"Dates: {visible(name)} (as in {example}{how}) is used as {made}.{but}"
