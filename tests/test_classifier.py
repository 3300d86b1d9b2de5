import warnings

import keras
import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csc_matrix, csr_array, csr_matrix
from sklearn.datasets import load_digits, make_classification
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.metrics import log_loss

from skdnn import DNNClassifier
from skdnn.exceptions import BaselineWarning

# private: _training_summary has the number of validation rows, no public attribute does


def network(hidden_layer_sizes=(16,), **parameters):
    settings = {
        "learning_rate_init": 0.01,
        "batch_size": 32,
        "max_iter": 15,
        "n_iter_no_change": np.inf,
        "random_state": 0,
    }
    return DNNClassifier(hidden_layer_sizes, **settings | parameters)


# classes and columns


@pytest.mark.parametrize(
    "labels",
    [
        np.array(["b", "a", "c"]),
        np.array(["b", "a", "c"], dtype=object),
        np.array([7, -1, 3]),
        np.array([2.0, 1.0, 5.0]),
        pd.Categorical(["b", "a", "c"]),
        pd.array(["b", "a", "c"], dtype="string"),
    ],
    ids=["str", "object", "int", "float", "categorical", "string"],
)
def test_classes_of_any_kind(labels, iris):
    X, codes = iris
    y = labels[codes] if isinstance(labels, np.ndarray) else labels.take(codes)
    fitted = network().fit(X, y)
    np.testing.assert_array_equal(fitted.classes_, np.unique(np.asarray(labels)))
    assert fitted.score(X, y) > 0.7
    expected = network().fit(
        X, np.unique(np.asarray(labels), return_inverse=True)[1][codes]
    )
    np.testing.assert_array_equal(fitted.predict_proba(X), expected.predict_proba(X))


def test_boolean_classes_give_two_columns(cancer):
    X, y = cancer
    fitted = network().fit(X, y.astype(bool))
    proba = fitted.predict_proba(X)
    assert proba.shape == (len(y), 2)
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    assert fitted.predict(X).dtype == bool
    assert fitted.n_outputs_ == 1
    assert fitted.out_activation_ == "logistic"


def test_frame_and_array_give_the_same_bits(iris):
    X, y = iris
    frame = pd.DataFrame(X, columns=["a", "b", "c", "d"])
    by_frame, by_array = network().fit(frame, y), network().fit(X, y)
    assert by_frame.feature_names_in_.tolist() == ["a", "b", "c", "d"]
    assert not hasattr(by_array, "feature_names_in_")
    np.testing.assert_array_equal(
        by_frame.predict_proba(frame), by_array.predict_proba(X)
    )


def test_other_columns_are_refused(iris):
    X, y = iris
    frame = pd.DataFrame(X, columns=["a", "b", "c", "d"])
    fitted = network().fit(frame, y)
    with pytest.raises(ValueError, match="The feature names should match"):
        fitted.predict(frame[["b", "a", "c", "d"]])
    with pytest.raises(ValueError, match="The feature names should match"):
        fitted.predict(frame.rename(columns={"a": "e"}))
    with pytest.raises(ValueError, match="The feature names should match"):
        fitted.predict(frame[["a", "b", "c"]])
    with pytest.raises(ValueError, match="X has 3 features"):
        network().fit(X, y).predict(X[:, :3])


