"""Probabilities that can be believed, and rows that are rare."""

import numpy as np
import pytest
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score, log_loss
from sklearn.model_selection import GridSearchCV, TunedThresholdClassifierCV
from sklearn.model_selection import train_test_split as split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdnn import DNNClassifier
from skdnn import model_selection as ours
from skdnn._estimator.calibration import OutOfFoldScores

# private: _spec, _weights and _training_summary hold the fitted inverse temperature and
# the validation scores, which have no public attribute


@pytest.fixture(scope="module")
def noisy():
    """Rows whose classes overlap: a network that learns them by heart is too sure."""
    X, y = make_classification(
        500, 10, n_informative=4, flip_y=0.25, class_sep=0.7, random_state=0
    )
    return split(X, y, test_size=0.5, stratify=y, random_state=0)


def sure(**parameters):
    settings = {
        "learning_rate_init": 0.02,
        "max_iter": 60,
        "n_iter_no_change": np.inf,
        "validation_fraction": 0.4,
        "random_state": 0,
    }
    return DNNClassifier((32,), **settings | parameters)


# a network that is so sure may be worse than the class shares before calibration
@pytest.mark.filterwarnings("ignore::skdnn.exceptions.BaselineWarning")
def test_temperature_makes_probabilities_less_sure(noisy):
    X, X_test, y, y_test = noisy
    plain, calibrated = sure().fit(X, y), sure(calibration="temperature").fit(X, y)
    factor = calibrated._spec.inverse_temperature
    assert 0.2 < factor < 0.7
    # only how sure: the same weights, classes and order
    for a, b in zip(plain._weights, calibrated._weights, strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(plain.predict(X_test), calibrated.predict(X_test))
    p, q = plain.predict_proba(X_test), calibrated.predict_proba(X_test)
    odds, mended_odds = (np.log(a[:, 1] / a[:, 0]) for a in (p, q))
    np.testing.assert_allclose(mended_odds, factor * odds, atol=1e-6)
    assert log_loss(y_test, q) < 0.8 * log_loss(y_test, p)
    np.testing.assert_allclose(np.exp(calibrated.predict_log_proba(X_test)), q)
    np.testing.assert_allclose(calibrated.model_(X_test).numpy(), q, atol=1e-12)
    reliability_of = calibrated._training_summary.reliability
    assert reliability_of.after < reliability_of.before / 2
    words = f"logits times {factor:.2f}; expected calibration error"
    assert words in calibrated.summary()
    assert "reliability" not in plain.summary()


def test_factor_is_the_best_of_a_logistic_regression_on_logits(noisy):
    X, X_test, y, y_test = noisy
    settings = {"X_val": X_test, "y_val": y_test}
    fitted = sure(calibration="temperature", validation_fraction=None)
    fitted.fit(X, y, **settings)
    logit = (
        np.diff(fitted.predict_log_proba(X_test), axis=1)
        / fitted._spec.inverse_temperature
    )
    peer = LogisticRegression(C=np.inf, fit_intercept=False).fit(logit, y_test)
    # a grid of steps of 5%, and a share of smoothing of 1 in 251
    assert fitted._spec.inverse_temperature == pytest.approx(peer.coef_[0, 0], rel=0.06)


def test_three_classes_and_early_stopping(iris):
    X, y = iris
    fitted = sure(calibration="temperature", early_stopping=True).fit(X, y)
    assert fitted._spec.inverse_temperature != 1
    proba = fitted.predict_proba(X)
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    np.testing.assert_allclose(fitted.model_(X).numpy(), proba, atol=1e-12)


def test_members_of_an_ensemble_have_factors_of_their_own(noisy):
    X, X_test, y, _ = noisy
    fitted = sure(calibration="temperature", n_estimators=3, max_iter=20).fit(X, y)
    factors = {member._spec.inverse_temperature for member in fitted.estimators_}
    assert len(factors) > 1
    np.testing.assert_allclose(
        fitted.model_(X_test).numpy(),
        fitted.predict_proba(X_test),
        atol=1e-12,
    )


@pytest.mark.filterwarnings("ignore::skdnn.exceptions.BaselineWarning")
def test_search_calibrates_as_scikit_learns_does(noisy):
    X, _, y, _ = noisy
    grid = {"max_iter": [5, 15]}
    network = sure(calibration="temperature")
    settings = {"cv": 2, "scoring": "neg_log_loss"}
    theirs = GridSearchCV(network, grid, **settings).fit(X, y)
    mine = ours.GridSearchCV(network, grid, **settings).fit(X, y)
    for key in ("mean_test_score", "split1_test_score"):
        np.testing.assert_allclose(mine.cv_results_[key], theirs.cv_results_[key])


def test_what_cannot_be_calibrated(noisy, iris):
    X, _, y, _ = noisy
    with pytest.raises(ValueError, match="needs rows that the network is not trained"):
        sure(calibration="temperature", validation_fraction=None).fit(X, y)
    with pytest.raises(ValueError, match="needs rows that the network is not trained"):
        DNNClassifier(calibration="temperature").fit(X[:60], y[:60])
    with pytest.raises(ValueError, match="rows of one class each"):
        sure(calibration="temperature").fit(iris[0], np.eye(3, dtype=int)[iris[1]])
    with pytest.raises(ValueError, match="calibration='temperature'"):
        sure(calibration="temperature", validation_fraction=None).partial_fit(
            X, y, classes=[0, 1]
        )
    with pytest.raises(ValueError, match="Did you mean 'temperature'"):
        sure(calibration="temprature").fit(X, y)


def test_recipe_is_calibrated_by_what_it_leaves_out(noisy):
    X, _, y, _ = noisy
    settings = {"max_iter": 4, "random_state": 0}
    as_it_is = DNNClassifier(**settings).fit(X, y)
    requested = DNNClassifier(calibration="temperature", **settings).fit(X, y)
    assert requested._spec == as_it_is._spec
    assert (
        as_it_is._training_summary.reliability.inverse_temperature
        == as_it_is._spec.inverse_temperature
        != 1
    )
    np.testing.assert_array_equal(requested.predict_proba(X), as_it_is.predict_proba(X))


def test_calibration_error_by_hand():
    proba = np.array([[0.9, 0.1], [0.9, 0.1], [0.3, 0.7], [0.42, 0.58]])
    scores = OutOfFoldScores(
        [np.arange(4)], [np.log(proba)], np.array([0, 1, 1, 0]), np.ones(4), 2
    )
    # bins of 1/15: .9 twice, one of them right; .7 right; .58 wrong
    expected = (2 * abs(0.5 - 0.9) + abs(1 - 0.7) + abs(0 - 0.58)) / 4
    assert scores.calibration_error(1.0) == pytest.approx(expected)
    reliability_of = scores.reliability()
    assert reliability_of.before == pytest.approx(expected)
    assert reliability_of.inverse_temperature < 1
    squared = proba**2 / (proba**2).sum(axis=1, keepdims=True)
    again = OutOfFoldScores(
        [np.arange(4)], [np.log(squared)], scores.y, scores.weight, 2
    )
    assert scores.calibration_error(2.0) == pytest.approx(again.calibration_error(1.0))


@pytest.fixture(scope="module")
def imbalanced():
    X, y = make_classification(
        900, 6, n_informative=3, n_redundant=0, weights=[0.93], flip_y=0.02,
        class_sep=0.8, random_state=3,
    )  # fmt: skip
    return split(X, y, test_size=0.5, stratify=y, random_state=0)


def test_threshold_is_tuned_by_scikit_learn(imbalanced):
    X, X_test, y, y_test = imbalanced
    network = DNNClassifier((16,), learning_rate_init=0.02, max_iter=15, random_state=0)
    pipe = make_pipeline(StandardScaler(), network.set_params(n_iter_no_change=np.inf))
    plain = balanced_accuracy_score(y_test, pipe.fit(X, y).predict(X_test))
    tuned = TunedThresholdClassifierCV(pipe, scoring="balanced_accuracy", cv=3)
    tuned.fit(X, y)
    assert 0.02 < tuned.best_threshold_ < 0.45
    by_threshold = balanced_accuracy_score(y_test, tuned.predict(X_test))
    assert by_threshold > plain + 0.03
    pipe.set_params(dnnclassifier__class_weight="balanced").fit(X, y)
    assert balanced_accuracy_score(y_test, pipe.predict(X_test)) > plain + 0.03
