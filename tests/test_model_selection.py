"""Searches whose networks train together: scikit-learn's results, word for word."""

import os
import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
import sklearn
import sklearn.model_selection as theirs
from joblib import parallel_config
from scipy.stats import loguniform
from sklearn.base import BaseEstimator, TransformerMixin, clone, is_classifier
from sklearn.exceptions import ConvergenceWarning, FitFailedWarning, NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import make_scorer, recall_score
from sklearn.model_selection import (
    GroupKFold,
    StratifiedKFold,
    StratifiedShuffleSplit,
    cross_val_score,
)
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.utils.estimator_checks import check_estimator

import skdnn.model_selection as ours
from skdnn import DNNClassifier
from skdnn._search import jobs
from skdnn.exceptions import BaselineWarning

# private: _PART_BYTES is lowered, so that a small search is split into parts;
# scorers of scikit-learn keep their estimator as _estimator

RATES = {"learning_rate_init": [1e-4, 0.05]}


def network(**parameters):
    settings = {
        "learning_rate_init": 0.05,
        "max_iter": 5,
        "n_iter_no_change": np.inf,
        "batch_size": 32,
        "random_state": 0,
    }
    return DNNClassifier(**{"hidden_layer_sizes": (4,)} | settings | parameters)


def in_pipe(*, scaler=None, **parameters):
    steps = [("scale", scaler or MinMaxScaler()), ("net", network(**parameters))]
    return Pipeline(steps)


@pytest.fixture(autouse=True)
def _short_fits_may_learn_nothing():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BaselineWarning)
        yield


@pytest.fixture
def stacks(monkeypatch):
    """Return the sizes of the stacks that are trained."""
    sizes = []

    def spy(fits, *args, train_stack=jobs.train_stack):
        sizes.append(len(fits))
        return train_stack(fits, *args)

    monkeypatch.setattr(jobs, "train_stack", spy)
    return sizes


def both(estimator, grid, X, y, fit_params=None, **settings):
    """Return a search by skdnn and the same by scikit-learn, fitted."""
    settings = {"cv": 3} | settings
    return [
        module.GridSearchCV(clone(estimator), grid, **settings).fit(
            X, y, **fit_params or {}
        )
        for module in (ours, theirs)
    ]


def assert_same(mine, reference):
    """Check that all but the times of two searches is equal."""
    assert list(mine.cv_results_) == list(reference.cv_results_)
    for key, expected in reference.cv_results_.items():
        if key == "params":
            assert [*map(str, mine.cv_results_[key])] == [*map(str, expected)]
        elif key.startswith("param_"):
            ours_column = mine.cv_results_[key]
            assert ours_column.dtype == expected.dtype
            np.testing.assert_array_equal(ours_column.mask, expected.mask)
            assert str(ours_column) == str(expected)
        elif "_time" not in key:
            ours_column = mine.cv_results_[key]
            assert ours_column.dtype == expected.dtype
            np.testing.assert_allclose(ours_column, expected, rtol=1e-12, err_msg=key)
    names = {n for n in vars(reference) if n.endswith("_")}
    assert {n for n in vars(mine) if n.endswith("_")} == names
    for name in ("best_index_", "n_splits_", "multimetric_"):
        assert getattr(mine, name, None) == getattr(reference, name, None), name


@pytest.mark.parametrize(
    "grid",
    [
        {"learning_rate_init": [1e-4, 0.05], "alpha": [0.0, 1e-2]},
        [{"hidden_layer_sizes": [(3,), (4, 3)]}, {"batch_size": [16, 150]}],
        [{"solver": ["sgd", "rmsprop"], "dropout": [0.2]}, {"solver": ["lbfgs"]}],
        {"early_stopping": [True], "validation_fraction": [0.2, 0.3]},
    ],
    ids=["rates", "architectures", "optimizers", "validation"],
)
@pytest.mark.filterwarnings("ignore:Training reached max_iter", "ignore:batch_size=150")
def test_results_are_those_of_scikit_learn(iris, stacks, grid):
    mine, reference = both(network(), grid, *iris, return_train_score=True)
    assert_same(mine, reference)
    assert stacks == [3 * len(mine.cv_results_["params"])]
    X = iris[0]
    np.testing.assert_allclose(
        mine.predict_proba(X), reference.predict_proba(X), rtol=1e-10
    )


