import io
from pathlib import Path

import pandas as pd
import pytest
from optional import require

from skdnn._table_files.table_file_error import TableFileError
from skdnn._table_files.table_writer import as_bytes, check_ending, disarm

FRAME = pd.DataFrame(
    {"id": ["=cmd|' /C calc'!A0", "@x", "-5", "a"], "p": [-0.5, 0.25, 1.0, 0.0]}
)


def test_formulas_are_disarmed_and_numbers_are_not():
    frame, n = disarm(FRAME.assign(**{"=SUM(A1)": ["+49 x", "+1", "\tx", None]}))
    assert frame["id"].tolist() == ["'=cmd|' /C calc'!A0", "'@x", "-5", "a"]
    assert frame["p"].tolist() == FRAME["p"].tolist()
    assert frame["'=SUM(A1)"].tolist()[:3] == ["'+49 x", "+1", "'\tx"]
    assert n == 5


@pytest.mark.parametrize(
    ("name", "separator", "decimal", "start"),
    [
        ("a.csv", ",", ".", b"id,p\n'=cmd"),
        ("a.csv", ";", ",", b"\xef\xbb\xbfid;p\n'=cmd|' /C calc'!A0;-0,5\n"),
        ("a.tsv", ",", ".", b"id\tp\n"),
        ("a.csv", " ", ".", b"id\tp\n"),
    ],
)
def test_text(name, separator, decimal, start):
    data, n = as_bytes(FRAME, Path(name), separator=separator, decimal=decimal)
    assert data.startswith(start)
    assert n == 2


def test_parquet():
    require("pyarrow")
    mixed = FRAME.assign(id=[1, "=a", None, 2.5])
    data, n = as_bytes(mixed, Path("a.parquet"), separator=",", decimal=".")
    back = pd.read_parquet(io.BytesIO(data))
    assert back["id"].tolist()[:2] == ["1", "=a"]
    assert n == 0


def test_endings():
    check_ending(Path("a.CSV"))
    with pytest.raises(TableFileError, match="must end in"):
        check_ending(Path("a.docx"))
