"""A search that was ended continues from its checkpoint, with the same results."""

import warnings

import joblib
import numpy as np
import pytest
from scipy.stats import loguniform
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from stopped_fits import (
    Stopped,
    assert_same_bits,
    fits_stopped,
    fitted_arrays,
    write_every_epoch,
)

from skdnn import DNNClassifier
from skdnn._checkpoint import checkpoint as store
from skdnn._training import stacks
from skdnn.exceptions import BaselineWarning, CheckpointWarning
from skdnn.model_selection import (
    GridSearchCV,
    RandomizedSearchCV,
    nested_cross_validate,
)

ALPHAS = {"alpha": [0.1, 1.0]}


def network(**parameters):
    settings = {"max_iter": 4, "n_iter_no_change": np.inf, "random_state": 0}
    return DNNClassifier((6,), **settings | parameters)


@pytest.fixture(autouse=True)
def _every_epoch(monkeypatch):
    write_every_epoch(monkeypatch)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BaselineWarning)
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield


KINDS = {
    "grid": GridSearchCV(network(validation_fraction=0.2), ALPHAS, cv=2),
    "random": RandomizedSearchCV(
        network(), {"alpha": loguniform(0.1, 1)}, n_iter=2, cv=2, random_state=0
    ),
    "recipe and ensemble": GridSearchCV(
        DNNClassifier(max_iter=3, random_state=0),
        [{"dropout": [0.1]}, {"hidden_layer_sizes": [(4,)], "n_estimators": [2]}],
        cv=2,
    ),
    "pipeline": GridSearchCV(
        Pipeline([("scale", StandardScaler()), ("net", network())], verbose=True),
        {"net__alpha": [0.1, 1.0], "scale__with_mean": [True]},
        cv=2,
    ),
    "other estimators": GridSearchCV(
        Pipeline([("net", network())]),
        [{"net__alpha": [1.0]}, {"net": [LogisticRegression()]}],
        cv=2,
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_search_that_is_stopped_again_and_again_has_the_same_bits(
    kind, iris, tmp_path
):
    path = tmp_path / "search.checkpoint"
    search = clone(KINDS[kind]).set_params(checkpoint=path)
    results = fits_stopped(
        lambda: fitted_arrays(clone(search).fit(*iris)),
        path,
        n_stops=50 if kind == "grid" else 4,
        longest=60 if kind == "grid" else 40,
    )
    expected = fitted_arrays(clone(KINDS[kind]).fit(*iris))
    for result in results:
        assert_same_bits(result, expected)


def trained_fits(monkeypatch, fit):
    """Return of how many fits epochs were trained."""
    counts = []

    class Training(stacks.Training):
        def run(self, *args):
            counts.append(1)
            super().run(*args)

    with monkeypatch.context() as patch:
        patch.setattr("skdnn._training.loop.Training", Training)
        fit()
    return len(counts)


def test_fits_that_have_ended_are_not_trained_again(iris, tmp_path, monkeypatch):
    search = GridSearchCV(network(), {"alpha": [0.1, 0.2, 0.3, 1.0]}, cv=3, n_jobs=1)
    search.set_params(checkpoint=tmp_path / "search.checkpoint")
    n_kept = []
    write = store.to_bytes

    def stop_at_the_eighth(parts):
        n_kept.append(sum("result" in part.tree for part in parts.values()))
        if n_kept[-1] == 8:
            raise Stopped
        return write(parts)

    with monkeypatch.context() as patch:
        patch.setattr(store, "to_bytes", stop_at_the_eighth)
        with pytest.raises(Stopped):
            clone(search).fit(*iris)
    # the eighth was not written; the refit is one more
    n = trained_fits(monkeypatch, lambda: clone(search).fit(*iris))
    assert n == 4 * 3 - 7 + 1
    assert trained_fits(monkeypatch, lambda: clone(search).fit(*iris)) == 0


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"param_grid": {"alpha": [0.1, 2.0]}}, "the parameter candidate 1"),
        ({"estimator__tol": 0.5}, "the parameter tol"),
        ({"cv": 3}, "the folds of the table"),
        ({"cv": StratifiedKFold(2, shuffle=True, random_state=1)}, "the folds of"),
    ],
)
def test_another_search_is_refused(change, named, iris, tmp_path):
    path = tmp_path / "search.checkpoint"
    search = GridSearchCV(network(), ALPHAS, cv=2, checkpoint=path).fit(*iris)
    before = path.read_bytes()
    with pytest.raises(ValueError, match=f"{named}.*Delete the file"):
        clone(search).set_params(**change).fit(*iris)
    with pytest.raises(ValueError, match="the X of the table"):
        clone(search).fit(iris[0] * 2, iris[1])
    with pytest.raises(ValueError, match="the other arguments of the table"):
        clone(search).fit(*iris, sample_weight=np.ones(150))
    assert path.read_bytes() == before


