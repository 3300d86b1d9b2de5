import numpy as np
import pandas as pd
import pytest
from optional import require

from skdnn import DNNClassifier
from skdnn._streaming.feature_blocks import feature_blocks, sampled_rows


@pytest.fixture(scope="module")
def network(town_table):
    X, y = town_table
    return DNNClassifier(
        (16,), max_iter=5, n_iter_no_change=9, learning_rate_init=0.01, random_state=0
    ).fit(X, y)


@pytest.fixture
def folder(town_folder):
    return require("pyarrow.dataset").dataset(town_folder)


METHODS = ["predict", "predict_proba", "predict_log_proba", "predict_members"]


@pytest.mark.parametrize("method", METHODS)
def test_predictions_are_those_in_memory(
    network, town_table, folder, method, streams_all
):
    """Blocks of 1024 rows, of a file with one column more."""
    pl = require("polars")
    expected = getattr(network, method)(town_table[0])
    for container in (folder, pl.LazyFrame(folder.to_table().to_pandas())):
        got = getattr(network, method)(container)
        assert got.shape == expected.shape
        if method == "predict":
            np.testing.assert_array_equal(got, expected)
        else:
            np.testing.assert_allclose(got, expected, rtol=1e-6)


def test_blocks_are_predicted_bit_by_bit_as_in_memory(
    network, town_table, folder, streams_all
):
    got = network.predict_proba(folder)
    X = town_table[0]
    for start in range(0, len(X), 1024):
        rows = slice(start, start + 1024)
        np.testing.assert_array_equal(got[rows], network.predict_proba(X[rows]))


def test_rows_of_any_table_are_cut_in_blocks(network, town_table):
    pa = require("pyarrow")
    X = town_table[0]
    for table in (X, pa.Table.from_pandas(X, preserve_index=False)):
        blocks = list(feature_blocks(network, table, 1500))
        assert [start for start, _ in blocks] == [0, 1500, 3000]
        frame = pd.concat([rows for _, rows in blocks], ignore_index=True)
        pd.testing.assert_series_equal(frame["size"], X["size"])
    assert [len(rows) for _, rows in feature_blocks(network, [[1, 2]] * 5, 3)] == [3, 2]


def test_a_missing_column_is_named(network, folder, streams_all):
    with pytest.raises(
        ValueError, match=r"Each column of `fit` must be a column .*'town'"
    ):
        next(feature_blocks(network, folder.replace_schema(without_town(folder))))


def without_town(folder):
    schema = folder.schema
    return schema.remove(schema.get_field_index("town"))


def test_sampled_rows_are_drawn_from_all_blocks(
    network, folder, town_table, streams_all
):
    rows = sampled_rows(network, folder, 300, seed=1)
    again = sampled_rows(network, town_table[0], 300, seed=1)
    pd.testing.assert_series_equal(rows["size"], again["size"])
    places = town_table[0]["size"].isin(rows["size"]).to_numpy().nonzero()[0]
    assert len(places) == 300
    assert all(count > 40 for count in np.bincount(places // 1024))
