"""Third-party Keras wrappers are explained, without slow predictions."""

import pickle
import subprocess
import sys

import keras
import numpy as np
import pytest
from keras.wrappers import SKLearnClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from skdnn import KerasClassifier, explain
from skdnn.explain._model.adapters import as_classifier

layers = keras.layers


def network(n_features, activation):
    return keras.Sequential(
        [
            keras.Input((n_features,)),
            layers.Dense(8, activation="relu"),
            layers.Dense(3, activation=activation),
        ]
    )


def build_for_keras(X, y, activation="softmax"):
    model = network(X.shape[1], activation)
    loss = keras.losses.CategoricalCrossentropy(from_logits=activation is None)
    model.compile("adam", loss)
    return model


def build(meta):
    return network(meta["n_features_in_"], "softmax")


@pytest.fixture(scope="module")
def fitted_scikeras(iris):
    from scikeras.wrappers import KerasClassifier as Scikeras

    X, y = iris
    return Scikeras(
        build, loss="sparse_categorical_crossentropy", epochs=5, verbose=0
    ).fit(X.astype("float32"), y)


def fitted_keras(iris, **settings):
    return SKLearnClassifier(build_for_keras, model_kwargs=settings).fit(
        *iris, epochs=5, verbose=0
    )


@pytest.fixture
def no_slow_predict(monkeypatch):
    """Have ``Model.predict`` raise, so that only compiled predictions succeed."""

    def refuse(*args, **kwargs):
        raise AssertionError("Model.predict was called")

    monkeypatch.setattr(keras.Model, "predict", refuse)


def test_scikeras(fitted_scikeras, iris, monkeypatch, request):
    X, _ = iris
    expected = fitted_scikeras.predict_proba(X.astype("float32"), verbose=0)
    request.getfixturevalue("no_slow_predict")
    # float64 rows of a network that was fitted to float32, one row among them
    result = explain.shap(fitted_scikeras, X[:3], background=X[:20], random_state=0)
    np.testing.assert_allclose(result.predictions, expected[:3], atol=1e-6)
    np.testing.assert_allclose(result.residual, 0, atol=1e-6)
    one = explain.lime(fitted_scikeras, X[:1], background=X, random_state=0)
    assert one.values.shape == (1, 4, 3)


def test_within_a_pipeline_and_a_search(fitted_scikeras, iris, no_slow_predict):
    X, y = iris
    scaler = MinMaxScaler(feature_range=(0, 2)).fit(X)
    pipe = make_pipeline(scaler, fitted_scikeras)
    result = explain.shap(pipe, X[:2], background=X[:20], random_state=0)
    direct = explain.shap(
        fitted_scikeras, scaler.transform(X[:2]),
        background=scaler.transform(X[:20]), random_state=0,
    )  # fmt: skip
    np.testing.assert_allclose(result.values, direct.values, atol=1e-6)
    assert pipe[-1] is fitted_scikeras
    search = GridSearchCV(LogisticRegression(), {"C": [1]}).fit(X, y)
    search.best_estimator_ = pipe
    again = explain.shap(search, X[:2], background=X[:20], random_state=0)
    np.testing.assert_allclose(again.values, result.values, atol=1e-6)
    assert search.best_estimator_ is pipe


def test_importance_predicts_fast_too(fitted_scikeras, iris, no_slow_predict):
    X, y = iris
    table = explain.permutation_importance(fitted_scikeras, X, y, random_state=0)
    assert len(table.frame()) == 4


def test_processes_share_the_rows(fitted_scikeras, iris):
    X, _ = iris
    quick = as_classifier(fitted_scikeras, X)
    other = pickle.loads(pickle.dumps(quick))
    np.testing.assert_allclose(
        other.predict_proba(X), quick.predict_proba(X), atol=1e-6
    )


@pytest.mark.parametrize("activation", ["softmax", None])
def test_keras_wrapper_gives_probabilities(activation, iris, no_slow_predict):
    X, _ = iris
    model = fitted_keras(iris, activation=activation)
    result = explain.shap(model, X[:3], background=X[:20], random_state=0)
    np.testing.assert_allclose(result.predictions.sum(axis=1), 1, atol=1e-6)
    raw = model.model_(X[:3].astype("float32")).numpy()
    if activation is None:
        raw = np.exp(raw) / np.exp(raw).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(result.predictions, raw, atol=1e-6)
    assert result.class_names.tolist() == [0, 1, 2]
    pipe = make_pipeline(StandardScaler().fit(X), model)
    assert explain.lime(pipe, X[:1], background=X, random_state=0).values.size == 12


