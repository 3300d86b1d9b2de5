import numpy as np
import pandas as pd
import pytest
from optional import require

from skdnn._streaming import limits
from skdnn._streaming.containers import fits_memory, is_container, open_source


def test_tables_in_memory_are_not_read_in_blocks(town_table):
    pa, pl = require("pyarrow"), require("polars")
    X = town_table[0][["size", "age"]]
    for table in (X, X.to_numpy(), X.to_numpy().tolist(), pl.from_pandas(X),
                  pa.Table.from_pandas(X)):  # fmt: skip
        assert not is_container(table)


def test_containers_and_their_sources(town_table, town_folder):
    dd, ds, pl = (
        require("dask.dataframe"),
        require("pyarrow.dataset"),
        require("polars"),
    )
    frame = dd.from_pandas(town_table[0], npartitions=2)
    kinds = {
        "dataset": ds.dataset(town_folder),
        "LazyFrame": pl.scan_parquet(town_folder),
        "Dask DataFrame": frame,
    }
    for kind, table in kinds.items():
        assert is_container(table)
        source = open_source(table)
        assert source.kind == kind
        assert source.names[:2] == ["size", "age"]


def test_large_maps_are_read_in_blocks(tmp_path):
    limit = limits.IN_MEMORY_BYTES // 8
    small = np.memmap(tmp_path / "a", np.float32, "w+", shape=(limit // 2, 2))
    large = np.memmap(tmp_path / "b", np.float32, "w+", shape=(limit // 2 + 1, 2))
    assert not is_container(small)
    assert is_container(large)
    assert not is_container(np.asarray(large))
    assert not is_container(large[:100])
    assert open_source(large).kind == "memory-mapped array"


def test_the_limit_is_of_float64():
    assert fits_memory(2**23, 2)
    assert not fits_memory(2**23 + 1, 2)


@pytest.mark.parametrize("X", [None, pd.Series([1]), "text", np.float64(1)])
def test_other_objects(X):
    assert not is_container(X)
