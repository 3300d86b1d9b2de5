"""From a table as it stands to a matrix of numbers and codes."""

import datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from optional import require
from scipy.sparse import csr_matrix

from skdnn._tabular.columns import Columns, as_table, read_columns
from skdnn.exceptions import ColumnWarning

WORDS = ["b", "a", None, "b"]


def read(X, categorical_features="from_dtype"):
    X = as_table(X)
    columns = read_columns(X, categorical_features)
    return columns, columns.matrix(X)


def column(cells):
    """Return the codes of the only column, None for numbers, and its cells."""
    columns, matrix = read(pd.DataFrame({"c": cells}))
    return columns.codes.get(0), matrix[:, 0]


# what is a category


@pytest.mark.parametrize(
    "cells",
    [
        pd.Series(WORDS, dtype=object),
        pd.Series(WORDS, dtype="str"),
        pd.array(WORDS, dtype="string"),
        pd.Categorical(WORDS),
        pd.Categorical(WORDS, categories=["z", "b", "a"]),
    ],
    ids=["object", "str", "string", "categorical", "unused level"],
)
def test_words_are_categories_whatever_holds_them(cells):
    codes, values = column(cells)
    assert codes == {"a": 0, "b": 1}
    np.testing.assert_array_equal(values, [1, 0, np.nan, 1])


def test_ordered_categories_keep_their_order():
    levels = ["low", "mid", "high", "never"]
    cells = pd.Categorical(["high", "low", "mid"], categories=levels, ordered=True)
    codes, values = column(cells)
    assert list(codes) == ["low", "mid", "high"]
    np.testing.assert_array_equal(values, [2, 0, 1])


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ([1, 2, 3], [1, 2, 3]),
        ([True, False, True], [1, 0, 1]),
        (pd.array([1, None, 3], dtype="Int64"), [1, np.nan, 3]),
        (pd.array([1.5, None, 3], dtype="Float32"), [1.5, np.nan, 3]),
        (pd.array([True, None, False], dtype="boolean"), [1, np.nan, 0]),
        (pd.Series([True, None, False], dtype=object), [1, np.nan, 0]),
        (pd.Series([1, pd.NA, 2.5], dtype=object), [1, np.nan, 2.5]),
        (pd.Series([Decimal("1.5"), None, 2], dtype=object), [1.5, np.nan, 2]),
        (pd.Series([10**400, 1], dtype=object), [np.inf, 1]),
        (pd.Series([np.float32(2), np.int8(3), np.nan], dtype=object), [2, 3, np.nan]),
        (pd.arrays.SparseArray([0, 0, 7.0]), [0, 0, 7]),
        ([np.nan] * 3, [np.nan] * 3),
    ],
    ids=str,
)
def test_numbers_and_truth_values_are_numbers(cells, expected):
    codes, values = column(cells)
    assert codes is None
    np.testing.assert_array_equal(values, expected)


def test_categories_may_mix_kinds():
    codes, values = column(pd.Series(["b", 2, 1.5, None, "a", 10], dtype=object))
    assert list(codes) == [1.5, 2, 10, "a", "b"]
    np.testing.assert_array_equal(values, [4, 1, 0, np.nan, 3, 2])


def test_whole_numbers_beyond_floats_are_told_apart():
    large = [2**60, 2**60 + 1, 2**60]
    for cells in (large, pd.array([*large[:2], None], dtype="Int64")):
        columns, matrix = read(pd.DataFrame({"id": cells}), ["id"])
        assert list(columns.codes[0]) == [2**60, 2**60 + 1]
        np.testing.assert_array_equal(matrix[:2, 0], [0, 1])
    codes, values = column(large)
    assert codes is None
    np.testing.assert_array_equal(values, [2.0**60] * 3)


def test_intervals_are_categories_if_they_are_declared():
    cells = pd.cut([1.0, 5.0, 9.0], [0, 2, 6, 10])
    codes, values = column(cells)
    assert len(codes) == 3
    np.testing.assert_array_equal(values, [0, 1, 2])


