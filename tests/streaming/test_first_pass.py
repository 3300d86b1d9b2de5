import numpy as np
import pandas as pd
import pytest
from optional import require

from skdnn._streaming import limits
from skdnn._streaming.array_files import ArrayFile
from skdnn._streaming.arrow_datasets import ArrowDataset
from skdnn._streaming.first_pass import read_once
from skdnn._streaming.row_sample import rank_error
from skdnn._streaming.table_blocks import LabelledSource
from skdnn._tabular.columns import read_columns
from skdnn._tabular.encoder import fit_encoder


def arrays(folder, X, y, weight=None):
    np.save(folder / "X.npy", X)
    source = ArrayFile(np.load(folder / "X.npy", mmap_mode="r"))
    return LabelledSource(source, np.asarray(y), weight)


@pytest.fixture
def towns(town_folder):
    source = ArrowDataset(require("pyarrow.dataset").dataset(town_folder))
    return LabelledSource(source, "target")


@pytest.mark.parametrize("recipe", [True, False])
def test_the_encoder_of_a_small_table_is_that_in_memory(
    towns, town_table, streams_all, recipe
):
    """In blocks of 1024 rows, all of which fit the sample."""
    X, y = town_table
    first_pass = read_once(towns, "from_dtype", 0, 10_000)
    rows, columns = first_pass.sampled(slice(None)), read_columns(X, "from_dtype")
    assert first_pass.columns == columns
    np.testing.assert_array_equal(rows.X, columns.matrix(X))
    np.testing.assert_array_equal(first_pass.classes[rows.y], y)
    streamed, in_memory = (
        fit_encoder(c, r, w, recipe=recipe, is_sample=s)
        for c, r, w, s in [
            (first_pass.columns, rows.X, rows.weight, True),
            (columns, columns.matrix(X), np.ones(len(y)), False),
        ]
    )
    np.testing.assert_array_equal(streamed.encode(rows.X), in_memory.encode(rows.X))
    assert streamed.input_names(list(X)) == in_memory.input_names(list(X))


def test_classes_and_totals(tmp_path, streams_all):
    rng = np.random.default_rng(0)
    y = np.sort(rng.choice([30, 5, 11], 5000))[::-1]
    weight = rng.integers(0, 3, 5000)
    X = rng.normal(size=(5000, 2)).astype(np.float32)
    first_pass = read_once(arrays(tmp_path, X, y, weight), None, 0, 10_000)
    assert first_pass.classes.tolist() == [5, 11, 30]
    expected = [weight[y == label].sum() for label in (5, 11, 30)]
    np.testing.assert_array_equal(first_pass.totals, expected)
    assert first_pass.n_rows == (weight > 0).sum()
    assert first_pass.largest_weight == 2
    rows = first_pass.sampled(slice(None))
    assert rows.X.dtype == np.float32
    np.testing.assert_array_equal(rows.weight, weight[weight > 0])
    np.testing.assert_array_equal(first_pass.classes[rows.y], y[weight > 0])


def test_levels_beyond_the_limit_count_as_missing(
    town_folder, monkeypatch, streams_all
):
    monkeypatch.setattr(limits, "MOST_LEVELS", 2)
    source = ArrowDataset(require("pyarrow.dataset").dataset(town_folder))
    first_pass = read_once(LabelledSource(source, "target"), "from_dtype", 0, 10_000)
    assert first_pass.columns.codes[2] == {"Bonn": 0, "Ulm": 1}  # the two frequent ones
    assert len(first_pass.columns.codes[3]) <= 2
    codes = first_pass.rows.X[:, 2]
    towns = pd.Series(source_towns(source)).iloc[first_pass.positions].to_numpy()
    is_kept = np.isin(towns, ["Bonn", "Ulm"])
    # a level that is dropped in a block and returns loses the rows before it
    known = ~np.isnan(codes)
    assert (is_kept[known]).all()
    np.testing.assert_array_equal(codes[known] == 1, towns[known] == "Ulm")
    assert known.sum() > 0.9 * is_kept.sum()


def source_towns(source):
    return [
        cell for part in source.parts(["town"]) for cell in part["town"].to_pylist()
    ]


def test_quartiles_of_a_sample_are_within_the_stated_rank_error(tmp_path, streams_all):
    rng = np.random.default_rng(0)
    n = 60_000
    X = np.sort(rng.lognormal(size=(n, 1)), axis=0)  # in order: the hardest
    first_pass = read_once(arrays(tmp_path, X, np.arange(n) % 2), None, 1, 4000)
    sample = first_pass.sampled(slice(None))
    encoder = fit_encoder(
        first_pass.columns, sample.X, sample.weight, recipe=True, is_sample=True
    )
    rank = np.searchsorted(X[:, 0], encoder.fill[0]) / n
    assert abs(rank - 0.5) < rank_error(4000)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (np.arange(3000.0) + 0.5, "continuous"),
        (np.zeros(3000, int), "at least 2 classes"),
        ([f"id {i}" for i in range(3000)], r"at most 500 classes .* such as 'id \d+'"),
    ],
)
def test_labels_that_are_no_classes(tmp_path, monkeypatch, streams_all, y, message):
    monkeypatch.setattr(limits, "MOST_CLASSES", 500)
    X = np.zeros((3000, 2))
    with pytest.raises(ValueError, match=message):
        read_once(arrays(tmp_path, X, y), None, 0, 10_000)


def test_infinity_is_an_error_in_any_block(tmp_path, streams_all):
    X = np.zeros((3000, 2))
    X[2900, 1] = np.inf
    with pytest.raises(ValueError, match="Input X contains infinity"):
        read_once(arrays(tmp_path, X, np.arange(3000) % 2), None, 0, 10_000)


def test_only_weights_of_zero(tmp_path, streams_all):
    table = arrays(tmp_path, np.zeros((30, 2)), np.arange(30) % 2, np.zeros(30))
    with pytest.raises(ValueError, match="Got only zeros"):
        read_once(table, None, 0, 10_000)
