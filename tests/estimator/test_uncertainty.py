"""The networks of a fit one by one, and sets of classes."""

import pickle
from dataclasses import replace

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from skdnn import DNNClassifier
from skdnn._estimator.uncertainty import is_split_conformal
from skdnn._network.prediction import Predictor

# private: _spec, _weights, _encoder, _columns and _conformity show what the networks
# are, and what the fit kept of the rows left out


def recipe(**parameters):
    return DNNClassifier(**{"max_iter": 4, "random_state": 0} | parameters)


def plain(**parameters):
    defaults = {
        "hidden_layer_sizes": (8,),
        "learning_rate_init": 0.02,
        "max_iter": 20,
        "n_iter_no_change": np.inf,
        "random_state": 0,
    }
    return DNNClassifier(**defaults | parameters)


@pytest.fixture(scope="module")
def overlapping():
    """Three classes that overlap: 400 rows to fit, 2000 others."""
    X, y = make_classification(
        2400, 6, n_informative=4, n_redundant=0, n_classes=3, flip_y=0.1,
        class_sep=0.8, random_state=0,
    )  # fmt: skip
    return train_test_split(X, y, train_size=400, random_state=0)


@pytest.fixture(scope="module")
def fitted(passengers):
    X, y = passengers
    return recipe().fit(X, y)


def shares(net, X, y, **options):
    sets = net.predict_set(X, **options)
    assert sets.dtype == bool
    assert sets.any(axis=1).all()
    codes = np.searchsorted(net.classes_, y)
    return sets[np.arange(len(y)), codes].mean(), sets.sum(axis=1).mean()


def test_the_recipe_has_eight_networks_whose_average_it_predicts(passengers, fitted):
    X, _ = passengers
    each, factor = fitted.predict_members(X), fitted._spec.inverse_temperature
    assert each.shape == (8, len(X), 2)
    assert factor != 1
    np.testing.assert_allclose(each.sum(axis=2), 1)
    proba = each ** (1 / factor)  # as before calibration
    mean = (proba / proba.sum(axis=2, keepdims=True)).mean(axis=0) ** factor
    mean /= mean.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(mean, fitted.predict_proba(X), atol=1e-6)
    assert each.std(axis=0).max() > 0.01


@pytest.mark.parametrize("n_rows", [1, 3, 240])
def test_networks_together_are_the_networks_alone(n_rows, passengers, fitted):
    rows, spec = passengers[0][:n_rows], fitted._spec
    X = fitted._encoder.encode(fitted._columns.matrix(rows))
    expected = [
        Predictor(replace(spec, members=1), own).proba(X)
        for own in spec.member_weights(fitted._weights)
    ]
    np.testing.assert_allclose(fitted.predict_members(rows), expected, atol=1e-6)


@pytest.mark.filterwarnings("ignore::skdnn.exceptions.BaselineWarning")
@pytest.mark.parametrize("ensemble", [False, True])
def test_one_forward_pass_gives_the_same_bits_as_two(ensemble, passengers, fitted):
    X, y = passengers
    if ensemble:
        fitted = plain(n_estimators=3, max_iter=3).fit(X, y)
    else:
        assert fitted._spec.inverse_temperature != 1
    # private: what the command line and explanations predict by
    proba, each = fitted._proba_and_members(X)
    np.testing.assert_array_equal(proba, fitted.predict_proba(X))
    np.testing.assert_array_equal(each, fitted.predict_members(X))


def test_without_factor_the_mean_of_the_networks_is_the_prediction(iris):
    X, y = iris
    rows = np.arange(0, 150, 2)  # too few to leave any out
    net = recipe().fit(X[rows], y[rows])
    assert net._spec.inverse_temperature == 1
    each = net.predict_members(X)
    np.testing.assert_allclose(each.mean(axis=0), net.predict_proba(X), atol=1e-6)


def test_one_plain_network_is_its_only_member(iris):
    X, y = iris
    net = plain().fit(X, y)
    np.testing.assert_array_equal(net.predict_members(X)[0], net.predict_proba(X))


def test_a_set_holds_what_reaches_the_threshold_and_the_prediction(overlapping):
    X, X_test, y, _ = overlapping
    net = recipe().fit(X, y)
    proba = net.predict_proba(X_test)
    for level in (0.5, 0.8, 0.95):
        least = net._conformity.thresholds(level, 3, by_class=False)[0]
        expected = proba >= least
        expected |= proba == proba.max(axis=1, keepdims=True)
        np.testing.assert_array_equal(net.predict_set(X_test, level), expected)
    assert net.predict_set(X_test, 0.9999).all()  # too few rows
    by_class = net.predict_set(X_test, 0.9, by_class=True)
    scores, codes = net._conformity.proba, net._conformity.y
    for k in range(3):  # the quantile of the rows of the class alone
        own = np.sort(scores[codes == k])[::-1]
        least = own[int(np.ceil(0.9 * (len(own) + 1))) - 1] * (1 - 1e-5)
        top = proba.argmax(axis=1) == k
        np.testing.assert_array_equal(by_class[:, k], (proba[:, k] >= least) | top)