@pytest.mark.parametrize("container", [csr_matrix, csc_matrix, csr_array])
def test_sparse_rows_equal_dense_rows(container, iris, monkeypatch):
    from skdnn._training import execution

    X, y = iris
    X = np.where(X > 0.4, X, 0)
    # two batches a block
    monkeypatch.setattr(execution, "BLOCK_ROWS", 64)
    settings = {"early_stopping": True, "validation_fraction": 0.3}
    dense = network(**settings).fit(X, y)
    sparse = network(**settings).fit(container(X), y)
    np.testing.assert_allclose(sparse.coefs_[0], dense.coefs_[0], atol=1e-12)
    np.testing.assert_allclose(
        sparse.history_["val_loss"], dense.history_["val_loss"], rtol=1e-12
    )
    np.testing.assert_allclose(
        sparse.predict_proba(container(X)), dense.predict_proba(X), atol=1e-12
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_work_is_done_in_the_dtype_of_x(dtype, iris):
    X, y = iris
    fitted = network().fit(X.astype(dtype), y)
    assert fitted.coefs_[0].dtype == fitted.predict_proba(X).dtype == dtype
    assert fitted.model_.output.dtype == np.dtype(dtype).name
    assert np.issubdtype(network().fit((10 * X).astype(int), y).coefs_[0].dtype, float)


# what a fit leaves


def test_fitted_attributes_agree(iris):
    X, y = iris
    fitted = network((8, 6), validation_fraction=0.2).fit(X, y)
    history = fitted.history_
    assert list(history.columns) == [
        "loss",
        "accuracy",
        "val_loss",
        "val_accuracy",
        "learning_rate",
        "seconds",
    ]
    assert fitted.n_iter_ == len(history) == 15
    assert fitted.loss_curve_ == history["loss"].tolist()
    assert fitted.loss_ == fitted.loss_curve_[-1]
    assert fitted.best_loss_ == min(fitted.loss_curve_)
    assert fitted.validation_scores_ == history["val_accuracy"].tolist()
    assert fitted.best_validation_score_ == max(fitted.validation_scores_)
    assert fitted.t_ == 15 * 120
    assert fitted.n_layers_ == 4
    assert [c.shape for c in fitted.coefs_] == [(4, 8), (8, 6), (6, 3)]
    assert [c.shape for c in fitted.intercepts_] == [(8,), (6,), (3,)]
    assert fitted.baseline_loss_ == pytest.approx(np.log(3))


@pytest.mark.parametrize("data", ["iris", "cancer"])
def test_model_gives_probabilities(data, request):
    X, y = request.getfixturevalue(data)
    fitted = network((8, 6), dropout=0.2, batch_norm=True).fit(X, y)
    predicted = fitted.model_.predict(X, verbose=0)
    # Keras rounds arrays to float32 on their way in
    np.testing.assert_allclose(predicted, fitted.predict_proba(X), atol=1e-6)
    assert isinstance(fitted.model_, keras.Model)
    assert fitted.model_ is fitted.model_


def test_coefs_of_layers_that_hold_more(iris):
    fitted = network(batch_norm=True).fit(*iris)
    with pytest.raises(AttributeError, match="batch_norm=True"):
        fitted.coefs_  # noqa: B018


def test_log_proba(iris):
    fitted = network().fit(*iris)
    np.testing.assert_allclose(
        fitted.predict_log_proba(iris[0]), np.log(fitted.predict_proba(iris[0]))
    )


def test_softmax_regression_has_no_hidden_layer(iris):
    fitted = network(()).fit(*iris)
    assert [c.shape for c in fitted.coefs_] == [(4, 3)]
    assert fitted.n_layers_ == 2


def test_one_layer_by_its_units(iris):
    assert network(50).fit(*iris).coefs_[0].shape == (4, 50)


# validation


def test_early_stopping_keeps_the_best_weights(cancer):
    X, y = cancer
    X_val, y_val = X[:150], y[:150]
    fitted = network(
        early_stopping=True,
        n_iter_no_change=4,
        max_iter=300,
        learning_rate_init=0.05,
        tol=0,
    ).fit(X[150:], y[150:], X_val=X_val, y_val=y_val)
    val_loss = fitted.history_["val_loss"]
    assert fitted.n_iter_ < 300
    assert val_loss.argmin() == fitted.n_iter_ - 6  # 5 epochs that were no better
    assert fitted.best_loss_ is None
    loss = log_loss(y_val, fitted.predict_proba(X_val))
    assert loss == pytest.approx(val_loss.min(), rel=1e-9)


def test_validation_cut_is_stratified(iris):
    X, y = iris
    fitted = network(validation_fraction=0.1).fit(X, y)
    assert fitted._training_summary.n_validation == 15
    assert fitted._training_summary.n_train == 135
    np.testing.assert_allclose(fitted._training_summary.shares, 1 / 3)


def test_class_of_one_row_stays_in_training(iris):
    X, y = iris
    y = np.where(np.arange(150) == 0, 9, y)
    fitted = network(early_stopping=True).fit(X, y)
    assert 9 in fitted.classes_


def test_no_cut_unless_asked_for(iris):
    history = network().fit(*iris).history_
    assert history[["val_loss", "val_accuracy"]].isna().all(axis=None)


@pytest.mark.parametrize(
    ("settings", "arguments", "match"),
    [
        ({}, {"X_val": np.zeros((3, 4))}, "must be given together.*X_val alone"),
        ({}, {"X_val": np.zeros((3, 2)), "y_val": [0, 1, 2]}, "X has 2 features"),
        ({}, {"X_val": np.zeros((3, 4)), "y_val": [0, 1, 5]}, "`y_val` must hold"),
        (
            {"validation_fraction": 0.2},
            {"X_val": np.zeros((3, 4)), "y_val": [0, 1, 2]},
            "not from both",
        ),
        ({"validation_fraction": 0.01}, {}, "must be at least one validation row"),
    ],
)
def test_validation_rows_that_cannot_be(settings, arguments, match, iris):
    with pytest.raises(ValueError, match=match):
        network(**settings).fit(*iris, **arguments)


# regularisation


def test_sample_weight_equals_repeated_rows(iris):
    X, y = iris
    times = np.random.default_rng(0).integers(0, 4, len(y))
    settings = {"batch_size": 1000, "shuffle": False}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        weighted = network(**settings).fit(X, y, sample_weight=times)
        repeated = network(**settings).fit(np.repeat(X, times, 0), np.repeat(y, times))
    np.testing.assert_allclose(weighted.coefs_[0], repeated.coefs_[0], atol=1e-9)
    np.testing.assert_allclose(
        weighted.history_["accuracy"], repeated.history_["accuracy"]
    )


def test_class_weight_equals_sample_weight(iris):
    X, y = iris
    by_class = network(class_weight={0: 3.0, 2: 0.5}).fit(X, y)
    by_row = network().fit(X, y, sample_weight=np.array([3.0, 1.0, 0.5])[y])
    np.testing.assert_array_equal(by_class.coefs_[0], by_row.coefs_[0])


def test_balanced_class_weight_lets_classes_weigh_the_same(cancer):
    X, y = cancer
    keep = np.r_[np.flatnonzero(y == 0)[:20], np.flatnonzero(y == 1)]
    X, y = X[keep], y[keep]
    plain = network().fit(X, y)
    balanced = network(class_weight="balanced").fit(X, y)
    assert balanced.predict_proba(X)[:, 0].mean() > plain.predict_proba(X)[:, 0].mean()
    assert balanced.baseline_loss_ == pytest.approx(np.log(2))
    np.testing.assert_allclose(balanced._training_summary.shares, 0.5)


def test_regularisation_shrinks_kernels(cancer):
    X, y = cancer

    def size(**settings):
        return np.abs(network(max_iter=30, **settings).fit(X, y).coefs_[0]).sum()

    plain = size(alpha=0.0)
    assert size(alpha=1.0) < 0.9 * plain
    assert size(alpha=0.2, l1_ratio=1.0) < 0.9 * plain
    assert size(alpha=0.0, weight_decay=1.0) < 0.9 * plain
    assert size(alpha=0.0, solver="adamw") < plain


def test_label_smoothing_makes_probabilities_less_sure(cancer):
    X, y = cancer
    settings = {"max_iter": 60}
    plain = network(**settings).fit(X, y).predict_proba(X)
    smooth = network(label_smoothing=0.4, **settings).fit(X, y).predict_proba(X)
    assert smooth.max(axis=1).mean() < plain.max(axis=1).mean() - 0.1


def test_dropout_acts_in_training_only(iris):
    X, y = iris
    plain, dropped = network().fit(X, y), network(dropout=0.5).fit(X, y)
    assert not np.allclose(plain.coefs_[0], dropped.coefs_[0])
    assert dropped.loss_ > log_loss(y, dropped.predict_proba(X))
    np.testing.assert_array_equal(dropped.predict_proba(X), dropped.predict_proba(X))


def test_one_dropout_rate_a_layer(iris):
    zero = network((8, 8), dropout=[0.0, 0.0]).fit(*iris)
    np.testing.assert_array_equal(zero.coefs_[0], network((8, 8)).fit(*iris).coefs_[0])
    network((8, 8), dropout=(0.1, 0.5)).fit(*iris)


# solvers and rates


@pytest.mark.parametrize(
    "solver", ["sgd", "rmsprop", "adamw", "adagrad", "adamax", "nadam", "ftrl", "lion"]
)
def test_keras_solvers_by_name_learn(solver, iris):
    rate = 0.5 if solver in ("adagrad", "ftrl") else 0.01
    fitted = network(solver=solver, learning_rate_init=rate, max_iter=40).fit(*iris)
    assert fitted.score(*iris) > 0.85


def test_optimizer_of_the_users_is_copied(iris):
    optimizer = keras.optimizers.Adam(0.01, clipnorm=1.0)
    estimator = network(solver=optimizer)
    first = estimator.fit(*iris).coefs_[0]
    np.testing.assert_array_equal(first, estimator.fit(*iris).coefs_[0])
    assert not optimizer.built
    assert estimator.history_["learning_rate"].unique() == pytest.approx([0.01])


def test_plain_optimizer_equals_its_name(iris):
    rate = 2.0**-7
    by_name = network(learning_rate_init=rate).fit(*iris)
    instance = network(solver=keras.optimizers.Adam(rate, epsilon=1e-8)).fit(*iris)
    np.testing.assert_allclose(by_name.coefs_[0], instance.coefs_[0], atol=1e-9)


def test_schedule_of_the_rate(iris):
    schedule = keras.optimizers.schedules.CosineDecay(0.02, decay_steps=75)
    rates = network(learning_rate=schedule).fit(*iris).history_["learning_rate"]
    assert rates.is_monotonic_decreasing
    assert rates.iloc[-1] == pytest.approx(0, abs=1e-6)


def test_activation_of_the_users(iris):
    fitted = network(activation=keras.activations.tanh).fit(*iris)
    by_name = network(activation="tanh").fit(*iris)
    np.testing.assert_array_equal(fitted.coefs_[0], by_name.coefs_[0])

    own = network(activation=lambda x: keras.ops.maximum(x, 0)).fit(*iris)
    relu = network().fit(*iris)
    np.testing.assert_allclose(
        own.predict_proba(iris[0]), relu.predict_proba(iris[0]), atol=1e-9
    )


# resumed


def test_warm_start_goes_on_and_history_grows(iris):
    estimator = network(warm_start=True, max_iter=5).fit(*iris)
    first = estimator.history_
    estimator.fit(*iris)
    assert (estimator.n_iter_, len(estimator.history_)) == (5, 10)
    assert estimator.history_.iloc[:5].equals(first)
    assert estimator.loss_curve_[5] < estimator.loss_curve_[0]


def test_warm_start_needs_the_same_network_and_classes(iris):
    X, y = iris
    estimator = network(warm_start=True).fit(X, y)
    with pytest.raises(ValueError, match=r"Classes must be the same.*Got \[0, 1\]"):
        estimator.fit(X[:100], y[:100])
    estimator.set_params(hidden_layer_sizes=(3,))
    with pytest.raises(ValueError, match=r"\[4, 16, 3\] units.*Got \[4, 3, 3\]"):
        estimator.fit(X, y)


def test_partial_fit_keeps_the_optimizer(iris):
    X, y = iris
    settings = {"batch_size": 150, "shuffle": False}
    by_parts = network(**settings)
    for _ in range(5):
        by_parts.partial_fit(X, y, classes=[0, 1, 2])
    whole = network(max_iter=5, **settings).fit(X, y)
    np.testing.assert_allclose(by_parts.coefs_[0], whole.coefs_[0], atol=1e-12)
    assert (by_parts.n_iter_, len(by_parts.history_)) == (1, 5)


def test_partial_fit_wants_all_classes_at_first(iris):
    X, y = iris
    with pytest.raises(ValueError, match="classes must be passed"):
        network().partial_fit(X, y)
    estimator = network(batch_size=10).partial_fit(X[:20], y[:20], classes=[0, 1, 2])
    assert estimator.predict_proba(X).shape == (150, 3)
    with pytest.raises(ValueError, match="Classes must be the same"):
        estimator.partial_fit(X, y, classes=[0, 1])
    with pytest.raises(ValueError, match="must hold classes of the network"):
        estimator.partial_fit(X, y + 1)


@pytest.mark.parametrize(
    "setting",
    [
        {"early_stopping": True},
        {"validation_fraction": 0.2},
        {"class_weight": "balanced"},
    ],
)
def test_partial_fit_has_no_whole_to_cut_or_balance(setting, iris):
    with pytest.raises(ValueError, match=f"Got {next(iter(setting))}="):
        network(**setting).partial_fit(*iris, classes=[0, 1, 2])


# its text


def test_says_that_nothing_was_learned():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(200, 3)), rng.integers(0, 2, 200)
    with pytest.warns(BaselineWarning, match="no better than 0.69.*Scale the columns"):
        network(max_iter=1, learning_rate_init=1e-6).fit(X, y)


