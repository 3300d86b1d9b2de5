"""What is made of the columns of a file, to be repeated on other files.

A `TableReading` is learned from the file a classifier is trained on: which columns are
features, identifiers or left out, and how their cells are read. The model file keeps
it, so that new rows are read in the same way.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from skdnn._runtime.names import visible
from skdnn._runtime.suggestions import did_you_mean
from skdnn._table_files import dates
from skdnn._table_files.column_kinds import (
    ColumnKind,
    as_text,
    is_missing,
    kind_in_words,
    learn_kind,
    read_cells,
)
from skdnn._table_files.raw_table import RawTable, listed
from skdnn._table_files.table_file_error import TableFileError
from skdnn._table_files.targets import check_target, find_column, read_labels
from skdnn._tabular.column_problems import (
    column_problems,
    is_named_like_identifier,
)

NO_ID = "none"
# Problems of columns that are left out, as nothing is learned from them.
_LEFT_OUT = ("row counter", "free text", "constant", "no value")
_MOST_MARKERS = 6
_FEWEST_ROWS = 20  # for a statement on the categories of a column


@dataclass
class TableReading:
    """Which columns of a file are used, and how; plain data (`asdict`)."""

    target: str
    decimal: str
    kinds: dict[str, ColumnKind] = field(default_factory=dict)  # of the features
    ids: list[str] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)  # name -> why
    missing: list[str] | None = None  # as given; None if they were determined

    def as_dict(self) -> dict[str, Any]:
        """Return the reading as data for a JSON file."""
        data = asdict(self)
        for kind in data["kinds"].values():
            del kind["facts"]
        return data

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "TableReading":
        """Return the reading that `as_dict` made data of."""
        kinds = {
            name: ColumnKind(
                kind["kind"],
                tuple(kind["missing"]),
                kind["format"],
                tuple(kind["parts"]),
            )
            for name, kind in data["kinds"].items()
        }
        return cls(**data | {"kinds": kinds})

    def features(self, table: RawTable) -> pd.DataFrame:
        """Return the features of the rows of a table.

        Raises ``TableFileError`` if columns are missing or cells are of another kind.
        """
        names = list(table.columns)
        absent = [name for name in self.kinds if name not in table.columns]
        if absent:
            hint = did_you_mean(absent[0], [n for n in names if n not in self.kinds])
            meant = hint.replace("Did you mean", "Is it").rstrip("?") + "? Rename it."
            raise TableFileError(
                f"{table.name} must have the columns of the training: it lacks "
                f"{listed(absent)}.{meant if hint else f' It has {listed(names)}.'}"
            )
        columns: dict[str, Any] = {}
        for name, kind in self.kinds.items():
            columns |= read_cells(table, name, kind)
        return pd.DataFrame(columns)

    def with_order(self, order: str | None) -> "TableReading":
        """Return the reading with day and month of dates in an order; None keeps it."""
        kinds = {
            name: replace(kind, format=dates.in_order(kind.format, order))
            if kind.format
            else kind
            for name, kind in self.kinds.items()
        }
        return replace(self, kinds=kinds)

    def orders_in_words(self) -> list[str]:
        """State how dates are read that could have day and month in either order."""
        return [
            f"Dates: {visible(name)} is read as {dates.describe_format(kind.format)}."
            for name, kind in self.kinds.items()
            if kind.format and dates.order_of(kind.format)
        ]

    def labels(self, table: RawTable) -> tuple[np.ndarray, np.ndarray]:
        """Return the class of each row of a table, and whether the row has one."""
        find_column(self.target, list(table.columns), "The target", table.name)
        return read_labels(table, self.target, self.missing)

    def id_columns(self, table: RawTable) -> dict[str, list[Any]]:
        """Return the cells of the identifiers that a table has."""
        kept = {}
        for name in self.ids:
            if name in table.columns:
                column = table.columns[name]
                values = [None if is_missing(v) else v for v in column.values]
                kept[name] = [values[code] for code in column.codes]
        return kept

    def unused(self, table: RawTable) -> list[str]:
        """Return the columns of a table that the training did not have."""
        known = {*self.kinds, *self.ids, *self.left_out, self.target}
        return [name for name in table.columns if name not in known]


@dataclass
class LearnedTable:
    """A table for training: rows with a class, and how they were read."""

    reading: TableReading
    table: RawTable  # the rows with a class
    X: pd.DataFrame
    y: np.ndarray
    facts: list[str]


def learn_table(
    table: RawTable,
    target: str | None,
    *,
    drop: Sequence[str] = (),
    ids: Sequence[str] = (),
    missing: Sequence[str] | None = None,
    order: str | None = None,
) -> LearnedTable:
    """Return what is learned from and predicted, and how it was read.

    `ids` are the identifiers, ["none"] for none; without any they are determined, as
    are the markers of `missing` values if they are None. `order` is that of day and
    month in dates that fit both.
    """
    names = list(table.columns)
    if target is None:
        raise TableFileError(
            f"--target must name the column to predict. {table.name} has "
            f"{listed(names)}."
        )
    target = find_column(target, names, "--target", table.name)
    drop = [find_column(name, names, "--drop", table.name) for name in drop]
    no_ids = [name.lower() for name in ids] == [NO_ID] and NO_ID not in names
    given = [] if no_ids else [find_column(n, names, "--id", table.name) for n in ids]
    if target in (*drop, *given):
        raise TableFileError(
            f"--target must be predicted, not left out. Got {visible(target)!r} as the "
            "target and in --drop or --id. Remove it there."
        )
    labels, has_label = read_labels(table, target, missing)
    facts = [*table.facts]
    if not has_label.all():
        facts.append(f"Rows without {visible(target)}, left out: {(~has_label).sum()}.")
        table, labels = table.take(has_label), labels[has_label]
    check_target(table, target, labels)
    reading = TableReading(target, table.decimal)
    reading.missing = list(missing) if missing else None
    reading.left_out = dict.fromkeys(drop, "--drop")
    reading.ids = [*given]
    learner = _Learner(table, reading, facts, labels)
    learner.learn(find_ids=not ids, order=order)
    X = reading.features(table)
    learner.leave_out_problems(X)
    X = reading.features(table)
    if not X.shape[1]:
        raise TableFileError(
            f"{table.name} must have a column to learn from. Got none beside the "
            f"target{_reasons(reading)}."
        )
    return LearnedTable(reading, table, X, labels, facts)


def _reasons(reading: TableReading) -> str:
    reasons = [f"{visible(name)}: {why}" for name, why in reading.left_out.items()]
    reasons += [f"{visible(name)}: identifies rows" for name in reading.ids]
    return f" ({'; '.join(reasons[:5])})" if reasons else ""


class _Learner:
    """Determines the kinds of columns, and notes what is not obvious."""

    def __init__(
        self,
        table: RawTable,
        reading: TableReading,
        facts: list[str],
        labels: np.ndarray,
    ):
        self._table, self._reading, self._facts = table, reading, facts
        self._labels = labels

    def learn(self, *, find_ids: bool, order: str | None) -> None:
        """Set the kinds of the columns that are used."""
        reading, table = self._reading, self._table
        others = {reading.target, *reading.left_out, *reading.ids}
        for name in table.columns:
            if name in others:
                continue
            if find_ids and self._is_id(name):
                reading.ids.append(name)
                continue
            kind = learn_kind(table, name, reading.missing, order)
            self._facts += kind.facts
            example = next(
                (as_text(v) for v in table.columns[name].values if not is_missing(v)),
                "",
            )
            fact = kind_in_words(name, kind, example, order)
            if fact:
                self._facts.append(fact)
            if kind.kind == "empty":
                reading.left_out[name] = "has no value"
            elif kind.kind == "ambiguous date":
                reading.left_out[name] = "day or month"
            elif kind.kind == "date" and not kind.parts:
                reading.left_out[name] = "has one date only"
            else:
                reading.kinds[name] = kind
        if reading.ids:
            self._facts.append(
                f"Identifier: {listed(reading.ids)}; kept beside predictions, not a "
                "feature."
            )
        self._note_markers()

    def _is_id(self, name: str) -> bool:
        """Return whether a column is named like an identifier and is one."""
        if not is_named_like_identifier(name):
            return False
        column = self._table.columns[name]
        values = column.values
        is_known = not any(map(is_missing, values)) and self._table.n_rows > 1
        is_plain = not any(isinstance(v, float) and not v.is_integer() for v in values)
        if is_known and is_plain and len(values) == self._table.n_rows:
            return True
        if len(values) > max(20, self._table.n_rows / 10):
            self._facts.append(
                f"{visible(name)} is named like an identifier but repeats: it is used "
                f"as a feature. Leave it out with --drop {visible(name)!r} if it names "
                "persons or things; rows of one of them are then in both parts of a "
                "split."
            )
        return False

    def _note_markers(self) -> None:
        """State which markers were counted as missing, and how often."""
        counts: dict[str, int] = {}
        n_empty = 0
        for name, kind in self._reading.kinds.items():
            column = self._table.columns[name]
            for value, count in zip(column.values, column.counts(), strict=True):
                if is_missing(value):
                    n_empty += int(count)
                elif value in kind.missing or _number(value) in kind.missing:
                    text = as_text(value)
                    counts[text] = counts.get(text, 0) + int(count)
        if counts:
            order = sorted(counts, key=lambda text: -counts[text])[:_MOST_MARKERS]
            parts = [f"{visible(text)!r} ({counts[text]})" for text in order]
            if n_empty:
                parts.append(f"empty cells ({n_empty})")
            self._facts.append(f"Counted as missing: {', '.join(parts)}.")
        elif n_empty:
            self._facts.append(f"Counted as missing: empty cells ({n_empty}).")

    def leave_out_problems(self, X: pd.DataFrame) -> None:
        """Leave out columns that identify rows or hold nothing, and note others."""
        _, codes = np.unique(self._labels, return_inverse=True)
        identified = []
        for problem in column_problems(X, codes):
            name = str(problem.column)
            words = visible(problem.words)
            of_text = not pd.api.types.is_numeric_dtype(X[problem.column].dtype)
            if problem.kind in _LEFT_OUT or (problem.kind == "identifier" and of_text):
                if name in self._reading.kinds:
                    del self._reading.kinds[name]
                    self._reading.left_out[name] = problem.kind
                    identified.append(f"{visible(name)} ({problem.kind})")
            elif problem.kind in ("identifier", "equal to the target", "levels alike"):
                self._facts.append(
                    f"{visible(name)} {words} It is used; if that is wrong, "
                    f"leave it out with --drop {visible(name)!r}."
                )
        self._note_many_categories(X)
        if identified:
            self._facts.append(f"Not used: {listed(identified)}.")

    def _note_many_categories(self, X: pd.DataFrame) -> None:
        """Note texts of which most will not occur in new rows."""
        for name in self._reading.kinds:
            if name not in X or pd.api.types.is_numeric_dtype(X[name].dtype):
                continue
            n_distinct, n_known = X[name].nunique(), int(X[name].notna().sum())
            if n_known >= _FEWEST_ROWS and n_distinct > n_known / 2:
                self._facts.append(
                    f"{visible(name)} has {n_distinct} different texts in {n_known} "
                    "rows. Those that new rows have and these have not count as "
                    f"missing; leave it out with --drop {visible(name)!r} if it names "
                    "rows."
                )


def _number(value: Any) -> Any:
    """Return a text as a number if it is one, to be compared with -999."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return None
