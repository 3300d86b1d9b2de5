"""Read a table from a file of any format."""

from contextlib import closing

from skdnn._table_files.raw_table import RawTable
from skdnn._table_files.sources import open_source
from skdnn._table_files.text_tables import read_text
from skdnn._table_files.typed_tables import read_excel, read_parquet


def read_table(
    path: str,
    *,
    separator: str | None = None,
    decimal: str | None = None,
    encoding: str | None = None,
    usual_decimal: str | None = None,
) -> RawTable:
    """Return the table at a path, "-" for the standard input; None is detected.

    `usual_decimal` is the decimal sign of a file of text where no cell decides.

    Raises ``TableFileError`` if there is none.
    """
    with closing(open_source(path)) as source:
        if source.format == "text":
            return read_text(
                source,
                separator=separator,
                decimal=decimal,
                encoding=encoding,
                usual_decimal=usual_decimal,
            )
        table = (read_parquet if source.format == "parquet" else read_excel)(source)
    table.decimal = decimal or usual_decimal or table.decimal
    return table