def test_defaults_are_those_of_scikit_learn():
    for name in ("GridSearchCV", "RandomizedSearchCV"):
        mine, reference = getattr(ours, name), getattr(theirs, name)
        assert issubclass(mine, reference)
        ones, others = mine(network(), {}), reference(network(), {})
        keys = list(others.get_params(deep=False))
        added = set(ones.get_params(deep=False)).symmetric_difference(keys)
        assert added == {"checkpoint"}
        assert ones.checkpoint is None
        for key in set(keys) - {"estimator"}:
            assert str(getattr(ones, key)) == str(getattr(others, key))


def test_the_chosen_network_is_a_plain_one(iris_frame):
    X, y = iris_frame
    search = ours.GridSearchCV(in_pipe(), {"net__alpha": [0.0]}, cv=3).fit(X, y)
    assert type(search.best_estimator_) is Pipeline
    assert type(search.best_estimator_[-1]) is DNNClassifier
    assert "fit" not in vars(search.best_estimator_[-1])
    alone = in_pipe(alpha=0.0).fit(X, y)
    np.testing.assert_array_equal(search.predict_proba(X), alone.predict_proba(X))
    assert search.feature_names_in_.tolist() == list(X.columns)
    assert search.n_features_in_ == 4
    assert search.classes_.tolist() == ["setosa", "versicolor", "virginica"]
    assert search.score(X, y) == alone.score(X, y)
    assert is_classifier(search)


def test_search_is_left_as_it_was_given(iris):
    estimator = in_pipe()
    search = ours.GridSearchCV(estimator, {"net__alpha": [0.0, 0.1]}, cv=3)
    before = search.get_params()
    search.fit(*iris)
    after = search.get_params()
    assert all(before[name] is after[name] for name in before)
    assert not hasattr(estimator[-1], "classes_")
    unfitted = clone(search)
    assert not hasattr(unfitted, "cv_results_")
    with pytest.raises(NotFittedError):
        unfitted.predict(iris[0])


def test_fitted_search_is_pickled(iris):
    X = iris[0]
    search = ours.GridSearchCV(network(), RATES, cv=3).fit(*iris)
    again = pickle.loads(pickle.dumps(search))
    np.testing.assert_array_equal(again.predict_proba(X), search.predict_proba(X))
    assert again.score(*iris) == search.score(*iris)
    assert again.scorer_._estimator.get_params() == network().get_params()


@pytest.mark.parametrize(
    ("scoring", "refit"),
    [
        ("neg_log_loss", True),
        (["accuracy", "roc_auc_ovr"], "roc_auc_ovr"),
        (
            {"macro": make_scorer(recall_score, average="macro"), "acc": "accuracy"},
            lambda results: int(results["mean_test_macro"].argmin()),
        ),
        (lambda model, X, y: {"a": model.score(X, y), "b": 0.0}, "a"),
        (["accuracy"], False),
    ],
    ids=["word", "list", "refit called", "called", "no refit"],
)
def test_scores(iris, scoring, refit):
    mine, reference = both(network(), RATES, *iris, scoring=scoring, refit=refit)
    assert_same(mine, reference)
    assert hasattr(mine, "best_estimator_") == bool(refit)


def test_metrics_need_one_to_refit_by_before_any_training(iris, stacks):
    search = ours.GridSearchCV(network(), RATES, scoring=["accuracy", "f1_macro"])
    with pytest.raises(ValueError, match="For multi-metric scoring, the parameter"):
        search.fit(*iris)
    assert stacks == []


def test_refit_sees_what_fits_took(iris):
    recorded = {}
    search = ours.GridSearchCV(
        network(), RATES, cv=3, refit=lambda results: recorded.update(results) or 1
    ).fit(*iris)
    assert search.best_index_ == 1
    assert (recorded["mean_fit_time"] > 1e-3).all()
    assert recorded["std_fit_time"].shape == (2,)
    assert search.refit_time_ > 1e-3


