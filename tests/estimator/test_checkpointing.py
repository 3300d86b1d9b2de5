"""A fit that was ended continues from its checkpoint, and ends with the same bits."""

import os
import pickle
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import keras
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import cross_val_score
from stopped_fits import (
    Stopped,
    assert_same_bits,
    fits_stopped,
    fitted_arrays,
    stopped_after,
    write_every_epoch,
)

from skdnn import DNNClassifier, io
from skdnn._checkpoint import checkpoint as store
from skdnn._training import loop
from skdnn.exceptions import BaselineWarning, CheckpointWarning


def network(**parameters):
    settings = {"max_iter": 20, "n_iter_no_change": np.inf, "random_state": 0}
    return DNNClassifier((6,), **settings | parameters)


@pytest.fixture(autouse=True)
def _every_epoch(monkeypatch):
    write_every_epoch(monkeypatch)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BaselineWarning)
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield


# validation rows make every epoch a call of its own
KINDS = {
    "plain": network(
        early_stopping=True, learning_rate_init=0.5, dropout=0.3, max_iter=30
    ),
    "ensemble": network(n_estimators=3, bootstrap=True, validation_fraction=0.2),
    "recipe": DNNClassifier(max_iter=8, random_state=0),
    "validated recipe": DNNClassifier(
        max_iter=8, random_state=0, validation_fraction=0.2
    ),
    "batch norm": network(batch_norm=True, validation_fraction=0.2),
    "adaptive": network(
        solver="sgd", learning_rate="adaptive", tol=0.1, n_iter_no_change=1
    ),
    "nadam": network(solver="nadam", validation_fraction=0.2),
    "few rows": DNNClassifier(max_iter=4, random_state=0),
}
# Fits that are stopped more often: number of stops, and of steps until a stop at most.
OFTEN = {"plain": (50, 40), "ensemble": (50, 60), "recipe": (25, 80)}


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param(kind, marks=pytest.mark.slow if kind == "recipe" else ())
        for kind in KINDS
    ],
)
def test_a_fit_that_is_stopped_again_and_again_has_the_same_bits(kind, iris, tmp_path):
    X, y = iris
    if kind == "few rows":
        X, y = X[::2], y[::2]
    path = tmp_path / "training.checkpoint"
    net = clone(KINDS[kind]).set_params(checkpoint=path)
    n_stops, longest = OFTEN.get(kind, (6, 40))
    results = fits_stopped(
        lambda: fitted_arrays(clone(net).fit(X, y)),
        path,
        n_stops=n_stops,
        longest=longest,
    )
    expected = fitted_arrays(clone(KINDS[kind]).fit(X, y))
    for result in results:
        assert_same_bits(result, expected)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_process_that_is_killed_is_continued_by_the_next():
    script = Path(__file__).parents[2] / "benchmarks" / "kill_training.py"
    command = [sys.executable, str(script), "2", "plain", "search"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("all equal") == 2


@pytest.mark.parametrize("kind", ["plain", "recipe", "ensemble", "lbfgs"])
def test_a_fit_that_has_ended_is_not_trained_again(kind, iris, tmp_path, monkeypatch):
    net = network(solver="lbfgs") if kind == "lbfgs" else clone(KINDS[kind])
    net.set_params(checkpoint=str(tmp_path / "training.checkpoint"))
    expected = fitted_arrays(clone(net).fit(*iris))

    def refuse(*_):
        raise AssertionError("training")

    monkeypatch.setattr(loop.Training, "run", refuse)
    monkeypatch.setattr(loop, "train_lbfgs", refuse)
    assert_same_bits(fitted_arrays(net.fit(*iris)), expected)


def test_a_fit_continues_where_the_last_state_was(iris, tmp_path):
    net = network(validation_fraction=0.2, checkpoint=tmp_path / "training.checkpoint")
    whole = clone(net).set_params(checkpoint=None).fit(*iris)
    n_trained = []

    # each write is of four steps: the first is before training, then one per epoch
    with pytest.raises(Stopped), stopped_after(4 * 12):
        clone(net).fit(*iris)
    # private: _Loop and _advance, to count the epochs that are trained
    train = loop._Loop._advance

    def counted(self, *args):
        n_trained.append(1)
        return train(self, *args)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop._Loop, "_advance", counted)
        again = clone(net).fit(*iris)
    assert 8 <= len(n_trained) <= 10
    assert_same_bits(fitted_arrays(again), fitted_arrays(whole))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"alpha": 0.5}, r"the parameter alpha \(None there, 0.5 here\)"),
        ({"random_state": 1}, r"the parameter random_state \(0 there, 1 here\)"),
        ({"activation": keras.activations.gelu}, "the parameter activation"),
    ],
)
def test_another_parameter_is_refused(change, named, iris, tmp_path):
    path = tmp_path / "training.checkpoint"
    net = network(checkpoint=path).fit(*iris)
    before = path.read_bytes()
    with pytest.raises(ValueError, match=f"{named}.*Delete the file"):
        clone(net).set_params(**change).fit(*iris)
    assert path.read_bytes() == before


