import numpy as np
import pandas as pd
import pytest
from scipy import stats

from skdnn.explain._methods.drift import (
    CATEGORIES,
    MISSING_CELLS,
    NUMBERS,
    drift_table,
)


def _table(*columns):
    names = [f"c{j}" for j in range(len(columns))]
    return drift_table(names, list(columns))


def test_tests_are_those_of_scipy():
    rng = np.random.default_rng(0)
    new, old = rng.normal(0.1, 1, 300), rng.normal(size=500)
    few, some = new[:20], old[:30]
    codes = rng.choice(3, 300, p=[0.5, 0.3, 0.2]).astype(float)
    codes_old = rng.choice(3, 500, p=[0.4, 0.3, 0.3]).astype(float)
    holes, holes_old = new.copy(), old.copy()
    holes[:30], holes_old[:20] = np.nan, np.nan
    table = _table(
        (None, new, old), (None, few, some), (["a", "b", "c"], codes, codes_old),
        (None, holes, holes_old),
    )  # fmt: skip
    assert table["test"].tolist() == [
        NUMBERS, NUMBERS, CATEGORIES, NUMBERS, MISSING_CELLS
    ]  # fmt: skip
    counts = [np.bincount(x.astype(int)) for x in (codes, codes_old)]
    expected = [
        stats.ks_2samp(new, old, method="asymp"),
        stats.ks_2samp(few, some, method="exact"),
        stats.chi2_contingency(counts, correction=False),
        stats.ks_2samp(new[30:], old[20:], method="asymp"),
        (0.1 - 0.04, stats.fisher_exact([[30, 270], [20, 480]])[1]),
    ]
    np.testing.assert_allclose(table["statistic"], [e[0] for e in expected])
    p_values = np.array([e[1] for e in expected])
    np.testing.assert_allclose(table["p_value"], p_values)
    # Holm's correction by its definition
    order = np.argsort(p_values)
    largest = 0.0
    for place, at in enumerate(order):
        largest = max(largest, min(1.0, (5 - place) * p_values[at]))
        assert table["p_holm"][at] == pytest.approx(largest)


def test_descriptions_are_of_the_numbers():
    table = _table(
        (None, np.array([1.0, 3, 5]), np.array([2.0, 2, 2, np.nan])),
        (["a", None], np.array([0.0, 0, 0, 1]), np.zeros(4)),
    )
    assert table["description"].tolist() == [
        "median 3, in training 2",
        "missing 0%, in training 25%",
        "“a” 75%, in training 100%",
    ]


def test_rare_categories_are_tested_together():
    rng = np.random.default_rng(0)
    new, old = np.arange(100.0), np.arange(100.0, 200)
    table = _table((np.arange(200), new, old))
    assert table["p_value"].tolist() == [1.0]  # each occurs once: nothing to compare
    new = np.append(rng.choice(2, 90), np.arange(2, 12)).astype(float)
    old = np.append(rng.choice(2, 90), np.arange(12, 22)).astype(float)
    table = _table((np.arange(22), new, old))
    sizes = [[(x == 0).sum(), (x == 1).sum(), 10] for x in (new, old)]
    expected = stats.chi2_contingency(sizes, correction=False)
    assert table["p_value"][0] == pytest.approx(expected[1])


def test_a_category_of_few_expected_rows_is_tested_with_the_next():
    new = np.repeat([0.0, 1, 2], [9, 10, 1])
    old = np.repeat([0.0, 1], [200, 190])
    table = _table((list("abc"), new, old))
    # c is merged with b, the next rare one
    expected = stats.fisher_exact([[9, 11], [200, 190]])[1]
    assert table["p_value"][0] == pytest.approx(expected)
    assert _table((list("ab"), new[7:10], old))["p_value"][0] == 1


def test_false_alarms_are_at_most_at_the_stated_rate():
    rng = np.random.default_rng(0)
    alarms = 0
    for _ in range(200):
        columns = [(None, rng.normal(size=60), rng.normal(size=80)) for _ in range(3)]
        codes = [rng.choice(4, n).astype(float) for n in (60, 80)]
        table = _table(*columns, (list("abcd"), *codes))
        alarms += (table["p_holm"] < 0.05).any()
    assert alarms <= stats.binom(200, 0.05).ppf(0.999)


def test_columns_without_known_numbers():
    nothing = np.full(30, np.nan)
    table = _table((None, nothing, np.arange(30.0)), (None, nothing, nothing))
    assert table["test"].tolist() == [MISSING_CELLS] * 2
    assert table["p_value"][0] < 1e-10
    assert table["p_value"][1] == 1
    assert isinstance(table, pd.DataFrame)
