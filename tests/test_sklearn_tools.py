"""The tools of scikit-learn around a network."""

import copy
import pickle
from io import BytesIO

import joblib
import numpy as np
import pytest
import sklearn
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_iris
from sklearn.ensemble import BaggingClassifier, StackingClassifier, VotingClassifier
from sklearn.exceptions import UnsetMetadataPassedError
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    cross_val_predict,
    cross_val_score,
    train_test_split,
)
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import MinMaxScaler

from skdnn import DNNClassifier


def network(**parameters):
    settings = {
        "learning_rate_init": 0.02,
        "max_iter": 40,
        "n_iter_no_change": np.inf,
        "random_state": 0,
    }
    return DNNClassifier(**{"hidden_layer_sizes": (16,)} | settings | parameters)


@pytest.fixture(scope="module")
def raw():
    X, y = load_iris(return_X_y=True)
    return X, load_iris().target_names[y]


@pytest.fixture(scope="module")
def pipe(raw):
    return make_pipeline(MinMaxScaler(), network()).fit(*raw)


def test_clone_has_the_parameters_and_nothing_fitted(pipe):
    copied = clone(pipe[-1])
    assert copied.get_params() == pipe[-1].get_params()
    assert not hasattr(copied, "classes_")


def test_fit_leaves_parameters_as_they_were(raw):
    weights = {"setosa": 2.0}
    dropout = [0.1]
    estimator = network(class_weight=weights, dropout=dropout)
    before = estimator.get_params()
    estimator.fit(*raw)
    after = estimator.get_params()
    assert all(before[name] is after[name] for name in before)
    assert weights == {"setosa": 2.0}
    assert dropout == [0.1]


def test_pipeline(pipe, raw):
    X, y = raw
    assert pipe.score(X, y) > 0.9
    assert pipe.predict(X).dtype == y.dtype
    np.testing.assert_array_equal(pipe.classes_, np.unique(y))
    assert pipe.predict_proba(X).shape == (150, 3)


@pytest.mark.parametrize("n_jobs", [None, pytest.param(2, marks=pytest.mark.slow)])
def test_grid_search(raw, n_jobs):
    search = GridSearchCV(
        make_pipeline(MinMaxScaler(), network(max_iter=15)),
        {"dnnclassifier__learning_rate_init": [1e-4, 0.05]},
        cv=3,
        n_jobs=n_jobs,
    ).fit(*raw)
    assert search.best_params_ == {"dnnclassifier__learning_rate_init": 0.05}
    assert search.best_score_ > 0.85


def test_folds_are_stratified(raw):
    scores = cross_val_score(make_pipeline(MinMaxScaler(), network()), *raw, cv=3)
    # unstratified, each third of iris would be a class that was never seen
    assert scores.min() > 0.85


def test_cross_val_predict(raw):
    X, y = raw
    proba = cross_val_predict(
        make_pipeline(MinMaxScaler(), network()), X, y, cv=3, method="predict_proba"
    )
    assert (np.unique(y)[proba.argmax(axis=1)] == y).mean() > 0.9


def test_calibrated_classifier(raw):
    X, y = raw
    calibrated = CalibratedClassifierCV(network(), cv=2).fit(X, y)
    np.testing.assert_allclose(calibrated.predict_proba(X).sum(axis=1), 1)


def test_bagging(raw):
    bagging = BaggingClassifier(network(), n_estimators=3, random_state=0).fit(*raw)
    assert bagging.score(*raw) > 0.9


def test_stacking_and_voting(raw):
    parts = [("net", network()), ("linear", LogisticRegression(max_iter=1000))]
    stack = StackingClassifier(
        parts, cv=2, final_estimator=LogisticRegression(max_iter=1000)
    )
    assert stack.fit(*raw).score(*raw) > 0.9
    assert VotingClassifier(parts, voting="soft").fit(*raw).score(*raw) > 0.9


def test_permutation_importance(pipe, raw):
    result = permutation_importance(pipe, *raw, n_repeats=3, random_state=0)
    assert result.importances_mean[2:].max() > result.importances_mean[:2].max()


@pytest.mark.parametrize(
    "copied",
    [
        lambda e: pickle.loads(pickle.dumps(e)),
        copy.deepcopy,
        lambda e: _through_joblib(e),
    ],
    ids=["pickle", "deepcopy", "joblib"],
)
def test_copies_predict_the_same_bits(copied, pipe, raw):
    X, _ = raw
    pipe[-1].model_  # noqa: B018 - made, so that it must be left out of the copy
    other = copied(pipe)
    np.testing.assert_array_equal(other.predict_proba(X), pipe.predict_proba(X))
    assert other[-1].history_.equals(pipe[-1].history_)


def test_pickle_holds_little_but_weights(iris):
    big = network(hidden_layer_sizes=(200, 200), max_iter=2).fit(*iris)
    weights = sum(w.nbytes for w in big.coefs_ + big.intercepts_)
    assert len(pickle.dumps(big)) < 1.1 * weights + 20_000


def _through_joblib(estimator):
    file = BytesIO()
    joblib.dump(estimator, file)
    file.seek(0)
    return joblib.load(file)


@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


def test_validation_rows_are_transformed_by_the_pipeline(routing, raw):
    X, X_val, y, y_val = train_test_split(*raw, random_state=0, stratify=raw[1])
    estimator = network(early_stopping=True, max_iter=20)
    estimator.set_fit_request(X_val=True, y_val=True)
    pipe = Pipeline(
        [("scale", MinMaxScaler()), ("net", estimator)], transform_input=["X_val"]
    ).fit(X, y, X_val=X_val, y_val=y_val)
    # the loss recorded for the validation rows is that of the scaled rows
    net = pipe["net"]
    proba = pipe.predict_proba(X_val)
    codes = np.searchsorted(pipe.classes_, y_val)
    loss = -np.log(proba[np.arange(len(codes)), codes]).mean()
    assert net.history_["val_loss"].min() == pytest.approx(loss, rel=1e-9)
    assert net.score(X_val, y_val) < pipe.score(X_val, y_val)


def test_sample_weight_is_routed(routing, raw):
    X, y = raw
    weight = np.where(y == "virginica", 1e-9, 1.0)
    estimator = network().set_fit_request(sample_weight=True)
    estimator.set_score_request(sample_weight=True)
    search = GridSearchCV(estimator, {"alpha": [1e-4]}, cv=2)
    search.fit(X, y, sample_weight=weight)
    # virginica weighs nothing: neither is it learned, nor does it count
    assert search.best_score_ > 0.95
    assert "virginica" not in search.predict(X)


def test_no_request_is_an_error(routing, raw):
    X, y = raw
    with pytest.raises(UnsetMetadataPassedError, match="X_val"):
        make_pipeline(MinMaxScaler(), network()).fit(X, y, X_val=X, y_val=y)
