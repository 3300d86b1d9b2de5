"""A fitted `DNNClassifier` as an ONNX model."""

import json
from collections.abc import Sequence
from functools import reduce
from typing import Any

import numpy as np

from skdnn._onnx.columns import TableInput, add_encoded, input_types
from skdnn._onnx.graph import Graph
from skdnn._onnx.network import add_probabilities
from skdnn._runtime.names import free_name
from skdnn._runtime.version import __version__
from skdnn.classifier import DNNClassifier

LABEL, PROBABILITIES, SETS = "label", "probabilities", "prediction_set"
_DOCUMENTATION = (
    "One input per column of the table, of shape (n_samples, 1): numbers, NaN where "
    "they are missing, or strings. A string that is none of the categories of the "
    "column is missing. Or one input of all columns, of shape (n_samples, n_columns)."
)


def classifier_model(estimator: DNNClassifier, confidence_level: float | None) -> Any:
    """Return the model of a fitted classifier, from its columns to its predictions."""
    columns, dtype = estimator._columns, _members(estimator)[0]._encoder.dtype
    n = estimator.n_features_in_
    given = getattr(estimator, "feature_names_in_", None)
    names = [f"x{j}" for j in range(n)] if given is None else list(map(str, given))
    types = input_types(names, columns.codes, dtype)
    graph = Graph([*names, "X"])
    if given is None and "string" not in types:
        table = _matrix(graph, n, "float64" if columns.codes else dtype)
    else:
        each = zip(names, types, strict=True)
        table = TableInput([graph.input(name, kind, 1) for name, kind in each])
    proba = add_classifier(graph, estimator, table)
    taken = [*names, "X"]
    results = add_results(graph, estimator, proba, confidence_level)
    for name, (value, kind, shape) in results.items():
        graph.output(value, free_name(name, taken), kind, shape)
    return graph.model(_DOCUMENTATION, metadata(estimator))


def _matrix(graph: Graph, n_columns: int, dtype: str) -> TableInput:
    """Add all columns as one input, and each column of it."""
    X = graph.input("X", dtype, n_columns)
    return table_of_matrix(graph, X, n_columns)


def table_of_matrix(graph: Graph, X: str, n_columns: int) -> TableInput:
    """Return the columns of a matrix in a graph."""

    class Columns(Sequence[str]):
        def __len__(self) -> int:
            return n_columns

        def __getitem__(self, j: Any) -> Any:
            at = graph.constant([j], np.int64)
            column = graph.add("Gather", X, at, axis=1)
            return graph.cast(column, "float64")  # of categories

    return TableInput(Columns(), X)


def add_classifier(graph: Graph, estimator: DNNClassifier, table: TableInput) -> str:
    """Add the probabilities of the classes, of shape (n_samples, n_classes), float64.

    Those of an ensemble are the mean over its members.
    """
    each = []
    for member in _members(estimator):
        rows = add_encoded(graph, member._encoder, table)
        proba = add_probabilities(graph, member._spec, member._weights, rows)
        each.append(graph.cast(proba, "float64"))
    if len(each) == 1:
        return each[0]
    total = reduce(lambda a, b: graph.add("Add", a, b), each)
    return graph.add("Div", total, graph.constant(len(each), np.float64))


def add_results(
    graph: Graph,
    estimator: DNNClassifier,
    proba: str,
    confidence_level: float | None,
) -> dict[str, tuple[str, str, list[Any]]]:
    """Add label, probabilities and sets; return value, dtype and shape of each."""
    n_classes = len(estimator.classes_)
    label, kind, shape = _label(graph, estimator, proba)
    results: dict[str, tuple[str, str, list[Any]]] = {
        LABEL: (label, kind, shape),
        PROBABILITIES: (graph.cast(proba, "float32"), "float32", [None, n_classes]),
    }
    if confidence_level is not None:
        sets = add_sets(graph, estimator, proba, confidence_level)
        results[SETS] = (sets, "bool", [None, n_classes])
    return results


def add_sets(
    graph: Graph, estimator: DNNClassifier, proba: str, confidence_level: float
) -> str:
    """Add what `predict_set` returns, from probabilities in float64."""
    thresholds = estimator._set_thresholds(confidence_level, by_class=False)
    least = graph.constant(thresholds[None], np.float64)
    reached = graph.add("GreaterOrEqual", proba, least)
    best = graph.add("ArgMax", proba, axis=1, keepdims=1)
    classes = graph.constant(np.arange(len(estimator.classes_))[None], np.int64)
    return graph.add("Or", reached, graph.add("Equal", best, classes))


def _label(
    graph: Graph, estimator: DNNClassifier, proba: str
) -> tuple[str, str, list[Any]]:
    """Add what `predict` returns; return value, dtype and shape."""
    if estimator._spec.is_multilabel:
        half = graph.constant(0.5, np.float64)
        own = graph.cast(graph.add("Greater", proba, half), "int64")
        return own, "int64", [None, len(estimator.classes_)]
    classes = plain_classes(estimator.classes_)
    best = graph.add("ArgMax", proba, axis=1, keepdims=0)
    kind = "string" if classes.dtype.kind == "O" else classes.dtype.name
    return graph.add("Gather", graph.constant(classes), best, axis=0), kind, [None]


def plain_classes(classes: np.ndarray) -> np.ndarray:
    """Return classes as ONNX has them: int64, bool, float64 or strings."""
    kinds = {type(value) for value in classes.tolist()}
    for kind, dtype in ((bool, bool), (int, np.int64), (float, np.float64)):
        if kinds == {kind}:
            return classes.astype(dtype)
    return np.array([str(value) for value in classes], dtype=object)


def metadata(estimator: Any) -> dict[str, str]:
    """Return the properties of the model: its version, and the classes as JSON."""
    classes = plain_classes(np.asarray(estimator.classes_)).tolist()
    return {"skdnn_version": __version__, "classes": json.dumps(classes)}


def _members(estimator: DNNClassifier) -> list[Any]:
    return list(getattr(estimator, "estimators_", [estimator]))
