"""Keras layers of our own, made when Keras is first used."""

from functools import cache

import numpy as np

from skdnn._network.spec import InputEncoding
from skdnn._runtime import keras_backend


@cache
def scaled_dense() -> type:
    """Return the class of a dense layer divided by the root of its inputs' number."""
    keras = keras_backend.load()

    class ScaledDense(keras.layers.Dense):  # type: ignore[name-defined]
        def call(self, inputs, training=None):
            product = keras.ops.matmul(inputs, self.kernel)
            return product / self.kernel.shape[0] ** 0.5 + self.bias

    return ScaledDense


@cache
def input_encoding_layer() -> type:
    """Return the class of the layer that `Front` describes."""
    keras = keras_backend.load()

    class TableFront(keras.layers.Layer):  # type: ignore[name-defined]
        def __init__(self, encoding: InputEncoding, **kwargs):
            super().__init__(**kwargs)
            self.encoding = encoding

        def build(self, input_shape):
            self._arrays = {
                array.role: self.add_weight(
                    name=array.role,
                    shape=array.shape,
                    initializer="zeros",
                    trainable=array.trainable,
                )
                for array in self.encoding.arrays
            }

        def call(self, inputs):
            ops, encoding, arrays = keras.ops, self.encoding, self._arrays
            n_dense = encoding.n_numeric + encoding.n_flags
            numbers = inputs[:, : encoding.n_numeric]
            parts = [numbers]
            if encoding.bins:
                reached = (numbers[:, :, None] - arrays["start"]) / arrays["length"]
                reached = ops.clip(reached, 0, 1)
                # XLA makes one loop of it, and of a product of many small matrices many
                ramps = ops.sum(
                    reached[:, :, :, None] * arrays["piecewise_linear"], axis=2
                )
                parts.append(
                    ops.reshape(ramps, (-1, encoding.n_numeric * encoding.units))
                )
            parts.append(inputs[:, encoding.n_numeric : n_dense])
            for i, size in enumerate(encoding.code_sizes):
                codes = ops.cast(inputs[:, n_dense + i], "int32")
                # code 0 has no row of its own
                flags = ops.one_hot(codes - 1, size - 1, dtype=self.compute_dtype)
                parts.append(ops.matmul(flags, arrays[f"embed_{i}"]))
            return ops.concatenate(parts, axis=1) * arrays["scale"]

        def compute_output_shape(self, input_shape):
            return (input_shape[0], self.encoding.n_outputs)

    return TableFront


def rescaling(scale, dtype: str, name: str | None = None):
    """Return a layer that multiplies by a number, or one a column.

    It is handed over as an array: Keras makes float32 of a number of Python.
    """
    keras = keras_backend.load()
    return keras.layers.Rescaling(np.asarray(scale, dtype), dtype=dtype, name=name)


@cache
def dropout_layer() -> type:
    """Return the class of a dropout layer whose rate and seed are weights.

    Keras's own layer holds its rate as a Python number, so that each rate would
    need a compiled program of its own.
    """
    keras = keras_backend.load()

    class RateDropout(keras.layers.Layer):  # type: ignore[name-defined]
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.seed_generator = keras.random.SeedGenerator(0)

        def build(self, input_shape):
            self.rate = self.add_weight(
                shape=(), initializer="zeros", trainable=False, name="rate"
            )

        def call(self, inputs, training=False):
            if not training:
                return inputs
            # float32 whatever the dtype, so that both dtypes drop the same units
            draw = _uniform(keras.ops.shape(inputs), self.seed_generator)
            keep = draw >= keras.ops.cast(self.rate, "float32")
            scale = 1 - keras.ops.convert_to_tensor(self.rate)
            return keras.ops.where(keep, inputs / scale, keras.ops.zeros_like(inputs))

    return RateDropout


def _uniform(shape, seed_generator):
    """Return float32 numbers in [0, 1); XLA draws others than TensorFlow itself."""
    keras = keras_backend.load()
    return keras.random.uniform(shape, dtype="float32", seed=seed_generator)