def test_says_nothing_of_a_penalty_that_hides_what_was_learned(cancer):
    fitted = network(max_iter=30, alpha=0.3).fit(*cancer)
    assert fitted.loss_ > log_loss(cancer[1], fitted.predict_proba(cancer[0]))


def test_says_that_training_was_not_over(iris):
    with pytest.warns(ConvergenceWarning, match="max_iter=12"):
        network(max_iter=12, n_iter_no_change=3).fit(*iris)


def test_says_that_the_loss_is_no_number(iris):
    X, y = iris
    estimator = network(solver="sgd", learning_rate_init=1e6, max_iter=50)
    with pytest.raises(ValueError, match=r"it became (nan|inf).*learning_rate_init"):
        estimator.fit(1e6 * X, y)
    assert not hasattr(estimator, "classes_")


def test_failed_fit_leaves_the_estimator_as_it_was(iris):
    X, y = iris
    fitted = network().fit(X, y)
    before = fitted.predict_proba(X)
    with pytest.raises(ValueError, match="infinity"):
        fitted.fit(np.full((5, 2), np.inf), [0, 1, 0, 1, 0])
    np.testing.assert_array_equal(fitted.predict_proba(X), before)


def test_summary(iris):
    text = network((8, 6), dropout=0.1, validation_fraction=0.2).fit(*iris).summary()
    assert "120 rows to train on, 30 to validate on, 4 columns" in text
    assert "4 -> 8 (relu, dropout 0.1) -> 6 (relu, dropout 0.1) -> 3 (softmax)" in text
    assert "baseline 1.0986 (class shares only)" in text
    assert "The network learned" in text


