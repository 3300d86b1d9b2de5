"""Pipelines and other estimators of scikit-learn around a network as ONNX models."""

from typing import Any

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline

from skdnn._onnx.calibrated import converters
from skdnn._onnx.classifier import (
    LABEL,
    PROBABILITIES,
    SETS,
    add_classifier,
    add_results,
    add_sets,
    metadata,
    plain_classes,
    table_of_matrix,
)
from skdnn._onnx.graph import OPSET, Graph, load_skl2onnx
from skdnn._onnx.subgraph import add_to_container
from skdnn.classifier import DNNClassifier

_ML_OPSET = 3
_DOCUMENTATION = (
    "One input per column of the table, of shape (n_samples, 1): numbers, NaN where "
    "they are missing, or strings. Or one input of all columns, of shape (n_samples, "
    "n_columns)."
)


def pipeline_model(estimator: Any, confidence_level: float | None) -> Any:
    """Return the model of a fitted estimator with a network in it.

    Raises ``ValueError`` for steps that skl2onnx does not convert.
    """
    skl2onnx = load_skl2onnx()
    _register(skl2onnx)
    names, n = getattr(estimator, "feature_names_in_", None), estimator.n_features_in_
    by_column = isinstance(_first_step(estimator), ColumnTransformer)
    if by_column and names is not None:
        texts = _text_columns(estimator)
        inputs = [(str(name), _tensor(skl2onnx, name in texts, 1)) for name in names]
    else:
        inputs = [("X", _tensor(skl2onnx, False, n))]
    try:
        model = skl2onnx.convert_sklearn(
            estimator,
            initial_types=inputs,
            target_opset={"": OPSET, "ai.onnx.ml": _ML_OPSET},
            custom_conversion_functions=converters(),
            options={id(estimator): {"zipmap": False}},
        )
    except Exception as error:  # whatever its converters raise
        raise ValueError(
            "All steps of an estimator that becomes ONNX must be known to skl2onnx. "
            f"Got {' '.join(repr(estimator).split())[:100]}, for which it raises "
            f"{type(error).__name__}: {error}."
        ) from error
    if len(inputs) > 1:
        _drop_unused_inputs(model)
    elif names is not None:
        _split_input(model, [str(name) for name in names])
    if confidence_level is not None:
        _append_sets(model, estimator, confidence_level)
    return _described(model, estimator)


def _first_step(estimator: Any) -> Any:
    while isinstance(estimator, Pipeline):
        estimator = estimator.steps[0][1]
    return estimator


def _tensor(skl2onnx: Any, is_text: bool, n_columns: int) -> Any:
    types = skl2onnx.common.data_types
    kind = types.StringTensorType if is_text else types.FloatTensorType
    return kind([None, n_columns])


def _text_columns(estimator: Any) -> set[str]:
    """Return the columns of which a ColumnTransformer encodes strings."""
    names = set()
    for _, transformer, columns in _first_step(estimator).transformers_:
        steps = [s for _, s in getattr(transformer, "steps", [("", transformer)])]
        for step in steps:
            categories = getattr(step, "categories_", None)
            if categories is not None and any(c.dtype.kind in "OU" for c in categories):
                names |= set(np.atleast_1d(columns).tolist())
    return names


def _drop_unused_inputs(model: Any) -> None:
    """Remove the inputs of columns that the estimator drops."""
    used = {name for node in model.graph.node for name in node.input}
    inputs = [one for one in model.graph.input if one.name in used]
    del model.graph.input[:]
    model.graph.input.extend(inputs)


def _split_input(model: Any, names: list[str]) -> None:
    """Replace the input of all columns by one for each column."""
    graph = Graph()
    element = model.graph.input[0].type.tensor_type.elem_type
    del model.graph.input[:]
    make = graph.onnx.helper.make_tensor_value_info
    for name in names:
        model.graph.input.append(make(name, element, ["n_samples", 1]))
    join = graph.onnx.helper.make_node("Concat", names, ["X"], axis=1)
    model.graph.node.insert(0, join)


def _append_sets(model: Any, estimator: Any, confidence_level: float) -> None:
    """Add prediction sets, from the probabilities that the model returns."""
    network = estimator.steps[-1][1] if isinstance(estimator, Pipeline) else None
    if not isinstance(network, DNNClassifier):
        raise ValueError(
            "Prediction sets are those of a DNNClassifier, alone or as the last step "
            f"of a Pipeline. Got {type(estimator).__name__}. Leave confidence_level "
            "out."
        )
    used = {name for node in model.graph.node for name in node.output}
    graph = Graph([*used, *(tensor.name for tensor in model.graph.initializer)])
    proba = graph.cast(PROBABILITIES, "float64")
    sets = add_sets(graph, network, proba, confidence_level)
    graph.output(sets, SETS, "bool", [None, len(network.classes_)])
    model.graph.node.extend(graph.nodes)
    model.graph.initializer.extend(graph.constants)
    model.graph.output.extend(graph.outputs)


def _described(model: Any, estimator: Any) -> Any:
    """Return the checked model with a description."""
    onnx = Graph().onnx
    model.producer_name, model.doc_string = "skdnn", _DOCUMENTATION
    onnx.helper.set_model_props(model, metadata(estimator))
    onnx.checker.check_model(model, full_check=True)
    return model


# the converter of a network for skl2onnx


def _register(skl2onnx: Any) -> None:
    skl2onnx.update_registered_converter(
        DNNClassifier,
        "SkdnnDNNClassifier",
        _set_shapes,
        _convert,
        options={
            "zipmap": [True, False, "columns"],
            "nocl": [True, False],
            "output_class_labels": [True, False],
        },
    )


def _set_shapes(operator: Any) -> None:
    from skl2onnx.common import data_types

    classes = operator.raw_operator.classes_
    is_text = plain_classes(classes).dtype.kind == "O"
    labels = data_types.StringTensorType if is_text else data_types.Int64TensorType
    shape = (
        [None, len(classes)] if operator.raw_operator._spec.is_multilabel else [None]
    )
    operator.outputs[0].type = labels(shape)
    operator.outputs[1].type = data_types.FloatTensorType([None, len(classes)])


def _convert(scope: Any, operator: Any, container: Any) -> None:
    """Add the nodes of a network to the graph of an estimator around it."""
    network = operator.raw_operator
    inputs = [variable.full_name for variable in operator.inputs]
    graph = Graph(["X"])
    rows = "X"
    if len(inputs) > 1:
        rows = graph.add("Concat", *inputs, axis=1)
    rows = graph.cast(rows, network_dtype(network))
    table = table_of_matrix(graph, rows, network.n_features_in_)
    proba = add_classifier(graph, network, table)
    results = add_results(graph, network, proba, None)
    ends = {
        results[LABEL][0]: operator.outputs[0].full_name,
        results[PROBABILITIES][0]: operator.outputs[1].full_name,
    }
    names = dict(zip(inputs, inputs, strict=True)) | ends
    if len(inputs) == 1:
        names["X"] = inputs[0]
    add_to_container(graph, names, scope, container)


def network_dtype(network: DNNClassifier) -> str:
    """Return the dtype of the rows that a fitted network encodes."""
    return str(getattr(network, "estimators_", [network])[0]._encoder.dtype)
