"""Estimators are the same after a model file; other files are refused, and not run."""

import io
import json
import pickle
import zipfile

import joblib
import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.ensemble import (
    RandomForestClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.feature_selection import SelectKBest
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    MinMaxScaler,
    OneHotEncoder,
    PowerTransformer,
    QuantileTransformer,
    StandardScaler,
)

from skdnn import DNNClassifier, explain
from skdnn._model_files import container
from skdnn._model_files.archive import read_manifest, read_model, write_model
from skdnn.model_selection import GridSearchCV

NAMES = np.array(["setosa", "versicolor", "virginica"], dtype=object)


def network(**parameters):
    own = {"hidden_layer_sizes": (4,), "max_iter": 3, "n_iter_no_change": 9}
    return DNNClassifier(random_state=0, **own | parameters)


def columns():
    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    words = OneHotEncoder(handle_unknown="ignore")
    select = make_column_selector
    return ColumnTransformer(
        [
            ("n", numbers, select(dtype_include=np.number)),
            ("w", words, select(dtype_exclude=np.number)),
        ]
    )


def grid(estimator, name):
    return GridSearchCV(estimator, {name: [0.0, 0.1]}, cv=2, scoring="accuracy")


ESTIMATORS = {
    "plain": network(),
    "float64": network(batch_norm=True, dropout=[0.1]),
    "warm start": network(warm_start=True),
    "RandomState": network().set_params(random_state=np.random.RandomState(0)),
    "calibrated": network(calibration="temperature", validation_fraction=0.2),
    "ensemble": network(n_estimators=3, bootstrap=True, oob_score=True),
    "class weights": network(class_weight=dict.fromkeys(NAMES, 1.5)),
    "softmax regression": network(hidden_layer_sizes=()),
    "columns": make_pipeline(columns(), network()),
    "search": grid(network(), "alpha"),
    "search of a pipeline": grid(
        make_pipeline(SimpleImputer(), MinMaxScaler(), network()),
        "dnnclassifier__alpha",
    ),
    "CalibratedClassifierCV": CalibratedClassifierCV(network(), cv=2),
    "isotonic": CalibratedClassifierCV(network(), cv=2, method="isotonic"),
    "voting": VotingClassifier(
        [("a", network()), ("b", make_pipeline(SimpleImputer(), LogisticRegression()))],
        voting="soft",
    ),
    "stacking": StackingClassifier([("a", network())], cv=2),
    "transformers": make_pipeline(
        SimpleImputer(),
        FunctionTransformer(np.log1p),
        PowerTransformer(),
        QuantileTransformer(n_quantiles=9),
        SelectKBest(k=3),
        KBinsDiscretizer(3, quantile_method="averaged_inverted_cdf"),
        network(),
    ),
}


@pytest.fixture(scope="module")
def rows(iris):
    X, y = iris
    frame = pd.DataFrame(X.copy(), columns=list("abcd"))
    frame.iloc[::7, 0] = np.nan
    return frame, NAMES[y]


@pytest.fixture(scope="module")
def recipe(rows):
    X, y = rows
    X = X.assign(colour=["red", "blue", None] * 50)
    return DNNClassifier(max_iter=2, random_state=0).fit(X, y), X


@pytest.fixture(scope="module")
def small(rows, tmp_path_factory):
    """A fitted network and the bytes of its model file."""
    X, y = rows
    fitted = network(hidden_layer_sizes=(2,)).fit(X, y)
    path = tmp_path_factory.mktemp("small") / "small.skops"
    write_model(fitted, path)
    return fitted, path.read_bytes()


def read_bytes(data, folder):
    path = folder / "model.skops"
    path.write_bytes(data)
    return read_model(path)


def members(data):
    return container.unpack(data)