def test_steps_that_differ_between_runs_end_the_search(iris, tmp_path):
    class Noise(StandardScaler):
        def transform(self, X):
            return X + np.random.default_rng().normal(size=X.shape)

    pipe = Pipeline([("noise", Noise()), ("net", network())])
    path = tmp_path / "search.checkpoint"
    search = GridSearchCV(pipe, {"net__alpha": [0.1]}, cv=2, checkpoint=path)
    clone(search).fit(*iris)
    with pytest.raises(ValueError, match="the X of the table"):
        clone(search).fit(*iris)


def test_networks_of_a_search_have_no_checkpoint_of_their_own(iris, tmp_path):
    own, path = tmp_path / "own.checkpoint", tmp_path / "search.checkpoint"
    search = GridSearchCV(network(checkpoint=own), ALPHAS, cv=2)
    with pytest.raises(ValueError, match="give the search a checkpoint"):
        search.fit(*iris)
    search.set_params(checkpoint=path).fit(*iris)
    assert not own.exists()
    assert search.best_estimator_.checkpoint == own
    assert search.estimator.checkpoint == own


@pytest.mark.parametrize("random_state", [None, np.random.RandomState(0)])
def test_a_search_that_could_not_be_repeated_is_refused(random_state, iris, tmp_path):
    net = network(random_state=random_state)
    search = GridSearchCV(net, ALPHAS, checkpoint=tmp_path / "search.checkpoint")
    with pytest.raises(ValueError, match="random_state must be an int"):
        search.fit(*iris)
    search.set_params(checkpoint=1, estimator=network())
    with pytest.raises(ValueError, match="The 'checkpoint' parameter of GridSearchCV"):
        search.fit(*iris)


def test_a_search_without_networks_is_refused(iris, tmp_path):
    search = GridSearchCV(LogisticRegression(), {"C": [1, 2]})
    search.set_params(checkpoint=tmp_path / "search.checkpoint")
    with pytest.raises(ValueError, match="checkpoint of a search keeps the networks"):
        search.fit(*iris)


def test_workers_elsewhere_are_refused(iris, tmp_path):
    class Elsewhere(joblib.parallel.SequentialBackend):
        pass

    joblib.register_parallel_backend("elsewhere", Elsewhere)
    search = GridSearchCV(
        network(), ALPHAS, cv=2, checkpoint=tmp_path / "search.checkpoint"
    )
    refused = pytest.raises(ValueError, match="must train in this process")
    with joblib.parallel_config("elsewhere"), refused:
        search.fit(*iris)


@pytest.mark.parametrize("is_error", [False, True])
@pytest.mark.parametrize("kind", ["grid", "recipe and ensemble"])
def test_a_file_that_is_not_written_is_warned_of_once(
    kind, is_error, iris, tmp_path, monkeypatch
):
    search = clone(KINDS[kind]).set_params(checkpoint=tmp_path / "search.checkpoint")
    n_writes = []

    def full(parts):
        n_writes.append(1)
        if len(n_writes) > 3:
            raise OSError(28, "No space left on device")
        return write(parts)

    write = store.to_bytes
    monkeypatch.setattr(store, "to_bytes", full)
    if is_error:
        with warnings.catch_warnings():
            warnings.simplefilter("error", CheckpointWarning)
            with pytest.raises(CheckpointWarning):
                search.fit(*iris)
        assert not hasattr(search, "cv_results_")
        return
    with pytest.warns(CheckpointWarning, match="No space left") as caught:
        search.fit(*iris)
    assert [one.category for one in caught].count(CheckpointWarning) == 1
    assert_same_bits(
        fitted_arrays(search), fitted_arrays(clone(KINDS[kind]).fit(*iris))
    )


def test_a_nested_validation_continues(iris, tmp_path, monkeypatch):
    path = tmp_path / "search.checkpoint"
    search = GridSearchCV(network(), ALPHAS, cv=2)
    expected = nested_cross_validate(search, *iris, cv=2)
    search.set_params(checkpoint=path)
    results = fits_stopped(
        lambda: [nested_cross_validate(search, *iris, cv=2).scores],
        path,
        n_stops=4,
        longest=60,
    )
    for scores in results:
        assert_same_bits(scores, [expected.scores])
    nested_cross_validate(search, *iris, cv=2)
    again = trained_fits(
        monkeypatch, lambda: nested_cross_validate(search, *iris, cv=2)
    )
    assert again == 0
    with pytest.raises(ValueError, match="the outer folds of the table"):
        nested_cross_validate(search, *iris, cv=3)
    other = clone(search).set_params(param_grid={"alpha": [0.5, 1.0]})
    with pytest.raises(ValueError, match="the parameter candidate 0"):
        nested_cross_validate(other, *iris, cv=2)
