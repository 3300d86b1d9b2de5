"""The columns of a table as inputs of an ONNX model, encoded as for the network."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from skdnn._onnx.graph import Graph
from skdnn._tabular.encoder import CategoricalColumn, TableEncoder

_LARGEST, _FAR = np.finfo(np.float64).max, 1e12  # as the encoder clips


@dataclass(frozen=True)
class TableInput:
    """The columns of a table in a graph: each a tensor of shape (n_samples, 1).

    `matrix` holds all columns where they are one input.
    """

    columns: Sequence[str]
    matrix: str | None = None


def input_types(
    names: Sequence[str], codes: Mapping[int, Mapping[Any, int]], dtype: str
) -> list[str]:
    """Return the type of each column: "string", or that of numbers.

    Raises ``ValueError`` for categories that ONNX has no type for.
    """
    types = []
    for j, name in enumerate(names):
        kinds = {_kind(value) for value in codes.get(j, ())}
        if len(kinds) > 1 or "other" in kinds:
            raise ValueError(
                "A column that becomes an input of ONNX must hold numbers, or strings. "
                f"Got {name!r} with the categories {list(codes[j])[:3]}. Convert them "
                "to strings, and fit again."
            )
        is_text = kinds == {"string"} or (j in codes and not kinds)
        types.append("string" if is_text else "float64" if j in codes else dtype)
    return types


def _kind(value: Any) -> str:
    if isinstance(value, str):
        return "string"
    return "number" if isinstance(value, int | float | np.number | np.bool) else "other"


def add_encoded(graph: Graph, encoder: TableEncoder, table: TableInput) -> str:
    """Add the inputs of the network, of shape (n_samples, n_inputs)."""
    # the recipe scales in float64, whatever the result is rounded to
    dtype = "float64" if encoder.scale is not None else encoder.dtype
    parts = _numbers(graph, encoder, table, dtype)
    for column in encoder.one_hot:
        if column.categories:
            parts.append(graph.cast(_matches(graph, column, table), dtype))
    if encoder.scale is not None and parts:
        parts = [_scaled(graph, encoder, _joined(graph, parts))]
    parts = [graph.cast(part, encoder.dtype) for part in parts]
    parts += [_codes(graph, column, table, encoder.dtype) for column in encoder.coded]
    return _joined(graph, parts)


def _joined(graph: Graph, parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else graph.add("Concat", *parts, axis=1)


def _numbers(
    graph: Graph, encoder: TableEncoder, table: TableInput, dtype: str
) -> list[str]:
    """Add the numbers, missing ones filled in, and the flags for these."""
    positions = encoder.numeric
    if not len(positions):
        return []
    if table.matrix is not None:
        at = graph.constant(positions, np.int64)
        numbers = graph.add("Gather", table.matrix, at, axis=1)
    else:
        numbers = _joined(graph, [table.columns[j] for j in positions])
    numbers = graph.cast(numbers, dtype)
    missing = graph.add("IsNaN", numbers)
    if encoder.empty.any():
        missing = graph.add("Or", missing, graph.constant(encoder.empty[None], bool))
    fill = graph.constant(encoder.fill[None], dtype)
    parts = [graph.add("Where", missing, fill, numbers)]
    if len(encoder.flagged):
        at = graph.constant(encoder.flagged, np.int64)
        flags = graph.add("Gather", graph.cast(missing, dtype), at, axis=1)
        parts.append(flags)
    return parts


def _matches(graph: Graph, column: CategoricalColumn, table: TableInput) -> str:
    """Add whether a value is each category: false in all for a missing or other one."""
    value = table.columns[column.position]
    is_text = isinstance(column.categories[0], str)
    categories = np.empty((1, len(column.categories)), object if is_text else float)
    categories[0] = column.categories
    return graph.add("Equal", value, graph.constant(categories))


def _codes(
    graph: Graph, column: CategoricalColumn, table: TableInput, dtype: str
) -> str:
    """Add the code of each value: 0 for a missing or other one, then the categories."""
    matches = graph.cast(_matches(graph, column, table), "float32")  # exact to 2**24
    codes = np.arange(1, len(column.categories) + 1)[:, None]
    product = graph.add("MatMul", matches, graph.constant(codes, np.float32))
    return graph.cast(product, dtype)


def _scaled(graph: Graph, encoder: TableEncoder, values: str) -> str:
    """Add values scaled and clipped smoothly."""
    scale = encoder.scale
    assert scale is not None

    def number(value: Any) -> str:
        return graph.constant(value, np.float64)

    z = graph.add("Sub", values, number(scale.centre[None]))
    z = graph.add("Clip", z, number(-_LARGEST), number(_LARGEST))
    z = graph.add("Div", z, number(scale.spread[None]))
    z = graph.add("Clip", z, number(-_FAR), number(_FAR))
    third = graph.add("Div", z, number(3))
    length = graph.add("Add", graph.add("Mul", third, third), number(1))
    return graph.add("Div", z, graph.add("Sqrt", length))