@pytest.mark.parametrize("grid", [{"alpha": [0.0, -1.0]}, {"solver": ["adm", "adam"]}])
def test_candidates_that_fail(iris, grid):
    searches = []
    for module in (ours, theirs):
        search = module.GridSearchCV(network(), grid, cv=3, error_score=-7.0)
        with pytest.warns(FitFailedWarning, match="3 fits failed out of a total of 6"):
            searches.append(search.fit(*iris))
    assert_same(*searches)
    with pytest.raises(ValueError, match="parameter of DNNClassifier must be"):
        ours.GridSearchCV(network(), grid, cv=3, error_score="raise").fit(*iris)


def test_training_that_fails_is_told_with_its_reason(iris):
    X, y = iris
    grid = {"learning_rate_init": [0.05, 1e150]}
    searches = []
    for module in (ours, theirs):
        search = module.GridSearchCV(network(solver="sgd"), grid, cv=3)
        with (
            np.errstate(all="ignore"),
            pytest.warns(FitFailedWarning, match="must keep the loss finite"),
            pytest.warns(UserWarning, match="test scores are non-finite"),
        ):
            searches.append(search.fit(X, y))
    assert_same(*searches)
    with pytest.raises(ValueError, match="All the 3 fits failed"):
        ours.GridSearchCV(network(), {"alpha": [-1.0]}, cv=3).fit(X, y)


def test_a_transformer_that_fails_is_told_for_every_fit(iris):
    grid = {"scale__feature_range": [(0, 1), (1, 0)], "net__alpha": [0.0, 0.1]}
    for module in (ours, theirs):
        search = module.GridSearchCV(in_pipe(), grid, cv=3)
        with (
            pytest.warns(FitFailedWarning, match="6 fits failed with the following"),
            pytest.warns(UserWarning, match="test scores are non-finite"),
        ):
            search.fit(*iris)


def test_parameters_of_the_search_are_checked(iris):
    with pytest.raises(ValueError, match="'param_grid' parameter of GridSearchCV must"):
        ours.GridSearchCV(network(), 3).fit(*iris)
    with pytest.raises(ValueError, match="'n_iter' parameter of RandomizedSearchCV"):
        ours.RandomizedSearchCV(network(), RATES, n_iter=0).fit(*iris)
    with pytest.raises(ValueError, match="Invalid parameter 'alhpa' for estimator DNN"):
        ours.GridSearchCV(network(), {"alhpa": [0.1]}).fit(*iris)
    with pytest.raises(ValueError, match="splits n_splits=200 greater"):
        ours.GridSearchCV(network(), RATES, cv=200).fit(*iris)


class Counting(TransformerMixin, BaseEstimator):
    """A transformer that counts its fits."""

    fits = 0

    def __init__(self, factor=1.0):
        self.factor = factor

    def fit(self, X, y=None):
        Counting.fits += 1
        self.seen_ = len(X)
        return self

    def transform(self, X):
        return X * self.factor


def test_transformers_are_fitted_once_a_fold(iris, stacks):
    grid = {"scale__factor": [1.0, 0.5], "net__alpha": [0.0, 0.1, 0.2]}
    Counting.fits = 0
    mine = ours.GridSearchCV(in_pipe(scaler=Counting()), grid, cv=3).fit(*iris)
    assert Counting.fits == 2 * 3 + 1
    assert stacks == [18]
    reference = theirs.GridSearchCV(in_pipe(scaler=Counting()), grid, cv=3).fit(*iris)
    assert_same(mine, reference)


def test_an_ensemble_is_a_stack_of_its_own(iris, stacks):
    grid = {"net__n_estimators": [1, 2], "net__bootstrap": [False, True]}
    Counting.fits = 0
    settings = {"cv": 2, "scoring": "neg_log_loss", "n_jobs": -1}
    mine = ours.GridSearchCV(in_pipe(scaler=Counting()), grid, **settings).fit(*iris)
    assert Counting.fits == 2 + 1
    assert stacks == [2]  # the one network that is one
    assert (mine.cv_results_["mean_fit_time"] > 1e-3).all()
    settings["n_jobs"] = None
    reference = theirs.GridSearchCV(in_pipe(scaler=Counting()), grid, **settings)
    assert_same(mine, reference.fit(*iris))


