import pandas as pd
from optional import require

from skdnn._streaming.dask_frames import DaskFrame

dd = require("dask.dataframe")


def test_pieces_are_the_partitions(town_table):
    X, _ = town_table
    source = DaskFrame(dd.from_pandas(X, npartitions=3))
    assert source.count_rows() == len(X)
    pieces = list(source.pieces(["age", "size"]))
    assert len(pieces) == 3
    pd.testing.assert_frame_equal(pd.concat(pieces), X[["age", "size"]])
