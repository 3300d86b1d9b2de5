import numpy as np
from oracles import Bagged, Formula, Logistic
from sklearn.linear_model import LogisticRegression

from skdnn.explain._methods.shuffling import measure_increases
from skdnn.explain._model.opening import open_problem

TRUTH = Logistic([1.0, -0.5, 0.0, 0.25])


def increases_of(model, X, y, n_orders=10, seed=0):
    draw = np.random.RandomState(seed)
    orders = np.array([draw.permutation(len(X)) for _ in range(n_orders)])
    problem = open_problem(model, X)
    return measure_increases(
        problem, y.astype(int), [0, 1, 2, 3], orders, lambda: None
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
