"""What report, train and tune share: the table for training, and the network."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from skdnn._commands.console import Output, is_terminal
from skdnn._runtime.names import visible
from skdnn._table_files.dates import ORDERS
from skdnn._table_files.dialects import BLANK
from skdnn._table_files.raw_table import RawTable, listed
from skdnn._table_files.table_file_error import TableFileError
from skdnn._table_files.table_reader import read_table
from skdnn._table_files.table_reading import LearnedTable, learn_table
from skdnn._table_files.targets import find_positive

_SEPARATORS = {"tab": "\t", "\\t": "\t", "blanks": BLANK}


@dataclass(frozen=True)
class ReadingOptions:
    """The options on how a file is read; None is determined."""

    separator: str | None = None
    decimal: str | None = None
    encoding: str | None = None
    dates: str | None = None

    def read(self, path: Path, usual_decimal: str | None = None) -> RawTable:
        """Return the table at a path; with `usual_decimal` where nothing decides."""
        separator = self.separator
        if separator is not None:
            separator = _SEPARATORS.get(separator, separator)
            if len(separator) != 1 or separator in "\"'\r\n":
                raise TableFileError(
                    "--separator must be one character, tab or blanks, and no quote. "
                    f"Got {visible(self.separator or '')!r}."
                )
        if self.decimal not in (None, ".", ","):
            raise TableFileError(f"--decimal must be . or , Got {self.decimal!r}.")
        if self.dates not in (None, *ORDERS):
            raise TableFileError(
                f"--dates must be {' or '.join(ORDERS)}. Got {visible(self.dates)!r}."
            )
        return read_table(
            str(path),
            separator=separator,
            decimal=self.decimal,
            encoding=self.encoding,
            usual_decimal=usual_decimal,
        )


@dataclass(frozen=True)
class TrainingData:
    """A table for training, with the positive one of two classes."""

    learned: LearnedTable
    positive: Any
    classes: list[Any]

    @property
    def target(self) -> str:
        """Return the name of the column to predict."""
        return self.learned.reading.target


def read_training_data(
    output: Output,
    path: Path,
    target: str | None,
    reading: ReadingOptions,
    *,
    drop: Sequence[str] | None,
    ids: Sequence[str] | None,
    missing: Sequence[str] | None,
    positive: str | None,
) -> TrainingData:
    """Return the table, after printing how it was read."""
    table = reading.read(path)
    learned = learn_table(
        table,
        target,
        drop=drop or (),
        ids=ids or (),
        missing=missing,
        order=reading.dates,
    )
    chosen, fact = find_positive(learned.y, positive)
    classes, counts = np.unique(learned.y, return_counts=True)
    output.heading(f"{table.name}: {table.n_rows} rows, {len(table.columns)} columns")
    for text in learned.facts:
        output.note(text)
    output.note(f"Features ({learned.X.shape[1]}): {_features(learned.X)}.")
    shares = [f"{label} {count}" for label, count in zip(classes, counts, strict=True)]
    output.note(f"Target: {visible(learned.reading.target)}, {len(classes)} classes: "
                f"{listed(shares)}.")  # fmt: skip
    if fact:
        output.note(fact)
    return TrainingData(learned, chosen, classes.tolist())


def _features(X: pd.DataFrame) -> str:
    """Return the names of the columns, those of categories with the number of them."""
    names = []
    for name in X.columns:
        is_text = not pd.api.types.is_numeric_dtype(X[name].dtype)
        names.append(f"{name} ({X[name].nunique()} categories)" if is_text else name)
    return listed(names)


def new_network(seed: int, checkpoint: Path | None = None) -> Any:
    """Return the network that is trained by default, with progress in a terminal."""
    from skdnn import DNNClassifier

    return DNNClassifier(
        random_state=seed, verbose=is_terminal(), checkpoint=checkpoint
    )


def fit_network(network: Any, X: pd.DataFrame, y: np.ndarray) -> Any:
    """Fit a network, and leave out of what is kept how it was run."""
    import warnings

    from skdnn.exceptions import ColumnWarning

    with warnings.catch_warnings():
        # what was noted of the columns of the file covers them
        warnings.simplefilter("ignore", ColumnWarning)
        network.fit(X, y)
    return network.set_params(verbose=False, checkpoint=None)
