import numpy as np
import pytest

from skdnn._streaming.row_sample import RowSample, position_hashes, rank_error


def sampled(n, size, seed, blocks, counts=None):
    sample = RowSample(size, seed)
    values = np.arange(n, dtype=np.float64)
    counts = np.ones(n, dtype=bool) if counts is None else counts
    for part in np.array_split(np.arange(n), blocks):
        sample.add([values[part], -values[part]], counts[part])
    return sample.smallest()


def splitmix64(state):
    """The generator as published, one step, with Python's integers."""
    mask = 2**64 - 1
    z = state & mask
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
    return z ^ (z >> 31)


def test_hashes_are_splitmix64():
    golden = 0x9E3779B97F4A7C15
    expected = [splitmix64((i + 7 * 2**32) * golden) for i in (3, 4, 5)]
    assert position_hashes(3, 6, 7).tolist() == expected


def test_published_values_of_splitmix64():
    # the first outputs of the generator with seed 0 (xoshiro.di.unimi.it/splitmix64.c)
    expected = [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]
    assert position_hashes(1, 4, 0).tolist() == expected


def test_the_sample_does_not_depend_on_blocks():
    one, many = sampled(5000, 100, 3, 1), sampled(5000, 100, 3, 37)
    for a, b in zip(one, many, strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_sample_is_that_of_the_smallest_hashes():
    hashes, positions, rows = sampled(5000, 100, 3, 9)
    order = np.argsort(position_hashes(0, 5000, 3))[:100]
    np.testing.assert_array_equal(positions, order)
    np.testing.assert_array_equal(rows, np.column_stack([order, -order]))
    np.testing.assert_array_equal(hashes, position_hashes(0, 5000, 3)[order])


def test_few_rows_are_all_sampled():
    _, positions, _ = sampled(50, 100, 3, 4)
    assert sorted(positions) == list(range(50))


def test_rows_that_do_not_count_are_left_out():
    _, positions, _ = sampled(1000, 900, 3, 5, counts=np.arange(1000) % 2 == 0)
    assert sorted(positions) == list(range(0, 1000, 2))


def test_shares_are_within_the_stated_error():
    """Of values in the order of rows, the hardest for a sample by position."""
    n, size, n_seeds = 20_000, 500, 200
    worst = []
    for seed in range(n_seeds):
        positions = np.sort(sampled(n, size, seed, 3)[1])
        below = np.arange(1, size + 1) / size
        worst.append(np.abs(below - (positions + 1) / n).max())
    # more than 5% of 200 seeds further: probability 1e-4 if 1% are expected
    assert np.mean(np.array(worst) > rank_error(size, 0.01)) <= 0.05
    # and the bound is not much too large: a tenth is exceeded by some
    assert np.max(worst) > rank_error(size, 0.5)


def test_the_error_that_is_stated():
    assert rank_error(2**16) == pytest.approx(0.0076, abs=5e-5)