@pytest.mark.filterwarnings("ignore::skdnn.exceptions.BaselineWarning")
@pytest.mark.filterwarnings("ignore:.* rows were used by every member:UserWarning")
@pytest.mark.parametrize("name", ESTIMATORS)
def test_estimators_predict_the_same_bits(name, rows, tmp_path):
    X, y = rows
    if name == "columns":
        X = X.assign(colour=["red", "blue", "red"] * 50)
    fitted = ESTIMATORS[name].fit(X, y)
    write_model(fitted, tmp_path / "model.skops")
    again = read_model(tmp_path / "model.skops")
    assert type(again) is type(fitted)
    assert np.array_equal(again.predict_proba(X), fitted.predict_proba(X))
    assert again.predict(X).tolist() == fitted.predict(X).tolist()
    # plain skops reads the file as well
    types = skops.io.get_untrusted_types(file=tmp_path / "model.skops")
    plain = skops.io.load(tmp_path / "model.skops", trusted=types)
    assert np.array_equal(plain.predict_proba(X), fitted.predict_proba(X))


def test_the_recipe_is_the_same_in_all_it_can_do(recipe, tmp_path):
    fitted, X = recipe
    write_model(fitted, tmp_path / "model.skops")
    again = read_model(tmp_path / "model.skops")
    assert np.array_equal(again.predict_proba(X), fitted.predict_proba(X))
    assert np.array_equal(again.predict_set(X), fitted.predict_set(X))
    assert np.array_equal(again.predict_members(X), fitted.predict_members(X))
    assert again.summary() == fitted.summary()
    pd.testing.assert_frame_equal(again.history_, fitted.history_)
    first, second = (explain.shap(e, X[:2], background=X[:20]) for e in (fitted, again))
    assert np.array_equal(first.values, second.values)


@pytest.mark.filterwarnings("ignore::skdnn.exceptions.BaselineWarning")
def test_training_resumes_from_a_model_file(rows, tmp_path):
    X, y = rows
    fitted = network(warm_start=True).fit(X, y)
    write_model(fitted, tmp_path / "model.skops")
    again = read_model(tmp_path / "model.skops").fit(X, y)
    assert np.array_equal(again.predict_proba(X), fitted.fit(X, y).predict_proba(X))


@pytest.mark.filterwarnings("ignore::skdnn.exceptions.BaselineWarning")
def test_several_labels(rows, tmp_path):
    X, y = rows
    labels = pd.get_dummies(y).astype(int)
    fitted = network().fit(X, labels)
    write_model(fitted, tmp_path / "model.skops")
    again = read_model(tmp_path / "model.skops")
    assert np.array_equal(again.predict_proba(X), fitted.predict_proba(X))
    assert list(again.classes_) == list(NAMES)


def test_equal_models_give_equal_bytes(small, tmp_path):
    _, data = small
    write_model(read_bytes(data, tmp_path), tmp_path / "again.skops")
    assert (tmp_path / "again.skops").read_bytes() == data


def test_manifest_describes_the_model_without_reading_it(recipe, tmp_path):
    fitted, X = recipe
    path = tmp_path / "model.skops"
    write_model(fitted, path, notes={"table": "fruit.csv", "rows": 150})
    manifest = read_manifest(path)
    assert manifest["class"] == "skdnn.classifier.DNNClassifier"
    assert manifest["estimator"] == "DNNClassifier(max_iter=2, random_state=0)"
    assert manifest["parameters"]["max_iter"] == "2"
    assert manifest["classes"] == list(NAMES)
    assert manifest["feature_names"] == list(X)
    assert manifest["n_features"] == X.shape[1]
    assert manifest["notes"] == {"table": "fruit.csv", "rows": 150}
    assert {"skdnn", "scikit-learn", "numpy", "python"} < set(manifest["versions"])
    json.dumps(manifest, allow_nan=False)


def test_an_estimator_that_is_not_fitted_is_kept(tmp_path):
    write_model(DNNClassifier(max_iter=7), tmp_path / "model.skops")
    assert read_model(tmp_path / "model.skops").max_iter == 7
    assert read_manifest(tmp_path / "model.skops")["classes"] is None


