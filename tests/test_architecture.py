"""Imports go downwards only, and heavy packages are imported late."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import skdnn

ROOT = Path(skdnn.__file__).parent
TESTS = Path(__file__).parent
PAGE = TESTS.parent / "docs" / "architecture.md"
# From the lowest to the highest. A module imports from packages below its own, and
# from its own; within a package there is no circle.
LAYERS = [
    "exceptions",
    "_runtime",
    "_tabular",
    "_checkpoint",
    "_streaming",
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
    "_model_files",
    "_onnx",
    "_result_files",
    "io",
    "__init__",
    "_table_files",
    "_commands",
    "cli",
    "__main__",
]
# How the architecture page names them, where it differs.
NAMES = {"__init__": "skdnn", "__main__": "skdnn.__main__"}
# Tests of behaviour that no single module provides.
CROSS_CUTTING = {
    "estimator/test_calibration_parameter",
    "estimator/test_ensemble",
    "estimator/test_recipe_sizes",
    "explain/methods/test_refits",
    "explain/report/test_browser",
    "explain/report/test_colours",
    "explain/report/test_truth",
    "keras_wrapper/test_callbacks",
    "keras_wrapper/test_compile",
    "keras_wrapper/test_estimator_checks",
    "keras_wrapper/test_faults",
    "keras_wrapper/test_inputs_outputs",
    "keras_wrapper/test_parameters",
    "keras_wrapper/test_precision",
    "keras_wrapper/test_training",
    "runtime/test_process",
    "tabular/test_raw_tables",
    "test_architecture",
    "test_any_table",
    "test_backends",
    "test_docstrings",
    "test_documents",
    "test_ecosystem",
    "test_estimator_checks",
    "test_lowest",
    "test_mlp_gallery",
    "test_names",
    "test_scale",
    "test_sklearn_tools",
    "test_tutorials",
    "test_words",
    "training/test_mlp_equivalence",
}
# Where Keras and its backends may be imported.
KERAS = ("_runtime", "_network", "_training", "_keras_wrapper")
HEAVY = {
    "keras", "tensorflow", "jax", "torch", "scikeras", "shap", "lime", "matplotlib",
    "jinja2", "tqdm", "rich", "typer", "skops", "onnx", "skl2onnx", "pyarrow",
    "polars", "dask",
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
    own = {name.removeprefix("skdnn").removeprefix(".") for name in names}
    return {name or "__init__" for name in own} - {module}


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
        is_below = LAYERS.index(layer) < rank or layer == layer_of(module)
        assert is_below, f"{module} must not import {other}"


def test_there_is_no_circle():
    assert circles({module: own_imports(module) for module in FILES}) == []


def test_a_circle_would_be_found():
    graph = {"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"a"}}
    assert circles(graph) == ["b", "c"]


def package_imports():
    """Return the packages that each package imports directly."""
    graph = {layer: set() for layer in LAYERS}
    for module in FILES:
        others = {layer_of(other) for other in own_imports(module)}
        graph[layer_of(module)] |= others - {layer_of(module)}
    return graph


def shortest(graph):
    """Return a graph without the arrows that a chain of other arrows implies."""
    reached = {}
    for node in LAYERS:  # from the lowest, as imports go downwards
        reached[node] = set().union(graph[node], *(reached[n] for n in graph[node]))
    return {
        node: {n for n in others if not any(n in reached[m] for m in others)}
        for node, others in graph.items()
    }


def drawing(graph):
    """Return the lines of a Mermaid drawing, from the highest package down."""
    return [
        f"    {NAMES.get(node, node)} --> {NAMES.get(other, other)}"
        for node in reversed(LAYERS)
        for other in sorted(graph[node], key=LAYERS.index, reverse=True)
    ]


def test_the_architecture_page_draws_the_imports():
    page = PAGE.read_text("utf-8")
    drawn = page.split("```mermaid\n")[1].split("```")[0].splitlines()
    assert drawn == ["graph TD", *drawing(shortest(package_imports()))]


def test_the_architecture_page_lists_the_packages():
    listed = re.findall(r"^\| `([\w.]+)` \|", PAGE.read_text("utf-8"), flags=re.M)
    assert listed == [NAMES.get(layer, layer) for layer in reversed(LAYERS)]


def test_the_architecture_page_names_files_and_functions_that_exist():
    places = re.findall(r"`skdnn/([\w/]+)\.py`(?:, `(\w+)`)?", PAGE.read_text("utf-8"))
    assert len(places) >= 15
    for path, name in places:
        tree = ast.parse((ROOT / path).with_suffix(".py").read_text("utf-8"))
        assert not name or name in {getattr(node, "name", "") for node in tree.body}


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
    # sklearn.pipeline itself loads rich where it is there, and pandas pyarrow
    names = sorted(
        HEAVY - {"rich", "pyarrow"} | {"sklearn.ensemble", "sklearn.inspection"}
    )
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
explain.performance(model, X, np.arange(40) % 2, by=0).describe()
explain.novelty(model, X, background=X).describe()
"""
    assert loaded_after(code) == []


def module_of_test(path):
    """Return the file that a test file mirrors, whether it exists or not."""
    folder = ROOT
    for part in path.relative_to(TESTS).parts[:-1]:
        folder /= part if (folder / part).is_dir() else f"_{part}"
    return folder / path.name.removeprefix("test_")


def test_tests_mirror_the_modules():
    alone = {
        path.relative_to(TESTS).with_suffix("").as_posix()
        for path in TESTS.rglob("test_*.py")
        if not module_of_test(path).exists()
    }
    assert alone == CROSS_CUTTING


def private_names(tree):
    """Yield line and name of each private attribute or import in a test."""
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.Attribute):
            is_own = ast.unparse(node.value) in ("self", "cls", "os")
            names = [] if is_own else [node.attr]
        elif isinstance(node, ast.ImportFrom):
            names = [
                alias.name
                for alias in node.names
                if f"{node.module}.{alias.name}".removeprefix("skdnn.") not in FILES
            ]
        elif isinstance(node, ast.Call):  # setattr(module, "_name", …)
            strings = [arg for arg in node.args[1:2] if isinstance(arg, ast.Constant)]
            is_attribute = ast.unparse(node.func).endswith(("setattr", "getattr"))
            names = [str(arg.value) for arg in strings if is_attribute]
        for name in names:
            if name.startswith("_") and not name.endswith("_"):
                yield node.lineno, node.end_lineno, name


def test_private_names_in_tests_have_a_reason():
    """Each has a comment "# private: …" beside it, or one in the file that names it."""
    without = []
    for path in sorted(TESTS.rglob("*.py")):
        text = path.read_text("utf-8")
        lines = ["", *text.splitlines()]
        reasons = re.findall(r"# private: .*(?:\n\s*# .*)*", text)
        named = set(re.findall(r"\b_\w+", " ".join(reasons)))
        for first, last, name in private_names(ast.parse(text)):
            beside = " ".join(lines[first - 1 : last + 1])
            if "# private:" not in beside and name not in named:
                without.append(f"{path.relative_to(TESTS)}:{first}: {name}")
    assert without == []