def test_verbose_shows_one_line_on_stderr(iris, capfd):
    # TensorFlow may log a new graph, where it was imported before skdnn
    network(validation_fraction=0.2).fit(*iris)
    capfd.readouterr()
    network(verbose=True, validation_fraction=0.2).fit(*iris)
    out, err = capfd.readouterr()
    assert out == ""
    assert "epoch 15/15" in err
    assert "loss=" in err
    assert "val_loss=" in err
    assert err.count("\n") == 1


def test_silent_by_default(iris, capfd):
    network().fit(*iris).predict(iris[0])
    assert capfd.readouterr() == ("", "")


# several labels per row


@pytest.fixture(scope="module")
def labelled(iris):
    X, _ = iris
    return X, (X[:, [0, 2, 3]] > 0.5).astype(int)


def test_labels(labelled):
    X, labels = labelled
    fitted = network(validation_fraction=0.2, max_iter=40).fit(X, labels)
    assert fitted.classes_.tolist() == [0, 1, 2]
    assert fitted.predict(X).shape == labels.shape
    assert fitted.score(X, labels) > 0.7
    proba = fitted.predict_proba(X)
    np.testing.assert_allclose(np.exp(fitted.predict_log_proba(X)), proba)
    np.testing.assert_allclose(fitted.model_.predict(X, verbose=0), proba, atol=1e-6)
    losses = -np.where(labels, np.log(proba), np.log(1 - proba)).sum(axis=1)
    assert losses.mean() < fitted.baseline_loss_
    shares = labels.mean(axis=0)
    entropy = -(shares * np.log(shares) + (1 - shares) * np.log(1 - shares)).sum()
    assert fitted.baseline_loss_ == pytest.approx(entropy, rel=0.05)
    assert fitted.history_["val_accuracy"].iloc[-1] > 0.5
    fitted.plot_network()
    assert "The network learned" in fitted.summary()


