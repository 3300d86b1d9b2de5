from collections import Counter

import numpy as np
import pandas as pd

from skdnn._streaming.level_counts import LevelCounts


def counted(values, size, blocks):
    counts = LevelCounts(size)
    for part in np.array_split(values, blocks):
        places, distinct = pd.factorize(part)
        counts.add(places, distinct.tolist())
    return counts


def test_few_levels_are_counted_exactly():
    values = np.random.default_rng(0).integers(50, size=3000)
    counts = counted(values, 50, 7)
    assert counts.counts == dict(Counter(values.tolist()))
    assert counts.error == 0


def test_missing_values_are_not_counted():
    counts = LevelCounts(5)
    counts.add(np.array([0, -1, 1, 0, -1]), ["a", "b"])
    assert counts.counts == {"a": 2, "b": 1}


def test_the_error_of_many_levels_is_bounded():
    rng = np.random.default_rng(1)
    values = rng.zipf(1.3, size=30_000) % 5000
    true = Counter(values.tolist())
    for blocks in (1, 10, 300):
        counts = counted(values, 100, blocks)
        assert len(counts.counts) <= 100
        assert 0 < counts.error <= len(values) / 101
        for level, count in true.items():
            kept = counts.counts.get(level, 0)
            assert count - counts.error <= kept <= count