def test_scores_of_the_recipe_are_of_networks_that_left_the_row_out(overlapping):
    X, X_test, y, y_test = overlapping
    net = recipe(max_iter=16).fit(X, y)
    assert len(net._conformity.proba) == len(X)
    np.testing.assert_array_equal(net._conformity.y, y)
    in_training = net.predict_proba(X)[np.arange(len(y)), y]
    unknown = net.predict_proba(X_test)[np.arange(len(y_test)), y_test]
    scores = net._conformity.proba
    assert abs(scores.mean() - unknown.mean()) < 0.03
    assert in_training.mean() > scores.mean() + 0.02
    # the loss of the calibrated mean is what the fit minimised over factors
    assert -np.log(scores).mean() == pytest.approx(-np.log(unknown).mean(), abs=0.1)


KINDS = {
    plain(validation_fraction=0.3): True,
    plain(early_stopping=True, validation_fraction=0.3): True,
    plain(
        early_stopping=True, validation_fraction=0.3, calibration="temperature"
    ): True,
    plain(n_estimators=20, bootstrap=True, oob_score=True): False,
    plain(n_estimators=8, validation_fraction=0.3): False,
    recipe(validation_fraction=0.3): True,
    recipe(): False,
    recipe(n_estimators=2): False,
    recipe(bootstrap=True, n_estimators=2): False,
    recipe(bootstrap=True, n_estimators=4, oob_score=True): False,
}


@pytest.mark.parametrize(("net", "is_split"), KINDS.items(), ids=str)
@pytest.mark.filterwarnings("ignore:.*rows were used by every member")
def test_coverage_of_every_kind_of_fit(net, is_split, overlapping):
    X, X_test, y, y_test = overlapping
    net = clone(net).fit(X, y)
    assert is_split_conformal(net) == is_split
    sizes = []
    for level in (0.7, 0.9):
        share, size = shares(net, X_test, y_test, confidence_level=level)
        # 3 standard errors: of the quantile of 120 rows, and of 2000 rows
        error = (level * (1 - level) * (1 / 120 + 1 / 2000)) ** 0.5
        floor = max(level, net.score(X_test, y_test))
        assert level - 3 * error < share < floor + 3 * error + 0.03
        sizes.append(size)
    assert sizes[0] < sizes[1] < 3
    assert net.predict_set(X_test, 0.9, by_class=True).any(axis=1).all()


def test_validation_rows_given_to_fit(overlapping):
    X, X_test, y, y_test = overlapping
    for net in (plain(), recipe(), plain(n_estimators=3)):
        net.fit(X, y, X_val=X_test[:500], y_val=y_test[:500])
        assert len(net._conformity.proba) == 500
        p = net.predict_proba(X_test[:500])[np.arange(500), y_test[:500]]
        np.testing.assert_allclose(net._conformity.proba, p, rtol=1e-5)
        assert is_split_conformal(net)
        share, _ = shares(net, X_test[500:], y_test[500:])
        assert 0.86 < share < 0.94


@pytest.mark.parametrize("net", [plain(), recipe()], ids=["plain", "recipe"])
def test_scores_of_validation_rows_split_off(net, overlapping):
    X, _, y, _ = overlapping
    weight = 1.0 + np.arange(len(y))  # names the row
    net.set_params(validation_fraction=0.25).fit(X, y, sample_weight=weight)
    rows = np.round(net._conformity.weight).astype(int) - 1
    assert len(rows) == 100
    np.testing.assert_array_equal(net._conformity.y, y[rows])
    p = net.predict_proba(X[rows])[np.arange(100), y[rows]]
    np.testing.assert_allclose(net._conformity.proba, p, rtol=1e-4)


def test_a_level_for_each_class():
    X, y = make_classification(
        4000, 6, n_informative=4, weights=[0.9], class_sep=0.5, random_state=0
    )
    X, X_test, y, y_test = train_test_split(X, y, train_size=1500, random_state=0)
    net = plain(validation_fraction=0.5).fit(X, y)
    rare = y_test == 1
    every, _ = shares(net, X_test[rare], y_test[rare])
    own, _ = shares(net, X_test[rare], y_test[rare], by_class=True)
    assert every < 0.75
    assert own > 0.82


def test_class_weight_does_not_change_what_a_level_means(overlapping):
    X, X_test, y, y_test = overlapping
    rows = np.flatnonzero((y != 2) | (np.arange(len(y)) % 6 == 0))
    kept = np.flatnonzero((y_test != 2) | (np.arange(len(y_test)) % 6 == 0))
    for class_weight in ("balanced", {0: 1, 1: 8, 2: 1}):
        net = plain(validation_fraction=0.4, class_weight=class_weight)
        net.fit(X[rows], y[rows])
        assert net._conformity.weight is None
        assert 0.83 < shares(net, X_test[kept], y_test[kept])[0] < 0.97


