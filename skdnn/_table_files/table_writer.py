"""Write a table to a file that people open, often in a spreadsheet."""

import io
from pathlib import Path
from typing import Any

import pandas as pd

from skdnn._runtime.names import visible
from skdnn._table_files.dialects import BLANK
from skdnn._table_files.number_formats import looks_like_number
from skdnn._table_files.table_file_error import TableFileError

_ENDINGS = (".csv", ".tsv", ".txt", ".parquet")
# A spreadsheet runs a cell that begins so as a formula, even one of a CSV file.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def check_ending(path: Path) -> None:
    """Raise unless a path ends like a format that can be written."""
    if path.suffix.lower() not in _ENDINGS:
        raise TableFileError(
            f"The output must end in {', '.join(_ENDINGS)}. Got {visible(path.name)!r}."
        )


def as_bytes(
    frame: pd.DataFrame, path: Path | None, *, separator: str, decimal: str
) -> tuple[bytes, int]:
    """Return the content of a file, and in how many cells a formula was disarmed.

    None is CSV. `separator` and `decimal` are those of CSV files; tabs replace blanks,
    between which an empty cell would be lost.
    """
    if path is not None and path.suffix.lower() == ".parquet":
        return _as_parquet(frame), 0
    if separator == BLANK or (path is not None and path.suffix.lower() == ".tsv"):
        separator = "\t"
    disarmed, n_cells = disarm(frame)
    text = io.StringIO()
    disarmed.to_csv(
        text, index=False, sep=separator, decimal=decimal, lineterminator="\n"
    )
    # files with semicolons are those of Excel, which takes UTF-8 by its mark only
    codec = "utf-8-sig" if separator == ";" and path is not None else "utf-8"
    return text.getvalue().encode(codec, errors="replace"), n_cells


def disarm(frame: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Put a quote before texts that a spreadsheet would run; return how many.

    Numbers with a sign are left alone.
    """
    counts = 0

    def plain(cell: Any) -> Any:
        nonlocal counts
        is_text = isinstance(cell, str) and cell.startswith(_FORMULA)
        if not is_text or looks_like_number(cell):
            return cell
        counts += 1
        return f"'{cell}"

    columns = [
        cells if pd.api.types.is_numeric_dtype(cells.dtype) else cells.map(plain)
        for _, cells in frame.items()
    ]
    names = [plain(str(name)) for name in frame.columns]
    return pd.concat(columns, axis=1, keys=names), counts


def _as_parquet(frame: pd.DataFrame) -> bytes:
    import importlib.util

    if importlib.util.find_spec("pyarrow") is None:
        raise TableFileError(
            "A Parquet file needs the package pyarrow. Run pip install pyarrow, or "
            "name an output that ends in .csv."
        )
    mixed = {
        name: cells.map(lambda cell: None if cell is None else str(cell))
        for name, cells in frame.items()
        if cells.dtype == object and pd.api.types.infer_dtype(cells).startswith("mixed")
    }
    buffer = io.BytesIO()
    frame.assign(**{str(name): cells for name, cells in mixed.items()}).to_parquet(
        buffer, index=False
    )
    return buffer.getvalue()
