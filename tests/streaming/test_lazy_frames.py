import numpy as np
import pytest
from optional import require

from skdnn._streaming.lazy_frames import LazyFrame

pl = require("polars")


@pytest.mark.parametrize("is_old", [False, True])
def test_pieces_are_the_rows(town_folder, town_table, streams_all, monkeypatch, is_old):
    if is_old:  # polars before 1.34
        monkeypatch.delattr(pl.LazyFrame, "collect_batches")
    source = LazyFrame(pl.scan_parquet(town_folder / "*.parquet"))
    assert source.count_rows() == len(town_table[1])
    pieces = list(source.pieces(["size", "target"]))
    assert len(pieces) > 1
    assert [len(piece.column_names) for piece in pieces] == [2] * len(pieces)
    sizes = np.concatenate([piece["size"].to_numpy() for piece in pieces])
    np.testing.assert_array_equal(sizes, town_table[0]["size"])
