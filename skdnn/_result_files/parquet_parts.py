"""A Parquet file that is written part by part, and is complete or not there."""

import importlib.util
import os
from collections.abc import Iterator
from typing import IO, Any

import pandas as pd

from skdnn._runtime.atomic_file import Writer


def write_parts(
    path: str | os.PathLike[str], parts: Iterator[pd.DataFrame], name: str
) -> int:
    """Write frames of the same columns to one file; return the number of rows.

    `name` is the public function, for messages. Raises ``ImportError`` without pyarrow,
    ``OSError`` if the file cannot be written.
    """
    if importlib.util.find_spec("pyarrow") is None:
        raise ImportError(
            f"{name} needs the package pyarrow. Run pip install pyarrow, or take the "
            "rows of X in parts."
        )
    import pyarrow as pa
    import pyarrow.parquet as pq

    n_rows = 0

    def fill(handle: IO[bytes]) -> None:
        nonlocal n_rows
        writer: Any = None
        try:
            for part in parts:
                schema = None if writer is None else writer.schema
                table = pa.Table.from_pandas(part, schema, preserve_index=False)
                if writer is None:
                    table = table.replace_schema_metadata()
                    writer = pq.ParquetWriter(handle, table.schema)
                writer.write_table(table.replace_schema_metadata())
                n_rows += len(part)
        finally:
            if writer is not None:
                writer.close()

    Writer(name, "rows.parquet").write_parts(path, fill)
    return n_rows
