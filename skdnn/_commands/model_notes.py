"""What the command line keeps in a model file beside the network."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from skdnn._commands.training import TrainingData
from skdnn._model_files.archive import read_manifest
from skdnn._runtime.names import visible
from skdnn._table_files.table_file_error import TableFileError
from skdnn._table_files.table_reading import TableReading
from skdnn.explain._report.origin import Origin


@dataclass
class ModelNotes:
    """How the table of a model was read, and what was kept of it."""

    reading: TableReading
    positive: Any
    n_rows: int
    data: str  # name of the file
    seed: int
    checksum: str  # of the rows
    tuning: dict[str, Any] | None = None
    kept: dict[str, Any] | None = None  # rows as plain data

    @classmethod
    def of(cls, data: TrainingData, path: Path, seed: int, n_kept: int) -> "ModelNotes":
        """Return the notes on training data; rows are kept at random."""
        X = data.learned.X
        kept = None
        if n_kept:
            n = min(n_kept, len(X))
            chosen = np.random.default_rng(seed).choice(len(X), n, replace=False)
            kept = _as_data(X.iloc[np.sort(chosen)])
        return cls(
            data.learned.reading,
            data.positive,
            len(X),
            "-" if str(path) == "-" else path.name,
            seed,
            checksum(X),
            kept=kept,
        )

    def as_dict(self) -> dict[str, Any]:
        """Return the notes as data for a JSON file."""
        return {**vars(self), "reading": self.reading.as_dict()}

    def kept_rows(self) -> pd.DataFrame | None:
        """Return the training rows that were kept."""
        return None if self.kept is None else _as_frame(self.kept)

    def origin_of(self, X: pd.DataFrame) -> Origin:
        """Return what is known of whether rows are those of the training.

        The checksum only shows whether they are all of them. Rows that were kept show
        which ones are equal, and if all were kept, which are not.
        """
        if checksum(X) == self.checksum:
            return Origin("all", is_command=True)
        kept = self.kept_rows()
        if kept is None:
            return Origin("unknown", is_command=True)
        # in the dtypes of the rows that were kept
        own = _as_frame(_as_data(X))
        n_shared = int(np.isin(_hashes(own), _hashes(kept[list(own)])).sum())
        if n_shared:
            is_all = n_shared == len(X)
            overlap = "all" if is_all else "some"
            return Origin(overlap, None if is_all else n_shared, is_command=True)
        is_complete = len(kept) == self.n_rows
        return Origin("none" if is_complete else "unknown", is_command=True)


def read_notes(path: Path) -> ModelNotes:
    """Return the notes in a model file; nothing else of it is read.

    ``TableFileError`` if it was not written by the command line.
    """
    if not path.exists():
        raise TableFileError(
            f"There is no model file {visible(str(path))!r}. Check the name, or write "
            "it by skdnn train."
        )
    notes = read_manifest(path)["notes"]
    if not notes or "reading" not in notes:
        raise TableFileError(
            f"{visible(path.name)} does not keep how its table was read, as it was not "
            "written by skdnn train or tune. Use skdnn.io.load in Python, or train "
            "again."
        )
    return ModelNotes(**notes | {"reading": TableReading.from_dict(notes["reading"])})


def checksum(X: pd.DataFrame) -> str:
    """Return a checksum of rows in any order."""
    return hashlib.sha256(np.sort(_hashes(X)).tobytes()).hexdigest()


def _hashes(X: pd.DataFrame) -> np.ndarray:
    """Return a number for each row, equal for rows of equal cells."""
    return np.asarray(pd.util.hash_pandas_object(X, index=False))


def _as_data(X: pd.DataFrame) -> dict[str, Any]:
    columns, dtypes = {}, {}
    for name, cells in X.items():
        dtypes[str(name)] = cells.dtype.kind
        columns[str(name)] = [None if v != v or v is pd.NA else v for v in map(
            _plain, cells.astype(object).tolist())]  # fmt: skip
    return {"dtypes": dtypes, "columns": columns}


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _as_frame(data: dict[str, Any]) -> pd.DataFrame:
    columns: dict[str, Any] = {}
    for name, values in data["columns"].items():
        kind = data["dtypes"][name]
        if kind == "b":
            columns[name] = pd.array(values, dtype="boolean")
        elif kind in "if":
            columns[name] = np.array(values, dtype=np.float64)
        else:
            columns[name] = np.array(values, dtype=object)
    return pd.DataFrame(columns)
