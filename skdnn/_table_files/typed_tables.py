"""Read a table from Parquet and Excel files, whose cells have types."""

import datetime
import importlib.util
import zipfile
from typing import Any

import numpy as np
import pandas as pd

from skdnn._table_files.raw_table import (
    MAX_COLUMNS,
    RawColumn,
    RawTable,
    check_names,
)
from skdnn._table_files.sources import Source
from skdnn._table_files.table_file_error import TableFileError


def read_parquet(source: Source) -> RawTable:
    """Return the table in a Parquet file."""
    _require("pyarrow", source)
    import pyarrow
    import pyarrow.parquet

    with source.opened() as stream:
        try:
            file = pyarrow.parquet.ParquetFile(pyarrow.PythonFile(stream, mode="r"))
            check_names(file.schema_arrow.names, source.name)
            frame = file.read().to_pandas(ignore_metadata=True)
        except (pyarrow.ArrowException, OSError) as error:
            raise TableFileError(
                f"{source.name} is not a complete Parquet file: {_first(error)}. Write "
                "it again."
            ) from error
    return _table(source, frame, 1)


def read_excel(source: Source) -> RawTable:
    """Return the table in the first sheet of an Excel file that holds cells."""
    _require("openpyxl", source)
    import openpyxl
    from openpyxl.utils.exceptions import InvalidFileException

    with source.opened() as stream:
        try:
            book = openpyxl.load_workbook(stream, read_only=True, data_only=True)
            names = book.sheetnames
            sheets = [book[name] for name in names]
            sheet = next((s for s in sheets if _has_cells(s)), None)
            rows = [] if sheet is None else _rows(sheet, source)
            title = "" if sheet is None else sheet.title
        except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError) as e:
            if isinstance(e, TableFileError):
                raise
            raise TableFileError(
                f"{source.name} is not a complete Excel file: {_first(e)}. Save the "
                "table again as .xlsx or CSV."
            ) from e
    if len(rows) < 2:
        raise TableFileError(
            f"{source.name} has no rows. Its first sheet must hold a line of column "
            "names, and a line for each row."
        )
    first = rows[0][0]
    header = ["" if cell is None else str(cell) for cell in rows[0][1]]
    names_of_columns = check_names(header, source.name)
    frame = pd.DataFrame([cells for _, cells in rows[1:]], dtype=object)
    frame.columns = pd.Index(names_of_columns)
    unnamed = [f"Unnamed: {j}" for j in range(len(header))]
    empty = [n for n in names_of_columns if n in unnamed and frame[n].isna().all()]
    table = _table(source, frame.drop(columns=empty), first)
    table.lines = np.array([number for number, _ in rows[1:]])
    if len(names) > 1:
        table.facts.append(f"Sheet: {title!r}, of {len(names)} in the file.")
    return table


def _require(package: str, source: Source) -> None:
    if importlib.util.find_spec(package) is None:
        raise TableFileError(
            f"{source.name} needs the package {package} to be read. Run pip install "
            f"{package}, or save the table as CSV."
        )


def _first(error: Exception) -> str:
    """Return the first line of an error's text, without its full stop."""
    return (str(error) or type(error).__name__).splitlines()[0].rstrip(".")


def _has_cells(sheet: Any) -> bool:
    """Return whether a sheet, not a chart, holds any cell."""
    if not hasattr(sheet, "iter_rows"):
        return False
    rows = sheet.iter_rows(max_row=100, max_col=100, values_only=True)
    return any(cell is not None for row in rows for cell in row)


def _rows(sheet: Any, source: Source) -> list[tuple[int, tuple[Any, ...]]]:
    """Return the numbers and cells of the rows that are not blank."""
    if (sheet.max_column or 0) > MAX_COLUMNS:
        raise TableFileError(
            f"{source.name} has {sheet.max_column} columns. At most {MAX_COLUMNS} are "
            "read; keep those that matter in a smaller file."
        )
    numbered = enumerate(sheet.iter_rows(values_only=True), start=1)
    rows = [(n, cells) for n, cells in numbered if any(c is not None for c in cells)]
    width = max((len(cells) for _, cells in rows), default=0)
    return [(n, cells + (None,) * (width - len(cells))) for n, cells in rows]


def _table(source: Source, frame: pd.DataFrame, first: int) -> RawTable:
    """Return a frame as a table; its rows are counted on from the names' row."""
    names = check_names([str(name) for name in frame.columns], source.name)
    if not len(frame):
        raise TableFileError(
            f"{source.name} has no rows. It must hold at least one for each class."
        )
    columns = {}
    for name, (_, cells) in zip(names, frame.items(), strict=True):
        columns[name] = _column(name, cells, source)
    return RawTable(source.name, columns, np.arange(len(frame)) + first + 1)


def _column(name: str, cells: pd.Series, source: Source) -> RawColumn:
    if isinstance(cells.dtype, pd.CategoricalDtype):
        cells = cells.astype(object)
    try:
        codes, values = pd.factorize(cells)
    except TypeError as error:  # lists, and other cells that are tables themselves
        raise TableFileError(
            f"The column {name!r} of {source.name} must hold numbers, texts, dates or "
            f"booleans. Got cells such as {cells.dropna().iloc[0]!r:.60}. Leave it out "
            "of the file."
        ) from error
    distinct = [_plain(name, value, source) for value in values.tolist()]
    missing = codes < 0
    if missing.any():
        codes = np.where(missing, len(distinct), codes)
        distinct.append(None)
    return RawColumn(np.asarray(codes, dtype=np.int64), distinct)


def _plain(name: str, value: Any, source: Source) -> Any:
    """Return a cell as text, number, boolean or date."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="replace")
    if isinstance(value, datetime.time):
        return value.strftime("%H:%M:%S")
    if isinstance(value, datetime.timedelta):
        return value.total_seconds()
    if isinstance(value, bool | int | float | datetime.date):
        return value
    try:
        return float(value)  # decimals
    except (TypeError, ValueError) as error:
        raise TableFileError(
            f"The column {name!r} of {source.name} must hold numbers, texts, dates or "
            f"booleans. Got {type(value).__name__}, such as {value!r:.60}. Leave it "
            "out of the file."
        ) from error