class TestWhatCannotBeWritten:
    @pytest.mark.parametrize("estimator", [DNNClassifier, None, {"a": 1}])
    def test_anything_but_an_estimator(self, estimator, tmp_path):
        with pytest.raises(TypeError, match=r"must be an estimator.*Got"):
            write_model(estimator, tmp_path / "model.skops")
        assert not list(tmp_path.iterdir())

    def test_parts_that_are_not_data_leave_the_old_file(self, tmp_path):
        path = tmp_path / "model.skops"
        path.write_bytes(b"old")
        lost = make_pipeline(RandomForestClassifier())
        with pytest.raises(ValueError, match=r"RandomForest.*in `steps`.*joblib\.dump"):
            write_model(lost, path)
        assert path.read_bytes() == b"old"
        assert list(tmp_path.iterdir()) == [path]

    def test_notes_that_json_does_not_have(self, small, tmp_path):
        with pytest.raises(TypeError, match="`notes` must hold what JSON has"):
            write_model(small[0], tmp_path / "model.skops", notes={"x": {1, 2}})


class _Runs:
    """Runs code when it is read by pickle."""

    def __reduce__(self):
        return (pytest.fail, ("was run",))


class TestWhatIsRefused:
    @pytest.mark.parametrize("protocol", range(6))
    def test_pickles(self, protocol, tmp_path):
        data = pickle.dumps(_Runs(), protocol)
        with pytest.raises(ValueError, match="must be a zip archive"):
            read_bytes(data, tmp_path)

    @pytest.mark.parametrize("compress", [0, ("zlib", 3), ("gzip", 3), ("xz", 1)])
    def test_joblib(self, compress, tmp_path):
        joblib.dump(_Runs(), tmp_path / "model", compress=compress)
        with pytest.raises(ValueError, match=r"pickle.*runs the code"):
            read_model(tmp_path / "model")

    @pytest.mark.parametrize("data", [b"", b"PK", b"PK\x03\x04", b"<html>", b"\0" * 99])
    def test_what_is_no_zip(self, data, tmp_path):
        with pytest.raises(ValueError, match=r"zip archive|damaged"):
            read_bytes(data, tmp_path)

    def test_folders_and_paths_that_are_not_there(self, tmp_path):
        with pytest.raises(IsADirectoryError, match="Got the folder"):
            read_model(tmp_path)
        with pytest.raises(FileNotFoundError):
            read_model(tmp_path / "none")

    @pytest.mark.parametrize("kept", [0.1, 0.5, 0.9, 0.999])
    def test_truncated_files(self, small, kept, tmp_path):
        data = small[1]
        with pytest.raises(ValueError, match="damaged"):
            read_bytes(data[: int(kept * len(data))], tmp_path)

    def test_other_types_are_named_and_not_imported(self, tmp_path):
        skops.io.dump(make_pipeline(RandomForestClassifier()), tmp_path / "model")
        with pytest.raises(ValueError, match=r"RandomForestClassifier.*Nothing"):
            read_model(tmp_path / "model")

    def test_files_of_skops_of_trusted_types_are_read(self, small, rows, tmp_path):
        skops.io.dump(small[0], tmp_path / "model")
        again = read_model(tmp_path / "model")
        assert np.array_equal(
            again.predict_proba(rows[0]), small[0].predict_proba(rows[0])
        )
        with pytest.raises(ValueError, match=r"must have a member 'skdnn\.json'"):
            read_manifest(tmp_path / "model")

    @pytest.mark.parametrize(
        "entry",
        [
            {"__loader__": "FunctionNode", "__module__": "os", "__class__": "system"},
            {"__loader__": "TypeNode", "__module__": "builtins", "__class__": "eval"},
            # CVE-2025-54412, CVE-2025-54413: code by nodes that name functions
            {
                "__loader__": "OperatorFuncNode",
                "__module__": "operator",
                "__class__": "methodcaller",
            },
            {
                "__loader__": "MethodNode",
                "__module__": "skdnn.classifier",
                "__class__": "DNNClassifier",
            },
            {"__loader__": "PartialNode", "__module__": "functools", "__class__": "x"},
            {"__loader__": "ListNode", "__module__": "builtins", "__class__": "exec"},
            {"__loader__": 3, "__module__": "builtins", "__class__": "list"},
        ],
        ids=lambda entry: f"{entry['__loader__']}-{entry['__class__']}",
    )
    def test_entries_that_run_code(self, small, entry, tmp_path):
        parts = members(small[1])
        schema = json.loads(parts[container.SCHEMA])
        schema["content"]["content"]["alpha"] = entry
        parts[container.SCHEMA] = json.dumps(schema).encode()
        del parts[container.MANIFEST]
        with pytest.raises(ValueError, match=rf"Got also:.*{entry['__class__']}"):
            read_bytes(container.pack(parts), tmp_path)

    def test_older_protocols_of_skops(self, small, tmp_path):
        parts = members(small[1])
        text = parts[container.SCHEMA].replace(b'"protocol":2', b'"protocol":0')
        parts[container.SCHEMA] = text
        with pytest.raises(ValueError, match="protocol of skops must be 2 or later"):
            read_bytes(container.pack(parts), tmp_path)

    def test_contents_that_are_not_those_of_the_checksum(self, small, tmp_path):
        parts = members(small[1])
        parts[container.SCHEMA] = parts[container.SCHEMA].replace(b"1e-08", b"1e-07")
        with pytest.raises(ValueError, match="checksum"):
            read_bytes(container.pack(parts), tmp_path)

    def test_formats_of_later_releases(self, small, tmp_path):
        parts = members(small[1])
        manifest = json.loads(parts[container.MANIFEST]) | {"format": 2}
        parts[container.MANIFEST] = json.dumps(manifest).encode()
        with pytest.raises(ValueError, match=r"must be 1 or earlier\. Got 2"):
            read_bytes(container.pack(parts), tmp_path)

    def test_known_types_with_contents_that_do_not_fit(self, small, tmp_path):
        parts = members(small[1])
        schema = json.loads(parts[container.SCHEMA])
        schema["content"] = {
            "__loader__": "JsonNode",
            "__module__": "builtins",
            "__class__": "str",
            "content": "3",
        }
        parts[container.SCHEMA] = json.dumps(schema).encode()
        del parts[container.MANIFEST]
        with pytest.raises(ValueError, match="damaged"):
            read_bytes(container.pack(parts), tmp_path)


