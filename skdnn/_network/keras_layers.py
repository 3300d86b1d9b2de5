"""Keras layers of this package, defined when Keras is first used."""

from functools import cache
from typing import Any

import numpy as np

from skdnn._network.spec import InputEncoding
from skdnn._runtime import keras_backend


@cache
def scaled_dense() -> Any:
    """Return the class of dense layers divided by the root of the number of inputs."""
    keras = keras_backend.load()

    class ScaledDense(keras.layers.Dense):  # type: ignore[misc, name-defined]
        def call(self, inputs: Any, training: Any = None) -> Any:
            product = keras.ops.matmul(inputs, self.kernel)
            return product / self.kernel.shape[0] ** 0.5 + self.bias

    return ScaledDense


@cache
def input_encoding_layer() -> Any:
    """Return the class of layers that an `InputEncoding` describes."""
    keras = keras_backend.load()

    class InputEncodingLayer(keras.layers.Layer):  # type: ignore[misc, name-defined]
        def __init__(self, encoding: InputEncoding, **kwargs: Any):
            super().__init__(**kwargs)
            self.encoding = encoding

        def build(self, input_shape: Any) -> None:
            self._arrays = {
                array.role: self.add_weight(
                    name=array.role,
                    shape=array.shape,
                    initializer="zeros",
                    trainable=array.trainable,
                )
                for array in self.encoding.arrays
            }

        def call(self, inputs: Any) -> Any:
            ops, encoding, arrays = keras.ops, self.encoding, self._arrays
            n_numeric, n_dense = encoding.n_numeric, encoding.n_dense
            numeric = inputs[:, :n_numeric]
            parts = [numeric]
            if encoding.bins:
                parts.append(self._piecewise_linear(numeric))
            parts.append(inputs[:, n_numeric:n_dense])
            for i, size in enumerate(encoding.code_sizes):
                codes = ops.cast(inputs[:, n_dense + i], "int32")
                # code 0 has no row in the embedding; of PyTorch, one_hot reads values
                is_code = ops.equal(codes[:, None], ops.arange(1, size, dtype="int32"))
                flags = ops.cast(is_code, self.compute_dtype)
                parts.append(ops.matmul(flags, arrays[f"embedding_{i}"]))
            return ops.concatenate(parts, axis=1) * arrays["scale"]

        def _piecewise_linear(self, numeric: Any) -> Any:
            """Return the functions of numeric inputs.

            Of the bins of an input, those below that of its value count in full, and it
            in part: two rows of a table, in place of a sum over all bins.
            """
            ops, encoding, arrays = keras.ops, self.encoding, self._arrays
            n, bins, units = encoding.n_numeric, encoding.bins, encoding.units
            start, steps = arrays["bin_start"], arrays["piecewise_linear"]
            n_begun = ops.sum(ops.cast(numeric[:, :, None] >= start, "int32"), axis=2)
            at = ops.maximum(n_begun - 1, 0) + bins * ops.arange(n, dtype="int32")
            below = ops.cumsum(steps, axis=1) - steps
            table = ops.reshape(
                ops.concatenate([below, steps], 2), (n * bins, 2 * units)
            )
            rows = ops.take(table, at, axis=0)
            of_bin = ops.stack([start, arrays["bin_width"]], axis=2)
            of_bin = ops.take(ops.reshape(of_bin, (n * bins, 2)), at, axis=0)
            share = ops.clip((numeric - of_bin[:, :, 0]) / of_bin[:, :, 1], 0, 1)
            values = rows[:, :, :units] + share[:, :, None] * rows[:, :, units:]
            return ops.reshape(values, (-1, encoding.n_piecewise_linear))

        def compute_output_shape(self, input_shape: Any) -> tuple[Any, int]:
            return (input_shape[0], self.encoding.n_outputs)

    return InputEncodingLayer


def rescaling(scale: Any, dtype: str, name: str | None = None) -> Any:
    """Return a layer that multiplies by one number, or by one per column."""
    keras = keras_backend.load()
    # Keras makes a float32 of a Python number
    return keras.layers.Rescaling(np.asarray(scale, dtype), dtype=dtype, name=name)


@cache
def dropout_layer() -> Any:
    """Return the class of dropout layers whose rate is a weight, not a constant."""
    keras = keras_backend.load()

    class RateDropout(keras.layers.Layer):  # type: ignore[misc, name-defined]
        def __init__(self, **kwargs: Any):
            super().__init__(**kwargs)
            self.supports_masking = True  # batch norm leaves padded rows out
            self.seed_generator = keras.random.SeedGenerator(0)

        def build(self, input_shape: Any) -> None:
            self.rate = self.add_weight(
                shape=(), initializer="zeros", trainable=False, name="rate"
            )

        def call(self, inputs: Any, training: bool = False) -> Any:
            if not training:
                return inputs
            # float32 for any dtype, so that both dtypes drop the same units
            draw = uniform(keras.ops.shape(inputs), self.seed_generator)
            keep = draw >= keras.ops.cast(self.rate, "float32")
            scale = 1 - keras.ops.convert_to_tensor(self.rate)
            return keras.ops.where(keep, inputs / scale, keras.ops.zeros_like(inputs))

    return RateDropout


def uniform(shape: Any, seed_generator: Any) -> Any:
    """Return float32 numbers in [0, 1); XLA draws others than TensorFlow itself."""
    keras = keras_backend.load()
    if keras_backend.backend() == "torch":
        return _torch_uniform()(seed_generator.next(), list(shape))
    return keras.random.uniform(shape, dtype="float32", seed=seed_generator)


@cache
def _torch_uniform() -> Any:
    """Return an operation of PyTorch that draws numbers from a seed.

    Keras makes a Python number of the seed, which cannot be part of a recorded step.
    """
    import torch

    @torch.library.custom_op("skdnn::uniform", mutates_args=())
    def draw(seed: torch.Tensor, shape: list[int]) -> torch.Tensor:
        first, count = seed.tolist()
        generator = torch.Generator(seed.device).manual_seed((first << 32) + count)
        return torch.rand(shape, generator=generator, device=seed.device)

    @draw.register_fake
    def _(seed: torch.Tensor, shape: list[int]) -> torch.Tensor:
        return seed.new_empty(shape, dtype=torch.float32)

    @draw.register_vmap
    def _(info: Any, in_dims: Any, seed: torch.Tensor, shape: list[int]) -> Any:
        seeds = seed.unbind(in_dims[0])
        return torch.stack([draw(each, shape) for each in seeds]), 0

    return draw
