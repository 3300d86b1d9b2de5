import numpy as np
import pytest
from oracles import Bagged, Formula, Logistic
from sklearn.linear_model import LogisticRegression

from skdnn.explain._methods.shuffling import (
    draw_orders,
    measure_increases,
    row_losses,
    shuffled_outputs,
)
from skdnn.explain._model import target as target_module
from skdnn.explain._model.opening import open_problem

TRUTH = Logistic([1.0, -0.5, 0.0, 0.25])


def increases_of(model, X, y, n_orders=10, seed=0):
    draw = np.random.RandomState(seed)
    orders = np.array([draw.permutation(len(X)) for _ in range(n_orders)])
    problem = open_problem(model, X)
    return measure_increases(
        problem, y.astype(int), [0, 1, 2, 3], orders, np.ones(len(X)), lambda: None
    ), orders


def loss_of(proba, y):
    return -np.log(proba[np.arange(len(y)), y.astype(int)])


def test_is_the_increase_of_the_mean_loss_by_loops():
    X, y = TRUTH.draw(60, 0)
    model = Bagged(LogisticRegression(), 4).fit(X, y)
    (means, _, refits), orders = increases_of(model, X, y)
    each = np.zeros((5, 4))
    for j in range(4):
        for order in orders:
            moved = X.copy()
            moved[:, j] = X[order, j]
            for i, member in enumerate([model, *model.estimators_]):
                before, after = member.predict_proba(X), member.predict_proba(moved)
                rise = loss_of(after, y) - loss_of(before, y)
                each[i, j] += rise.mean() / len(orders)
    np.testing.assert_allclose(means, each[0])
    np.testing.assert_allclose(refits, np.cov(each[1:], rowvar=False))


def test_without_members_and_of_an_unused_column():
    X, y = TRUTH.draw(50, 0)
    (means, data, refits), _ = increases_of(TRUTH, X, y)
    assert refits is None
    assert means[2] == 0
    assert (data[2] == 0).all()


def test_blocks_change_nothing(monkeypatch):
    X, y = TRUTH.draw(300, 0)
    whole, _ = increases_of(TRUTH, X, y)
    monkeypatch.setattr("skdnn.explain._model.target._MAX_BLOCK_ROWS", 77)
    parts, _ = increases_of(TRUTH, X, y)
    np.testing.assert_allclose(parts[0], whole[0])
    np.testing.assert_allclose(parts[1], whole[1])


def test_error_is_the_deviation_over_other_rows():
    many, errors = [], []
    for seed in range(400):
        X, y = TRUTH.draw(100, seed)
        (means, data, _), _ = increases_of(TRUTH, X, y, seed=seed)
        many.append(means)
        errors.append(np.diag(data))
    used = [0, 1, 3]
    ratio = np.sqrt(np.mean(errors, axis=0))[used] / np.std(many, axis=0)[used]
    # 400 repeats estimate the deviation within 4%
    assert (ratio > 0.9).all()
    assert (ratio < 1.15).all()


def test_confident_mistakes_stay_finite():
    X = np.arange(20.0)[:, None] * np.ones(4)
    (means, _, _), _ = increases_of(
        Formula(lambda X: (X[:, 0] > 9).astype(float)), X, X[:, 0] <= 9
    )
    assert np.isfinite(means).all()


def weighted_sample(seed, n=100):
    """Return rows drawn more often where column 0 is large, and their weights."""
    X, y = TRUTH.draw(4 * n, seed)
    chance = np.where(X[:, 0] > 0, 0.4, 0.1)
    drawn = np.random.default_rng(seed).random(4 * n) < chance
    weight = 1 / chance[drawn]
    return X[drawn], y[drawn].astype(int), weight / weight.mean()


def weighted_increases(seed, n_orders=10):
    X, y, weight = weighted_sample(seed)
    orders = draw_orders(weight, n_orders, seed)
    problem = open_problem(TRUTH, X)
    return measure_increases(problem, y, [0, 1, 2, 3], orders, weight, lambda: None)


def test_weights_give_the_mean_over_pairs_of_the_population():
    X, y, weight = weighted_sample(0, 40)
    share = weight / weight.sum()
    means, _, _ = weighted_increases_of(X, y, weight, 2000)
    pairs = np.zeros((4, len(X), len(X)))
    for j in range(4):
        for i in range(len(X)):
            moved = np.repeat(X[[i]], len(X), axis=0)
            moved[:, j] = X[:, j]
            code = np.full(len(X), y[i])
            rise = loss_of(TRUTH.predict_proba(moved), code)
            pairs[j, i] = rise - loss_of(TRUTH.predict_proba(X[[i]]), code[:1])
    expected = np.einsum("jig,i,g->j", pairs, share, share)
    np.testing.assert_allclose(means, expected, atol=0.01)
    assert abs(pairs.mean(axis=(1, 2)) - expected).max() > 0.03  # weights matter


def weighted_increases_of(X, y, weight, n_orders):
    orders = draw_orders(weight, n_orders, 0)
    problem = open_problem(TRUTH, X)
    return measure_increases(problem, y, [0, 1, 2, 3], orders, weight, lambda: None)


def test_weighted_error_is_the_deviation_over_other_samples():
    results = [weighted_increases(seed) for seed in range(300)]
    many = np.array([means for means, _, _ in results])
    errors = np.array([np.diag(data) for _, data, _ in results])
    used = [0, 1, 3]
    ratio = np.sqrt(errors.mean(axis=0))[used] / many.std(axis=0)[used]
    # on the safe side by the part that is counted twice
    assert (ratio > 0.9).all()
    assert (ratio < 1.3).all()


def test_orders_are_permutations_or_in_proportion_to_weights():
    equal = draw_orders(np.ones(6), 3, 0)
    assert (np.sort(equal, axis=1) == np.arange(6)).all()
    weight = np.array([0.0, 1.0, 3.0, 0.0])
    orders = draw_orders(weight, 50, 0)
    np.testing.assert_array_equal(
        np.bincount(orders.ravel(), minlength=4), [0, 50, 150, 0]
    )


def test_losses_of_labels_are_added():
    proba = np.array([[0.9, 0.2], [0.4, 0.5]])
    labels = np.array([[1, 0], [1, 1]])
    expected = [-np.log(0.9) - np.log(0.8), -np.log(0.4) - np.log(0.5)]
    np.testing.assert_allclose(row_losses(proba, labels, 2)[:, 0], expected)


@pytest.mark.parametrize("block_cells", [2**20, 256 * 3])
def test_groups_predicted_together_have_the_outputs_of_each_alone(
    monkeypatch, block_cells
):
    # private: _BLOCK_CELLS, so that a group is predicted in several blocks
    monkeypatch.setattr(target_module, "_BLOCK_CELLS", block_cells)
    X = np.random.default_rng(0).random((70, 3))
    target = open_problem(Formula(lambda X: X @ [0.5, 0.3, 0.2]), X).target
    orders = draw_orders(np.ones(70), 5, 0)
    groups = [[0], [2, 1], [1]]
    together = list(shuffled_outputs(target, X, groups, orders))
    for g, columns in enumerate(groups):
        takers, givers, outputs = (
            np.concatenate([part[i] for part in together if part[0] == g])
            for i in (1, 2, 3)
        )
        rows = np.tile(X, (5, 1))
        rows[:, columns] = X[orders.ravel()][:, columns]
        np.testing.assert_array_equal(takers, np.tile(np.arange(70), 5))
        np.testing.assert_array_equal(givers, orders.ravel())
        np.testing.assert_allclose(outputs, target.predict(rows), rtol=1e-12)
