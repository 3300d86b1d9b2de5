"""What the network receives of a table: a transform fitted on the training rows."""

import dataclasses
import pickle

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array, csr_matrix, issparse

from skdnn._tabular import encoder
from skdnn._tabular.columns import Columns, read_columns
from skdnn._tabular.encoder import fit_encoder, has_missing

# private: _DENSE_BYTES and _BLOCK_VALUES are lowered, so that small tables need blocks

NUMBERS = Columns({})
RNG = np.random.default_rng(0)


def fit(X, weight=None, *, columns=NUMBERS, recipe=False):
    weight = np.ones(len(X)) if weight is None else np.asarray(weight, dtype=float)
    return fit_encoder(columns, np.asarray(X), weight, recipe=recipe)


def mixed(n=200, seed=0):
    """Return columns and a matrix of numbers and categories, with missing cells."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "size": np.where(rng.random(n) < 0.2, np.nan, rng.normal(5, 2, n)),
            "kind": rng.choice(["x", "y", "z"], n),
            "town": rng.choice([f"t{i:02}" for i in range(40)], n),
            "count": rng.integers(0, 9, n),
            "open": rng.random(n) < 0.3,
        }
    )
    frame.loc[rng.random(n) < 0.1, "kind"] = None
    columns = read_columns(frame, "from_dtype")
    return columns, columns.matrix(frame), list(frame.columns)


# the plain network


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_numbers_go_in_as_they_are(dtype):
    X = RNG.normal(size=(20, 3)).astype(dtype)
    table = fit(X)
    assert table.encode(X) is X
    assert (table.n_inputs, table.dtype) == (3, np.dtype(dtype).name)


@pytest.mark.parametrize("n", [1, 2, 9, 10])
def test_missing_numbers_become_the_median_and_a_flag(n):
    X = RNG.normal(size=(n + 2, 3)) * [1, 1e30, 1e-30]
    X[:2, 1] = np.nan
    table = fit(X)
    out = table.encode(X)
    expected = np.where(np.isnan(X), np.nanmedian(X, axis=0), X)
    np.testing.assert_array_equal(out[:, :3], expected)
    np.testing.assert_array_equal(out[:, 3], np.isnan(X[:, 1]))
    assert table.input_names(["a", "b", "c"]) == ["a", "b", "c", "b=missing"]


def test_numbers_missing_later_become_the_median():
    X = RNG.normal(size=(21, 2))
    table = fit(X)
    out = table.encode(np.array([[np.nan, 3.0], [1.0, np.nan]]))
    np.testing.assert_array_equal(
        out, [[np.median(X[:, 0]), 3], [1, np.median(X[:, 1])]]
    )


def test_column_that_is_missing_altogether_says_nothing():
    X = np.column_stack([np.full(9, np.nan), np.arange(9.0)])
    table = fit(X)
    assert table.n_inputs == 2
    later = table.encode(np.array([[np.nan, 1], [7e9, 1], [-3.0, 1]]))
    np.testing.assert_array_equal(later, [[0, 1]] * 3)
    with pytest.raises(
        ValueError, match=r"at least one value.*9 training rows of 1 col"
    ):
        fit(np.full((9, 1), np.nan), columns=Columns({0: {}}))


def test_categories_become_a_flag_a_level():
    columns, X, names = mixed()
    table = fit(X, columns=columns)
    out = table.encode(X)
    levels = [f"kind={level}" for level in "xyz"]
    towns = [f"town=t{i:02}" for i in range(40)]
    expected = ["size", "count", "open", "size=missing", *levels, *towns]
    assert table.input_names(names) == expected
    assert (table.n_numeric, table.n_flags, table.code_sizes) == (3, 44, ())
    frame = pd.DataFrame(out, columns=expected)
    for level, code in columns.codes[1].items():
        np.testing.assert_array_equal(frame[f"kind={level}"], X[:, 1] == code)
    # a missing category is no level
    assert (frame.loc[np.isnan(X[:, 1]), levels] == 0).all(axis=None)
    assert (frame[towns].sum(axis=1) == 1).all()


def test_levels_the_training_rows_do_not_have_are_missing():
    columns = Columns({0: {"a": 0, "b": 1, "c": 2}})
    X = np.array([[0.0], [2], [0], [1], [np.nan]])
    table = fit(X[:3], columns=columns)
    assert table.input_names(["k"]) == ["k=a", "k=c"]
    np.testing.assert_array_equal(table.encode(X)[3:], [[0, 0], [0, 0]])


def test_very_many_flags_are_sparse(monkeypatch):
    columns, X, _ = mixed()
    table = fit(X, columns=columns)
    dense = table.encode(X)
    monkeypatch.setattr(encoder, "_DENSE_BYTES", 1000)
    wide = table.encode(X)
    assert issparse(wide)
    assert wide.format == "csr"
    np.testing.assert_array_equal(wide.toarray(), dense)


def test_rows_are_encoded_in_blocks(monkeypatch):
    columns, X, _ = mixed()
    for recipe in (False, True):
        table = fit(X, columns=columns, recipe=recipe)
        whole = table.encode(X)
        with monkeypatch.context() as patch:
            patch.setattr(encoder, "_BLOCK_VALUES", 100)
            np.testing.assert_array_equal(table.encode(X), whole)
        one_by_one = [table.encode(X[i : i + 1])[0] for i in range(len(X))]
        np.testing.assert_array_equal(one_by_one, whole)


# the recipe


def clipped(z):
    return z / np.sqrt(1 + (z / 3) ** 2)


def test_recipe_is_robust_scale_and_smooth_clip():
    X = RNG.standard_t(2, size=(101, 3)) * [1, 1e30, 1e-30] + [5, 0, 0]
    out = fit(X, recipe=True).encode(X)
    low, median, high = np.quantile(X, [0.25, 0.5, 0.75], axis=0)
    np.testing.assert_allclose(out, clipped((X - median) / (high - low)), rtol=1e-12)
    assert np.abs(out).max() < 3


def test_recipe_takes_half_the_range_where_quartiles_coincide():
    x = np.r_[np.zeros(20), -1, 4]
    out = fit(x[:, None], recipe=True).encode(x[:, None])[:, 0]
    np.testing.assert_allclose(out, clipped(x * 2 / 5))


@pytest.mark.parametrize("value", [0.0, 3.5, -1e308, 5e-324])
def test_recipe_makes_constant_columns_zero(value):
    X = np.full((30, 1), value)
    table = fit(X, recipe=True)
    later = np.array([[value], [1e308], [-1e308], [0.1]])
    np.testing.assert_array_equal(table.encode(later), 0)


@pytest.mark.parametrize(
    "x",
    [
        np.r_[np.linspace(0, 1, 50), 1e308, -1e308],
        np.repeat([-1.7e308, 1.7e308], 20),
        np.linspace(0, 1e-310, 40),
        np.r_[np.zeros(30), 1e-320],
        np.r_[np.arange(20) * 1e-30, 1e30],
        np.exp(RNG.normal(0, 60, 80)),
        np.float64([2**53, 2**53 + 2, 2**62, -(2**63)]),
    ],
    ids=["far", "widest", "denormal", "least", "1e30", "heavy", "whole"],
)
def test_recipe_stays_finite_and_in_order(x):
    with np.errstate(all="raise", under="ignore", over="ignore"):
        table = fit(x[:, None], recipe=True)
        out = table.encode(np.r_[x, np.finfo(float).max, np.finfo(float).min][:, None])
    assert np.isfinite(out).all()
    assert np.abs(out).max() <= 3
    ordered = out[: len(x), 0][np.argsort(x)]
    assert (np.diff(ordered) >= 0).all()
    assert ordered[-1] > ordered[0]


def test_recipe_scales_in_float64_and_returns_the_dtype_of_x():
    X = (1e6 + RNG.random((50, 1))).astype(np.float32)
    out = fit(X, recipe=True).encode(X)
    assert out.dtype == np.float32
    precise = fit(X.astype(np.float64), recipe=True).encode(X.astype(np.float64))
    np.testing.assert_array_equal(out, precise.astype(np.float32))
    # the largest numbers of float32 do not overflow on the way
    X = np.float32([[-3e38], [0], [3e38], [1]])
    assert np.isfinite(fit(X, recipe=True).encode(X)).all()


def test_recipe_fills_missing_numbers_with_zero():
    columns, X, _ = mixed()
    table = fit(X, columns=columns, recipe=True)
    out = table.encode(X)
    gone = np.isnan(X[:, 0])
    np.testing.assert_array_equal(out[gone, 0], 0)
    # also where float32 does not hold the median
    between = np.float32([[1], [1 + 2**-23], [np.nan]])
    assert fit(between, recipe=True).encode(between)[2, 0] == 0
    # known cells alone are the scale
    alone = fit(X[~gone, :1], recipe=True).encode(X[~gone, :1])
    np.testing.assert_array_equal(out[~gone, 0], alone[:, 0])


def test_recipe_scales_flags_as_it_does_numbers():
    columns, X, names = mixed()
    plain, table = (fit(X, columns=columns, recipe=recipe) for recipe in (False, True))
    name = "kind=x"
    at = table.input_names(names).index(name)
    assert at == plain.input_names(names).index(name)
    flag = plain.encode(X)[:, [at]]
    np.testing.assert_array_equal(
        table.encode(X)[:, [at]], fit(flag, recipe=True).encode(flag)
    )


def test_recipe_codes_wide_categories():
    columns, X, names = mixed()
    table = fit(X, columns=columns, recipe=True)
    assert table.code_sizes == (41,)
    assert table.input_names(names)[-1] == "town"
    assert table.n_numeric + table.n_flags + 1 == table.n_inputs == 8
    X[:3, 2] = np.nan
    out = table.encode(X)[:, -1]
    np.testing.assert_array_equal(out, np.nan_to_num(X[:, 2] + 1))


@pytest.mark.parametrize(("n_levels", "is_coded"), [(2, 0), (8, 0), (9, 1), (1000, 1)])
def test_recipe_has_a_flag_a_level_up_to_eight(n_levels, is_coded):
    columns = Columns({0: {f"l{i}": i for i in range(n_levels)}})
    X = np.arange(2.0 * n_levels)[:, None] % n_levels
    table = fit(X, columns=columns, recipe=True)
    assert len(table.coded) == is_coded
    assert table.n_inputs == (1 if is_coded else n_levels)
    out = table.encode(X)
    assert len(np.unique(out, axis=0)) == n_levels
    # levels of the training rows count, not those of the column
    few = fit(X[:3], columns=columns, recipe=True)
    assert few.code_sizes == ()


# weights


def random_weights(seed):
    rng = np.random.default_rng(seed)
    columns, X, _ = mixed(int(rng.integers(5, 99)), seed)
    return columns, X, rng.integers(0, 4, len(X))


def same(a, b):
    if isinstance(a, np.ndarray):
        return np.array_equal(a, b)
    if isinstance(a, tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if dataclasses.is_dataclass(a):
        return same(tuple(vars(a).values()), tuple(vars(b).values()))
    return a == b


@pytest.mark.parametrize("recipe", [False, True])
@pytest.mark.parametrize("seed", range(8))
def test_weights_are_repeats(recipe, seed):
    columns, X, weight = random_weights(seed)
    weighted = fit(X, weight, columns=columns, recipe=recipe)
    repeated = fit(np.repeat(X, weight, axis=0), columns=columns, recipe=recipe)
    assert same(weighted, repeated)
    # in any order, and in any unit
    order = np.random.default_rng(seed).permutation(len(X))
    other = fit(X[order], weight[order] * 0.1, columns=columns, recipe=recipe)
    assert same(weighted, other)


def test_equal_weights_are_no_weights():
    columns, X, _ = mixed()
    for weight in (0.1, 1 / 3, 1e-9, 7e9):
        near = np.full(len(X), weight)
        near[0] *= 1 + 1e-15  # not quite equal: another way to the same
        for weights in (np.full(len(X), weight), near):
            assert same(
                fit(X, weights, columns=columns, recipe=True),
                fit(X, columns=columns, recipe=True),
            )


def test_rows_of_no_weight_are_not_there():
    columns, X, _ = mixed()
    counts = np.arange(len(X)) % 3 > 0
    X[~counts, 3] = 1e300
    X[~counts, 4] = np.nan
    with_zeros = fit(X, counts, columns=columns, recipe=True)
    assert same(with_zeros, fit(X[counts], columns=columns, recipe=True))
    assert len(with_zeros.flagged) == 1


# sparse rows


@pytest.mark.parametrize("container", [csr_matrix, csr_array])
@pytest.mark.parametrize("largest", [None, 2.0, 2.0**-6])
def test_sparse_rows_equal_dense_rows(container, largest):
    X = np.where(RNG.random((60, 5)) < 0.8, RNG.normal(size=(60, 5)), 0)
    X[:, 4] += 3
    X[RNG.random((60, 5)) < 0.1] = np.nan
    X[:, 0] = np.nan_to_num(X[:, 0])
    weight = np.ones(60)
    if largest is not None:
        weight = RNG.integers(0, 3, 60) * (largest / 2)
    dense = fit(X, weight)
    sparse = fit_encoder(NUMBERS, container(X), weight, recipe=False)
    assert same(sparse, dense)
    before = container(X)
    out = sparse.encode(before)
    assert issparse(out)
    np.testing.assert_array_equal(out.toarray(), dense.encode(X))
    np.testing.assert_array_equal(before.toarray(), X)


def test_recipe_keeps_the_zeros_of_sparse_rows():
    X = np.where(RNG.random((60, 3)) < [0.3, 0.5, 0.8], RNG.normal(5, 1, (60, 3)), 0)
    X[0, 1] = np.nan
    table = fit_encoder(NUMBERS, csr_matrix(X), np.ones(60), recipe=True)
    out = table.encode(csr_matrix(X)).toarray()
    low, high = np.nanquantile(X, [0.25, 0.75], axis=0, method="averaged_inverted_cdf")
    expected = clipped(np.nan_to_num(X) / (high - low))
    np.testing.assert_allclose(out[1:, :3], expected[1:])
    # half the range of a flag is a half
    np.testing.assert_allclose(out[:, 3], clipped(np.isnan(X[:, 1]) * 2))


# the object


@pytest.mark.parametrize("recipe", [False, True])
def test_table_is_frozen_and_can_be_pickled(recipe):
    columns, X, _ = mixed()
    before = X.copy()
    table = fit(X, columns=columns, recipe=recipe)
    with pytest.raises(dataclasses.FrozenInstanceError):
        table.dtype = "float32"
    again = pickle.loads(pickle.dumps(table))
    np.testing.assert_array_equal(again.encode(X), table.encode(X))
    np.testing.assert_array_equal(before, X)
    assert table.encode(X).shape == (len(X), table.n_inputs)


def test_has_missing():
    X = np.array([[1.0, 1e308], [1e308, 2]])
    assert not has_missing(X)
    assert not has_missing(csr_matrix(X))
    X[0, 0] = np.nan
    assert has_missing(X)
    assert has_missing(csr_matrix(X))
