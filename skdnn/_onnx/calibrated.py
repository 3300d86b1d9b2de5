"""The converter of `CalibratedClassifierCV`.

That of skl2onnx takes the nearest step of an isotonic calibrator, where scikit-learn
interpolates, and has no temperature.
"""

from functools import partial, reduce
from typing import Any

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.isotonic import IsotonicRegression

from skdnn._onnx.classifier import plain_classes
from skdnn._onnx.graph import Graph, load_skl2onnx
from skdnn._onnx.subgraph import add_to_container

_DTYPE = "float64"  # of scikit-learn's calibrators
_EPS = 1e-12  # that scikit-learn adds before the logarithm


def converters() -> dict[type, Any]:
    """Return what `skl2onnx.convert_sklearn` takes as custom conversion functions."""
    return {CalibratedClassifierCV: _convert}


def _convert(scope: Any, operator: Any, container: Any) -> None:
    """Add the nodes of a calibrated classifier to the graph around it."""
    model = operator.raw_operator
    if model.method == "sigmoid":
        registry = load_skl2onnx().common._registration
        registry.get_converter("SklearnCalibratedClassifierCV")(
            scope, operator, container
        )
        return
    parts = [
        (part, _inner_probabilities(part, operator, scope))
        for part in model.calibrated_classifiers_
    ]
    graph = Graph([name for _, name in parts])
    each = [_calibrated(graph, part, graph.cast(name, _DTYPE)) for part, name in parts]
    total = reduce(partial(graph.add, "Add"), each)
    proba = graph.add("Div", total, graph.constant(len(each), _DTYPE))
    classes = graph.constant(plain_classes(model.classes_))
    best = graph.add("ArgMax", proba, axis=1, keepdims=0)
    names = {name: name for _, name in parts} | {
        graph.add("Gather", classes, best): operator.outputs[0].full_name,
        graph.cast(proba, "float32"): operator.outputs[1].full_name,
    }
    add_to_container(graph, names, scope, container)


def _inner_probabilities(part: Any, operator: Any, scope: Any) -> str:
    """Return the name of the probabilities of the classifier that is calibrated.

    Raises ``ValueError`` for one that scikit-learn calibrates by other values.
    """
    inner = part.estimator
    if isinstance(inner, FrozenEstimator):
        inner = inner.estimator
    if hasattr(inner, "decision_function") or len(inner.classes_) < len(part.classes):
        raise ValueError(
            "With isotonic or temperature calibration, a classifier that becomes ONNX "
            "must predict probabilities of all classes, and have no decision_function. "
            f"Got {type(inner).__name__}. Use method='sigmoid'."
        )
    skl2onnx = load_skl2onnx()
    types = skl2onnx.common.data_types
    alias = skl2onnx.get_model_alias(type(inner))
    own = scope.declare_local_operator(alias, inner)
    own.inputs = operator.inputs
    is_text = plain_classes(inner.classes_).dtype.kind == "O"
    label_type = types.StringTensorType if is_text else types.Int64TensorType
    label = scope.declare_local_variable("label", label_type())
    proba = scope.declare_local_variable("uncalibrated", types.FloatTensorType())
    own.outputs.append(label)
    own.outputs.append(proba)
    return str(proba.full_name)


def _calibrated(graph: Graph, part: Any, proba: str) -> str:
    """Return the calibrated probabilities, of shape (n_samples, n_classes)."""
    if part.method == "temperature":
        return _scaled(graph, part.calibrators[0].beta_, proba)
    n_classes = len(part.classes)
    if n_classes == 2:
        positive = _interpolated(graph, part.calibrators[0], _column(graph, proba, 1))
        negative = graph.add("Sub", graph.constant(1, _DTYPE), positive)
        return graph.add("Concat", negative, positive, axis=1)
    columns = [
        _interpolated(graph, calibrator, _column(graph, proba, k))
        for k, calibrator in enumerate(part.calibrators)
    ]
    each = graph.add("Concat", *columns, axis=1)
    total = graph.add("ReduceSum", each, graph.constant([1]), keepdims=1)
    is_zero = graph.add("Equal", total, graph.constant(0, _DTYPE))
    one, share = graph.constant(1, _DTYPE), graph.constant(1 / n_classes, _DTYPE)
    divisor = graph.add("Where", is_zero, one, total)
    return graph.add("Where", is_zero, share, graph.add("Div", each, divisor))


def _scaled(graph: Graph, beta: Any, proba: str) -> str:
    """Return probabilities with logarithms multiplied by the inverse temperature."""
    shifted = graph.add("Add", proba, graph.constant(_EPS, _DTYPE))
    logits = graph.add("Log", shifted)
    scale = graph.constant(np.reshape(beta, ()), _DTYPE)
    return graph.add("Softmax", graph.add("Mul", logits, scale), axis=1)


def _column(graph: Graph, proba: str, k: int) -> str:
    return graph.add("Gather", proba, graph.constant([k]), axis=1)


def _interpolated(graph: Graph, calibrator: IsotonicRegression, x: str) -> str:
    """Return what an isotonic regression predicts, of shape (n_samples, 1)."""
    knots = np.asarray(calibrator.X_thresholds_, _DTYPE)
    values = np.asarray(calibrator.y_thresholds_, _DTYPE)
    if len(knots) == 1:
        knots, values = np.append(knots, knots + 1), np.repeat(values, 2)
    low, high = graph.constant(knots[0]), graph.constant(knots[-1])
    x = graph.add("Clip", x, low, high)
    is_above = graph.add("GreaterOrEqual", x, graph.constant(knots[None, 1:-1]))
    counts = graph.cast(is_above, "int64")
    place = graph.add("ReduceSum", counts, graph.constant([1]), keepdims=1)
    start, value, slope = (
        graph.add("Gather", graph.constant(array), place)
        for array in (knots[:-1], values[:-1], np.diff(values) / np.diff(knots))
    )
    return graph.add("Add", value, graph.add("Mul", slope, graph.add("Sub", x, start)))
