"""Nodes of a graph as a part of the graph that skl2onnx builds of an estimator."""

from collections.abc import Mapping
from typing import Any

from skdnn._onnx.graph import OPSET, Graph


def add_to_container(
    graph: Graph, known: Mapping[str, str], scope: Any, container: Any
) -> None:
    """Add nodes and constants; `known` are names of values that the container has."""
    names, helper = dict(known), graph.onnx.helper

    def name_of(value: str) -> str:
        if value not in names:
            names[value] = scope.get_unique_variable_name(f"skdnn_{value}")
        return names[value]

    for tensor in graph.constants:
        if tensor.data_type == graph.onnx.TensorProto.STRING:
            texts = [text.decode() for text in tensor.string_data]
            kind, shape = tensor.data_type, list(tensor.dims)
            container.add_initializer(name_of(tensor.name), kind, shape, texts)
        else:
            container.add_initializer(name_of(tensor.name), None, None, tensor)
    for node in graph.nodes:
        container.add_node(
            node.op_type,
            [name_of(value) for value in node.input],
            [name_of(value) for value in node.output],
            op_version=OPSET,
            name=scope.get_unique_operator_name(node.op_type),
            **{a.name: helper.get_attribute_value(a) for a in node.attribute},
        )