@pytest.mark.slow
def test_the_recipe(iris, stacks):
    net = DNNClassifier(max_iter=3, random_state=0)
    grid = {"dropout": [0.0, 0.2]}
    assert_same(*both(net, grid, *iris, scoring="neg_log_loss", cv=2))
    assert stacks == []


def test_steps_are_exchanged(iris, stacks):
    grid = [
        {"scale": [MinMaxScaler(), StandardScaler(), "passthrough"]},
        {"net": [LogisticRegression()], "net__C": [0.1, 1.0]},
        {"net": [network(hidden_layer_sizes=(3,))], "net__alpha": [0.1]},
    ]
    mine, reference = both(in_pipe(), grid, *iris)
    assert_same(mine, reference)
    assert stacks == [12]
    # a network may also come in by the grid alone
    linear = Pipeline([("scale", MinMaxScaler()), ("net", LogisticRegression())])
    assert_same(*both(linear, grid, *iris))
    assert stacks == [12, 3]


def test_memory_of_a_pipeline(iris, tmp_path):
    pipe = in_pipe().set_params(memory=str(tmp_path))
    mine, reference = both(pipe, {"net__alpha": [0.0, 0.1]}, *iris)
    assert_same(mine, reference)


def test_what_no_stack_can_train_is_fitted_all_the_same(iris, stacks, capsys):
    class Own(DNNClassifier):
        pass

    import keras

    stop = keras.callbacks.EarlyStopping("loss")
    grid = [
        {"net__callbacks": [[stop]]},
        {"net__random_state": [1]},
        {"net": [Own((3,), max_iter=2, n_iter_no_change=2, random_state=0)]},
    ]
    mine, reference = both(in_pipe(), grid, *iris)
    assert_same(mine, reference)
    assert stacks == [3]
    verbose_pipe = in_pipe().set_params(verbose=True)
    ours.GridSearchCV(verbose_pipe, {"net__alpha": [0.0]}, cv=3).fit(*iris)
    assert capsys.readouterr().out.count("(step 2 of 2) Processing net") == 4


def test_a_search_without_networks_is_scikit_learns(iris, stacks):
    mine, reference = both(LogisticRegression(), {"C": [0.1, 1.0]}, *iris)
    assert_same(mine, reference)
    assert stacks == []


def test_sample_weight(iris, stacks):
    X, y = iris
    weight = np.random.default_rng(0).uniform(0, 2, len(y))
    mine, reference = both(network(), RATES, X, y, {"sample_weight": weight})
    assert_same(mine, reference)
    unweighted = ours.GridSearchCV(network(), RATES, cv=3, scoring="neg_log_loss")
    weighted = clone(unweighted).fit(X, y, sample_weight=weight)
    assert weighted.best_score_ != unweighted.fit(X, y).best_score_
    in_step = both(
        in_pipe(), {"net__alpha": [0.0, 0.1]}, X, y, {"net__sample_weight": weight}
    )
    assert_same(*in_step)
    assert stacks == [6, 6, 6, 6]


@pytest.mark.parametrize("wants", [True, False])
def test_metadata_routing(iris, stacks, wants):
    X, y = iris
    given = {
        "sample_weight": np.random.default_rng(0).uniform(0, 2, len(y)),
        "groups": np.arange(len(y)) % 5,
    }
    pipe = in_pipe()
    with sklearn.config_context(enable_metadata_routing=True):
        pipe[-1].set_fit_request(sample_weight=wants)
        pipe[-1].set_score_request(sample_weight=False)
        pipe[0].set_params(clip=True)
        scorer = make_scorer(recall_score, average="macro")
        scorer.set_score_request(sample_weight=True)
        mine, reference = both(
            pipe,
            {"net__alpha": [0.0, 0.1]},
            X,
            y,
            given,
            cv=GroupKFold(3),
            scoring=scorer,
        )
        assert_same(mine, reference)
        with pytest.raises(TypeError, match=r"GridSearchCV\.fit got unexpected"):
            ours.GridSearchCV(pipe, {}, cv=3, scoring=scorer).fit(X, y, **given)
    assert stacks == [6]