def test_parameters_without_an_effect_may_change(iris, tmp_path):
    path = tmp_path / "training.checkpoint"
    net = network(checkpoint=path).fit(*iris)
    moved = path.rename(tmp_path / "moved")
    again = clone(net).set_params(verbose=True, checkpoint=moved).fit(*iris)
    assert_same_bits(fitted_arrays(again), fitted_arrays(net))


def test_another_table_is_refused(iris, tmp_path):
    X, y = iris
    net = network(checkpoint=tmp_path / "training.checkpoint").fit(X, y)
    others = {
        "X of the table": (X + 1e-12, y),
        "y of the table": (X, np.roll(y, 1)),
        "sample_weight of the table": (X, y, np.ones(len(y))),
    }
    for named, rows in others.items():
        with pytest.raises(ValueError, match=f"differs in the {named}.*Delete"):
            clone(net).fit(*rows)
    with pytest.raises(ValueError, match="the X_val of the table, the y_val"):
        clone(net).fit(X, y, X_val=X, y_val=y)
    clone(net).fit(X.copy(), y.copy())


def test_another_version_is_refused(iris, tmp_path, monkeypatch):
    net = network(checkpoint=tmp_path / "training.checkpoint").fit(*iris)
    monkeypatch.setattr("skdnn._checkpoint.identity.__version__", "9.9")
    with pytest.raises(ValueError, match=r"version of skdnn \('?0.1.0'? there, 9.9"):
        clone(net).fit(*iris)


def test_a_damaged_file_is_refused_and_left(iris, tmp_path):
    path = tmp_path / "training.checkpoint"
    net = network(checkpoint=path).fit(*iris)
    whole = path.read_bytes()
    damaged = bytearray(whole)
    damaged[len(damaged) // 2] ^= 255
    for content in (b"", b"a model", whole[:-200], bytes(damaged)):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"damaged or of another kind .*Delete"):
            clone(net).fit(*iris)
        assert path.read_bytes() == content


def test_a_path_that_serves_no_file_is_refused_before_training(iris, tmp_path):
    net = network()
    with pytest.raises(IsADirectoryError, match="checkpoint needs the name of a file"):
        clone(net).set_params(checkpoint=tmp_path).fit(*iris)
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        clone(net).set_params(checkpoint=tmp_path / "none" / "file").fit(*iris)
    with pytest.raises(ValueError, match="'checkpoint' parameter of DNNClassifier"):
        clone(net).set_params(checkpoint=3).fit(*iris)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"random_state": None}, "random_state must be an int.*Set random_state=0"),
        ({"warm_start": True}, "new weights. Got warm_start=True"),
        ({"callbacks": [keras.callbacks.Callback()]}, "Set callbacks=None"),
        ({"activation": np.vectorize(abs)}, "the parameter activation must be a value"),
    ],
)
def test_a_fit_that_could_not_be_repeated_is_refused(change, text, iris, tmp_path):
    path = tmp_path / "training.checkpoint"
    with pytest.raises(ValueError, match=text):
        network(checkpoint=path).set_params(**change).fit(*iris)
    assert not path.exists()


def test_partial_fit_is_refused(iris, tmp_path):
    net = network(checkpoint=tmp_path / "training.checkpoint")
    with pytest.raises(ValueError, match=r"in `partial_fit`. Set checkpoint=None"):
        net.partial_fit(*iris)


def test_clones_in_a_cross_validation_are_refused(iris, tmp_path):
    net = network(checkpoint=tmp_path / "training.checkpoint")
    with pytest.raises(ValueError, match="the X of the table"):
        cross_val_score(net, *iris, cv=3, error_score="raise")


@pytest.mark.parametrize("kind", ["plain", "recipe", "ensemble"])
def test_a_folder_that_goes_is_warned_of_once(kind, iris, tmp_path, monkeypatch):
    folder = tmp_path / "folder"
    folder.mkdir()
    net = clone(KINDS[kind]).set_params(checkpoint=folder / "training.checkpoint")
    expected = fitted_arrays(clone(KINDS[kind]).fit(*iris))
    write, n_writes = store.to_bytes, []

    def removing(parts):
        n_writes.append(1)
        if len(n_writes) == 3:
            shutil.rmtree(folder)
        return write(parts)

    monkeypatch.setattr(store, "to_bytes", removing)
    with pytest.warns(CheckpointWarning, match="Training continues") as caught:
        result = fitted_arrays(net.fit(*iris))
    kinds = [one.category for one in caught]
    assert kinds.count(CheckpointWarning) == 1
    assert_same_bits(result, expected)


