"""From a spec to Keras models, and weights into and out of them."""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

import numpy as np

from skdnn._network.keras_encoding_model import build_encoding_model
from skdnn._network.keras_layers import (
    dropout_layer,
    input_encoding_layer,
    rescaling,
    scaled_dense,
)
from skdnn._network.spec import Hidden, NetworkSpec
from skdnn._runtime import keras_backend


def build_network(spec: NetworkSpec) -> Any:
    """Return a `keras.Model` of one member from rows to logits, for training."""
    keras = keras_backend.load()
    x = inputs = keras.Input((spec.n_inputs,), dtype=spec.dtype)
    if spec.encoding is not None:
        kind = input_encoding_layer()
        x = kind(spec.encoding, dtype=spec.dtype, name="encoding")(x)
    for layer in spec.hidden:
        x = _hidden(spec, layer, x)
        x = dropout_layer()(dtype=spec.dtype)(x) if layer.dropout else x
    return keras.Model(inputs, _dense(spec, spec.n_outputs, x, "output"))


def build_mean_model(
    specs: Sequence[NetworkSpec], weights: Sequence[Sequence[np.ndarray]]
) -> Any:
    """Return a `keras.Model` of the mean probabilities of classifiers of one shape."""
    keras = keras_backend.load()
    models = [build_model(*pair) for pair in zip(specs, weights, strict=True)]
    if len(models) == 1:
        return models[0]
    for i, model in enumerate(models):
        model.name = f"member_{i}"
    dtype = specs[0].dtype
    inputs = keras.Input((specs[0].n_inputs,), dtype=dtype, name="rows")
    mean = keras.layers.Average(dtype=dtype, name="mean")
    return keras.Model(inputs, mean([model(inputs) for model in models]), name="skdnn")


def build_model(spec: NetworkSpec, weights: Sequence[np.ndarray]) -> Any:
    """Return a `keras.Model` of Keras's own layers, from rows to probabilities."""
    if spec.encoding is not None:
        return build_encoding_model(spec, weights)
    keras = keras_backend.load()
    x = inputs = keras.Input((spec.n_inputs,), dtype=spec.dtype, name="rows")
    for i, layer in enumerate(spec.hidden, start=1):
        x = _hidden(spec, layer, x, f"hidden_{i}")
        if layer.dropout:
            x = keras.layers.Dropout(layer.dropout, dtype=spec.dtype, seed=i)(x)
    x = _dense(spec, spec.n_outputs, x, "output")
    if spec.inverse_temperature != 1:
        x = rescaling(spec.inverse_temperature, spec.dtype, "inverse_temperature")(x)
    if spec.n_outputs == 1:
        # 1 - p as a sigmoid of its own: a small probability keeps its digits
        both = keras.layers.Concatenate(dtype=spec.dtype, name="both")
        minus = keras.layers.Rescaling(-1.0, dtype=spec.dtype, name="minus")
        x = both([minus(x), x])
    function = "softmax" if spec.output == "softmax" else "sigmoid"
    last = keras.layers.Activation(function, dtype=spec.dtype, name="probabilities")
    model = keras.Model(inputs, last(x), name="skdnn")
    set_weights(model, spec, weights)
    return model


def network_variables(model: Any, spec: NetworkSpec) -> list[Any]:
    """Return the Keras variables of a model in the order of ``spec.arrays``."""
    roles = {array.role for array in spec.arrays}
    variables = chain.from_iterable(layer.weights for layer in model.layers)
    return [variable for variable in variables if variable.name in roles]


def set_weights(model: Any, spec: NetworkSpec, weights: Sequence[np.ndarray]) -> None:
    for variable, value in zip(network_variables(model, spec), weights, strict=True):
        variable.assign(value)


def get_weights(model: Any, spec: NetworkSpec) -> list[np.ndarray]:
    return list(map(keras_backend.to_numpy, network_variables(model, spec)))


def set_dropout(network: Any, spec: NetworkSpec, seed: int) -> None:
    """Set rates and seeds of the dropout layers of a model from `build_network`."""
    for variable, value in _dropout_values(network, spec, seed):
        variable.assign(value)


def fixed_values(
    network: Any, spec: NetworkSpec, weights: Sequence[np.ndarray], dropout_seed: int
) -> list[np.ndarray]:
    """Return what ``network.non_trainable_variables`` shall be; sets nothing."""
    pairs = chain(
        zip(network_variables(network, spec), weights, strict=True),
        _dropout_values(network, spec, dropout_seed),
    )
    values = {id(variable): value for variable, value in pairs}
    return [
        np.asarray(values[id(variable)], dtype=variable.dtype)
        for variable in network.non_trainable_variables
    ]


def _dropout_values(
    network: Any, spec: NetworkSpec, seed: int
) -> Iterator[tuple[Any, Any]]:
    """Yield each variable of the dropout layers and its value, from one seed."""
    kind = dropout_layer()
    layers = [layer for layer in network.layers if isinstance(layer, kind)]
    rates = [hidden.dropout for hidden in spec.hidden if hidden.dropout]
    seeds = np.random.SeedSequence(seed).generate_state(len(layers)) // 2
    for layer, rate, layer_seed in zip(layers, rates, seeds, strict=True):
        yield layer.rate, rate
        yield layer.seed_generator.state, [int(layer_seed), 0]


def _hidden(spec: NetworkSpec, layer: Hidden, x: Any, name: str | None = None) -> Any:
    keras = keras_backend.load()
    x = _dense(spec, layer.units, x, name, use_bias=not layer.batch_norm)
    if layer.batch_norm:
        x = keras.layers.BatchNormalization(dtype=spec.dtype)(x)
    return keras.layers.Activation(layer.activation, dtype=spec.dtype)(x)


def _dense(
    spec: NetworkSpec, units: int, x: Any, name: str | None, *, use_bias: bool = True
) -> Any:
    # weights are always set from outside, so that nothing is drawn from Keras's seed
    dense = keras_backend.load().layers.Dense
    kind = dense if spec.encoding is None else scaled_dense()
    layer = kind(
        units,
        dtype=spec.dtype,
        use_bias=use_bias,
        kernel_initializer="zeros",
        bias_initializer="zeros",
        name=name,
    )
    return layer(x)
