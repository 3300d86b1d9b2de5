"""Networks behind a front as a Keras model of Keras's own layers.

What a front does to rows is linear but for the ends of its pieces: front, factors and
first layer of all members are one dense layer, as in the forward pass in NumPy. So a
saved model needs nothing of ours to be loaded.
"""

from collections.abc import Sequence

import numpy as np

from skdnn._network.keras_layers import rescaling
from skdnn._network.numpy_encoding import FirstLayer, first_layer, members_of
from skdnn._network.spec import NetworkSpec
from skdnn._runtime import keras_backend


def build_encoding_model(spec: NetworkSpec, weights: Sequence[np.ndarray]):
    """Return a `keras.Model` from rows to the members' mean probabilities.

    Parameters
    ----------
    spec : NetworkSpec
        With a front and softmax outputs.
    weights : list of ndarray
        Its weights.
    """
    keras = keras_backend.load()
    members = members_of(spec, weights)
    first = first_layer(spec, [layers[0] for layers in members])
    constants: list[tuple] = []
    inputs = keras.Input((spec.n_inputs,), dtype=spec.dtype, name="rows")
    sums = _first_sums(keras, spec, first, inputs, constants)
    width = sums.shape[1] // spec.members
    ends = []
    for i, layers in enumerate(members):
        h = sums[:, i * width : (i + 1) * width] if spec.members > 1 else sums
        for j, (hidden, layer) in enumerate(
            zip(spec.hidden, layers[1:], strict=True), start=2
        ):
            h = keras.layers.Activation(hidden.activation, dtype=spec.dtype)(h)
            name = f"member_{i}_layer_{j}"
            arrays = [layer["kernel"], layer["bias"]]
            h = _dense(keras, spec, name, arrays, constants)(h)
        ends.append(keras.layers.Softmax(dtype=spec.dtype, name=f"member_{i}")(h))
    x = ends[0]
    if spec.members > 1:
        x = keras.layers.Average(dtype=spec.dtype, name="mean")(ends)
    if spec.inverse_temperature != 1:
        logs = keras.ops.log(keras.ops.maximum(x, float(np.finfo(spec.dtype).tiny)))
        sharper = rescaling(spec.inverse_temperature, spec.dtype)(logs)
        x = keras.layers.Softmax(dtype=spec.dtype, name="sharpened")(sharper)
    model = keras.Model(inputs, x, name="skdnn")
    for layer, arrays in constants:
        layer.set_weights(arrays)
    return model


def _first_sums(keras, spec, first: FirstLayer, inputs, constants: list):
    """Return the sums of the first layer of all members, side by side."""
    encoding, dtype = first.encoding, spec.dtype
    n_dense = encoding.n_numeric + encoding.n_flags
    parts, sums = [], []
    if encoding.n_numeric:
        parts.append(inputs[:, : encoding.n_numeric])
    if first.start is not None:
        parts.append(_reached(keras, spec, first, parts[0], constants))
    if encoding.n_flags:
        parts.append(inputs[:, encoding.n_numeric : n_dense])
    tables = first.tables
    if parts:
        rows = parts[0]
        if len(parts) > 1:
            rows = keras.layers.Concatenate(dtype=dtype)(parts)
        arrays = [first.kernel, first.bias]
        sums.append(_dense(keras, spec, "first", arrays, constants)(rows))
    else:
        tables = [tables[0] + first.bias, *tables[1:]]
    for i, table in enumerate(tables):
        layer = keras.layers.Embedding(
            *table.shape, embeddings_initializer="zeros", dtype=dtype, name=f"codes_{i}"
        )
        sums.append(layer(inputs[:, n_dense + i]))
        constants.append((layer, [table]))
    return sums[0] if len(sums) == 1 else keras.layers.Add(dtype=dtype)(sums)


def _reached(keras, spec, first: FirstLayer, numbers, constants: list):
    """Return how far into each piece each number reaches, from 0 to 1."""
    assert first.start is not None
    assert first.length is not None
    n, bins = first.start.shape
    # first what is left of a piece's beginning, exactly; then its share
    arrays = [np.repeat(np.eye(n), bins, axis=1), -first.start.ravel()]
    beyond = _dense(keras, spec, "pieces", arrays, constants)(numbers)
    share = rescaling(1 / first.length.ravel(), spec.dtype)(beyond)
    return keras.layers.ReLU(max_value=1.0, dtype=spec.dtype)(share)


def _dense(keras, spec, name: str, arrays: list, constants: list):
    layer = keras.layers.Dense(
        arrays[0].shape[1], kernel_initializer="zeros", dtype=spec.dtype, name=name
    )
    constants.append((layer, arrays))
    return layer