def test_keras_wrapper_is_explained_by_the_output_of_its_network(iris):
    X, _ = iris
    model = fitted_keras(iris, activation=None)
    quick = as_classifier(model, X)
    out = model.model_.predict(X, verbose=0)
    p = np.exp(out) / np.exp(out).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(quick.predict_proba(X), p, atol=1e-6)
    np.testing.assert_array_equal(quick.predict(X), model.predict(X))


def test_others_are_unchanged(iris):
    X, y = iris
    for model in (
        LogisticRegression().fit(X, y),
        make_pipeline(StandardScaler(), LogisticRegression()).fit(X, y),
        KerasClassifier(
            build, loss="sparse_categorical_crossentropy", verbose=0, random_state=0
        ).fit(X, y),
        KerasClassifier(),
        SKLearnClassifier(build_for_keras),
    ):
        assert as_classifier(model, X) is model


def test_keras_classifier_of_skdnn(iris, no_slow_predict):
    X, y = iris
    model = KerasClassifier(
        build, loss="sparse_categorical_crossentropy", epochs=5, verbose=0,
        random_state=0,
    ).fit(X, y)  # fmt: skip
    result = explain.shap(model, X[:3], background=X, random_state=0)
    np.testing.assert_allclose(result.predictions, model.predict_proba(X[:3]))
    assert result.method == "exact"


@pytest.fixture(scope="module")
def fitted_skorch(iris):
    skorch = pytest.importorskip("skorch")
    torch = pytest.importorskip("torch")
    X, y = iris[0].astype(np.float32), iris[1].astype(np.int64)
    torch.manual_seed(0)
    net = skorch.NeuralNetClassifier(
        torch.nn.Sequential(torch.nn.Linear(4, 3)),
        criterion=torch.nn.CrossEntropyLoss, max_epochs=50, lr=0.3, verbose=0,
        train_split=None, batch_size=-1,
    )  # fmt: skip
    return net.fit(X, y), X, y


def test_skorch(fitted_skorch):
    net, X, _ = fitted_skorch
    assert as_classifier(net, X) is net
    result = explain.shap(net, X[:3], background=X[:20], random_state=0)
    np.testing.assert_allclose(result.predictions, net.predict_proba(X[:3]), atol=1e-6)
    np.testing.assert_allclose(result.residual, 0, atol=1e-5)
    assert np.abs(result.values).max() > 0.01
    scaled = make_pipeline(MinMaxScaler().fit(X), net)
    in_pipeline = explain.lime(scaled, X[:1], background=X, random_state=0)
    np.testing.assert_allclose(
        in_pipeline.predictions, scaled.predict_proba(X[:1]), atol=1e-6
    )


def test_every_method_takes_skorch(fitted_skorch):
    net, X, y = fitted_skorch
    importance = explain.permutation_importance(net, X, y, random_state=0).frame()
    assert importance["importance"].max() > 0.1
    summary = explain.summary(net, X, y, random_state=0).frame()
    effects = summary[summary["measure"] == "effect"].groupby("feature")["value"]
    np.testing.assert_allclose(effects.sum(), 0, atol=1e-5)
    profile = explain.partial_dependence(net, X, features=3).frame()
    assert np.ptp(profile["value"]) > 0.1
    changed = explain.counterfactuals(net, X[:1], background=X).frame()
    assert changed["found"].all()
    table = np.array(changed[["x0", "x1", "x2", "x3"]], dtype=np.float32)
    assert net.predict(table).tolist() == changed["target"].tolist()


class WithoutBase:
    """A classifier without a base class of scikit-learn, for float32 rows only."""

    @property
    def classes_(self):
        return np.array([0, 1])

    def predict_proba(self, X):
        assert X.dtype == np.float32
        p = 1 / (1 + np.exp(-X[:, 0]))
        return np.column_stack([1 - p, p]).astype(np.float32)


def test_a_classifier_without_base_of_scikit_learn():
    X = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)
    result = explain.shap(WithoutBase(), X[:2], background=X, random_state=0)
    np.testing.assert_allclose(result.values[:, 1:], 0, atol=1e-6)


def test_recognising_wrappers_imports_nothing():
    code = """
import sys
import numpy as np
from sklearn.linear_model import LogisticRegression
from skdnn.explain._model.adapters import as_classifier
X = np.arange(20.0).reshape(10, 2)
model = LogisticRegression().fit(X, np.arange(10) % 2)
before = set(sys.modules)
assert as_classifier(model, X) is model
print(sorted(set(sys.modules) - before))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
