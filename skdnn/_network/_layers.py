"""Keras layers of our own, made when Keras is first used."""

from functools import cache

from skdnn import _keras


@cache
def dropout_layer() -> type:
    """Return the class of a dropout layer whose rate and seed are weights.

    Keras's own layer holds its rate as a Python number, so that each rate would
    need a compiled program of its own.
    """
    keras = _keras.load()

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
            draw = keras.random.uniform(
                keras.ops.shape(inputs), dtype="float32", seed=self.seed_generator
            )
            keep = draw >= keras.ops.cast(self.rate, "float32")
            scale = 1 - keras.ops.convert_to_tensor(self.rate)
            return keras.ops.where(keep, inputs / scale, keras.ops.zeros_like(inputs))

    return RateDropout
