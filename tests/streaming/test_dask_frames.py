import pandas as pd
from optional import require

from skdnn._streaming.dask_frames import DaskFrame

dd = require("dask.dataframe")


def test_pieces_are_the_partitions(town_table):
    X, _ = town_table
    source = DaskFrame(dd.from_pandas(X, npartitions=3))
    assert source.count_rows() == len(X)
    parts = list(source.parts(["age", "size"]))
    assert len(parts) == 3
    pd.testing.assert_frame_equal(pd.concat(parts), X[["age", "size"]])
