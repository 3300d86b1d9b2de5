import gzip
import io
import sys

import pytest

from skdnn._table_files.sources import open_source
from skdnn._table_files.table_file_error import TableFileError

TEXT = b"a,b\n1,x\n2,y\n" * 50


def content(source):
    with source.opened() as stream:
        return stream.read()


def test_a_file_can_be_opened_twice(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(TEXT)
    source = open_source(str(path))
    assert (source.format, source.name) == ("text", "a.csv")
    assert content(source) == content(source) == TEXT


def test_compression_is_recognised_by_content(tmp_path):
    path = tmp_path / "a.csv"  # without .gz
    path.write_bytes(gzip.compress(TEXT, mtime=0))
    assert content(open_source(str(path))) == TEXT


def test_the_standard_input(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(TEXT)))
    source = open_source("-")
    assert source.name == "the standard input"
    assert content(source) == content(source) == TEXT
    source.close()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (b"\x89PNG\r\n", "a PNG picture"),
        (b"%PDF-1.4", "a PDF document"),
        (b"\xd0\xcf\x11\xe0" + bytes(99), "old Excel"),
        (b"BZh91AY", "bzip2"),
        (gzip.compress(TEXT, mtime=0)[:5], "not a complete gzip file"),
    ],
)
def test_what_is_no_table(data, words, tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(data)
    with pytest.raises(TableFileError, match=words):
        open_source(str(path))


def test_a_truncated_gzip_file(tmp_path):
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(TEXT, mtime=0)[:-12])
    source = open_source(str(path))
    with pytest.raises(TableFileError, match="not a complete gzip file"):
        content(source)


def test_names_that_are_not_files(tmp_path):
    (tmp_path / "iris.csv").write_bytes(TEXT)
    for name, words in [
        ("iris.cvs", "Did you mean 'iris.csv'?"),
        ("other", "Check the name and the folder"),
        ("", "is a folder. Name a file in it"),
        ("x" * 300, "no file can have"),
        ("a\0b", "no file can have|no file"),
    ]:
        with pytest.raises(TableFileError, match=words):
            open_source(f"{tmp_path}/{name}")
