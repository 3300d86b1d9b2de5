import numpy as np
import pytest

from skdnn._streaming.row_store import RowStore, as_dataset


@pytest.fixture
def filled():
    """A store of rows that hold their number, and the bucket of each."""
    rng = np.random.default_rng(0)
    store, buckets, start = RowStore(3, "float32", 4), [], 0
    for n in (5, 0, 40, 3):
        number = np.arange(start, start + n)
        X = np.column_stack([number, 2 * number, -number]).astype(np.float32)
        buckets.append(rng.integers(4, size=n))
        weight = number.astype(np.float32) + 1
        store.append(X, number.astype(np.int32), weight, buckets[-1])
        start += n
    yield store, np.concatenate(buckets)
    store.close()


def test_each_bucket_holds_its_rows_in_order(filled):
    store, buckets = filled
    np.testing.assert_array_equal(store.counts, np.bincount(buckets, minlength=4))
    for bucket in range(4):
        rows, expected = (
            as_dataset(store.read(bucket)),
            np.flatnonzero(buckets == bucket),
        )
        np.testing.assert_array_equal(rows.y, expected)
        np.testing.assert_array_equal(rows.X[:, 1], 2 * expected)
        np.testing.assert_array_equal(rows.weight, expected + 1)
        assert rows.X.dtype == np.float32
        assert rows.X.flags.c_contiguous


def test_a_full_disk_is_an_error_before_training(monkeypatch):
    store = RowStore(3, "float32", 1)
    with pytest.raises(OSError, match=r"file of 2000\.0 GB\. Got .* Set .* TMPDIR"):
        store.require_space(10**11)
    store.require_space(1000)
    store.close()


def test_no_file_is_left(monkeypatch, tmp_path):
    import tempfile

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    store = RowStore(1, "float64", 1)
    store.append(np.ones((4, 1)), np.zeros(4, np.int32), np.ones(4), np.zeros(4, int))
    store.close()
    assert list(tmp_path.iterdir()) == []
