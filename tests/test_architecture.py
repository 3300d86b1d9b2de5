"""Imports go downwards only, and heavy packages are imported late."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import skdnn

ROOT = Path(skdnn.__file__).parent
# From the lowest to the highest. A module imports from packages below its own, and
# from its own; within a package there is no circle.
LAYERS = [
    "exceptions",
    "_runtime",
    "_tabular",
    "_network",
    "_training",
    "_estimator",
    "classifier",
    "_search",
    "model_selection",
    "_keras_wrapper",
    "keras_classifier",
    "explain._results",
    "explain._model",
    "explain._text",
    "explain._methods",
    "explain._checks",
    "explain._plots",
    "explain._report",
    "explain",
    "__init__",
    "_commands",
    "cli",
    "__main__",
]
# Imports upwards that are still to be removed.
UPWARDS: set[tuple[str, str]] = set()
# Where Keras and its backends may be imported.
KERAS = ("_runtime", "_network", "_training", "_keras_wrapper")
HEAVY = {
    "keras", "tensorflow", "jax", "torch", "scikeras", "shap", "lime", "matplotlib",
    "jinja2", "tqdm", "rich", "typer",
}  # fmt: skip


def module_of(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    if parts[-1] == "__init__" and len(parts) > 1:
        parts = parts[:-1]
    return ".".join(parts)


FILES = {module_of(path): path for path in sorted(ROOT.rglob("*.py"))}


def layer_of(module):
    """Return the longest listed name that the module lies in."""
    name = module
    while name:
        if name in LAYERS:
            return name
        name = name.rpartition(".")[0]
    raise AssertionError(f"{module} must have a layer; list it in LAYERS")


def imports(path):
    """Yield each imported module, and whether it is imported with the file.

    What is imported for annotations alone, under ``if TYPE_CHECKING``, is left out.
    """
    tree = ast.parse(path.read_text("utf-8"))
    late, unused = set(), set()
    for node in ast.walk(tree):
        inner = {id(part) for part in ast.walk(node)}
        if isinstance(node, ast.FunctionDef):
            late |= inner
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            unused |= inner
    for node in ast.walk(tree):
        if id(node) in unused:
            continue
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                is_module = full.removeprefix("skdnn.") in FILES
                yield full if is_module else node.module, id(node) not in late
        elif isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, id(node) not in late


def own_imports(module):
    """Return the modules of skdnn that a module imports, early or late."""
    names = {name for name, _ in imports(FILES[module]) if name.startswith("skdnn")}
    found = {name.removeprefix("skdnn").removeprefix(".") for name in names}
    return {name or "__init__" for name in found} - {module}


def circles(graph):
    """Return modules that reach themselves."""
    reached = {module: set(others) for module, others in graph.items()}
    for middle in graph:
        for module in graph:
            if middle in reached[module]:
                reached[module] |= reached[middle]
    return sorted(module for module in graph if module in reached[module])


@pytest.mark.parametrize("module", FILES)
def test_imports_go_downwards(module):
    rank = LAYERS.index(layer_of(module))
    for other in own_imports(module):
        layer = layer_of(other)
        allowed = LAYERS.index(layer) < rank or layer == layer_of(module)
        allowed |= (module, other) in UPWARDS
        assert allowed, f"{module} must not import {other}"


def test_there_is_no_circle():
    graph = {
        module: {n for n in own_imports(module) if (module, n) not in UPWARDS}
        for module in FILES
    }
    assert circles(graph) == []


def test_a_circle_would_be_found():
    graph = {"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"a"}}
    assert circles(graph) == ["b", "c"]


@pytest.mark.parametrize("module", FILES)
def test_heavy_packages_are_imported_late(module):
    if layer_of(module) in ("_commands", "cli", "__main__"):
        return
    early = {
        name.split(".")[0] for name, at_import in imports(FILES[module]) if at_import
    }
    assert not early & HEAVY


@pytest.mark.parametrize("module", FILES)
def test_only_some_packages_know_keras(module):
    names = {name.split(".")[0] for name, _ in imports(FILES[module])}
    if names & {"keras", "tensorflow", "jax"}:
        assert layer_of(module) in KERAS


@pytest.mark.parametrize("module", FILES)
def test_files_are_one_idea_long(module):
    assert len(FILES[module].read_text("utf-8").splitlines()) <= 500


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