def _flipped(small, flips, folder):
    """Check a file with each (position, bit) flipped: an error, or the same model."""
    fitted, data = small
    X = np.linspace(0, 1, 12).reshape(3, 4)
    X = pd.DataFrame(X, columns=list("abcd"))
    expected = fitted.predict_proba(X)
    n_refused = 0
    for position, bit in flips:
        changed = bytearray(data)
        changed[position] ^= 1 << bit
        try:
            again = read_bytes(bytes(changed), folder)
        except ValueError:
            n_refused += 1
            continue
        assert np.array_equal(again.predict_proba(X), expected), (position, bit)
    return n_refused / len(flips)


def test_flipped_bits_are_noticed(small, tmp_path):
    flips = [(i, i % 8) for i in range(0, len(small[1]), 41)]
    assert _flipped(small, flips, tmp_path) > 0.7


@pytest.mark.slow
def test_every_flipped_byte_is_noticed(small, tmp_path):
    flips = [(i, i % 8) for i in range(len(small[1]))]
    assert _flipped(small, flips, tmp_path) > 0.7


def test_a_flipped_bit_of_the_directory_raises_nothing_else(small):
    """Of the part of a zip archive that declares how each member is kept."""
    data = small[1]
    n_refused = 0
    for position in range(data.index(b"PK\x01\x02"), len(data)):
        for bit in range(8):
            changed = bytearray(data)
            changed[position] ^= 1 << bit
            try:
                container.unpack(bytes(changed))
            except ValueError:
                n_refused += 1
    assert n_refused > 1000


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_compressions_are_refused(small, tmp_path, method):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in members(small[1]).items():
            archive.writestr(name, content)
    with pytest.raises(ValueError, match=f"stored or deflated, got method {method}"):
        read_bytes(buffer.getvalue(), tmp_path)