def test_labels_sparse_and_by_parts(labelled):
    X, labels = labelled
    dense = network().fit(X, labels)
    np.testing.assert_array_equal(
        network().fit(X, csr_matrix(labels)).coefs_[0], dense.coefs_[0]
    )
    parts = network().partial_fit(X, labels, classes=[0, 1, 2])
    with pytest.raises(ValueError, match=r"labels of the first fit: 3 columns\. Got 2"):
        parts.partial_fit(X, labels[:, :2])


def test_labels_have_no_class_weight(labelled):
    with pytest.raises(ValueError, match="rows of one class each"):
        network(class_weight="balanced").fit(*labelled)


# larger shapes


@pytest.mark.parametrize(
    ("shape", "settings"),
    [
        ((60, 1, 2), {}),
        ((60, 300, 3), {}),
        ((400, 20, 30), {}),
        ((60, 5, 2), {"hidden_layer_sizes": (1,)}),
        ((60, 5, 2), {"hidden_layer_sizes": (8,) * 10}),
        ((40, 5, 2), {"batch_size": 1, "max_iter": 3}),
    ],
)
@pytest.mark.filterwarnings("ignore::skdnn.exceptions.BaselineWarning")
def test_shapes(shape, settings):
    n, d, k = shape
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(n, d)), np.arange(n) % k
    fitted = network(**settings).fit(X, y)
    assert fitted.predict_proba(X).shape == (n, k)