@pytest.mark.parametrize(
    "cells", [pd.Series([None, None], dtype=object), pd.Series([None] * 2, dtype="str")]
)
def test_column_without_words_is_a_category_without_levels(cells):
    codes, values = column(cells)
    assert codes == {}
    assert np.isnan(values).all()
    # and takes whatever comes later
    later = Columns({0: {}}).matrix(pd.DataFrame({"c": ["x", "y"]}))
    assert np.isnan(later).all()


@pytest.mark.parametrize(
    ("cells", "match"),
    [
        (pd.to_datetime(["2020-01-01"]), "'c'.*Got dates or times.*days since"),
        (pd.to_timedelta([3], unit="s"), "'c'.*Got dates or times"),
        (pd.period_range("2020", periods=1, freq="Y"), "'c'.*Got dates or times"),
        ([datetime.date(2020, 1, 1)], r"'c'.*Got dates or times.*datetime.date\(2020"),
        ([datetime.time(1)], "'c'.*Got dates or times"),
        (pd.Series(["a", datetime.date(2020, 1, 1)] * 1, dtype=object), "dates"),
        ([1j], "'c'.*Got complex.*Convert it to numbers or strings"),
        ([[1, 2]], r"'c'.*Got list, such as \[1, 2\]"),
        ([b"a"], "'c'.*Got bytes"),
        ([("a", 1)], "'c'.*Got tuple"),
        ([{"a": 1}], "'c'.*Got dict"),
    ],
)
def test_other_kinds_are_refused(cells, match):
    with pytest.raises(ValueError, match=match):
        column(cells)


# later rows


def test_unseen_levels_are_missing():
    columns, _ = read(pd.DataFrame({"c": ["a", "b"]}))
    later = columns.matrix(pd.DataFrame({"c": ["b", "z", None, "a"]}))
    np.testing.assert_array_equal(later[:, 0], [1, np.nan, np.nan, 0])
    with pytest.warns(ColumnWarning, match="no category that it had in fit: 'z'"):
        later = columns.matrix(pd.DataFrame({"c": pd.Categorical(["z"])}))
    assert np.isnan(later).all()
    with pytest.warns(ColumnWarning, match="holds ' A', which was 'a' in fit"):
        columns.matrix(pd.DataFrame({"c": ["b", " A"]}))


def test_booleans_are_found_in_every_dtype():
    cells = [True, None, False]
    frame = pd.DataFrame(
        {
            "object": pd.Series(cells, dtype=object),
            "nullable": pd.array(cells, dtype="boolean"),
            "plain": [True, False, True],
            "number": [1.0, 0.0, 1.0],
        }
    )
    assert read_columns(frame, "from_dtype").booleans == (0, 1, 2)
    assert read_columns(frame, ["plain"]).booleans == (0, 1)


@pytest.mark.parametrize("missing", [[np.nan], pd.array([None], dtype="Int64"), [None]])
def test_missing_cells_of_any_kind_are_missing(missing):
    columns, _ = read(pd.DataFrame({"c": ["a", "b"], "n": [1, 2]}))
    assert np.isnan(columns.matrix(pd.DataFrame({"c": missing, "n": missing}))).all()


def test_another_kind_of_levels_is_refused():
    columns, _ = read(pd.DataFrame({"c": ["a", "b"]}))
    with pytest.raises(
        ValueError, match=r"'c' must hold strings, as in fit.*Got numbers"
    ):
        columns.matrix(pd.DataFrame({"c": [1, 2]}))
    columns, _ = read(pd.DataFrame({"c": pd.Categorical([1, 2])}))
    with pytest.raises(ValueError, match=r"'c' must hold numbers.*Got strings.*'1'"):
        columns.matrix(pd.DataFrame({"c": ["1", "2"]}))
    np.testing.assert_array_equal(
        columns.matrix(pd.DataFrame({"c": [2.0, 1.0]}))[:, 0], [1, 0]
    )


