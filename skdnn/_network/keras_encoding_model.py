"""Networks with input encoding as a Keras model of Keras's own layers.

The encoding is linear except at the ends of its bins: encoding, factors and first layer
of all members are one dense layer, as in the NumPy forward pass. So a saved model needs
nothing of this package to be loaded.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from skdnn._network.first_layer import FirstLayer, first_layer, members_of
from skdnn._network.keras_layers import rescaling
from skdnn._network.spec import NetworkSpec
from skdnn._runtime import keras_backend


def build_encoding_model(spec: NetworkSpec, weights: Sequence[np.ndarray]) -> Any:
    """Return a `keras.Model` from rows to the mean probabilities of the members."""
    keras = keras_backend.load()
    members = members_of(spec, weights)
    inputs = keras.Input((spec.n_inputs,), dtype=spec.dtype, name="rows")
    sums = _first_sums(first_layer(spec, [layers[0] for layers in members]), inputs)
    width = sums.shape[1] // spec.members
    outputs = []
    for i, layers in enumerate(members):
        h = sums[:, i * width : (i + 1) * width] if spec.members > 1 else sums
        pairs = zip(spec.hidden, layers[1:], strict=True)
        for j, (hidden, layer) in enumerate(pairs, start=2):
            h = _layer("Activation", h, hidden.activation)
            h = _dense(h, f"member_{i}_layer_{j}", layer["kernel"], layer["bias"])
        outputs.append(_layer("Softmax", h, name=f"member_{i}"))
    x = _layer("Average", outputs, name="mean") if spec.members > 1 else outputs[0]
    if spec.inverse_temperature != 1:
        tiny = float(np.finfo(spec.dtype).tiny)
        logs = keras.ops.log(keras.ops.maximum(x, tiny))
        scaled = rescaling(spec.inverse_temperature, spec.dtype)(logs)
        x = _layer("Softmax", scaled, name="inverse_temperature")
    return keras.Model(inputs, x, name="skdnn")


def _layer(
    kind: str, x: Any, *args: Any, arrays: Sequence[np.ndarray] = (), **settings: Any
) -> Any:
    """Return the output of a layer of Keras, in the dtype of its input."""
    dtype = (x[0] if isinstance(x, list) else x).dtype
    layer = getattr(keras_backend.load().layers, kind)(*args, dtype=dtype, **settings)
    output = layer(x)
    if arrays:
        layer.set_weights(arrays)
    return output


def _dense(x: Any, name: str, kernel: np.ndarray, bias: np.ndarray) -> Any:
    settings = {"kernel_initializer": "zeros", "name": name}
    return _layer("Dense", x, kernel.shape[1], arrays=[kernel, bias], **settings)


def _first_sums(first: FirstLayer, inputs: Any) -> Any:
    """Return the sums of the first layer of all members, side by side."""
    encoding, tables = first.encoding, first.tables
    parts, sums = [], []
    if encoding.n_numeric:
        parts.append(inputs[:, : encoding.n_numeric])
    if first.bin_start is not None:
        parts.append(_bin_positions(first, parts[0]))
    if encoding.n_flags:
        parts.append(inputs[:, encoding.n_numeric : encoding.n_dense])
    if parts:
        rows = parts[0] if len(parts) == 1 else _layer("Concatenate", parts)
        sums.append(_dense(rows, "first", first.kernel, first.bias))
    else:
        tables = [tables[0] + first.bias, *tables[1:]]
    for i, table in enumerate(tables):
        codes = inputs[:, encoding.n_dense + i]
        settings = {"embeddings_initializer": "zeros", "name": f"codes_{i}"}
        sums.append(
            _layer("Embedding", codes, *table.shape, arrays=[table], **settings)
        )
    return sums[0] if len(sums) == 1 else _layer("Add", sums)


def _bin_positions(first: FirstLayer, numeric: Any) -> Any:
    """Return the position of each number in each bin, clipped to [0, 1]."""
    assert first.bin_start is not None
    assert first.bin_width is not None
    n, bins = first.bin_start.shape
    # first the exact distance from the start of a bin, then its share of the width
    kernel = np.repeat(np.eye(n), bins, axis=1)
    distance = _dense(numeric, "bins", kernel, -first.bin_start.ravel())
    share = rescaling(1 / first.bin_width.ravel(), numeric.dtype)(distance)
    return _layer("ReLU", share, max_value=1.0)
