import numpy as np

from skdnn.explain._methods.novelty_facts import find_pairs, n_as_extreme


def test_numbers_as_extreme_are_counted():
    rng = np.random.default_rng(0)
    training = rng.integers(0, 6, 80).astype(float)
    training[:5] = np.nan
    cells = np.array([-1, 0, 2.5, 3, 5, 9, np.nan])
    result = n_as_extreme(cells, training, True)
    known = training[5:]
    for cell, n in zip(cells, result, strict=True):
        expected = min((known <= cell).sum(), (known >= cell).sum())
        assert n == (5 if np.isnan(cell) else expected)
    codes = np.array([0.0, 0, 1])
    assert n_as_extreme(np.array([0.0, 1, 2]), codes, False).tolist() == [2, 1, 0]
    nothing = np.full(3, np.nan)
    assert n_as_extreme(np.array([1.0, np.nan]), nothing, True).tolist() == [0, 3]


def test_ranges_are_those_of_the_most_similar_rows():
    rng = np.random.default_rng(0)
    x = rng.normal(size=500)
    training = np.column_stack([x, x + 0.1 * rng.normal(size=500)])
    rows = np.array([[1.0, -1.0], [0.5, 0.5]])
    pairs = find_pairs(rows, np.ones((2, 2)), training, [True, True])
    assert pairs.column[1] == -1
    j, other = pairs.column[0], pairs.other[0]
    assert {j, other} == {0, 1}
    distance = np.abs(training[:, other] - rows[0, other])
    assert pairs.n_similar[0] == 50
    # 25 on either side are nearly the 50 nearest
    near = training[np.argsort(distance)[:50], j]
    assert abs(pairs.low[0] - near.min()) < 0.2
    assert abs(pairs.high[0] - near.max()) < 0.2
    assert not pairs.low[0] <= rows[0, j] <= pairs.high[0]


def test_categories_that_similar_rows_lack():
    country = np.repeat([0.0, 1.0], 100)
    city = np.repeat([0.0, 1, 2, 3], 50)
    training = np.column_stack([country, city])
    rows = np.array([[0.0, 3.0], [0.0, 1.0], [1.0, 9.0]])
    pairs = find_pairs(rows, np.ones((3, 2)), training, [False, False])
    assert pairs.column.tolist()[1:] == [-1, -1]  # 9 never occurs: nothing is expected
    assert {pairs.column[0], pairs.other[0]} == {0, 1}
    assert pairs.n_similar[0] == 50
    assert np.isnan(pairs.low[0])


def test_numbers_among_rows_of_one_category():
    rng = np.random.default_rng(0)
    group = np.repeat([0.0, 1.0], 60)
    number = group * 10 + rng.uniform(size=120)
    training = np.column_stack([group, number])
    rows = np.array([[0.0, 10.5]])
    pairs = find_pairs(rows, np.array([[0.0, 1.0]]), training, [False, True])
    assert (pairs.column[0], pairs.other[0]) == (1, 0)
    similar = number[np.arange(50) * 60 // 50]  # of the 60 rows of the category
    assert pairs.low[0] == similar.min()
    assert pairs.high[0] == similar.max()