def test_sample_weight_counts_in_the_quantile(overlapping):
    X, X_test, y, y_test = overlapping
    # the population has nine rows of class 2 where the table has one
    weight = np.where(y == 2, 9.0, 1.0)
    net = plain(validation_fraction=0.5).fit(X, y, sample_weight=weight)
    sets = net.predict_set(X_test, 0.9)
    hit = sets[np.arange(len(y_test)), y_test]
    of_population = np.average(hit, weights=np.where(y_test == 2, 9.0, 1.0))
    assert 0.85 < of_population < 0.96
    assert not np.isclose(of_population, hit.mean(), atol=0.01)


def test_fits_without_rows_left_out(iris):
    X, y = iris
    with pytest.raises(ValueError, match=r"must have rows .* Set validation_fraction"):
        plain().fit(X, y).predict_set(X)
    with pytest.raises(ValueError, match="from 100 rows on"):
        recipe().fit(X[::2], y[::2]).predict_set(X)
    bagged = plain(n_estimators=2, bootstrap=True).fit(X, y)
    with pytest.raises(ValueError, match="oob_score=True with bootstrap=True"):
        bagged.predict_set(X)
    resumed = plain(warm_start=True, validation_fraction=0.2).fit(X, y)
    assert resumed.predict_set(X).any()
    with pytest.raises(ValueError, match="resumed training"):
        resumed.fit(X, y).predict_set(X)
    given = plain(warm_start=True).fit(X[::2], y[::2])
    given.fit(X[::2], y[::2], X_val=X[1::2], y_val=y[1::2])
    assert len(given._conformity.proba) == 75


def test_several_labels_and_levels_that_are_none(iris):
    X, y = iris
    labels = plain(validation_fraction=0.2).fit(X, np.eye(3, dtype=int)[y])
    with pytest.raises(ValueError, match="may have several"):
        labels.predict_set(X)
    net = plain(validation_fraction=0.2).fit(X, y)
    for level in (0, 1, 90, -0.1, np.nan):
        with pytest.raises(ValueError, match=r"between 0 and 1, such as 0\.9"):
            net.predict_set(X, level)
    for level in ("0.9", None, True):
        with pytest.raises(TypeError, match="a number between 0 and 1"):
            net.predict_set(X, level)
    with pytest.raises(Exception, match="not fitted yet"):
        plain().predict_set(X)


def test_sets_survive_pickle_and_are_missing_in_older_fits(passengers, fitted):
    X, _ = passengers
    again = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(again.predict_set(X), fitted.predict_set(X))
    del again._conformity
    with pytest.raises(ValueError, match="Fit it again"):
        again.predict_set(X)
    assert again.predict(X).shape == (len(X),)
    assert not hasattr(clone(fitted), "_conformity")


def test_a_new_fit_forgets_the_scores(iris):
    X, y = iris
    net = plain(validation_fraction=0.2).fit(X, y)
    with pytest.raises(ValueError, match="must have rows"):
        net.set_params(validation_fraction=None).fit(X, y).predict_set(X)
    ensemble = net.set_params(n_estimators=2, validation_fraction=0.4).fit(X, y)
    assert ensemble.predict_set(X).shape == (150, 3)
    assert ensemble.estimators_[0].predict_set(X).shape == (150, 3)


def test_strings_sparse_rows_pipelines_and_stacked_searches(iris):
    X, y = iris
    names = np.array(["setosa", "versicolor", "virginica"])[y]
    net = plain(validation_fraction=0.3)
    sets = clone(net).fit(csr_matrix(X), names).predict_set(csr_matrix(X))
    np.testing.assert_array_equal(sets, clone(net).fit(X, names).predict_set(X))
    pipe = make_pipeline(MinMaxScaler(), net)
    search = GridSearchCV(pipe, {"dnnclassifier__alpha": [0, 1e-4]}, cv=2)
    best = search.fit(X, names).best_estimator_
    assert best[-1].predict_set(best[:-1].transform(X)).shape == (150, 3)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::skdnn.exceptions.BaselineWarning")
def test_mean_coverage_over_two_hundred_splits():
    X, y = make_classification(
        6000, 5, n_informative=3, n_redundant=0, class_sep=0.6, random_state=0
    )
    rng, level, covered = np.random.default_rng(0), 0.9, []
    for seed in range(200):
        rows = rng.permutation(len(X))[:700]
        net = plain(max_iter=5, validation_fraction=0.5)
        net.set_params(random_state=seed).fit(X[rows[:200]], y[rows[:200]])
        covered.append(shares(net, X[rows[200:]], y[rows[200:]])[0])
    error = np.std(covered) / 200**0.5
    # at most one row in 101 more: the most probable class adds nothing below 0.9
    assert level - 3 * error < np.mean(covered) < level + 1 / 101 + 3 * error


@pytest.mark.slow
def test_mean_coverage_of_the_recipe():
    X, y = make_classification(
        6000, 6, n_informative=4, n_redundant=0, n_classes=3, class_sep=0.8,
        random_state=0,
    )  # fmt: skip
    rng, results = np.random.default_rng(0), []
    for seed in range(20):
        rows = rng.permutation(len(X))
        net = recipe(random_state=seed).fit(X[rows[:200]], y[rows[:200]])
        results.append(shares(net, X[rows[200:2200]], y[rows[200:2200]])[0])
    assert 0.89 < np.mean(results) < 0.93
