"""Raw tables: frames with strings, booleans and missing cells."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from optional import require
from scipy.sparse import csr_matrix
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder

from skdnn import DNNClassifier, explain
from skdnn._estimator import split
from skdnn.exceptions import ColumnWarning

# private: _encoder and _training_summary show what the network receives and from how
# many rows; neither is a public attribute


def network(hidden_layer_sizes=(16,), **parameters):
    settings = {
        "learning_rate_init": 0.01,
        "batch_size": 32,
        "max_iter": 15,
        "n_iter_no_change": np.inf,
        "random_state": 0,
    }
    return DNNClassifier(hidden_layer_sizes, **settings | parameters)


def test_table_of_words_and_missing_cells(passengers):
    X, y = passengers
    before = X.copy()
    fitted = network(max_iter=60).fit(X, y)
    pd.testing.assert_frame_equal(X, before)
    assert fitted.score(X, y) > 0.8
    assert fitted.feature_names_in_.tolist() == list(X.columns)
    assert fitted.n_features_in_ == 7
    # age, alone, siblings, fare; two flags for missing cells; 2 + 7 + 2 levels
    assert fitted.coefs_[0].shape == (17, 16)
    assert "240 rows to train on, 7 columns as 17 inputs" in fitted.summary()
    assert "17 -> 16 (relu)" in fitted.summary()
    words = {text.get_text() for text in fitted.plot_network().texts}
    assert {"age", "alone", "port=Q", "port=S", "7 columns\n17 inputs"} <= words
    words = {t.get_text() for t in fitted.plot_network(feature_names="abcdefg").texts}
    assert {"a", "f=Q"} <= words
    proba = fitted.predict_proba(X)
    rows = np.random.default_rng(0).permutation(len(X))[:50]
    np.testing.assert_allclose(
        fitted.predict_proba(X.iloc[rows]), proba[rows], rtol=1e-12
    )
    np.testing.assert_allclose(fitted.predict_proba(X.iloc[[3]]), proba[[3]])
    again = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(again.predict_proba(X), proba)


def test_equals_a_pipeline_that_encodes(passengers):
    X, y = passengers
    X = X.astype({"siblings": float, "deck": object})
    # flags of missing numbers come after all numbers, levels after those
    numbers = ["age", "alone", "siblings", "fare"]
    impute = SimpleImputer(strategy="median", add_indicator=True)
    encode = OneHotEncoder(sparse_output=False, handle_unknown="ignore")
    levels = [sorted(X[name].dropna().unique()) for name in ("sex", "deck", "port")]
    encode.set_params(categories=levels)
    by_hand = make_pipeline(
        make_column_transformer((impute, numbers), (encode, ["sex", "deck", "port"])),
        network(),
    ).fit(X, y)
    np.testing.assert_array_equal(
        network().fit(X, y).predict_proba(X), by_hand.predict_proba(X)
    )


def test_numbers_are_the_same_bits_in_any_container(cancer):
    X, y = cancer
    X = np.where(np.random.default_rng(0).random(X.shape) < 0.02, np.nan, X)
    by_array = network().fit(X, y)
    assert by_array.coefs_[0].shape[0] > X.shape[1]
    frame = pd.DataFrame(X).add_prefix("c")
    for container in (frame, frame.astype("Float64")):
        by_frame = network().fit(container, y)
        np.testing.assert_array_equal(
            by_frame.predict_proba(container), by_array.predict_proba(X)
        )


def test_numbers_missing_at_predict_are_the_median(iris):
    X, y = iris
    fitted = network().fit(X, y)
    holes = X.copy()
    holes[::2, 1] = np.nan
    filled = np.where(np.isnan(holes), np.median(X, axis=0), X)
    np.testing.assert_array_equal(
        fitted.predict_proba(holes), fitted.predict_proba(filled)
    )
    fitted = network().fit(csr_matrix(X), y)
    np.testing.assert_allclose(
        fitted.predict_proba(csr_matrix(holes)), fitted.predict_proba(filled)
    )


@pytest.mark.filterwarnings("ignore:Column 'deck':skdnn.exceptions.ColumnWarning")
def test_unseen_levels_are_as_missing(passengers):
    X, y = passengers
    fitted = network().fit(X, y)
    unseen = X.assign(sex="unknown", deck=pd.Categorical(["Z"] * len(X)))
    missing = X.assign(sex=None, deck=np.nan)
    with pytest.warns(ColumnWarning, match="'sex' holds no category.*'unknown'"):
        proba = fitted.predict_proba(unseen)
    np.testing.assert_array_equal(proba, fitted.predict_proba(missing))
    assert not np.allclose(fitted.predict_proba(missing), fitted.predict_proba(X))


@pytest.mark.filterwarnings("ignore::skdnn.exceptions.BaselineWarning")
@pytest.mark.filterwarnings("ignore::skdnn.exceptions.ColumnWarning")
def test_validation_rows_teach_the_table_nothing(passengers):
    X, y = passengers
    X_val = X.iloc[:50].assign(
        sex="unknown", age=1e6, fare=np.nan, deck=pd.Categorical(["Z"] * 50)
    )
    alone = network().fit(X, y)
    beside = network().fit(X, y, X_val=X_val, y_val=y[:50])
    np.testing.assert_array_equal(beside.coefs_[0], alone.coefs_[0])
    assert beside.history_["val_loss"].notna().all()
    # nor do rows that are cut off
    recorded = []
    fit_encoder = split.fit_encoder

    def spy(columns, X, weight, **settings):
        recorded.append(X)
        return fit_encoder(columns, X, weight, **settings)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(split, "fit_encoder", spy)
        fitted = network(validation_fraction=0.5).fit(X, y)
    assert len(recorded[0]) == fitted._training_summary.n_train == 120
    age = recorded[0][:, 0]
    assert fitted._encoder.fill[0] == np.nanmedian(age) != np.nanmedian(X["age"])


def test_table_by_sample_weight_equals_repeated_rows(passengers):
    X, y = (part[:90] for part in passengers)
    times = np.random.default_rng(0).integers(0, 4, len(y))
    settings = {"batch_size": 1000, "shuffle": False}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        weighted = network(**settings).fit(X, y, sample_weight=times)
        repeated = network(**settings).fit(
            X.loc[X.index.repeat(times)], np.repeat(y, times)
        )
    np.testing.assert_allclose(
        weighted.predict_proba(X), repeated.predict_proba(X), atol=1e-9
    )


@pytest.mark.filterwarnings("ignore::skdnn.exceptions.BaselineWarning")
@pytest.mark.filterwarnings("ignore::skdnn.exceptions.ColumnWarning")
def test_training_that_goes_on_keeps_the_table(passengers):
    X, y = passengers
    for estimator in (network(warm_start=True, max_iter=3), network()):
        train = estimator.fit if estimator.warm_start else estimator.partial_fit
        known = {} if estimator.warm_start else {"classes": ["died", "lived"]}
        train(X[:100], y[:100], **known)
        table = estimator._encoder
        train(X[100:].assign(sex="unknown", age=np.nan), y[100:])
        assert estimator._encoder is table
        np.testing.assert_array_equal(
            estimator.predict_proba(X.assign(sex="unknown")),
            estimator.predict_proba(X.assign(sex=None)),
        )
        assert estimator.coefs_[0].shape == (17, 16)


def test_named_categories(passengers):
    X, y = passengers
    X = X.drop(columns=["sex", "deck", "port"])
    by_name = network(categorical_features=["siblings"]).fit(X, y)
    names = by_name._encoder.input_names(list(X.columns))
    assert names[-5:] == [f"siblings={i}" for i in range(5)]
    by_position = network(categorical_features=[2]).fit(X, y)
    array = X.to_numpy(dtype=float, na_value=np.nan)
    by_array = network(categorical_features=[2]).fit(array, y)
    for other in (
        by_position.predict_proba(X),
        by_array.predict_proba(array),
    ):
        np.testing.assert_array_equal(other, by_name.predict_proba(X))


def test_words_in_arrays_are_categories_where_named(passengers):
    X, y = passengers
    X = X[["sex", "fare"]]
    by_frame = network().fit(X, y)
    by_array = network(categorical_features=[0]).fit(X.to_numpy(dtype=object), y)
    np.testing.assert_array_equal(
        by_array.predict_proba(X.to_numpy(dtype=object)), by_frame.predict_proba(X)
    )


@pytest.mark.parametrize("library", ["polars", "pyarrow"])
def test_other_frames(library, passengers):
    module = require(library)
    X, y = passengers
    X = X.drop(columns="deck")
    cells = {
        name: [None if pd.isna(cell) else cell for cell in X[name].tolist()]
        for name in X
    }
    frame = module.DataFrame(cells) if library == "polars" else module.table(cells)
    fitted, by_pandas = network().fit(frame, y), network().fit(X, y)
    proba = fitted.predict_proba(frame)
    np.testing.assert_array_equal(proba, by_pandas.predict_proba(X))
    np.testing.assert_array_equal(proba, fitted.predict_proba(X))
    assert fitted.feature_names_in_.tolist() == list(X.columns)
    with pytest.raises(ValueError, match="The feature names should match"):
        fitted.predict(frame.select(list(X.columns)[::-1]))


def test_float32_table(passengers):
    X, y = passengers
    X = X[["sex", "fare", "alone"]].astype({"fare": np.float32})
    fitted = network().fit(X, y)
    assert fitted.predict_proba(X).dtype == np.float32
    wide = X.astype({"fare": np.float64})
    np.testing.assert_array_equal(fitted.predict_proba(wide), fitted.predict_proba(X))
    by_array = network().fit(X[["fare"]], y)
    with pytest.raises(ValueError, match=r"infinity or a value too large.*float32"):
        by_array.predict(pd.DataFrame({"fare": [1e300]}))
    with pytest.raises(ValueError, match=r"infinity or a value too large.*float32"):
        fitted.predict(wide.assign(fare=1e300))


def test_wide_category(passengers):
    _, y = passengers
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"id": [f"i{i}" for i in rng.permutation(1000)[: len(y)]]})
    with pytest.warns(ColumnWarning, match="'id' has 240 different values"):
        fitted = network(max_iter=40).fit(X, y)
    assert fitted.n_features_in_ == 1
    assert fitted.coefs_[0].shape == (240, 16)
    assert fitted.score(X, y) == 1


def test_weights_are_drawn_before_the_cut_as_in_mlp_classifier(cancer):
    X, y = cancer
    settings = {"early_stopping": True, "random_state": 0, "batch_size": 32}
    ours = DNNClassifier((9,), max_iter=4, n_iter_no_change=np.inf, **settings)
    theirs = MLPClassifier((9,), max_iter=4, n_iter_no_change=5, **settings)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs.fit(X, y)
    np.testing.assert_allclose(ours.fit(X, y).loss_curve_, theirs.loss_curve_)


def test_missing_cells_pass_a_scaler(passengers):
    X, y = passengers
    X = X[["age", "siblings", "fare"]].astype(float)
    pipe = make_pipeline(MinMaxScaler(), network()).fit(X, y)
    assert pipe[-1].n_features_in_ == 3
    assert pipe[-1].coefs_[0].shape[0] == 5


def test_search_over_a_table(passengers):
    X, y = passengers
    search = GridSearchCV(network(max_iter=40), {"alpha": [1e-4, 1e-2]}, cv=3).fit(X, y)
    assert search.best_score_ > 0.7


def test_several_labels(passengers):
    X, y = passengers
    labels = np.column_stack([y == "lived", X["alone"]]).astype(int)
    fitted = network(max_iter=40).fit(X, labels)
    assert fitted.predict(X).shape == labels.shape
    assert fitted.score(X, labels) > 0.6


# explanations


@pytest.fixture(scope="module")
def fitted(passengers):
    X, y = passengers
    X = X.assign(fare=np.log(X["fare"]), age=X["age"] / 30)
    return network(max_iter=40).fit(X, y), X, y


def test_explanations_are_of_the_users_columns(fitted):
    network, X, y = fitted
    shap = explain.shap(network, X[:6], background=X, random_state=0)
    assert shap.feature_names == list(X.columns)
    assert shap.values.shape == (6, 7, 2)
    assert np.abs(shap.residual).max() < 1e-12
    lime = explain.lime(network, X[:2], background=X, random_state=0)
    assert lime.values.shape == (2, 7, 2)
    importance = explain.permutation_importance(network, X, y, random_state=0).frame()
    assert set(importance["feature"]) == set(X.columns)
    assert importance["feature"].iloc[importance["importance"].argmax()] == "sex"
    curve = explain.partial_dependence(network, X, features=["deck", "age"]).frame()
    assert set(curve["feature"]) == {"deck", "age"}


@pytest.mark.slow
def test_report_of_a_table(fitted, tmp_path):
    network, X, y = fitted
    report = explain.report(network, X[:60], y[:60], background=X, random_state=0)
    report.write_html(tmp_path / "report.html")
    assert "siblings" in (tmp_path / "report.html").read_text("utf-8")
