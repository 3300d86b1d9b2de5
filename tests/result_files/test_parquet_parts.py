import pandas as pd
import pytest
from optional import require

from skdnn._result_files import parquet_parts

require("pyarrow")


def parts(n):
    for i in range(n):
        yield pd.DataFrame({"row": [2 * i, 2 * i + 1], "word": ["a", "b"]})


def test_parts_are_put_together(tmp_path):
    assert parquet_parts.write_parts(tmp_path / "a", parts(3), "write_it") == 6
    frame = pd.read_parquet(tmp_path / "a")
    assert frame["row"].tolist() == list(range(6))
    assert frame["word"].tolist() == ["a", "b"] * 3


def test_an_error_leaves_the_file_unchanged(tmp_path):
    def failing():
        yield from parts(2)
        raise RuntimeError("row 5")

    parquet_parts.write_parts(tmp_path / "a", parts(3), "write_it")
    before = (tmp_path / "a").read_bytes()
    with pytest.raises(RuntimeError, match="row 5"):
        parquet_parts.write_parts(tmp_path / "a", failing(), "write_it")
    assert (tmp_path / "a").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_folder_that_is_missing(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"write_it cannot write .* no folder"):
        parquet_parts.write_parts(tmp_path / "no" / "a", parts(1), "write_it")


def test_without_pyarrow(monkeypatch, tmp_path):
    monkeypatch.setattr(parquet_parts.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match="write_it needs the package pyarrow"):
        parquet_parts.write_parts(tmp_path / "a", parts(1), "write_it")
