import datetime
import sys

import numpy as np
import pandas as pd
import pytest
from optional import require

from skdnn._table_files.sources import open_source
from skdnn._table_files.table_file_error import TableFileError
from skdnn._table_files.typed_tables import read_excel, read_parquet

FRAME = pd.DataFrame(
    {
        "n": [1, 2, 3],
        "x": [0.5, np.nan, 2.5],
        "s": ["a ", None, "b"],
        "b": [True, False, True],
        "d": pd.to_datetime(["2020-01-05", "2021-03-17", None]),
    }
)


def cells(table, name):
    column = table.columns[name]
    return [column.values[code] for code in column.codes]


@pytest.mark.parametrize("format", ["parquet", "xlsx"])
def test_cells_keep_their_types(format, tmp_path):
    require("pyarrow" if format == "parquet" else "openpyxl")
    path = tmp_path / "a"  # the content decides, not the name
    if format == "parquet":
        FRAME.to_parquet(path)
        table = read_parquet(open_source(str(path)))
    else:
        FRAME.to_excel(tmp_path / "a.xlsx", index=False)
        table = read_excel(open_source(f"{tmp_path}/a.xlsx"))
    assert cells(table, "n") == [1, 2, 3]
    assert cells(table, "x") == [0.5, None, 2.5]
    assert cells(table, "s") == ["a", None, "b"]
    assert cells(table, "b") == [True, False, True]
    assert cells(table, "d")[:2] == [
        datetime.datetime(2020, 1, 5), datetime.datetime(2021, 3, 17),
    ]  # fmt: skip
    assert table.lines.tolist() == [2, 3, 4]


def test_the_first_sheet_that_holds_cells(tmp_path):
    require("openpyxl")
    path = tmp_path / "a.xlsx"
    with pd.ExcelWriter(path) as book:
        pd.DataFrame().to_excel(book, sheet_name="empty", index=False)
        FRAME.to_excel(book, sheet_name="rows", index=False, startrow=2)
    table = read_excel(open_source(str(path)))
    assert table.facts == ["Sheet: 'rows', of 2 in the file."]
    assert table.lines.tolist() == [4, 5, 6]


@pytest.mark.parametrize(
    ("data", "read", "words"),
    [
        (b"PAR1junk" * 9, read_parquet, "not a complete Parquet file"),
        (b"PK\x03\x04junk" * 9, read_excel, "not a complete Excel file"),
    ],
)
def test_damaged_files(data, read, words, tmp_path):
    require("pyarrow")
    require("openpyxl")
    path = tmp_path / "a"
    path.write_bytes(data)
    with pytest.raises(TableFileError, match=words):
        read(open_source(str(path)))


def test_cells_that_are_tables(tmp_path):
    require("pyarrow")
    path = tmp_path / "a.parquet"
    pd.DataFrame({"v": [[1, 2], [3]]}).to_parquet(path)
    with pytest.raises(TableFileError, match="must hold numbers, texts"):
        read_parquet(open_source(str(path)))


def test_a_package_that_is_missing(tmp_path, monkeypatch):
    path = tmp_path / "a.parquet"
    path.write_bytes(b"PAR1")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(TableFileError, match="pip install pyarrow"):
        read_parquet(open_source(str(path)))
