import numpy as np
import pytest
from sklearn.utils import check_random_state

from skdnn._network import initial_weights
from skdnn._network.initial_weights import (
    bin_edges,
    data_driven_weights,
    uniform_weights,
)
from skdnn._network.spec import Hidden, InputEncoding, NetworkSpec

ENCODING = InputEncoding(n_numeric=4, n_flags=2, code_sizes=(9,), bins=4)


@pytest.mark.parametrize("activation", ["relu", "logistic"])
def test_uniform_weights_are_those_of_mlp_classifier(activation, iris):
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier

    peer = MLPClassifier((5, 6), activation=activation, learning_rate_init=1e-30,
                         max_iter=1, random_state=3)  # fmt: skip
    with pytest.warns(ConvergenceWarning):
        peer.fit(*iris)
    name = {"logistic": "sigmoid"}.get(activation, activation)
    hidden = (Hidden(5, name), Hidden(6, name))
    spec = NetworkSpec(4, hidden, 3, "softmax", "float64")
    ours = uniform_weights(spec, check_random_state(3))
    for i in range(3):
        np.testing.assert_allclose(ours[2 * i], peer.coefs_[i], atol=1e-12)
        np.testing.assert_allclose(ours[2 * i + 1], peer.intercepts_[i], atol=1e-12)


def make_rows(n=300, seed=0):
    rng = np.random.default_rng(seed)
    numeric = rng.normal(size=(n, 4)).clip(-3, 3)
    return np.column_stack(
        [numeric, rng.integers(0, 2, (n, 2)), rng.integers(0, 9, n)]
    ).astype(np.float64)


def make_spec(dtype="float64"):
    hidden = (Hidden(16, "selu"), Hidden(8, "selu"))
    return NetworkSpec(7, hidden, 3, "softmax", dtype, encoding=ENCODING)


def draw(X, weight=None, dtype="float64", seed=0):
    weight = np.ones(len(X)) if weight is None else weight
    edges = bin_edges(X[:, :4], weight, ENCODING.bins)
    spec = make_spec(dtype)
    arrays = data_driven_weights(spec, X, weight, edges, check_random_state(seed))
    assert [a.shape for a in arrays] == [array.shape for array in spec.arrays]
    assert {a.dtype.name for a in arrays} == {dtype}
    return arrays


def parts(arrays):
    """Return the arrays of the encoding, and kernel and bias of each layer."""
    return arrays[:5], list(zip(arrays[5::2], arrays[6::2], strict=True))


def test_sums_deviate_by_one_and_outputs_are_zero():
    X = make_rows()
    (functions, embedding, scale, *_), layers = parts(draw(X))
    assert 0 < np.abs(functions).max() < 1e-3
    np.testing.assert_array_equal(scale, 1)
    known = np.vstack([np.zeros(8), embedding])[X[:, 6].astype(int)]
    h = np.column_stack([X[:, :4], np.zeros((len(X), 32)), X[:, 4:6], known])
    for kernel, bias in layers[:-1]:
        sums = h @ kernel / len(kernel) ** 0.5
        np.testing.assert_allclose(sums.std(axis=0), 1, rtol=1e-5)
        # each unit has rows on both sides of zero
        shares = (sums + bias > 0).mean(axis=0)
        assert shares.min() > 0
        assert shares.max() < 1
        sums += bias
        h = 1.0507009873554805 * np.where(
            sums > 0, sums, 1.6732632423543772 * np.expm1(np.minimum(sums, 0))
        )
    for array in layers[-1]:
        np.testing.assert_array_equal(array, 0)


def test_weights_count_as_repeats():
    X = make_rows(90)
    times = np.random.default_rng(1).integers(0, 4, len(X))
    weighted = draw(X, times.astype(float))
    repeated = draw(np.repeat(X, times, axis=0))
    for a, b in zip(weighted, repeated, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-12)


def test_order_of_rows_does_not_matter():
    X = make_rows()
    order = np.random.default_rng(1).permutation(len(X))
    for a, b in zip(draw(X), draw(X[order]), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-12)


def test_of_many_rows_a_sample_is_used(monkeypatch):
    X = make_rows()
    whole = draw(X)
    # private: more rows than the real limit would be slow
    monkeypatch.setattr(initial_weights, "_MAX_ROWS", 100)
    assert not np.allclose(draw(X)[5], whole[5])
    again = [draw(X, seed=3) for _ in range(2)]
    for a, b in zip(*again, strict=True):
        np.testing.assert_array_equal(a, b)


def test_both_precisions_start_alike():
    for a, b in zip(draw(make_rows(), dtype="float32"), draw(make_rows()), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6)


def test_edges_are_quantiles_of_distinct_values():
    column = np.linspace(0, 1, 401)
    starts, widths = bin_edges(column[:, None], np.ones(401), 4)
    np.testing.assert_allclose(starts[0], [0, 0.25, 0.5, 0.75], atol=2e-3)
    np.testing.assert_allclose(starts[0] + widths[0], [0.25, 0.5, 0.75, 1], atol=2e-3)


def test_a_value_of_many_rows_counts_by_the_root_of_its_count():
    distinct = np.linspace(0, 1, 101)
    column = np.concatenate([distinct, np.zeros(9999)])
    starts, _ = bin_edges(column[:, None], np.ones(len(column)), 4)
    # zero weighs 100 of 200: the second bin starts at the next value, not beyond
    assert starts[0, 0] == 0
    assert 0 < starts[0, 1] < 0.05


def test_few_values_are_the_edges_themselves():
    column = np.repeat([0.1, 0.4, 0.7], [5, 1, 30])
    starts, widths = bin_edges(column[:, None], np.ones(36), 4)
    np.testing.assert_array_equal(starts[0], [0.1, 0.4, 1e9, 1e9])
    np.testing.assert_allclose(widths[0], [0.3, 0.3, 1, 1])


@pytest.mark.parametrize("value", [0.0, 2.5])
def test_a_constant_has_no_bins(value):
    starts, widths = bin_edges(np.full((20, 1), value), np.ones(20), 4)
    np.testing.assert_array_equal(starts, 1e9)
    np.testing.assert_array_equal(widths, 1)


def test_rows_of_weight_zero_move_no_edge():
    column = np.random.default_rng(0).normal(size=(200, 1))
    weight = np.ones(220)
    weight[200:] = 0
    far = np.vstack([column, np.full((20, 1), 50.0)])
    for a, b in zip(
        bin_edges(far, weight, 8), bin_edges(column, weight[:200], 8), strict=True
    ):
        np.testing.assert_array_equal(a, b)
