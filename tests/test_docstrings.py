"""Docstrings of public names agree with signatures and code, and are complete."""

import ast
import doctest
import inspect
import re
import textwrap
import typing

import numpy as np
import pytest
from numpydoc.docscrape import ClassDoc, FunctionDoc

import skdnn
from skdnn import exceptions, explain, io, model_selection

PUBLIC = {
    **{
        name: getattr(skdnn, name)
        for name in sorted(set(skdnn.__all__) - {"explain", "io"})
    },
    **{
        f"{module.__name__.removeprefix('skdnn.')}.{name}": getattr(module, name)
        for module in (explain, io, model_selection, exceptions)
        for name in module.__all__
    },
}
CLASSES = {name: item for name, item in PUBLIC.items() if inspect.isclass(item)}
FUNCTIONS = {name: item for name, item in PUBLIC.items() if inspect.isfunction(item)}
# What is documented with its ancestor, in another package or for scikit-learn alone.
INHERITED = ("get_params", "set_params", "set_fit_request", "set_score_request")
# Classes whose constructor is inherited from another package.
INHERITED_CONSTRUCTORS = {"KerasClassifier"}


def own_methods(cls):
    """Yield name and function of the public methods that skdnn defines for a class."""
    for name, item in inspect.getmembers(cls, inspect.isfunction):
        is_own = item.__module__.startswith("skdnn")
        if not name.startswith("_") and is_own and name not in INHERITED:
            yield name, item


METHODS = {
    f"{owner}.{name}": item
    for owner, cls in CLASSES.items()
    for name, item in own_methods(cls)
}
CALLABLES = FUNCTIONS | METHODS


def parameters(function):
    """Return the parameters of a signature without self and cls."""
    named = inspect.signature(function).parameters
    return {name: p for name, p in named.items() if name not in ("self", "cls")}


def documented(doc):
    """Return the documented parameters, by name: type and text."""
    return {
        name.strip().lstrip("*"): (entry.type, " ".join(entry.desc))
        for entry in doc["Parameters"]
        for name in entry.name.split(",")
    }


def documented_default(kind):
    """Return the text after "default=" of a type, or None."""
    match = re.search(r"default=(.+)$", kind)
    return match and match[1].strip()


def check_parameters(signature, doc):
    """Assert that names, order and defaults of parameters are those documented."""
    described = documented(doc)
    assert list(described) == [name.lstrip("*") for name in signature]
    shared = [entry for entry in doc["Parameters"] if "," in entry.name]
    for name, parameter in signature.items():
        if any(name in re.split(r",\s*", entry.name) for entry in shared):
            continue  # several names with several defaults: tests/test_documents.py
        text = documented_default(described[name][0])
        if parameter.default is inspect.Parameter.empty:
            assert text is None, name
            continue
        assert text is not None, f"{name} has a default"
        default = parameter.default
        try:
            value = ast.literal_eval(text)
        except (SyntaxError, ValueError):
            value = {"nan": np.nan, "np.nan": np.nan, "np.inf": np.inf}.get(text, text)
        assert value == default or (value != value and default != default), name


@pytest.mark.parametrize("name", PUBLIC)
def test_public_names_have_a_summary(name):
    doc = inspect.getdoc(PUBLIC[name])
    assert doc, name
    first = doc.partition("\n\n")[0]
    assert first.endswith("."), first


@pytest.mark.parametrize("name", METHODS)
def test_methods_have_a_summary(name):
    assert inspect.getdoc(METHODS[name]), name


@pytest.mark.parametrize("name", CALLABLES)
def test_parameters_are_those_of_the_signature(name):
    function = CALLABLES[name]
    doc = FunctionDoc(function)
    signature = parameters(function)
    if not signature or (name in METHODS and not doc["Parameters"]):
        # a method that is documented in a sentence has no sections at all
        assert not doc["Parameters"]
        assert not signature or not doc["Returns"], f"{name} documents Returns only"
        return
    check_parameters(signature, doc)


@pytest.mark.parametrize("name", sorted(CLASSES.keys() - INHERITED_CONSTRUCTORS))
def test_parameters_of_classes_are_those_of_the_constructor(name):
    doc = ClassDoc(CLASSES[name], config={"show_class_members": False})
    if not doc["Parameters"]:
        is_result = name.startswith("explain.") or issubclass(CLASSES[name], Exception)
        assert is_result or name == "model_selection.NestedScores"
        return
    check_parameters(parameters(CLASSES[name]), doc)


