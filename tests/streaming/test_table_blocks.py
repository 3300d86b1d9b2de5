import numpy as np
import pandas as pd
import pytest
from optional import require

from skdnn._streaming.array_files import ArrayFile
from skdnn._streaming.arrow_datasets import ArrowDataset
from skdnn._streaming.table_blocks import LabelledSource


@pytest.fixture
def dataset(town_folder):
    return ArrowDataset(require("pyarrow.dataset").dataset(town_folder))


def test_the_target_is_no_feature(dataset, town_table, streams_all):
    X, y = town_table
    table = LabelledSource(dataset, "target")
    assert table.features == list(X)
    blocks = list(table.blocks())
    assert [block.start for block in blocks] == [0, 1024, 2048, 3072]
    assert all(list(block.X) == list(X) for block in blocks)
    np.testing.assert_array_equal(np.concatenate([b.labels for b in blocks]), y)
    whole, labels = table.whole()
    pd.testing.assert_series_equal(whole["size"], X["size"])
    np.testing.assert_array_equal(labels, y)


def test_labels_and_weights_may_be_arrays(dataset, town_table, streams_all):
    X, y = town_table
    weight = np.arange(len(y)) % 3
    table = LabelledSource(dataset, y, weight)
    assert table.n_features == X.shape[1] + 1  # the file has the target, too
    blocks = list(table.blocks())
    np.testing.assert_array_equal(np.concatenate([b.labels for b in blocks]), y)
    np.testing.assert_array_equal(np.concatenate([b.weight for b in blocks]), weight)
    for block, (start, own) in zip(blocks, table.weights(), strict=True):
        assert block.start == start
        np.testing.assert_array_equal(block.weight, own)


def test_errors_before_anything_is_read(dataset, tmp_path):
    with pytest.raises(
        ValueError, match=r"y must be a column of the dataset. Got 'targ"
    ):
        LabelledSource(dataset, "targets")
    with pytest.raises(
        ValueError, match=r"`y` must be an array .*\(4000,\).* Got shape \(3,"
    ):
        LabelledSource(dataset, [1, 2, 3])
    with pytest.raises(ValueError, match=r"`sample_weight` must be an array"):
        LabelledSource(dataset, "target", [1.0])
    mapped = np.memmap(tmp_path / "X", np.float64, "w+", shape=(9, 2))
    with pytest.raises(ValueError, match=r"y must be an array where the columns"):
        LabelledSource(ArrayFile(mapped), "target")


def test_errors_name_the_row(dataset, town_table, streams_all):
    y = town_table[1].astype(object)
    y[2000] = None
    with pytest.raises(ValueError, match=r"Got a missing one at position 2000"):
        list(LabelledSource(dataset, y).blocks())
    for wrong in (-1, np.nan, np.inf):
        weight = np.ones(len(y))
        weight[1500] = wrong
        with pytest.raises(ValueError, match=r"Got (-1.0|nan|inf) at position 1500"):
            list(LabelledSource(dataset, "target", weight).blocks())


def test_rows_must_be_as_many_as_were_counted(dataset, monkeypatch):
    table = LabelledSource(dataset, "target")
    monkeypatch.setattr(table, "n_rows", 5000)
    with pytest.raises(ValueError, match=r"Got 4000 rows, of 5000 that were counted"):
        list(table.blocks())
