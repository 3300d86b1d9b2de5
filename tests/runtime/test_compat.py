"""Private names of other packages: each still exists, and is still needed."""

import ast
import inspect
import re
from pathlib import Path

import joblib
import keras
import numpy as np
import pytest
import sklearn.base
import sklearn.utils
import sklearn.utils.validation
from sklearn.model_selection import GridSearchCV

import skdnn
from skdnn._runtime import compat

# private: _run_search is what compat relies on

ROOT = Path(skdnn.__file__).parent
PACKAGES = {
    "sklearn", "joblib", "keras", "tensorflow", "jax", "torch", "numpy", "scipy",
    "pandas", "narwhals", "shap", "lime", "matplotlib", "threadpoolctl", "tqdm",
}  # fmt: skip
# Attributes of other packages' objects that are used, or were.
PRIVATE_ATTRIBUTES = {
    "_compile_config", "_exclude_from_weight_decay",
    "_exclude_from_weight_decay_cache", "_exclude_from_weight_decay_list",
    "_exclude_from_weight_decay_pattern", "_learning_rate", "_loss_tracker",
    "_parameter_constraints", "_run_search", "_skl_callbacks",
    "_trainable_variables", "_trainable_variables_indices", "_validate_params",
    "_var_key",
}  # fmt: skip


# When each can go: a name is still private, and no public one has taken its place.


@pytest.mark.parametrize(
    ("module", "public"),
    [
        (sklearn.utils, "safe_indexing"),
        (sklearn.utils, "check_sample_weight"),
        (sklearn.utils.validation, "check_sample_weight"),
        (sklearn.utils.validation, "check_method_params"),
        (sklearn.utils, "validate_params"),
        (sklearn.utils, "validate_parameter_constraints"),
        (sklearn.base.BaseEstimator, "validate_params"),
        (sklearn.base.BaseEstimator, "get_callbacks"),
        (sklearn.base.BaseEstimator, "callbacks"),
        (joblib, "get_active_backend"),
        (GridSearchCV, "run_search"),
        (keras.Model, "compile_config"),
        (keras.Model, "loss_tracker"),
        (keras.optimizers.Optimizer, "excluded_from_weight_decay"),
        (keras.optimizers.Optimizer, "get_exclude_from_weight_decay"),
        (keras.utils, "get_name_counts"),
        (keras.backend, "get_name_counts"),
        (keras.backend, "reset_uids"),
    ],
    ids=str,
)
def test_no_public_name_has_come(module, public):
    assert not hasattr(module, public), f"compat can use {public}"


def test_rows_are_taken_from_any_container():
    assert compat.take_rows([5, 6, 7], [2, 0]) == [7, 5]
    np.testing.assert_array_equal(compat.take_rows(np.arange(4), [1, 3]), [1, 3])


def test_callbacks_of_scikit_learn():
    search = GridSearchCV(sklearn.base.BaseEstimator(), {})
    assert not compat.has_callbacks(search)
    if hasattr(search, "set_callbacks"):  # since 1.9
        callbacks = pytest.importorskip("sklearn.callback")
        search.set_callbacks(callbacks.ProgressBar())
        assert compat.has_callbacks(search)


def test_parameters_are_checked_as_in_fit():
    search = GridSearchCV(sklearn.base.BaseEstimator(), {}, cv=-0.5)
    with pytest.raises(compat.InvalidParameterError) as ours:
        compat.check_parameters(search)
    with pytest.raises(compat.InvalidParameterError) as theirs:
        search.fit([[0], [1]], [0, 1])
    assert str(ours.value) == str(theirs.value)


def test_fit_times_of_a_search_can_be_given(iris):
    from sklearn.linear_model import LogisticRegression

    X, y = iris
    search = compat.TimedGridSearchCV(
        LogisticRegression(max_iter=500), {"C": [0.1, 1.0, 2.0]}, cv=2
    )
    search.fit_seconds = np.array([[0, 2], [3, 3], [5, 7]])
    results = search.fit(X, y).cv_results_
    np.testing.assert_array_equal(results["mean_fit_time"], [1, 3, 6])
    np.testing.assert_array_equal(results["std_fit_time"], [1, 0, 1])
    names = inspect.signature(GridSearchCV._run_search).parameters
    # to go when the lowest scikit-learn passes the context of callbacks
    assert "evaluate_candidates" in names


@pytest.mark.parametrize("name", ["loky", "multiprocessing", "threading", "sequential"])
def test_backends_of_joblib_are_local(name):
    with joblib.parallel_config(backend=name, n_jobs=3):
        backend = compat.active_backend()
    assert backend.is_local
    assert backend.is_sequential == (name == "sequential")
    assert backend.n_jobs == 3


def test_other_backends_are_not_local():
    class Elsewhere(joblib.parallel.ParallelBackendBase):
        def effective_n_jobs(self, n_jobs):
            return 1

        def apply_async(self, func, callback=None):  # abstract before joblib 1.5
            raise NotImplementedError

    joblib.register_parallel_backend("elsewhere", Elsewhere)
    with joblib.parallel_config(backend="elsewhere"):
        assert not compat.active_backend().is_local
    assert compat.active_backend().is_local


