"""Imports go downwards only, and heavy packages come in late."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import skdnn

ROOT = Path(skdnn.__file__).parent
LAYERS = {
    7: ["cli", "__main__", "_demo"],
    6: [
        "__init__",
        "explain",
        "explain._attribution",
        "explain._checking",
        "explain._collect",
        "explain._collect_explanations",
        "explain._summary",
    ],
    5: [
        "explain._checks",
        "explain._report",
        "explain._picture",
        "explain._plot_profiles",
        "explain._plot_tables",
        "explain._plots",
    ],
    4: [
        "explain._accumulated",
        "explain._agreement",
        "explain._break_down",
        "explain._ceteris_paribus",
        "explain._counterfactuals",
        "explain._deletion",
        "explain._effects",
        "explain._fitted",
        "explain._importance",
        "explain._lime",
        "explain._loss_rises",
        "explain._performance",
        "explain._partial_dependence",
        "explain._shap",
        "explain._simple_model",
        "explain._support",
    ],
    3: [
        "classifier",
        "model_selection",
        "_data",
        "_ensemble",
        "_fitted_network",
        "_fitting",
        "_frame",
        "_jobs",
        "_out_of_fold",
        "_parameters",
        "_recipe",
        "_search",
        "_table",
        "_keras_classifier",
    ],
    2: [
        "_keras",
        "_drawing",
        "_inference",
        "_keras_classifier._building",
        "_keras_classifier._predict",
        "_keras_classifier._program",
        "_keras_classifier._rows",
        "_keras_classifier._sharing",
        "_keras_classifier._training",
        "_network",
        "_training",
    ],
    1: [
        "_nested",
        "_network._spec",
        "_network._solvers",
        "_training._plan",
        "_training._schedules",
        "_verdict",
        "explain._cells",
        "explain._columns",
        "explain._describe",
        "explain._designs",
        "explain._explanation",
        "explain._foreign",
        "explain._images",
        "explain._fewest_changes",
        "explain._grid",
        "explain._intervals",
        "explain._members",
        "explain._mixing",
        "explain._names",
        "explain._players",
        "explain._shuffling",
        "explain._summary_table",
        "explain._take",
        "explain._tables",
        "explain._target",
        "explain._text",
    ],
    0: ["exceptions", "_compat", "_progress"],
}
# Results draw and tell themselves by calling upwards, late; the demonstration's
# command and the package itself import what they show when they are asked to.
UPWARDS = {
    ("explain._explanation", "explain._plots"),
    # other wrappers of Keras are asked as our own is, once there is one to explain
    ("explain._foreign", "_keras_classifier._predict"),
    ("explain._explanation", "explain._checking"),
    ("explain._tables", "explain._plot_profiles"),
    ("explain._tables", "explain._plot_tables"),
    ("explain._summary_table", "explain._plot_tables"),
    ("explain._break_down", "explain._plot_tables"),
    # solvers make optimizers from plain data
    ("_network._solvers", "_keras"),
}
HEAVY = {
    "keras", "tensorflow", "jax", "torch", "scikeras", "shap", "lime", "matplotlib",
    "jinja2", "tqdm", "rich", "typer",
}  # fmt: skip
FILES = sorted(ROOT.rglob("*.py"))


def module_of(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    if parts[-1] == "__init__" and len(parts) > 1:
        parts = parts[:-1]
    return ".".join(parts)


def layer_of(module):
    """Return the layer of the longest listed name that the module lies in."""
    while module:
        for layer, names in LAYERS.items():
            if module in names:
                return layer
        module = module.rpartition(".")[0]
    raise AssertionError("a module must have a layer; list it in LAYERS")


def imports(path):
    """Yield each imported module, and whether it is imported with the file."""
    tree = ast.parse(path.read_text("utf-8"))
    late = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                is_module = (ROOT.parent / Path(*full.split("."))).with_suffix(".py")
                is_package = ROOT.parent / Path(*full.split(".")) / "__init__.py"
                known = is_module.exists() or is_package.exists()
                yield full if known else node.module, id(node) not in late
        elif isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, id(node) not in late


@pytest.mark.parametrize("path", FILES, ids=module_of)
def test_imports_go_downwards(path):
    module = module_of(path)
    for name, at_import in imports(path):
        if not name.startswith("skdnn"):
            assert (
                not (at_import and name.split(".")[0] in HEAVY) or layer_of(module) == 7
            ), f"{module} imports {name} with the file"
            continue
        other = name.removeprefix("skdnn").removeprefix(".") or "__init__"
        allowed = layer_of(other) <= layer_of(module) or (module, other) in UPWARDS
        assert allowed, f"{module} must not import {other}"


@pytest.mark.parametrize("path", FILES, ids=module_of)
def test_only_the_second_layer_knows_keras(path):
    names = {name.split(".")[0] for name, _ in imports(path)}
    if names & {"keras", "tensorflow", "jax"}:
        assert layer_of(module_of(path)) == 2


def test_only_one_room_knows_scikeras():
    for path in FILES:
        if "_keras_classifier" not in path.parts:
            assert "import scikeras" not in path.read_text("utf-8")
            assert "from scikeras" not in path.read_text("utf-8")


def test_explainers_do_not_know_each_other():
    for module in LAYERS[4]:
        path = ROOT / Path(*module.split(".")).with_suffix(".py")
        for name, _ in imports(path):
            other = name.removeprefix("skdnn.")
            assert other not in LAYERS[4] or other == module, f"{module}: {other}"


@pytest.mark.parametrize("path", FILES, ids=module_of)
def test_files_are_one_idea_long(path):
    assert len(path.read_text("utf-8").splitlines()) <= 500


def loaded_after(code):
    """Return the heavy packages that a fresh process has loaded after some code."""
    # sklearn.pipeline itself loads rich where it is there
    names = sorted(HEAVY - {"rich"} | {"sklearn.ensemble", "sklearn.inspection"})
    tail = f"\nimport sys; print([m for m in {names} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code + tail], capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    return ast.literal_eval(done.stdout.splitlines()[-1])


def test_importing_loads_nothing_heavy():
    code = """
import skdnn; from skdnn import DNNClassifier, explain
from skdnn.model_selection import GridSearchCV
"""
    assert loaded_after(code) == []


def test_explaining_loads_nothing_heavy():
    code = """
import numpy as np
from sklearn.linear_model import LogisticRegression
from skdnn import explain
X = np.random.default_rng(0).normal(size=(40, 3))
model = LogisticRegression().fit(X, np.arange(40) % 2)
explain.shap(model, X)
explain.lime(model, X[:2])
explain.break_down(model, X)
explain.ceteris_paribus(model, X)
explain.partial_dependence(model, X)
explain.accumulated_local_effects(model, X)
explain.average_conditional_effects(model, X)
explain.counterfactuals(model, X)
explain.summary(model, X, np.arange(40) % 2)
"""
    assert loaded_after(code) == []