@pytest.mark.parametrize("words", [["1", "2"], pd.Categorical(["x", "y"])])
def test_words_among_numbers_are_refused(words):
    columns, _ = read(pd.DataFrame({"n": [1, 2], "c": ["a", "b"]}))
    with pytest.raises(ValueError, match=r"'n' must hold num.*Got strings.*to_numer"):
        columns.matrix(pd.DataFrame({"n": words, "c": ["a", "b"]}))


# dtypes


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        ({"a": np.float32([1, 2])}, np.float32),
        ({"a": np.float32([1, 2]), "b": [True, False]}, np.float32),
        ({"a": np.float32([1, 2]), "b": np.int16([1, 2])}, np.float32),
        ({"a": np.float32([1, 2]), "b": [1, 2]}, np.float64),
        ({"a": np.float16([1, 2])}, np.float64),
        ({"a": pd.array([1, None], dtype="Float32")}, np.float32),
        ({"a": pd.Series([1, 2], dtype=object)}, np.float64),
        ({}, np.float64),
    ],
    ids=str,
)
def test_float32_stays_float32(frame, expected):
    _, matrix = read(pd.DataFrame({**frame, "c": ["a", "b"]}))
    assert matrix.dtype == expected


def test_tables_of_numbers_are_left_to_scikit_learn():
    frame = pd.DataFrame({"a": [1, 2], "b": [0.5, np.nan]})
    assert Columns({}).is_numeric(frame)
    assert Columns({}).is_numeric(frame.astype(pd.SparseDtype(float)))
    assert Columns({}).is_numeric(frame.to_numpy())
    assert not Columns({}).is_numeric(frame.astype("Float64"))
    assert not Columns({0: {}}).is_numeric(frame)


# categorical_features


@pytest.mark.parametrize(
    "named",
    [["c"], [1], np.array([False, True, False]), (1,), pd.Index(["c", "c"]), [1, 1]],
    ids=str,
)
def test_named_categories(named):
    frame = pd.DataFrame({"n": [0.5, 1], "c": [7, 3], "b": [True, False]})
    columns, matrix = read(frame, named)
    assert columns.codes == {1: {3: 0, 7: 1}}
    np.testing.assert_array_equal(matrix, [[0.5, 1, 1], [1, 0, 0]])


@pytest.mark.parametrize("none", [None, [], [False, False]])
def test_no_categories(none):
    codes = read(pd.DataFrame({"n": [1, 2], "m": pd.Categorical([3, 4])}), none)[0]
    assert codes.codes == {}
    with pytest.raises(ValueError, match=r"'c'.*Got strings.*Name it in categorical"):
        read(pd.DataFrame({"n": [1, 2], "c": ["a", "b"]}), none)


@pytest.mark.parametrize(
    ("named", "match"),
    [
        (["colour"], "must name columns of X. Got 'colour'. Did you mean 'color'"),
        (["zzz"], r"Got 'zzz'. The columns are: \['size', 'color'\]"),
        ([2], r"must be from 0 to 1. Got \[2\]"),
        ([-1], r"must be from 0 to 1. Got \[-1\]"),
        ([True], r"one boolean per column: 2. Got 1"),
        ([0.5], r"names, of positions or of booleans.*Got \[0.5\]"),
        ([["color"]], "names, of positions"),
        (["color", 1], "Got '1'"),
    ],
)
def test_named_categories_that_cannot_be(named, match):
    with pytest.raises(ValueError, match=match):
        read(pd.DataFrame({"size": [1, 2], "color": ["r", "g"]}), named)