def test_routed_validation_rows_go_the_ordinary_way(iris, stacks):
    X, y = iris
    with sklearn.config_context(enable_metadata_routing=True):
        net = network(early_stopping=True).set_fit_request(X_val=True, y_val=True)
        pipe = Pipeline([("net", net)], transform_input=["X_val"])
        given = {"X_val": X, "y_val": y}
        searches = both(pipe, {"net__alpha": [0.0, 0.1]}, X, y, given)
        assert_same(*searches)
    assert stacks == []


def test_groups(iris):
    X, y = iris
    groups = np.arange(len(y)) % 7
    mine, reference = both(network(), RATES, X, y, {"groups": groups}, cv=GroupKFold(3))
    assert_same(mine, reference)


def test_splits_that_are_drawn_are_drawn_once(iris):
    X, y = iris
    marked = np.column_stack([X, np.arange(len(y))])
    recorded = []

    class Marks(Counting):
        def fit(self, X, y=None):
            recorded.append(frozenset(X[:, -1]))
            return super().fit(X, y)

        def transform(self, X):
            return X[:, :-1]

    scored = []

    def scoring(model, X, y):
        scored.append(frozenset(X[:, -1]))
        return model.score(X, y)

    search = ours.GridSearchCV(
        in_pipe(scaler=Marks()),
        {"net__alpha": [0.0, 0.1]},
        cv=StratifiedKFold(3, shuffle=True),
        scoring=scoring,
    ).fit(marked, y)
    everything = frozenset(range(len(y)))
    assert [everything - rows for rows in recorded[:3]] * 2 == scored
    assert search.n_splits_ == 3
    generator = StratifiedShuffleSplit(2, random_state=0).split(X, y)
    assert ours.GridSearchCV(network(), RATES, cv=generator).fit(X, y).n_splits_ == 2


def test_networks_without_a_seed_follow_the_global_one(iris):
    state = np.random.get_state()
    results = []
    for seed in (1, 1, 2):
        np.random.seed(seed)
        search = ours.GridSearchCV(
            network(random_state=None, max_iter=2),
            {"alpha": [0.0, 0.0]},
            cv=3,
            scoring="neg_log_loss",
        ).fit(*iris)
        results.append(search.cv_results_["mean_test_score"])
    np.random.set_state(state)
    np.testing.assert_array_equal(results[0], results[1])
    assert (results[0] != results[2]).all()
    assert results[0][0] != results[0][1]


def test_global_seeds_and_data_stay_as_they_were(iris):
    X, y = iris
    rows, labels = X.copy(), y.copy()
    before = np.random.get_state()[1].copy()
    ours.GridSearchCV(in_pipe(), {"net__alpha": [0.0, 0.1]}, cv=3).fit(rows, labels)
    np.testing.assert_array_equal(np.random.get_state()[1], before)
    np.testing.assert_array_equal(rows, X)
    np.testing.assert_array_equal(labels, y)


@pytest.mark.parametrize("make_state", [lambda: 0, lambda: np.random.RandomState(0)])
def test_randomized_search(iris, stacks, make_state):
    draws = {
        "learning_rate_init": loguniform(1e-3, 0.1),
        "alpha": [0.0, 0.1],
        "batch_size": [16, 32],
    }
    searches = [
        module.RandomizedSearchCV(
            network(), draws, n_iter=4, cv=3, random_state=make_state()
        ).fit(*iris)
        for module in (ours, theirs)
    ]
    assert_same(*searches)
    assert stacks == [12]


def test_containers(iris_frame):
    X, y = iris_frame
    mine, reference = both(in_pipe(), {"net__alpha": [0.0, 0.1]}, X, y)
    assert_same(mine, reference)
    in_lists = ours.GridSearchCV(in_pipe(), {"net__alpha": [0.0, 0.1]}, cv=3)
    in_lists.fit(X.to_numpy().tolist(), list(y))
    assert in_lists.best_score_ == mine.best_score_


def test_warnings_of_training_are_heard(iris):
    search = ours.GridSearchCV(network(n_iter_no_change=2), {"alpha": [0, 1]}, cv=2)
    with pytest.warns(ConvergenceWarning, match="max_iter=5") as messages:
        search.fit(*iris)
    assert len(messages) == 2 * 2 + 1
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        with pytest.raises(ValueError, match="All the 4 fits failed"):
            search.fit(*iris)


