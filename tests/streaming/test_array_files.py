import numpy as np
import pytest

from skdnn._streaming.array_files import ArrayFile


@pytest.mark.parametrize("mode", ["r", "r+", "c"])
def test_pieces_are_the_rows(tmp_path, mode, streams_all):
    X = np.random.default_rng(0).normal(size=(2500, 3))
    np.save(tmp_path / "X.npy", X)
    mapped = np.load(tmp_path / "X.npy", mmap_mode=mode)
    source = ArrayFile(mapped[10:])
    assert source.count_rows() == 2490
    np.testing.assert_array_equal(np.concatenate(list(source.parts(None))), X[10:])


@pytest.mark.parametrize("mode", ["r+", "c"])
def test_changes_of_the_user_are_kept(tmp_path, mode, streams_all):
    np.save(tmp_path / "X.npy", np.zeros((2000, 2)))
    mapped = np.load(tmp_path / "X.npy", mmap_mode=mode)
    mapped[0, 0] = 7
    assert next(ArrayFile(mapped).parts(None))[0, 0] == 7
    assert next(iter(ArrayFile(mapped).parts(None)))[0, 0] == 7
    assert mapped[0, 0] == 7
