"""The forward pass of a network as ONNX nodes."""

from collections.abc import Sequence

import numpy as np

from skdnn._network import numpy_forward
from skdnn._network.first_layer import FirstLayer, first_layer, members_of
from skdnn._network.spec import NetworkSpec
from skdnn._onnx.activations import add_activation
from skdnn._onnx.graph import Graph


def add_probabilities(
    graph: Graph, spec: NetworkSpec, weights: Sequence[np.ndarray], rows: str
) -> str:
    """Add the probabilities of encoded rows, in the dtype of the network.

    Raises ``ValueError`` for an activation that is a function of the user.
    """
    if not numpy_forward.supports(spec):
        raise ValueError(
            "The activation of a network that becomes ONNX must be a name in "
            "keras.activations. Got a function. Fit it again with a name."
        )
    rows = graph.cast(rows, spec.dtype)
    if spec.encoding is None:
        logits = _plain_logits(graph, spec, weights, rows)
    else:
        logits = _encoded_logits(graph, spec, weights, rows)
    if spec.inverse_temperature != 1:
        scale = graph.constant(spec.inverse_temperature, spec.dtype)
        logits = graph.add("Mul", logits, scale)
    if spec.output == "softmax":
        return graph.add("Softmax", logits, axis=-1)
    if not spec.is_multilabel:
        logits = graph.add("Concat", graph.add("Neg", logits), logits, axis=1)
    return graph.add("Sigmoid", logits)


def _plain_logits(
    graph: Graph, spec: NetworkSpec, weights: Sequence[np.ndarray], rows: str
) -> str:
    layers = numpy_forward.folded_layers(spec, weights)
    x = _dense(graph, rows, *layers[0], spec.dtype)
    for hidden, layer in zip(spec.hidden, layers[1:], strict=True):
        x = add_activation(graph, x, str(hidden.activation), spec.dtype, hidden.units)
        x = _dense(graph, x, *layer, spec.dtype)
    return x


def _dense(
    graph: Graph, x: str, kernel: np.ndarray, bias: np.ndarray, dtype: str
) -> str:
    product = graph.add("MatMul", x, graph.constant(kernel, dtype))
    return graph.add("Add", product, graph.constant(bias, dtype))


def _encoded_logits(
    graph: Graph, spec: NetworkSpec, weights: Sequence[np.ndarray], rows: str
) -> str:
    """Add the logits of the mean of all members, which are computed side by side."""
    members = members_of(spec, weights)
    first = first_layer(spec, [layers[0] for layers in members])
    sums = _first_sums(graph, first, rows, spec.dtype)
    shape = graph.constant([0, spec.members, -1], np.int64)  # 0: as many rows
    x = graph.add("Reshape", sums, shape)
    x = graph.add("Transpose", x, perm=[1, 0, 2])  # members first
    layers = zip(*(layers[1:] for layers in members), strict=True)
    for hidden, of_members in zip(spec.hidden, layers, strict=True):
        x = add_activation(graph, x, str(hidden.activation), spec.dtype, hidden.units)
        kernel = np.stack([layer["kernel"] for layer in of_members])
        bias = np.stack([layer["bias"] for layer in of_members])[:, None]
        x = _dense(graph, x, kernel, bias, spec.dtype)
    axis = graph.constant([0], np.int64)
    if spec.members == 1:
        return graph.add("Squeeze", x, axis)
    proba = graph.add("Softmax", x, axis=-1)
    mean = graph.add("ReduceMean", proba, axis, keepdims=0)
    tiny = graph.constant(np.finfo(spec.dtype).tiny, spec.dtype)
    return graph.add("Log", graph.add("Max", mean, tiny))


def _first_sums(graph: Graph, first: FirstLayer, rows: str, dtype: str) -> str:
    """Add the sums of the first layer of all members, side by side."""
    encoding = first.encoding
    parts, n = [], encoding.n_numeric
    if n:
        parts.append(_columns(graph, rows, 0, n))
    if first.bin_start is not None and first.bin_width is not None:
        parts.append(_bin_positions(graph, first, parts[0], dtype))
    if encoding.n_flags:
        parts.append(_columns(graph, rows, n, encoding.n_dense))
    sums = graph.constant(first.bias, dtype)
    if parts:
        inputs = parts[0] if len(parts) == 1 else graph.add("Concat", *parts, axis=1)
        product = graph.add("MatMul", inputs, graph.constant(first.kernel, dtype))
        sums = graph.add("Add", product, sums)
    for i, table in enumerate(first.tables, start=encoding.n_dense):
        column = graph.constant(i, np.int64)
        codes = graph.cast(graph.add("Gather", rows, column, axis=1), "int64")
        of_codes = graph.add("Gather", graph.constant(table, dtype), codes, axis=0)
        sums = graph.add("Add", of_codes, sums)
    return sums


def _bin_positions(graph: Graph, first: FirstLayer, numeric: str, dtype: str) -> str:
    """Add the position of each number in each bin, from 0 to 1."""
    assert first.bin_start is not None
    assert first.bin_width is not None
    n, bins = first.bin_start.shape
    by_bin = graph.add("Unsqueeze", numeric, graph.constant([2], np.int64))
    distance = graph.add("Sub", by_bin, graph.constant(first.bin_start, dtype))
    share = graph.add("Div", distance, graph.constant(first.bin_width, dtype))
    limits = graph.constant(0, dtype), graph.constant(1, dtype)
    clipped = graph.add("Clip", share, *limits)
    return graph.add("Reshape", clipped, graph.constant([0, n * bins], np.int64))


def _columns(graph: Graph, rows: str, start: int, stop: int) -> str:
    bounds = [graph.constant([value], np.int64) for value in (start, stop, 1)]
    return graph.add("Slice", rows, *bounds)