def test_arrays_that_joblib_maps_are_known(tmp_path):
    with joblib.Parallel(n_jobs=2, max_nbytes=100) as parallel:
        jobs = [joblib.delayed(compat.is_joblib_memmap)(np.ones(100))] * 2
        assert parallel(jobs) == [True, True]
    own = np.memmap(tmp_path / "own", np.float64, "w+", shape=(3,))
    assert not compat.is_joblib_memmap(own)


def compiled_model(**settings):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile(**settings)
    return model


def test_compile_arguments_of_a_model():
    def loss(y, p):
        return keras.ops.mean((y - p) ** 2, axis=-1)

    model = compiled_model(loss=loss)
    first = compat.compile_config(model)
    assert first.config["loss"] is loss
    model.compile(loss=loss)
    assert compat.compile_config(model) is not first
    assert compat.compile_config(keras.Sequential()) is None


def test_the_loss_tracker_of_a_model():
    model = compiled_model(loss="mse", metrics=["mae"])
    x, y = np.ones((4, 2)), np.zeros((4, 1))
    model.fit(x, y, verbose=0)
    tracker = compat.loss_tracker(model)
    assert tracker.name == "loss"
    assert tracker in model.metrics


def test_an_optimizer_of_shared_variables_finds_them():
    optimizer = keras.optimizers.SGD(0.5)
    optimizer.exclude_from_weight_decay(var_names=["b"])
    variable = keras.Variable(np.ones(3))
    optimizer.build([variable])
    duplicate = keras.optimizers.SGD(0.5)
    vars(duplicate).update(vars(optimizer))
    compat.rekey_optimizer(duplicate, optimizer)
    duplicate.apply([np.ones(3)], [variable])
    np.testing.assert_allclose(variable, 0.5)


def test_variables_excluded_from_weight_decay():
    optimizer = keras.optimizers.AdamW()
    assert not compat.has_weight_decay_exclusions(optimizer)
    assert not compat.has_weight_decay_exclusions(keras.optimizers.SGD())
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    assert compat.has_weight_decay_exclusions(optimizer)
    optimizer = keras.optimizers.AdamW()
    optimizer.exclude_from_weight_decay(var_list=[keras.Variable(np.zeros(3))])
    assert compat.has_weight_decay_exclusions(optimizer)


def test_automatic_names_are_counted_from_where_they_are_set():
    before = compat.name_counts()
    first = keras.layers.Dense(1).name
    compat.set_name_counts(before)
    assert keras.layers.Dense(1).name == first
    assert compat.name_counts() != before


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="is TensorFlow's")
def test_kernels_of_tensorflow_are_released_and_made_again():
    x = keras.ops.ones((2, 2))
    before = keras.ops.convert_to_numpy(x @ x)
    compat.clear_kernel_cache()
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(x @ x), before)


# No other module uses private names.


def private_parts(name):
    """Return the parts of a dotted name that its package does not promise to keep."""
    package, *parts = name.split(".")
    hidden = {"tensorflow": {"python"}, "keras": {"src"}}.get(package, set())
    hits = [part for part in parts if part in hidden or re.match(r"_[^_]", part)]
    if name.startswith("joblib.parallel."):
        hits.append(name)  # documented are the names of joblib itself
    return hits if package in PACKAGES else []


def private_uses(source):
    """Yield the line and name of every use of a private name of another package."""
    aliases = {}
    for node in ast.walk(ast.parse(source)):
        names = []
        if isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
            aliases |= {alias.asname: alias.name for alias in node.names}
        elif isinstance(node, ast.Attribute):
            root, _, rest = ast.unparse(node).partition(".")
            if re.fullmatch(r"[\w.]+", rest):
                names = [f"{aliases.get(root, root)}.{rest}"]
        yield from ((node.lineno, name) for name in names if private_parts(name))
        used = {
            getattr(node, field, None) for field in ("attr", "name", "value")
            if isinstance(getattr(node, field, None), str)
        } & PRIVATE_ATTRIBUTES  # fmt: skip
        yield from ((node.lineno, name) for name in used)


@pytest.mark.parametrize(
    "path", sorted(ROOT.rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT))
)
def test_private_names_are_used_in_compat_only(path):
    uses = list(private_uses(path.read_text("utf-8")))
    assert bool(uses) == (path == Path(compat.__file__)), uses


@pytest.mark.parametrize(
    "source",
    [
        "from sklearn.utils._tags import get_tags",
        "from sklearn.utils import _safe_indexing",
        "import joblib._parallel_backends",
        "from joblib.parallel import BACKENDS",
        "def f():\n    from tensorflow.python.eager import context",
        "from keras.src import backend",
        "import numpy as np\nnp._core.multiarray",
        "import sklearn.utils\nsklearn.utils._tags.get_tags(x)",
        "model._compile_config",
        "getattr(model, '_compile_config')",
        "class A:\n    def _run_search(self): ...",
    ],
)
def test_a_private_name_would_be_found(source):
    assert list(private_uses(source))


@pytest.mark.parametrize(
    "source",
    ["import numpy as np\nnp.__version__", "self._state", "from skdnn import _search"],
)
def test_other_names_are_allowed(source):
    assert not list(private_uses(source))


def test_scikeras_is_imported_by_its_wrapper_only():
    importers = {
        path.parent.name
        for path in ROOT.rglob("*.py")
        if re.search(r"(import|from) .*scikeras", path.read_text("utf-8"))
    }
    assert importers == {"_keras_wrapper"}
