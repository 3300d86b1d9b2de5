"""Networks with input encoding as a Keras model of Keras's own layers.

The encoding is linear except at the ends of its bins: encoding, factors and first layer
of all members are one dense layer, as in the NumPy forward pass. So a saved model needs
nothing of this package to be loaded.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from skdnn._network.keras_layers import rescaling
from skdnn._network.numpy_encoding import FirstLayer, first_layer, members_of
from skdnn._network.spec import NetworkSpec
from skdnn._runtime import keras_backend


def build_encoding_model(spec: NetworkSpec, weights: Sequence[np.ndarray]) -> Any:
    """Return a `keras.Model` from rows to the mean probabilities of the members."""
    builder = _Builder(spec)
    members = members_of(spec, weights)
    first = first_layer(spec, [layers[0] for layers in members])
    inputs = builder.keras.Input((spec.n_inputs,), dtype=spec.dtype, name="rows")
    sums = builder.first_sums(first, inputs)
    width = sums.shape[1] // spec.members
    outputs = []
    for i, layers in enumerate(members):
        h = sums[:, i * width : (i + 1) * width] if spec.members > 1 else sums
        for j, (hidden, layer) in enumerate(
            zip(spec.hidden, layers[1:], strict=True), start=2
        ):
            h = builder.layer("Activation", hidden.activation)(h)
            name = f"member_{i}_layer_{j}"
            h = builder.dense(name, layer["kernel"], layer["bias"])(h)
        outputs.append(builder.layer("Softmax", name=f"member_{i}")(h))
    x = outputs[0]
    if spec.members > 1:
        x = builder.layer("Average", name="mean")(outputs)
    if spec.inverse_temperature != 1:
        ops, tiny = builder.keras.ops, float(np.finfo(spec.dtype).tiny)
        logs = ops.log(ops.maximum(x, tiny))
        scaled = rescaling(spec.inverse_temperature, spec.dtype)(logs)
        x = builder.layer("Softmax", name="inverse_temperature")(scaled)
    model = builder.keras.Model(inputs, x, name="skdnn")
    for layer, arrays in builder.values:
        layer.set_weights(arrays)
    return model


class _Builder:
    """Makes layers in the dtype of a spec, and keeps the values of their weights."""

    def __init__(self, spec: NetworkSpec):
        self.keras = keras_backend.load()
        self._dtype = spec.dtype
        self.values: list[tuple[Any, list[np.ndarray]]] = []

    def layer(self, kind: str, *args: Any, **settings: Any) -> Any:
        """Return a layer of Keras without weights."""
        return getattr(self.keras.layers, kind)(*args, dtype=self._dtype, **settings)

    def dense(self, name: str, kernel: np.ndarray, bias: np.ndarray) -> Any:
        """Return a dense layer that will have these weights."""
        layer = self.layer(
            "Dense", kernel.shape[1], kernel_initializer="zeros", name=name
        )
        self.values.append((layer, [kernel, bias]))
        return layer

    def first_sums(self, first: FirstLayer, inputs: Any) -> Any:
        """Return the sums of the first layer of all members, side by side."""
        encoding, tables = first.encoding, first.tables
        parts, sums = [], []
        if encoding.n_numeric:
            parts.append(inputs[:, : encoding.n_numeric])
        if first.bin_start is not None:
            parts.append(self._bin_positions(first, parts[0]))
        if encoding.n_flags:
            parts.append(inputs[:, encoding.n_numeric : encoding.n_dense])
        if parts:
            rows = parts[0] if len(parts) == 1 else self.layer("Concatenate")(parts)
            sums.append(self.dense("first", first.kernel, first.bias)(rows))
        else:
            tables = [tables[0] + first.bias, *tables[1:]]
        for i, table in enumerate(tables):
            layer = self.layer(
                "Embedding",
                *table.shape,
                embeddings_initializer="zeros",
                name=f"codes_{i}",
            )
            sums.append(layer(inputs[:, encoding.n_dense + i]))
            self.values.append((layer, [table]))
        return sums[0] if len(sums) == 1 else self.layer("Add")(sums)

    def _bin_positions(self, first: FirstLayer, numeric: Any) -> Any:
        """Return the position of each number in each bin, clipped to [0, 1]."""
        assert first.bin_start is not None
        assert first.bin_width is not None
        n, bins = first.bin_start.shape
        # first the exact distance from the start of a bin, then its share of the width
        kernel, bias = np.repeat(np.eye(n), bins, axis=1), -first.bin_start.ravel()
        distance = self.dense("bins", kernel, bias)(numeric)
        share = rescaling(1 / first.bin_width.ravel(), self._dtype)(distance)
        return self.layer("ReLU", max_value=1.0)(share)
