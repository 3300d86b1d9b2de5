import itertools

import numpy as np
import pandas as pd
import pytest
from oracles import Formula, Linear, correlated
from sklearn.linear_model import LogisticRegression

from skdnn import explain
from skdnn.explain._results.attributions import BreakDown

pytestmark = pytest.mark.usefixtures("outputs_of_any_size")


def means_by_loops(model, row, X, known):
    """Return the mean output when X has the row's cells in some columns."""
    mixed = X.copy()
    for j in known:
        mixed[:, j] = row[j]
    return model.predict_proba(mixed).mean(axis=0)


def by_loops(model, row, X):
    """Break-down as its authors define it: order by single effects, then one by one."""
    d = X.shape[1]
    base = means_by_loops(model, row, X, [])
    alone = [means_by_loops(model, row, X, [j]) - base for j in range(d)]
    order = sorted(range(d), key=lambda j: -np.sqrt((alone[j] ** 2).mean()))
    path = [means_by_loops(model, row, X, order[:s]) for s in range(d + 1)]
    values = np.empty((d, len(base)))
    for (before, after), j in zip(itertools.pairwise(path), order, strict=True):
        values[j] = after - before
    return values, order


def test_is_what_loops_find():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 4))
    model = Formula(lambda X: X[:, 0] * X[:, 1] + np.sin(X[:, 2]) - X[:, 3] / 2)
    result = explain.break_down(model, X[:6], background=X)
    for i in range(6):
        values, order = by_loops(model, X[i], X)
        np.testing.assert_allclose(result.values[i], values, atol=1e-12)
        assert result.orders[i].tolist() == order


def test_of_a_linear_output_is_the_same_in_every_order():
    model, X = Linear([0.3, -0.2]), correlated(60)
    expected = model.attributions(X[:5], X)
    for order in (None, [0, 1], ["x1"]):
        result = explain.break_down(model, X[:5], background=X, order=order)
        np.testing.assert_allclose(result.values[:, :, 1], expected, atol=1e-12)
        np.testing.assert_allclose(result.values[:, :, 0], -expected, atol=1e-12)


def test_who_comes_first_takes_the_interaction():
    X = correlated(90, rho=0.5) + [1.0, 2.0]
    model = Formula(lambda X: X[:, 0] * X[:, 1])
    row, means = X[0], X.mean(axis=0)
    for first in (0, 1):
        result = explain.break_down(model, X[:1], background=X, order=[first])
        assert result.orders[0].tolist() == [first, 1 - first]
        other = 1 - first
        alone = row[first] * means[other] - np.mean(X[:, 0] * X[:, 1])
        assert result.values[0, first, 1] == pytest.approx(alone)
        # by its turn, the other one's partner has the row's cell
        last = row[first] * (row[other] - means[other])
        assert result.values[0, other, 1] == pytest.approx(last)


@pytest.mark.parametrize("output", ["probability", "log_odds"])
def test_sums_to_prediction_less_mean_prediction(people, people_model, output):
    frame, _ = people
    result = explain.break_down(
        people_model, frame[:20], background=frame[20:90], output=output
    )
    np.testing.assert_allclose(result.residual, 0, atol=1e-9)
    assert (result.std_errors == 0).all()
    if output == "probability":
        proba = people_model.predict_proba(frame[20:90])
        np.testing.assert_allclose(result.base_values, proba.mean(axis=0))
        np.testing.assert_allclose(
            result.predictions, people_model.predict_proba(frame[:20])
        )


def test_one_order_for_all_classes_by_size(iris_model):
    model, X, _ = iris_model
    result = explain.break_down(model, X[:3], background=X, random_state=0)
    assert result.orders.shape == (3, 4)
    assert (np.sort(result.orders, axis=1) == np.arange(4)).all()
    sizes = np.sqrt((result.values[0] ** 2).mean(axis=1))
    assert result.orders[0, 0] == sizes.argmax()


def test_result(iris_model):
    model, X, _ = iris_model
    result = explain.break_down(model, X[::30], background=X, random_state=0)
    assert isinstance(result, BreakDown)
    table = result.frame()
    assert list(table.columns) == [
        "sample", "feature", "class", "data", "value", "std_error",
    ]  # fmt: skip
    assert len(table) == 5 * 4 * 3
    assert result.title == "Break-down (by size)"
    assert result.n_background == 100
    part = result[[1, 3]]
    assert isinstance(part, BreakDown)
    np.testing.assert_array_equal(part.orders, result.orders[[1, 3]])
    np.testing.assert_array_equal(result[2].values, result.values[2:3])


def test_constant_column_has_no_attribution():
    X = pd.DataFrame({"a": np.linspace(-1, 1, 30), "one": np.ones(30)})
    model = LogisticRegression().fit(X, X["a"] > 0)
    result = explain.break_down(model, X[:4], background=X)
    assert (result.values[:, 1] == 0).all()


def test_order_names_columns(iris_model):
    model, X, _ = iris_model
    names = list(X.columns)
    result = explain.break_down(model, X[:3], background=X, order=names[::-1])
    assert result.orders.tolist() == [[3, 2, 1, 0]] * 3
    assert result.title == "Break-down (in the order given)"
    assert explain.break_down(model, X[:3], order=[]).method == "by size"
    partial = explain.break_down(model, X[:3], background=X, order=[names[1], -1])
    assert partial.orders[:, :2].tolist() == [[1, 3]] * 3
    with pytest.raises(ValueError, match=r"`order` must name columns.*Did you mean"):
        explain.break_down(model, X, order=["sepal width"])
    with pytest.raises(ValueError, match="`order` must name a column once"):
        explain.break_down(model, X, order=[0, names[0]])
    with pytest.raises(ValueError, match="`order` must be names or positions below 4"):
        explain.break_down(model, X, order=[4])


def test_rows_are_predicted_in_large_blocks():
    calls = []

    def record(X):
        calls.append(len(X))
        return X[:, 0]

    X = np.random.default_rng(0).random((200, 6))
    explain.break_down(Formula(record), X, random_state=0)
    # twice 200 rows x 6 sets x 100 background rows, 50 000 at a time, and a few
    assert len(calls) < 20
    assert sum(calls) < 2 * 200 * 6 * 100 + 1000
