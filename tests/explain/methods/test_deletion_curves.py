from dataclasses import replace

import numpy as np
import pytest
from oracles import Formula

from skdnn import explain
from skdnn.explain._methods.deletion_curves import N_ORDERS, compute_deletion_curves
from skdnn.explain._model.opening import open_problem

pytestmark = pytest.mark.usefixtures("outputs_of_any_size")

COEFS = np.array([0.3, 0.2, 0.1, 0.0])


@pytest.fixture(scope="module")
def linear():
    rng = np.random.default_rng(0)
    X = rng.random((60, 4))
    model = Formula(lambda rows: rows @ COEFS)
    return model, X[:10] + 2, X


def curves(linear, values=None):
    model, rows, X = linear
    shap = explain.shap(model, rows, background=X, random_state=0)
    if values is not None:
        shap = replace(shap, values=values(shap.values))
    problem = open_problem(model, rows, background=X)
    draw = np.random.RandomState(0)
    return compute_deletion_curves(problem, {"it": shap}, draw)["it"], shap


def test_steps_are_the_attributions_of_a_linear_classifier(linear):
    result, shap = curves(linear)
    table = result.frame()
    assert table["removed"].tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert table["attribution"].iloc[0] == pytest.approx(shap.predictions[:, 1].mean())
    # the background rows of the curve are some of those of the attributions
    drops = -np.diff(table["attribution"])
    assert drops == pytest.approx(
        COEFS * (linear[1].mean(axis=0) - linear[2].mean(axis=0)), abs=0.1
    )
    assert drops[-1] == pytest.approx(0, abs=1e-12)
    ends = table.iloc[[0, -1]]
    assert ends["attribution"].to_numpy() == pytest.approx(ends["random"].to_numpy())


def test_true_order_beats_chance_and_the_reverse_does_not(linear):
    result, _ = curves(linear)
    assert result.chance == 1 / (1 + N_ORDERS)
    assert result.area < result.areas.min()
    turned, _ = curves(linear, lambda values: -values)
    assert turned.chance == 1
    assert turned.area > turned.areas.max()


def test_chance_is_uniform_for_attributions_that_are_noise(linear):
    rng = np.random.default_rng(0)
    chances = [
        curves(linear, lambda values: rng.normal(size=values.shape))[0].chance
        for _ in range(60)
    ]
    assert 0.35 < np.mean(chances) < 0.65
    assert np.mean(np.array(chances) <= 0.05) < 0.15


def test_several_methods_are_compared_with_the_same_orders(linear):
    model, rows, X = linear
    shap = explain.shap(model, rows, background=X, random_state=0)
    problem = open_problem(model, rows, background=X)
    result = compute_deletion_curves(
        problem,
        {"one": shap, "turned": replace(shap, values=-shap.values)},
        np.random.RandomState(0),
    )
    alone, _ = curves(linear)
    assert result["one"].frame().equals(alone.frame())
    assert result["turned"].area > result["one"].area
    np.testing.assert_array_equal(result["turned"].areas, result["one"].areas)


def test_same_seed_same_bits(linear):
    first, second = (curves(linear)[0] for _ in range(2))
    assert first.frame().equals(second.frame())
    np.testing.assert_array_equal(first.areas, second.areas)


def test_one_column():
    X = np.linspace(0, 1, 20)[:, None]
    result, _ = curves((Formula(lambda rows: rows[:, 0]), X[15:], X))
    assert result.frame()["removed"].tolist() == [0, 1]
    assert result.chance == 1


def test_each_order_has_the_curve_that_it_has_alone():
    rng = np.random.default_rng(0)
    X, d = rng.random((12, 4)), 4
    problem = open_problem(Formula(lambda X: X @ [0.4, 0.3, 0.2, 0.1]), X[:3])
    problem = problem.with_background(X)
    result = explain.shap(problem.target.estimator, X[:3], background=X)
    curve = compute_deletion_curves(
        problem, {"SHAP": result}, np.random.RandomState(0)
    )["SHAP"]
    draw = np.random.RandomState(0)
    back = X[draw.permutation(12)[:10]]
    drawn = np.argsort(draw.random_sample((len(curve.areas), 3, d)), axis=2)
    classes = problem.target.classes_of(X[:3])
    slow = np.zeros((len(drawn), d + 1))
    for (o, i), _ in np.ndenumerate(drawn[:, :, 0]):
        for n_removed in range(d + 1):
            rows = np.tile(X[i], (10, 1))
            removed = drawn[o, i, :n_removed]
            rows[:, removed] = back[:, removed]
            output = problem.target.predict(rows)[:, classes[i]]
            slow[o, n_removed] += output.mean() / 3
    np.testing.assert_allclose(curve.table["random"], slow.mean(axis=0))
    np.testing.assert_allclose(curve.areas, slow[:, 1:-1].mean(axis=1))