def test_inside_cross_validation(iris):
    grid = {"net__learning_rate_init": [1e-4, 0.05]}
    mine, reference = (
        cross_val_score(module.GridSearchCV(in_pipe(), grid, cv=2), *iris, cv=2)
        for module in (ours, theirs)
    )
    np.testing.assert_array_equal(mine, reference)


def test_callbacks_of_scikit_learn_see_each_fit(iris, stacks):
    pytest.importorskip("sklearn.callback")
    tasks = []

    class Listener:
        def setup(self, estimator, context):
            pass

        def on_fit_task_begin(self, estimator, context):
            tasks.append(context.task_name)

        def on_fit_task_end(self, estimator, context):
            pass

        def teardown(self, estimator, context):
            pass

    search = ours.GridSearchCV(network(), RATES, cv=3).set_callbacks(Listener())
    search.fit(*iris)
    assert tasks.count("candidate-split-evaluation") == 6
    assert stacks == []


def test_progress_and_scikit_learns_own_lines(iris, capsys):
    ours.GridSearchCV(network(), RATES, cv=3, verbose=2).fit(*iris)
    messages = capsys.readouterr()
    assert "Fitting 3 folds for each of 2 candidates, totalling 6 fits" in messages.out
    assert messages.out.count("[CV] END") == 6
    assert "fit 6/6" in messages.err


def test_memory_is_bounded_by_portions(iris, stacks, monkeypatch):
    grid = {"early_stopping": [True], "alpha": [0.0, 0.1]}
    whole = ours.GridSearchCV(network(), grid, cv=3).fit(*iris)
    # 100 rows of 4 numbers, which candidates share, and 10 to validate on for each
    monkeypatch.setattr(jobs, "_PART_BYTES", (100 + 2 * 10) * 4 * 8 - 1)
    portions = ours.GridSearchCV(network(), grid, cv=3).fit(*iris)
    assert stacks == [6, 2, 2, 2]
    assert_same(portions, whole)


@pytest.mark.parametrize(
    ("n_jobs", "config", "threads"),
    [
        (None, {}, None),
        (1, {}, 1),
        (2, {}, 2),
        (None, {"n_jobs": 1}, 1),
        (None, {"backend": "sequential"}, 1),
        (3, {"backend": "threading"}, 3),
    ],
)
def test_n_jobs_are_threads(iris, monkeypatch, n_jobs, config, threads):
    requested = []

    def spy(fits, n_threads, *args, train_stack=jobs.train_stack):
        requested.append(n_threads)
        return train_stack(fits, n_threads, *args)

    monkeypatch.setattr(jobs, "train_stack", spy)
    search = ours.GridSearchCV(network(max_iter=1), RATES, cv=2, n_jobs=n_jobs)
    with parallel_config(**config):
        search.fit(*iris)
    assert requested == [threads]


def test_no_jobs_are_an_error(iris):
    with pytest.raises(ValueError, match="n_jobs == 0"):
        ours.GridSearchCV(network(), RATES, n_jobs=0).fit(*iris)


@pytest.mark.slow
# networks of the checks are trained on noise and for a few epochs
@pytest.mark.filterwarnings("ignore::UserWarning")
# of the checks themselves, in scikit-learn's own search as well
@pytest.mark.filterwarnings("ignore:invalid value encountered in cast:RuntimeWarning")
@pytest.mark.filterwarnings("ignore::DeprecationWarning:scipy")
@pytest.mark.filterwarnings("ignore::DeprecationWarning:sklearn")
@pytest.mark.filterwarnings("ignore::FutureWarning:sklearn")
def test_check_estimator():
    net = network(hidden_layer_sizes=(10,), max_iter=60, batch_size="auto")
    grid = {"alpha": [1e-4, 1e-3]}
    search = ours.GridSearchCV(net, grid, cv=2, error_score="raise")
    missing = {
        "check_estimators_nan_inf": "networks take missing cells, which "
        "scikit-learn's searches do not state in their tags"
    }
    results = check_estimator(search, expected_failed_checks=missing, on_fail="raise")
    assert {result["status"] for result in results} <= {"passed", "skipped", "xfail"}
    assert len(results) > 50