def test_categories_of_arrays_are_named():
    rows = [["x", 1.5], ["y", None], ["x", 2]]
    for X in (rows, np.array(rows, dtype=object)):
        columns, matrix = read(X, [0])
        assert columns.codes == {0: {"x": 0, "y": 1}}
        np.testing.assert_array_equal(matrix, [[0, 1.5], [1, np.nan], [0, 2]])
    assert read([["x", 1], ["y", 2]], [0])[1].tolist() == [[0, 1], [1, 2]]
    columns, matrix = read(np.array([[5.0, 1], [4, 2]]), [0])
    np.testing.assert_array_equal(matrix, [[1, 1], [0, 2]])
    assert read_columns(np.array(rows, dtype=object), "from_dtype").codes == {}
    with pytest.raises(ValueError, match="Got a sparse matrix"):
        read_columns(csr_matrix(np.eye(2)), [0])
    with pytest.raises(ValueError, match="Got a sparse matrix"):
        columns.matrix(csr_matrix(np.eye(2)))


# other frames


@pytest.mark.parametrize("library", ["polars", "pyarrow"])
def test_other_frames_equal_pandas(library):
    module = require(library)
    table = module.DataFrame if library == "polars" else module.table
    cells = {
        "word": ["b", None, "a"],
        "float": [1.5, None, 2.0],
        "int": [2**60 + 1, None, 3],
        "plain": [1, 2, 3],
        "bool": [True, None, False],
        "sure": [True, True, False],
        "none": [None, None, None],
        "decimal": [Decimal("1.5"), None, Decimal(2)],
    }
    frame = table(cells)
    like = pd.DataFrame({name: pd.Series(v, dtype=object) for name, v in cells.items()})
    columns, matrix = read(frame)
    expected_columns, expected = read(like)
    assert columns == expected_columns
    assert list(columns.codes) == [0, 6]
    np.testing.assert_array_equal(matrix, expected)
    codes = read_columns(as_table(frame), ["int"]).codes
    assert codes == {2: {3: 0, 2**60 + 1: 1}}


def test_polars_kinds():
    pl = require("polars")
    frame = pl.DataFrame(
        {
            "cat": pl.Series(["b", None, "a"], dtype=pl.Categorical),
            "enum": pl.Series(["lo", "hi", None], dtype=pl.Enum(["lo", "mid", "hi"])),
            "f32": pl.Series([1, None, 3], dtype=pl.Float32),
            "u8": pl.Series([1, None, 3], dtype=pl.UInt8),
        }
    )
    columns, matrix = read(frame)
    assert columns.codes == {0: {"a": 0, "b": 1}, 1: {"lo": 0, "hi": 1}}
    assert list(columns.codes[1]) == ["lo", "hi"]
    assert read(frame.drop("u8"))[1].dtype == np.float32
    np.testing.assert_array_equal(matrix[:, 3], [1, np.nan, 3])
    with pytest.raises(ValueError, match=r"Got a LazyFrame; use .collect"):
        read(frame.lazy())
    for odd in ([datetime.date(2020, 1, 1)], [[1, 2]], [{"a": 1}], [b"a"]):
        with pytest.raises(ValueError, match="Column 'c' must hold numbers"):
            read(pl.DataFrame({"c": odd}))


def test_pyarrow_kinds():
    pa = require("pyarrow")
    words = pa.array(["b", None, "a"]).dictionary_encode()
    numbers = pa.array([5, 3, None]).dictionary_encode()
    columns, _ = read(pa.table({"c": words, "n": numbers}))
    assert columns.codes == {0: {"a": 0, "b": 1}, 1: {3: 0, 5: 1}}
    for dtype in (pd.ArrowDtype(pa.string()), pd.ArrowDtype(words.type)):
        codes, values = column(pd.Series(WORDS, dtype=dtype))
        assert codes == {"a": 0, "b": 1}
        np.testing.assert_array_equal(values, [1, 0, np.nan, 1])
    codes, values = column(pd.Series([1, None], dtype=pd.ArrowDtype(pa.float32())))
    assert codes is None
    np.testing.assert_array_equal(values, [1, np.nan])
    with pytest.raises(ValueError, match="dates or times"):
        column(pd.Series([datetime.date(2020, 1, 1)], dtype=pd.ArrowDtype(pa.date32())))