def fail_after(monkeypatch, n_writes):
    """Have all writes but the first ones fail, as on a full disk."""
    sync, left = os.fsync, [2 * n_writes]

    def full(descriptor):
        left[0] -= 1
        if left[0] < 0:
            raise OSError(28, "No space left on device")
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", full)


def test_a_full_disk_leaves_the_last_state(iris, tmp_path, monkeypatch):
    path = tmp_path / "training.checkpoint"
    net = network(early_stopping=True, checkpoint=path)
    with monkeypatch.context() as patch:
        fail_after(patch, 4)
        with pytest.warns(CheckpointWarning, match="No space left on device") as caught:
            expected = fitted_arrays(clone(net).fit(*iris))
    assert [one.category for one in caught].count(CheckpointWarning) == 1
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]
    n_before = path.stat().st_size
    assert_same_bits(fitted_arrays(clone(net).fit(*iris)), expected)
    assert path.stat().st_size != n_before


def test_training_stops_where_the_warning_is_an_error(iris, tmp_path, monkeypatch):
    path = tmp_path / "training.checkpoint"
    net = network(early_stopping=True, checkpoint=path)
    with monkeypatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("error", CheckpointWarning)
        fail_after(patch, 4)
        with pytest.raises(CheckpointWarning):
            net.fit(*iris)
    assert not hasattr(net, "history_")
    net.fit(*iris)
    expected = clone(net).set_params(checkpoint=None).fit(*iris)
    assert_same_bits(fitted_arrays(net), fitted_arrays(expected))


def test_writing_succeeds_again_after_a_failure(iris, tmp_path, monkeypatch):
    path = tmp_path / "training.checkpoint"
    net = network(early_stopping=True, checkpoint=path)
    sync, n_syncs = os.fsync, []

    def full_for_a_while(descriptor):
        n_syncs.append(1)
        if 9 < len(n_syncs) < 15:
            raise OSError(28, "No space left on device")
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", full_for_a_while)
    with pytest.warns(CheckpointWarning):
        expected = fitted_arrays(clone(net).fit(*iris))
    monkeypatch.setattr(loop.Training, "run", None)  # it has ended, and is not called
    assert_same_bits(fitted_arrays(clone(net).fit(*iris)), expected)


def test_the_checkpoint_is_no_part_of_the_model(iris, tmp_path):
    path = tmp_path / "training.checkpoint"
    net = network(checkpoint=path).fit(*iris)
    plain = network().fit(*iris)
    assert_same_bits(fitted_arrays(net), fitted_arrays(plain))
    path.unlink()
    again = pickle.loads(pickle.dumps(net))
    np.testing.assert_array_equal(
        again.predict_proba(iris[0]), plain.predict_proba(iris[0])
    )
    assert clone(net).get_params()["checkpoint"] == path
    io.dump(net, tmp_path / "model.skops")
    assert io.load(tmp_path / "model.skops").checkpoint == str(path)
    ensemble = network(n_estimators=2, checkpoint=path).fit(*iris)
    assert [member.checkpoint for member in ensemble.estimators_] == [None, None]


def test_progress_counts_what_is_not_trained_again(iris, tmp_path, capsys):
    for net in (network(max_iter=7), DNNClassifier(max_iter=6, random_state=0)):
        path = tmp_path / f"{net.max_iter}.checkpoint"
        net.set_params(verbose=True, checkpoint=path)
        clone(net).fit(*iris)
        first = capsys.readouterr().err.split("\r")[-1].split("|")[0]
        clone(net).fit(*iris)
        assert capsys.readouterr().err.split("\r")[-1].split("|")[0] == first


def test_a_table_of_a_frame_is_recognised(passengers, tmp_path):
    X, y = passengers
    net = DNNClassifier(
        max_iter=4, random_state=0, checkpoint=tmp_path / "training.checkpoint"
    )
    expected = fitted_arrays(clone(net).fit(X, y))
    assert_same_bits(fitted_arrays(clone(net).fit(X.copy(), y.copy())), expected)
    changed = X.copy()
    changed.loc[3, "port"] = "Z"
    with pytest.raises(ValueError, match="the X of the table"):
        clone(net).fit(changed, y)
