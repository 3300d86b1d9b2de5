"""The sets of classes that classifiers predict, alone and in Pipelines."""

import numpy as np
import pytest
from oracles import Formula, WithSets
from sklearn.datasets import make_classification
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from skdnn import DNNClassifier
from skdnn.explain._model.opening import open_problem
from skdnn.explain._model.prediction_sets import find_sets


def network(**parameters):
    defaults = {
        "hidden_layer_sizes": (8,), "learning_rate_init": 0.05, "max_iter": 15,
        "n_iter_no_change": np.inf, "random_state": 0, "validation_fraction": 0.4,
    }  # fmt: skip
    return DNNClassifier(**defaults | parameters)


@pytest.fixture(scope="module")
def rows():
    return make_classification(
        500, 5, n_informative=3, n_redundant=0, n_classes=3, class_sep=0.7,
        n_clusters_per_class=1, random_state=0,
    )  # fmt: skip


def _sets(model, X, level=None):
    problem = open_problem(model, X)
    sets = find_sets(problem)
    return sets, sets.predict(problem, problem.target.predict(problem.X), level)


def test_sets_are_those_of_predict_set(rows):
    X, y = rows
    pipe = make_pipeline(MinMaxScaler(), network()).fit(X[:250], y[:250])
    search = GridSearchCV(
        make_pipeline(MinMaxScaler(), network()),
        {"dnnclassifier__alpha": [1e-4]},
        cv=2,
    ).fit(X[:250], y[:250])
    for model, own in ((pipe, pipe), (search, search.best_estimator_)):
        for level in (0.8, 0.95):
            sets, held = _sets(model, X[250:], level)
            expected = own[-1].predict_set(own[:-1].transform(X[250:]), level)
            np.testing.assert_array_equal(held, expected)
        assert (sets.level, sets.guarantee) == (0.9, "split conformal")


def test_the_level_is_the_smallest_at_which_sets_may_have_several_classes():
    rng = np.random.default_rng(0)
    for flipped, level in ((0.0, 0.99), (0.03, 0.99), (0.07, 0.95), (0.25, 0.9)):
        X = rng.uniform(-1, 1, size=(1000, 1))
        y = (X[:, 0] > 0) ^ (rng.random(1000) < flipped)
        net = network(max_iter=30, alpha=0).fit(X, y)
        sets = find_sets(open_problem(net, X))
        assert sets.level == level
        sizes = {at: net.predict_set(X, at).sum(axis=1).max() for at in (0.9, 0.95)}
        assert all(sizes[at] == 1 for at in sizes if at < level)


def test_sets_of_another_classifier():
    model = WithSets(lambda X: 1 / (1 + np.exp(-X[:, 0])))
    X = np.random.default_rng(0).normal(size=(60, 2))
    sets, held = _sets(model, X)
    assert (sets.level, sets.guarantee) == (0.9, "unknown")
    np.testing.assert_array_equal(held, model.predict_set(X))
    np.testing.assert_array_equal(_sets(model, X, 0.6)[1], model.predict_set(X, 0.6))


def test_levels_that_a_classifier_refuses_are_left_out():
    class Few(WithSets):
        def predict_set(self, X, confidence_level=0.9):
            if confidence_level > 0.97:
                raise ValueError("too few rows")
            return super().predict_set(X, confidence_level)

    X = np.random.default_rng(0).normal(size=(60, 2))
    sets = find_sets(open_problem(Few(lambda X: 1 / (1 + np.exp(-X[:, 0]))), X))
    assert sets.levels == (0.8, 0.9, 0.95)


def test_an_own_predict_set_is_called(rows):
    class Both(DNNClassifier):
        def predict_set(self, X, confidence_level=0.9, *, by_class=False):
            return np.ones((len(X), 3), dtype=bool)

    X, y = rows
    model = Both(**network().get_params()).fit(X, y)
    sets, held = _sets(model, X)
    assert held.all()
    assert sets.guarantee == "unknown"


def test_classifiers_without_sets(rows):
    X, y = rows

    class Wrong(WithSets):
        def predict_set(self, X, confidence_level=0.9):
            return np.ones((len(X), 7), dtype=bool)

    class Fails(WithSets):
        def predict_set(self, X, confidence_level=0.9):
            raise ValueError("no rows left out")

    half = lambda X: np.full(len(X), 0.5)  # noqa: E731
    for model in (Formula(half), Wrong(half), Fails(half)):
        assert find_sets(open_problem(model, X)) is None
    without = network(validation_fraction=None).fit(X, y)
    assert find_sets(open_problem(without, X)) is None
    labels = network().fit(X, np.eye(3, dtype=int)[y])
    assert find_sets(open_problem(labels, X)) is None
