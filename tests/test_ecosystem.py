"""Other packages around a classifier, and machines that lack packages."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import skops.io
from optional import require
from sklearn import set_config
from sklearn.datasets import load_iris
from sklearn.model_selection import cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler
from sklearn.utils import estimator_html_repr

import skdnn
from skdnn import DNNClassifier, explain

PLAIN = {"max_iter": 30, "n_iter_no_change": np.inf, "random_state": 0}


@pytest.fixture(scope="module")
def iris():
    X, y = load_iris(return_X_y=True, as_frame=True)
    return train_test_split(X, y, stratify=y, random_state=0)


@pytest.fixture(scope="module")
def model_file(iris, tmp_path_factory):
    X, _, y, _ = iris
    path = tmp_path_factory.mktemp("models") / "iris.skops"
    skdnn.io.dump(DNNClassifier(max_iter=4, random_state=0).fit(X, y), path)
    return path


def test_optuna_chooses_parameters(iris):
    optuna = require("optuna")
    X, _, y, _ = iris

    def mean_score(trial):
        rate = trial.suggest_float("learning_rate_init", 1e-5, 1e-1, log=True)
        network = DNNClassifier((8,), learning_rate_init=rate, **PLAIN)
        return cross_val_score(make_pipeline(MinMaxScaler(), network), X, y).mean()

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    sampler = optuna.samplers.RandomSampler(seed=0)
    study = optuna.create_study(direction="maximize", sampler=sampler)
    study.optimize(mean_score, n_trials=4)
    values = [trial.value for trial in study.trials]
    assert study.best_value == max(values) > min(values)
    again = mean_score(optuna.trial.FixedTrial(study.best_params))
    assert again == study.best_value  # the same bits


def test_skrub_prepares_a_table_for_layers():
    skrub = require("skrub")
    rng = np.random.default_rng(0)
    n = 240
    days = pd.to_datetime("2026-01-01") + pd.to_timedelta(rng.integers(0, 300, n), "D")
    X = pd.DataFrame(
        {
            "day": days,
            "town": rng.choice(["Ulm", "Bonn", "Jena"], n),
            "size": np.where(rng.random(n) < 0.1, np.nan, rng.normal(size=n)),
        }
    )
    y = np.where((X["town"] == "Ulm") | (X["size"].fillna(0) > 1), "yes", "no")
    network = DNNClassifier((16,), learning_rate_init=0.02, **PLAIN)
    pipe = make_pipeline(skrub.TableVectorizer(), MinMaxScaler(), network).fit(
        X[:160], y[:160]
    )
    assert pipe.score(X[160:], y[160:]) > 0.8
    result = explain.shap(pipe, X[160:164], background=X[:160], random_state=0)
    assert list(result.feature_names) == ["day", "town", "size"]  # the user's columns


@pytest.mark.filterwarnings("ignore:.*type hint:UserWarning")  # of mlflow's own types
def test_mlflow_keeps_a_pipeline(iris, tmp_path):
    mlflow = require("mlflow.sklearn")
    X, X_test, y, _ = iris
    network = DNNClassifier((8,), **PLAIN)
    pipe = make_pipeline(MinMaxScaler(), network).fit(X, y)
    skdnn.io.dump(pipe, tmp_path / "pipe.skops")
    known = skops.io.get_untrusted_types(file=tmp_path / "pipe.skops")
    assert all(name.startswith("skdnn.") for name in known)
    mlflow.save_model(
        pipe,
        tmp_path / "model",
        pip_requirements=[],
        serialization_format="skops",
        skops_trusted_types=known,
    )
    again = mlflow.load_model(str(tmp_path / "model"))
    np.testing.assert_array_equal(
        again.predict_proba(X_test), pipe.predict_proba(X_test)
    )


def test_the_html_display_shows_parameters(iris):
    X, _, y, _ = iris
    network = DNNClassifier((8,), dropout=0.25, **PLAIN)
    pipe = make_pipeline(MinMaxScaler(), network)
    assert "DNNClassifier" in estimator_html_repr(pipe)
    assert "0.25" in estimator_html_repr(pipe.fit(X, y))


def test_frames_between_the_steps(iris):
    X, X_test, y, _ = iris
    pipe = make_pipeline(MinMaxScaler(), DNNClassifier((8,), **PLAIN))
    arrays = pipe.fit(X, y).predict_proba(X_test)
    set_config(transform_output="pandas")
    try:
        frames = pipe.fit(X, y)
        np.testing.assert_array_equal(frames.predict_proba(X_test), arrays)
        assert frames[-1].feature_names_in_.tolist() == X.columns.tolist()
    finally:
        set_config(transform_output="default")


def run_without(packages, code, *arguments):
    """Run code in a process in which these packages cannot be imported."""
    blocked = f"""
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {packages!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Blocked())
import skdnn
from skdnn import explain
from sklearn.datasets import load_iris
X, y = load_iris(return_X_y=True, as_frame=True)
network = skdnn.io.load(sys.argv[1])
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", blocked + code, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_without_a_backend_all_but_training_works(model_file):
    """And training states what to install."""
    code = """
explain.lime(network, X[:1], background=X)
report = explain.report(network, X[::5], y[::5], background=X, y_background=y)
assert "SHAP" in report.html()
network.summary()
for train in (
    lambda: skdnn.DNNClassifier((4,)).fit(X, y),
    lambda: skdnn.KerasClassifier(lambda: None).fit(X, y),
):
    try:
        train()
    except ModuleNotFoundError as error:
        print(error)
"""
    packages = {"tensorflow", "keras", "scikeras", "jax", "torch", "shap", "lime"}
    first, second = run_without(packages, code, model_file).splitlines()
    assert first == second
    assert first.startswith("Training needs Keras and its backend")
    assert "pip install keras tensorflow" in first


def test_predicting_needs_few_packages(model_file, iris):
    """Those that docs/guide/ecosystem.md names suffice."""
    code = "print(network.predict_proba(X[:1]).tolist(), network.predict_set(X).shape)"
    packages = {"tensorflow", "keras", "scikeras", "jax", "torch", "shap", "lime"}
    packages |= {"matplotlib", "jinja2", "rich", "typer", "tqdm", "PIL"}
    shown = run_without(packages, code, model_file)
    X, *_ = load_iris(return_X_y=True, as_frame=True)
    assert shown.startswith(
        str(skdnn.io.load(model_file).predict_proba(X[:1]).tolist())
    )