@pytest.mark.slow
def test_on_a_cluster(iris, client, monkeypatch):
    monkeypatch.setattr(jobs, "train_stack", None)  # nothing is trained here
    grid = [
        {"net__max_iter": [5, 10], "net__alpha": [0.0, -1.0]},
        {"net": [LogisticRegression()]},
    ]
    settings = {"cv": 3, "error_score": -1.0}
    assert len(set(client.run(os.getpid).values())) == 2
    with parallel_config(backend="dask"):
        search = ours.GridSearchCV(in_pipe(), grid, **settings)
        with pytest.warns(FitFailedWarning, match="In another process") as messages:
            search.fit(*iris)
    (failed,) = (str(w.message) for w in messages if w.category is FitFailedWarning)
    assert "6 fits failed out of a total of 15" in failed
    monkeypatch.undo()
    with pytest.warns(FitFailedWarning):
        reference = theirs.GridSearchCV(in_pipe(), grid, **settings).fit(*iris)
    assert_same(search, reference)


def test_nested_cross_validation(iris):
    X, y = iris
    grid = {"net__learning_rate_init": [1e-4, 0.05], "net__alpha": [0.0, 0.1]}
    search = ours.GridSearchCV(in_pipe(max_iter=15), grid, cv=2)
    before = search.get_params()
    nested = ours.nested_cross_validate(search, X, y, cv=3)
    by_hand = cross_val_score(search, X, y, cv=3)
    np.testing.assert_array_equal(nested.scores, by_hand)
    assert nested.score == by_hand.mean()
    frame = nested.frame()
    assert list(frame) == [
        "fold",
        "n_train",
        "n_test",
        "score",
        "inner_score",
        "net__alpha",
        "net__learning_rate_init",
    ]
    assert frame["n_test"].tolist() == [50, 50, 50]
    assert frame["net__learning_rate_init"].tolist() == [0.05] * 3
    assert all(before[name] is search.get_params()[name] for name in before)
    assert not hasattr(search, "cv_results_")


def test_nested_cross_validation_keeps_groups_together():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(90, 4))
    y, site = (X[:, 0] > 0).astype(int), np.repeat(np.arange(9), 10)
    folds = []

    class Recorder(GroupKFold):
        def split(self, X, y=None, groups=None):
            for train, test in super().split(X, y, groups):
                folds.append((set(groups[train]), set(groups[test])))
                yield train, test

    search = ours.GridSearchCV(
        network(batch_size=16), {"alpha": [1e-4, 1e-2]}, cv=Recorder(2)
    )
    weight = np.linspace(1, 2, 90)
    result = ours.nested_cross_validate(
        search, X, y, cv=Recorder(3), groups=site, params={"sample_weight": weight}
    )
    assert all(not train & test for train, test in folds)
    assert [len(train | test) for train, test in folds[:3]] == [9, 9, 9]  # outer
    assert [len(train | test) for train, test in folds[3:]] == [6] * 6  # inner
    # by hand: the first outer fold, with its weights
    train, test = next(iter(GroupKFold(3).split(X, y, site)))
    inner = ours.GridSearchCV(
        network(batch_size=16), {"alpha": [1e-4, 1e-2]}, cv=GroupKFold(2)
    )
    inner.fit(X[train], y[train], groups=site[train], sample_weight=weight[train])
    assert result.scores[0] == inner.score(X[test], y[test])
    assert result.inner_scores[0] == inner.best_score_


def test_nested_cross_validation_takes_any_search(iris_frame):
    X, y = iris_frame
    linear = LogisticRegression(max_iter=1000)
    search = theirs.GridSearchCV(linear, {"C": [0.1, 1.0]}, scoring="neg_log_loss")
    outer = StratifiedShuffleSplit(4, test_size=0.2, random_state=0)
    nested = ours.nested_cross_validate(search, X, y, cv=outer)
    assert isinstance(nested.frame(), pd.DataFrame)
    assert (nested.scores < 0).all()
    with pytest.raises(ValueError, match="`search` must be a search that refits its"):
        ours.nested_cross_validate(clone(search).set_params(refit=False), X, y)
    with pytest.raises(ValueError, match="`cv` must make at least 2 outer folds"):
        ours.nested_cross_validate(search, X, y, cv=StratifiedShuffleSplit(1))
