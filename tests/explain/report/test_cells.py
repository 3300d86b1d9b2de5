import numpy as np
import pandas as pd
import pytest

from skdnn.explain._report.cells import (
    as_column,
    cell_text,
    is_missing,
    n_missing,
    plain,
)


@pytest.mark.parametrize("missing", [None, np.nan, np.float32("nan"), pd.NA, pd.NaT])
def test_missing_cells_of_every_kind(missing):
    assert is_missing(missing)
    assert not is_missing("nan")
    assert not is_missing(0)
    numbers, strings = as_column([1, missing]), as_column(["a", missing])
    assert numbers.dtype == float
    assert np.isnan(numbers[1])
    assert strings[1] is None
    assert n_missing(numbers) == n_missing(strings) == 1


def test_columns_are_numeric_only_if_all_known_cells_are():
    assert as_column([np.int8(1), 2.5]).tolist() == [1.0, 2.5]
    assert as_column([1, "x"]).tolist() == [1, "x"]
    assert as_column([None, None]).tolist() == [None, None]
    late = as_column(pd.to_datetime(["2020-01-01", None]))
    assert late.tolist() == [pd.Timestamp("2020-01-01"), None]


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (1.0, "1"),
        (-0.5, "\N{MINUS SIGN}0.5"),
        (np.nan, "missing"),
        (None, "missing"),
        (pd.NA, "missing"),
        ("a" * 180, "a" * 80 + "…" + "a" * 39),
    ],
)
def test_cells_as_text(cell, text):
    assert cell_text(cell) == text


def test_plain_leaves_no_numpy():
    value = {"a": (np.float32(1), np.int8(2)), "b": np.array([[np.inf]]), "c": object}
    assert plain(value) == {"a": [1.0, 2], "b": [[None]], "c": str(object)}