def test_digits():
    X, y = load_digits(return_X_y=True)
    fitted = network((64, 64)).fit(X[:1200] / 16, y[:1200])
    assert fitted.score(X[1200:] / 16, y[1200:]) > 0.9


def test_unfitted(iris):
    for name in ("predict", "predict_proba", "predict_log_proba"):
        with pytest.raises(NotFittedError):
            getattr(network(), name)(iris[0])
    for name in ("summary", "plot_history", "plot_network"):
        with pytest.raises(NotFittedError):
            getattr(network(), name)()


def test_more_rows_than_one_chunk_of_validation():
    X, y = make_classification(12_000, random_state=0)
    fitted = network(validation_fraction=0.5, max_iter=2, batch_size=256).fit(X, y)
    assert fitted._training_summary.n_validation == 6000
    assert fitted.history_["val_loss"].notna().all()


@pytest.mark.filterwarnings("ignore::skdnn.exceptions.BaselineWarning")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(
    ("factor", "dtype"),
    [(2.0**-1000, "float64"), (2.0**900, "float64"), (2.0**-99, "float32")],
)
def test_weights_count_relative_to_each_other(factor, dtype):
    rng = np.random.default_rng(0)
    X, weight = rng.normal(size=(60, 3)).astype(dtype), np.exp2(rng.integers(-2, 1, 60))
    y = X[:, 0] > 0
    fits = [
        DNNClassifier((4,), max_iter=3, random_state=0).fit(X, y, sample_weight=w)
        for w in (weight * factor, weight / np.exp2(1))
    ]
    tiny, plain = (net.predict_proba(X) for net in fits)
    assert np.isfinite(tiny).all()
    np.testing.assert_allclose(tiny, plain, atol=1e-6)


def test_sizes_of_layers_as_two_arguments_name_the_remedy(iris):
    with pytest.raises(ValueError, match=r"DNNClassifier\(\(20, 20\)\), not"):
        DNNClassifier(20, 20).fit(*iris)