@pytest.mark.parametrize("name", CALLABLES)
def test_public_functions_are_annotated(name):
    signature = inspect.signature(CALLABLES[name])
    assert signature.return_annotation is not inspect.Signature.empty
    missing = [
        parameter
        for parameter, value in parameters(CALLABLES[name]).items()
        if value.annotation is inspect.Parameter.empty
    ]
    assert missing == []


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_constructors_are_annotated(name):
    constructor = CLASSES[name].__init__
    if not getattr(constructor, "__module__", "").startswith("skdnn"):
        return  # inherited
    missing = [
        parameter
        for parameter, value in parameters(constructor).items()
        if value.annotation is inspect.Parameter.empty
    ]
    assert missing == []


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_have_the_sections_of_numpydoc(name):
    function = FUNCTIONS[name]
    doc = FunctionDoc(function)
    assert doc["Parameters"]
    returns = typing.get_type_hints(function).get("return")
    assert bool(doc["Returns"]) == (returns is not type(None))
    assert all(" ".join(entry.desc).strip() for entry in doc["Returns"])
    assert doc["Examples"]
    assert any(">>>" in line for line in doc["Examples"])


@pytest.mark.parametrize("name", FUNCTIONS)
def test_described_returns_name_the_annotated_type(name):
    function = FUNCTIONS[name]
    returns = typing.get_type_hints(function)["return"]
    entries = FunctionDoc(function)["Returns"]
    assert len(entries) == (returns is not type(None))
    assert all(returns.__name__ in (entry.type, entry.name) for entry in entries)


def has_example(item):
    """Return whether the docstring of an object has an example."""
    return ">>>" in (inspect.getdoc(item) or "")


@pytest.mark.parametrize("name", CLASSES)
def test_classes_have_an_example(name):
    assert ">>>" in CLASSES[name].__doc__


# Documented in a sentence, without sections.
SIMPLE = {
    name
    for name, item in METHODS.items()
    if not any(FunctionDoc(item)[part] for part in ("Parameters", "Returns", "Raises"))
}


@pytest.mark.parametrize("name", sorted(METHODS.keys() - SIMPLE))
def test_methods_have_an_example_of_their_own(name):
    doc = FunctionDoc(METHODS[name])
    examples = doctest.DocTestParser().get_examples("\n".join(doc["Examples"]))
    nodes = ast.walk(ast.parse("".join(example.source for example in examples)))
    called = {
        node.func.attr
        for node in nodes
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    assert name.rpartition(".")[2] in called


@pytest.mark.parametrize("name", sorted(SIMPLE))
def test_simple_methods_are_shown_in_an_example(name):
    """Either in their own docstring, or in that of the class or an ancestor."""
    owner, _, method = name.rpartition(".")
    docs = [inspect.getdoc(cls) or "" for cls in CLASSES[owner].__mro__]
    called = any(re.search(rf">>> .*\.{method}\(", doc) for doc in docs)
    assert has_example(METHODS[name]) or called


@pytest.mark.parametrize("name", ["DNNClassifier", "KerasClassifier"])
def test_classifiers_have_examples_and_attributes(name):
    doc = ClassDoc(CLASSES[name], config={"show_class_members": False})
    assert any(">>>" in line for line in doc["Examples"])
    described = {entry.name.strip() for entry in doc["Attributes"]}
    assert {"classes_", "n_features_in_"} <= {
        part.strip() for names in described for part in names.split(",")
    }


def raises(function):
    """Return whether the body of a function raises an error by itself."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    return any(isinstance(node, ast.Raise) for node in ast.walk(tree))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_document_what_they_raise(name):
    # every public function checks its input
    doc = FunctionDoc(FUNCTIONS[name])
    assert [entry.type for entry in doc["Raises"]], name
    assert all(" ".join(entry.desc).strip() for entry in doc["Raises"])


@pytest.mark.parametrize("name", METHODS)
def test_methods_document_what_they_raise(name):
    doc = FunctionDoc(METHODS[name])
    if raises(METHODS[name]) and doc["Parameters"]:
        assert doc["Raises"], name


@pytest.mark.parametrize("name", CALLABLES)
def test_arrays_have_a_shape(name):
    for parameter, (kind, _) in documented(FunctionDoc(CALLABLES[name])).items():
        if "array-like" in kind or "ndarray" in kind:
            assert "shape" in kind, parameter
