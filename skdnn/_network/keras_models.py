"""From a spec to Keras models."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from skdnn._network.keras_encoding_model import build_encoding_model
from skdnn._network.keras_layers import (
    dropout_layer,
    input_encoding_layer,
    rescaling,
    scaled_dense,
)
from skdnn._network.spec import NetworkSpec
from skdnn._runtime import keras_backend


def build_network(spec: NetworkSpec):
    """Return a `keras.Model` from rows to logits, for training; of one member.

    Dropout rates are weights of the model, see `set_dropout`.
    """
    keras = keras_backend.load()
    x = inputs = keras.Input((spec.n_inputs,), dtype=spec.dtype)
    x = _front(spec, x)
    for layer in spec.hidden:
        dropout = dropout_layer()(dtype=spec.dtype) if layer.dropout else None
        x = _hidden(keras, spec, layer, x, dropout)
    return keras.Model(inputs, _dense(keras, spec, spec.n_outputs, x, "output"))


def build_mean_model(
    specs: Sequence[NetworkSpec], weights: Sequence[Sequence[np.ndarray]]
):
    """Return a `keras.Model` of the mean of some classifiers; of one, its own.

    Parameters
    ----------
    specs : sequence of NetworkSpec
        What each is; they differ in their inverse_temperature only.
    weights : list of list of ndarray
        The weights of each.
    """
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


def build_model(spec: NetworkSpec, weights: Sequence[np.ndarray]):
    """Return a `keras.Model` from rows to probabilities, of Keras's own layers.

    Parameters
    ----------
    spec : NetworkSpec
        The network.
    weights : list of ndarray
        Its weights, in the order of ``spec.arrays``.

    Returns
    -------
    keras.Model
        Input of shape (n_samples, n_inputs), output of shape (n_samples, n_classes).
    """
    if spec.encoding is not None:
        return build_encoding_model(spec, weights)
    keras = keras_backend.load()
    x = inputs = keras.Input((spec.n_inputs,), dtype=spec.dtype, name="rows")
    for i, layer in enumerate(spec.hidden, start=1):
        dropout = None
        if layer.dropout:
            dropout = keras.layers.Dropout(layer.dropout, dtype=spec.dtype, seed=i)
        x = _hidden(keras, spec, layer, x, dropout, name=f"hidden_{i}")
    x = _dense(keras, spec, spec.n_outputs, x, "output")
    if spec.inverse_temperature != 1:
        x = rescaling(spec.inverse_temperature, spec.dtype, "sharper")(x)
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


def network_variables(model, spec: NetworkSpec) -> list:
    """Return the Keras variables of a model in the order of ``spec.arrays``."""
    roles = {array.role for array in spec.arrays}
    return [
        variable
        for layer in model.layers
        for variable in layer.weights
        if variable.name in roles
    ]


def set_weights(model, spec: NetworkSpec, weights: Sequence[np.ndarray]) -> None:
    """Copy weight arrays into a model built from the same spec."""
    for variable, value in zip(network_variables(model, spec), weights, strict=True):
        variable.assign(value)


def get_weights(model, spec: NetworkSpec) -> list[np.ndarray]:
    """Return copies of the weight arrays of a model built from `spec`."""
    return [
        keras_backend.to_numpy(variable) for variable in network_variables(model, spec)
    ]


def set_dropout(network, spec: NetworkSpec, seed: int) -> None:
    """Give the dropout layers of a training network their rates and seeds.

    Parameters
    ----------
    network : keras.Model
        From `build_network`.
    spec : NetworkSpec
        Holds the rates.
    seed : int
        Each layer has a seed of its own drawn from it.
    """
    for variable, value in _dropout_values(network, spec, seed):
        variable.assign(value)


def fixed_values(
    network, spec: NetworkSpec, weights: Sequence[np.ndarray], dropout_seed: int
) -> list[np.ndarray]:
    """Return the values of what a training network holds but does not train.

    Parameters
    ----------
    network : keras.Model
        From `build_network`; not changed.
    spec : NetworkSpec
        Holds the dropout rates.
    weights : list of ndarray
        In the order of ``spec.arrays``; statistics are among them.
    dropout_seed : int
        See `set_dropout`.

    Returns
    -------
    list of ndarray
        In the order of ``network.non_trainable_variables``.
    """
    variables = network_variables(network, spec)
    known = [
        *zip(variables, weights, strict=True),
        *_dropout_values(network, spec, dropout_seed),
    ]
    values = {id(variable): value for variable, value in known}
    return [
        np.asarray(values[id(variable)], dtype=variable.dtype)
        for variable in network.non_trainable_variables
    ]


def _dropout_values(network, spec: NetworkSpec, seed: int) -> Iterator[tuple]:
    """Yield each variable of the dropout layers and its value."""
    kind = dropout_layer()
    layers: list[Any] = [layer for layer in network.layers if isinstance(layer, kind)]
    rates = [hidden.dropout for hidden in spec.hidden if hidden.dropout]
    seeds = np.random.SeedSequence(seed).generate_state(len(layers)) // 2
    for layer, rate, layer_seed in zip(layers, rates, seeds, strict=True):
        yield layer.rate, rate
        yield layer.seed_generator.state, [int(layer_seed), 0]


def _front(spec: NetworkSpec, x):
    if spec.encoding is None:
        return x
    return input_encoding_layer()(spec.encoding, dtype=spec.dtype, name="encoding")(x)


def _hidden(keras, spec, layer, x, dropout, name=None):
    x = _dense(keras, spec, layer.units, x, name, use_bias=not layer.batch_norm)
    if layer.batch_norm:
        x = keras.layers.BatchNormalization(dtype=spec.dtype)(x)
    x = keras.layers.Activation(layer.activation, dtype=spec.dtype)(x)
    return x if dropout is None else dropout(x)


def _dense(keras, spec, units, x, name, *, use_bias=True):
    # weights are always set from outside, so that nothing is drawn from Keras's seed
    kind = keras.layers.Dense if spec.encoding is None else scaled_dense()
    dense = kind(
        units,
        dtype=spec.dtype,
        use_bias=use_bias,
        kernel_initializer="zeros",
        bias_initializer="zeros",
        name=name,
    )
    return dense(x)
