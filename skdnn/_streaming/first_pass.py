"""One pass over a table: its columns, its classes, and a sample of its rows."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils import check_array
from sklearn.utils.multiclass import check_classification_targets

from skdnn._streaming import limits
from skdnn._streaming.level_counts import LevelCounts
from skdnn._streaming.row_sample import RowSample
from skdnn._streaming.table_blocks import LabelledSource, TableBlock
from skdnn._tabular.columns import (
    Columns,
    distinct_values,
    read_columns,
    sorted_codes,
)
from skdnn._tabular.dataset import Dataset
from skdnn._tabular.labels import find_classes, sorted_classes


@dataclass(frozen=True)
class FirstPass:
    """What one pass over a table has gathered.

    `columns` are its columns, `first` its first rows, `classes` the classes, sorted.
    `totals` is the weight of each class, `n_rows` the number of rows of positive
    weight, `largest_weight` the largest. `rows` are a sample of these, in the order of
    their hashes, with class codes; `hashes` and `positions` are those of the sample.
    """

    columns: Columns
    first: Any
    classes: np.ndarray
    totals: np.ndarray
    n_rows: int
    largest_weight: float
    hashes: np.ndarray
    positions: np.ndarray
    rows: Dataset

    def sampled(self, part: slice) -> Dataset:
        """Return some rows of the sample, in the order of the table."""
        order = np.argsort(self.positions[part])
        return self.rows.take(np.arange(len(self.rows))[part][order])


def read_once(
    table: LabelledSource, categorical_features: Any, seed: int, n_sampled: int
) -> FirstPass:
    """Return what one pass over a table finds; memory does not grow with its rows.

    `n_sampled` rows are sampled, of fewer all.

    Raises ``ValueError`` for a column or a label that `fit` does not accept.
    """
    state: _Pass | None = None
    for block in table.blocks():
        if state is None:
            columns = read_columns(block.X, categorical_features)
            state = _Pass(block.X, columns, RowSample(n_sampled, seed))
        state.add(block)
    assert state is not None
    return state.result()


@dataclass
class _Levels:
    """Levels of a column so far, each with an identifier in place of its code."""

    counts: LevelCounts
    ids: dict[Any, int] = field(default_factory=dict)
    n_ids: int = 0

    def add(self, places: np.ndarray, distinct: Sequence[Any]) -> None:
        self.counts.add(places, distinct)
        for level in distinct:
            if level not in self.ids:
                self.ids[level] = self.n_ids
                self.n_ids += 1

    def forget(self) -> None:
        """Forget the levels that are no longer counted."""
        if len(self.ids) > len(self.counts.counts):
            kept = self.counts.counts
            self.ids = {level: i for level, i in self.ids.items() if level in kept}

    def codes(self) -> dict[Any, int]:
        return sorted_codes(self.ids)

    def final(self, values: np.ndarray) -> np.ndarray:
        """Return codes in place of identifiers; NaN for levels that were dropped."""
        codes = self.codes()
        of_id = np.full(self.n_ids + 1, np.nan, values.dtype)
        for level, i in self.ids.items():
            of_id[i] = codes[level]
        return of_id[np.where(np.isnan(values), self.n_ids, values).astype(np.intp)]


class _Pass:
    """What the blocks so far have shown."""

    def __init__(self, first: Any, columns: Columns, sample: RowSample):
        self._first, self._columns, self._sample = first, columns, sample
        self._levels = {
            j: _Levels(LevelCounts(limits.MOST_LEVELS)) for j in columns.codes
        }
        self._labels: dict[Any, int] = {}
        self._totals = np.zeros(0)
        self._kinds: list[np.ndarray] = []  # distinct labels, in their dtype
        self._dtype: Any = None
        self._n_rows, self._largest = 0, 0.0

    def add(self, block: TableBlock) -> None:
        """Take a block of rows."""
        for j, levels in self._levels.items():
            frame = (
                block.X if isinstance(block.X, pd.DataFrame) else pd.DataFrame(block.X)
            )
            levels.add(*distinct_values(frame.columns[j], frame.iloc[:, j]))
        ids = {j: levels.ids for j, levels in self._levels.items()}
        X = numbers(Columns(ids, self._columns.booleans), block.X)
        for levels in self._levels.values():
            levels.forget()
        if self._dtype is None:
            self._dtype = X.dtype
        X, counts = X.astype(self._dtype, copy=False), block.weight > 0
        codes = self._codes(block.labels, block.weight)
        self._n_rows += int(counts.sum())
        self._largest = max(self._largest, float(block.weight.max()))
        parts = X, codes.astype(X.dtype), block.weight.astype(X.dtype)
        self._sample.add(parts, counts)

    def _codes(self, labels: np.ndarray, weight: np.ndarray) -> np.ndarray:
        """Return the number of each label, in the order of their first rows."""
        places, distinct = pd.factorize(labels)
        new = [label for label in distinct.tolist() if label not in self._labels]
        if new:
            _check_classes(np.asarray(distinct))
            self._kinds.append(np.asarray(distinct))
        for label in new:
            self._labels[label] = len(self._labels)
        if len(self._labels) > limits.MOST_CLASSES:
            raise ValueError(
                f"y must hold at most {limits.MOST_CLASSES} classes where the table is "
                f"read block by block. Got more, such as {new[0]!r}. Name a column of "
                "classes, not of numbers or identifiers."
            )
        of_distinct = np.array([self._labels[label] for label in distinct.tolist()])
        codes = of_distinct[places]
        totals = np.zeros(len(self._labels))
        totals[: len(self._totals)] = self._totals
        self._totals = totals + np.bincount(codes, weight, len(totals))
        return codes

    def result(self) -> FirstPass:
        """Return what the pass has gathered."""
        labels = sorted_classes(np.concatenate(self._kinds))
        classes = find_classes(labels, self._sample.n_rows)
        if not self._n_rows:
            raise ValueError(
                "`sample_weight` must be positive for at least one row. Got only zeros."
            )
        rank = np.array([self._labels[label] for label in classes.tolist()])
        code_of = np.empty(len(rank), np.int32)
        code_of[rank] = np.arange(len(rank))
        hashes, positions, rows = self._sample.smallest()
        X = rows[:, :-2].copy()
        for j, levels in self._levels.items():
            X[:, j] = levels.final(X[:, j])
        y, weight = code_of[rows[:, -2].astype(np.intp)], rows[:, -1].copy()
        codes = {j: levels.codes() for j, levels in self._levels.items()}
        return FirstPass(
            columns=Columns(codes, self._columns.booleans),
            first=self._first,
            classes=classes,
            totals=self._totals[rank],
            n_rows=self._n_rows,
            largest_weight=self._largest,
            hashes=hashes,
            positions=positions,
            rows=Dataset(X, y, weight),
        )


def _check_classes(labels: np.ndarray) -> None:
    """Raise ``ValueError`` for numbers that are no classes."""
    if labels.dtype.kind == "f":
        fractions = labels[labels != np.floor(labels)]
        labels = fractions if len(fractions) else labels
    check_classification_targets(labels[:2])  # which warns of many classes


def numbers(columns: Columns, X: Any) -> np.ndarray:
    """Return rows as numbers and codes, checked: infinity is an error."""
    X = X if columns.is_numeric(X) else columns.matrix(X)
    checked: np.ndarray = check_array(
        X,
        dtype=(np.float64, np.float32),
        ensure_all_finite="allow-nan",
        input_name="X",
        estimator="DNNClassifier",
    )
    return checked
