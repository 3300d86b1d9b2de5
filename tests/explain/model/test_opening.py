"""Every classifier that has `predict_proba` is explained where it predicts."""

import sys
import warnings

import numpy as np
import pandas as pd
import pytest
from optional import require
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_transformer
from sklearn.ensemble import StackingClassifier, VotingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import FixedThresholdClassifier, GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder

from skdnn import DNNClassifier, explain
from skdnn.explain._model.opening import open_problem


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"size": rng.normal(size=90), "depth": rng.normal(size=90)})
    X["word"] = pd.Categorical(rng.choice(["u", "v"], 90))
    return X, (X["size"] + (X["word"] == "u") > 0.5).astype(int).to_numpy()


def network(**parameters):
    settings = {"max_iter": 8, "batch_size": 32, "n_iter_no_change": np.inf}
    return DNNClassifier((6,), random_state=0, **settings | parameters)


def numbers(last):
    """Return a pipeline that hands numbers to the last step."""
    columns = make_column_transformer(
        (OneHotEncoder(), ["word"]), remainder="passthrough"
    )
    return make_pipeline(columns, last)


def sampled(last):
    over_sampling = require("imblearn.over_sampling")
    pipeline = require("imblearn.pipeline")
    sampler = over_sampling.RandomOverSampler(random_state=0)
    return pipeline.make_pipeline(sampler, last)


def boosted(package, name, **parameters):
    # there is a build for the CPU alone on Linux
    on_linux = sys.platform == "linux" or package != "xgboost"
    load = require if on_linux else pytest.importorskip
    return getattr(load(package), name)(**parameters)


CLASSIFIERS = {
    "nested pipelines": lambda: make_pipeline(numbers(MinMaxScaler()), network()),
    "sampler": lambda: sampled(network()),
    "sampler and ensemble": lambda: sampled(network(n_estimators=2)),
    "calibrated": lambda: CalibratedClassifierCV(network(), cv=2),
    "voting": lambda: VotingClassifier(
        [("net", network()), ("linear", numbers(LogisticRegression()))], voting="soft"
    ),
    "stacking": lambda: StackingClassifier([("net", network())], cv=2),
    "threshold": lambda: FixedThresholdClassifier(network(), threshold=0.05),
    "search": lambda: GridSearchCV(network(), {"alpha": [0.1]}, cv=2),
    "LightGBM": lambda: boosted(
        "lightgbm", "LGBMClassifier", n_estimators=5, verbose=-1, n_jobs=1
    ),
    "XGBoost": lambda: boosted(
        "xgboost", "XGBClassifier", n_estimators=5, enable_categorical=True, n_jobs=1
    ),
    "CatBoost": lambda: boosted(
        "catboost", "CatBoostClassifier", iterations=5, cat_features=["word"],
        verbose=0, allow_writing_files=False, thread_count=1,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CLASSIFIERS)
@pytest.mark.filterwarnings("ignore::skdnn.exceptions.BaselineWarning")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_attributions_add_up_to_predict_proba(name, table):
    X, y = table
    model = CLASSIFIERS[name]().fit(X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = explain.shap(model, X[:3], background=X[:40], random_state=0)
        table = explain.permutation_importance(model, X, y, random_state=0).frame()
    np.testing.assert_allclose(
        result.base_values + result.values.sum(axis=1),
        model.predict_proba(X[:3]),
        atol=1e-6,
    )
    assert table["feature"].tolist() == list(X.columns)
    # of the one ensemble there are refits, through the sampler
    assert (result.refit_errors is not None) == (name == "sampler and ensemble")


def test_a_frozen_classifier(table):
    X, y = table
    net = network().fit(X, y)
    frozen = explain.shap(FrozenEstimator(net), X[:3], background=X, random_state=0)
    own = explain.shap(net, X[:3], background=X, random_state=0)
    np.testing.assert_array_equal(frozen.values, own.values)


def test_members_that_cannot_be_reached_are_left_out(table):
    X, y = table
    ensemble = network(n_estimators=2).fit(X, y)

    class Renaming:
        classes_ = ensemble.classes_

        def predict_proba(self, X):
            return ensemble.predict_proba(X.rename(columns={"Size": "size"}))

        def predict_members(self, X):
            return ensemble.predict_members(X)  # refuses the names

    other = X.rename(columns={"size": "Size"})
    result = explain.shap(Renaming(), other[:3], background=other, random_state=0)
    assert result.refit_errors is None
    np.testing.assert_allclose(result.predictions, ensemble.predict_proba(X[:3]))


def test_classes_are_those_that_predict_returns(table):
    X, y = table
    net = network(max_iter=60, learning_rate_init=0.05)
    model = FixedThresholdClassifier(net, threshold=0.05).fit(X, y)
    target = open_problem(model, X).target
    problem = open_problem(model, X)
    named = model.predict(X)
    np.testing.assert_array_equal(target.classes_of(problem.X), named)
    assert (named != model.predict_proba(X).argmax(axis=1)).any()


def test_rows_that_cannot_be_put_together_again():
    class ByIndex:
        """Predicts from the index, which is no column."""

        classes_ = np.array([0, 1])

        def predict_proba(self, X):
            p = np.asarray(X.index) / 100
            return np.column_stack([p, 1 - p])

    X = pd.DataFrame(np.random.default_rng(0).random((20, 2)), index=range(50, 70))
    with pytest.raises(ValueError, match="must be predicted the same"):
        open_problem(ByIndex(), X)


def test_the_default_class_is_what_predict_returns(table):
    X, y = table
    net = network(max_iter=60, learning_rate_init=0.05)
    model = FixedThresholdClassifier(net, threshold=0.05).fit(X, y)
    named = model.predict(X)
    at = int(np.flatnonzero(named != model.predict_proba(X).argmax(axis=1))[0])
    for method in (explain.shap, explain.lime, explain.break_down):
        result = method(model, X[at : at + 1], background=X, random_state=0)
        assert result.predicted.tolist() == [named[at]]
        assert f"the probability of class {named[at]}" in result.describe(0)
    contrast = explain.shap(model, X[:2], background=X, contrast=(0, 1))
    assert contrast.predicted is None


def test_a_report_of_a_classifier_that_predicts_a_column(table):
    """As CatBoost does for several classes."""
    X, y = table

    class Column:
        classes_ = np.array([0, 1])

        def predict_proba(self, X):
            p = 1 / (1 + np.exp(-X["size"].to_numpy()))
            return np.column_stack([1 - p, p])

        def predict(self, X):
            return self.predict_proba(X).argmax(axis=1)[:, None]

        def score(self, X, y):
            return np.mean(self.predict(X).ravel() == y)

    html = explain.report(Column(), X, y, random_state=0)._repr_html_()
    assert "Permutation importance" in html
