import numpy as np
import pytest
from optional import require

from skdnn._streaming.lazy_frames import LazyFrame

pl = require("polars")


@pytest.mark.parametrize("is_old", [False, True])
def test_pieces_are_the_rows(town_folder, town_table, streams_all, monkeypatch, is_old):
    if is_old:  # polars before 1.34
        monkeypatch.delattr(pl.LazyFrame, "collect_batches", raising=False)
    source = LazyFrame(pl.scan_parquet(town_folder / "*.parquet"))
    assert source.count_rows() == len(town_table[1])
    parts = list(source.parts(["size", "target"]))
    assert len(parts) > 1
    assert [len(part.column_names) for part in parts] == [2] * len(parts)
    sizes = np.concatenate([part["size"].to_numpy() for part in parts])
    np.testing.assert_array_equal(sizes, town_table[0]["size"])
