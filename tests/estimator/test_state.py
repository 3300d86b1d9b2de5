"""What pickle, joblib and model files keep is read by later releases."""

import copy
import io
import pickle
import zipfile

import joblib
import numpy as np
import pandas as pd
import pytest
import sklearn
from keep_models import KEPT, models, table
from sklearn.exceptions import InconsistentVersionWarning

import skdnn
from skdnn import DNNClassifier
from skdnn._estimator import state
from skdnn.exceptions import VersionWarning


@pytest.fixture(scope="module")
def fitted():
    return models()["plain"]


def read(kept, name, folder):
    data = kept.read(name)
    if name.endswith(".pickle"):
        return pickle.loads(data)
    if name.endswith(".joblib"):
        return joblib.load(io.BytesIO(data))
    (folder / name).write_bytes(data)
    return skdnn.io.load(folder / name)


@pytest.mark.parametrize("path", sorted(KEPT.glob("*.zip")), ids=lambda path: path.stem)
@pytest.mark.parametrize("kind", ["pickle", "joblib", "skops"])
@pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.InconsistentVersionWarning"
)  # kept by another release
def test_models_of_a_release_predict_the_same(path, kind, tmp_path):
    X, _ = table()
    rows = {
        "plain": np.column_stack([X["size"].fillna(0), X["ripe"]]),
        "recipe": X,
    }
    with zipfile.ZipFile(path) as kept:
        for name, own in rows.items():
            proba = np.load(io.BytesIO(kept.read(f"{name}.npy")))
            model = read(kept, f"{name}.{kind}", tmp_path)
            # other versions of NumPy may add up in another order
            np.testing.assert_allclose(model.predict_proba(own), proba, atol=1e-6)
            network = model[-1] if name == "recipe" else model
            assert network.history_["loss"].notna().all()
            assert len(network.summary()) > 100
            assert network.get_params().keys() == DNNClassifier().get_params().keys()


def test_there_are_models_of_this_release_and_they_are_small():
    names = [path.stem for path in KEPT.iterdir()]
    assert skdnn.__version__ in names
    assert sum(path.stat().st_size for path in KEPT.iterdir()) < 100_000 * len(names)


def test_history_is_kept_without_a_frame_and_restored(fitted):
    network, _ = fitted
    kept = network.__getstate__()
    assert not any(isinstance(value, pd.DataFrame) for value in kept.values())
    again = copy.deepcopy(network)
    pd.testing.assert_frame_equal(again.history_, network.history_)


def written_by(network, **versions):
    """Return a pickled classifier as other versions would have written it."""
    other = DNNClassifier()
    kept = network.__getstate__() | versions
    kept = {name: value for name, value in kept.items() if value is not None}
    # private: the state of another version is not written by this one
    return pickle.loads(pickle.dumps(other)).__setstate__, kept


class TestVersions:
    @pytest.mark.parametrize(
        ("versions", "kind", "text"),
        [
            (
                {"_skdnn_version": "0.0.9"},
                VersionWarning,
                r"skdnn 0\.0\.9, and is read",
            ),
            ({"_skdnn_version": None}, VersionWarning, r"of before 0\.1"),
            ({"_sklearn_version": "1.2.3"}, InconsistentVersionWarning, r"1\.2\.3"),
        ],
    )
    def test_another_version_is_warned_of(self, fitted, versions, kind, text):
        restore, kept = written_by(fitted[0], **versions)
        with pytest.warns(kind, match=text) as caught:
            restore(kept)
        assert [type(one.message) for one in caught] == [kind]

    def test_the_same_version_is_silent_and_leaves_no_attribute(self, fitted):
        network, X = fitted
        again = pickle.loads(pickle.dumps(network))
        assert vars(again).keys() == vars(network).keys()
        assert network.__getstate__()["_sklearn_version"] == sklearn.__version__
        assert np.array_equal(again.predict_proba(X), network.predict_proba(X))

    def test_one_filter_covers_both(self):
        assert issubclass(VersionWarning, InconsistentVersionWarning)


def test_parameters_and_attributes_of_later_releases_have_defaults(fitted, monkeypatch):
    network, X = fitted
    kept = network.__getstate__()
    del kept["l1_ratio"]
    monkeypatch.setitem(state.ADDED_ATTRIBUTES, "later_", 7)
    again = DNNClassifier.__new__(DNNClassifier)
    again.__setstate__(kept)
    assert again.l1_ratio == 0.0
    assert again.later_ == 7
    assert np.array_equal(again.predict_proba(X), network.predict_proba(X))
