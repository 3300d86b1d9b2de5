"""Probabilities from the outputs of a network, and whether they are any.

A network whose last layer or loss does not fit the classes is refused before it is
trained, from a few rows; what it predicts is checked as well.
"""

from typing import Any

import numpy as np
from scipy.sparse import issparse

from skdnn._keras_wrapper.target_encoder import ClassEncoder
from skdnn._runtime import keras_backend
from skdnn._training.model_functions import call_with_training
from skdnn._training.nested_rows import in_dtype_of, take

# Rows that a network is given before it is trained.
_FEW_ROWS = 8

# Of Keras's activations, those whose values may be probabilities.
_EXCLUSIVE = ("softmax", "sparsemax")
_SINGLE = ("sigmoid", "hard_sigmoid")
# Losses of Keras's that take a position, or a column, per class.
_OF_CODES, _OF_COLUMNS = "SparseCategoricalCrossentropy", "CategoricalCrossentropy"
# How far probabilities and their sums may be off, by the bytes of a number.
_TOLERANCE = {2: 2e-2, 4: 1e-3, 8: 1e-3}


def as_probabilities(model: Any, encoder: Any, outputs: Any) -> Any:
    """Return the outputs of a network as probabilities of float32 or float64.

    Outputs of half precision are normalised where classes are exclusive. ``ValueError``
    if they are no probabilities of the classes of our own `encoder`.
    """
    keras = keras_backend.load()
    is_checked = _knows_classes(encoder)
    if is_checked:
        outputs = _single_array(outputs, encoder)
    if not isinstance(outputs, np.ndarray):  # several outputs
        return keras.tree.map_structure(_single_precision, outputs)
    wide = _single_precision(outputs)
    loss = _loss_of(model)
    if _takes_logits(loss):
        binary = keras.losses.BinaryCrossentropy, keras.losses.BinaryFocalCrossentropy
        activations = keras.activations
        kind = activations.sigmoid if isinstance(loss, binary) else activations.softmax
        return keras_backend.to_numpy(kind(keras.ops.convert_to_tensor(wide)))
    exclusive = not is_checked or encoder.is_exclusive
    if is_checked:
        _check_values(outputs, encoder)
    if wide is not outputs and exclusive and wide.ndim == 2 and wide.shape[1] > 1:
        return wide / wide.sum(axis=1, keepdims=True)
    return wide


def check_network(model: Any, encoder: Any, X: Any) -> None:
    """Raise ``ValueError`` if a compiled network does not fit the classes.

    X are the rows that it is going to be trained on, of which it is given a few.
    """
    keras = keras_backend.load()
    leaves = [X] if issparse(X) else keras.tree.flatten(X)
    if not _knows_classes(encoder) or not all(
        hasattr(leaf, "shape") for leaf in leaves
    ):
        return
    inputs = getattr(model, "inputs", None)
    n_rows = (inputs[0].shape[0] if inputs else None) or _FEW_ROWS
    few = in_dtype_of(model, take(X, slice(0, n_rows)))
    outputs = call_with_training(model, few, training=False)
    outputs = keras.tree.map_structure(keras_backend.to_numpy, outputs)
    outputs = _single_array(outputs, encoder)
    n_units = _n_units(outputs)
    loss = _loss_of(model)
    _check_loss(_loss_name(loss), n_units, encoder)
    from_logits, activation = _takes_logits(loss), _last_activation(model)
    any_kind: tuple[str, ...] = (*_SINGLE, *_EXCLUSIVE)
    fitting = any_kind
    if encoder.is_exclusive:
        fitting = _SINGLE if n_units == 1 else _EXCLUSIVE
    if from_logits and activation in any_kind:
        raise ValueError(
            f"A loss with from_logits=True is for a last layer without activation. Got "
            f"{activation!r}, which would be applied twice. Set from_logits=False."
        )
    if from_logits:
        return
    if activation is not None and activation not in fitting:
        raise ValueError(
            f"The outputs of a network must be probabilities. Got {_units(n_units)} "
            f"with the activation {activation!r}. Use {_advice(encoder)}"
        )
    if np.isfinite(outputs).all():
        _check_values(outputs, encoder)


def check_trained(model: Any) -> None:
    """Raise ``ValueError`` if training left weights that are not finite."""
    for variable in model.weights:
        values = keras_backend.to_numpy(variable)
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            raise ValueError(
                "Training must keep the weights finite. Got NaN or infinity in "
                f"{variable.path!r}. Scale the columns (MinMaxScaler or StandardScaler "
                "in a Pipeline), or lower optimizer__learning_rate."
            )


def _check_loss(name: str, n_units: int, encoder: Any) -> None:
    """Raise ``ValueError`` if a loss of Keras's compares units with what is no target.

    Losses of the user's own have no name here.
    """
    if n_units == 1 and name in (_OF_CODES, _OF_COLUMNS):
        raise ValueError(
            f"A loss must fit the number of units. Got {name}, which needs a unit per "
            f"class, for 1 unit. Use {_advice(encoder)}"
        )
    if n_units > 1 and name not in ("", _OF_CODES) and encoder.gives_codes:
        other = ""
        if name == _OF_COLUMNS:
            other = " Or set loss='categorical_crossentropy' in KerasClassifier."
        raise ValueError(
            f"A loss must fit the targets. Got {name} for {n_units} units, which are "
            "compared with one number per row: the position of its class. Use "
            f"{_advice(encoder)}{other}"
        )


def _knows_classes(encoder: Any) -> bool:
    """Return whether the targets are classes that our own encoder has encoded."""
    return isinstance(encoder, ClassEncoder) and encoder.n_classes_ is not None


def _advice(encoder: Any) -> str:
    """Return what the last layer and the loss should be, or else how logits work."""
    n = encoder.n_classes_
    if not encoder.is_exclusive:
        return (
            f"Dense({n}, activation='sigmoid') as the last layer with "
            "loss='binary_crossentropy'."
        )
    binary = "" if n > 2 else "Dense(1, activation='sigmoid') as the last layer with "
    binary += "loss='binary_crossentropy', or " if binary else ""
    return (
        f"{binary}Dense({n}, activation='softmax') as the last layer with "
        "loss='sparse_categorical_crossentropy'. Logits need a loss with "
        "from_logits=True, as loss__from_logits=True."
    )


def _single_array(outputs: Any, encoder: Any) -> np.ndarray:
    """Return the outputs if they are one array with a fitting number of units."""
    if not isinstance(outputs, np.ndarray):
        n = len(keras_backend.load().tree.flatten(outputs))
        raise ValueError(
            f"A network must have one output for y with one target. Got {n} outputs. "
            "Return one, or write a subclass with a `target_encoder` for several."
        )
    if outputs.ndim > 2:
        raise ValueError(
            "A network must return one vector per row. Got outputs of shape "
            f"{('n_samples', *outputs.shape[1:])}. Put Flatten or "
            f"a GlobalAveragePooling layer before the last layer, and use "
            f"{_advice(encoder)}"
        )
    n, n_units = encoder.n_classes_, _n_units(outputs)
    if n_units != n and not (n_units == 1 and encoder.is_exclusive and n == 2):
        what = "classes" if encoder.is_exclusive else "labels"
        raise ValueError(
            "The last layer of a network must have one unit per class. Got "
            f"{_units(n_units)} for {n} {what}. Use {_advice(encoder)}"
        )
    return outputs


def _check_values(outputs: np.ndarray, encoder: Any) -> None:
    """Raise ``ValueError`` unless outputs are probabilities."""
    if not outputs.size:
        return
    is_finite = np.isfinite(outputs).reshape(len(outputs), -1).all(axis=1)
    if not is_finite.all():
        raise ValueError(
            "The outputs of a network must be finite. Got NaN or infinity for "
            f"{(~is_finite).sum()} of {len(outputs)} rows. Scale the columns."
        )
    tolerance = _TOLERANCE.get(outputs.dtype.itemsize, 1e-3)
    wide = _single_precision(outputs)
    low, high = float(wide.min()), float(wide.max())
    problem = f"numbers from {low:.4g} to {high:.4g}"
    if low >= -tolerance and high <= 1 + tolerance:
        if not encoder.is_exclusive or _n_units(wide) == 1:
            return
        sums = wide.sum(axis=1)
        if np.abs(sums - 1).max() <= tolerance:
            return
        problem = f"rows whose sums are from {sums.min():.4g} to {sums.max():.4g}"
    raise ValueError(
        f"The outputs of a network must be probabilities. Got {problem}. Use "
        f"{_advice(encoder)}"
    )


def _loss_of(model: Any) -> Any:
    """Return the only loss of a compiled model, or what it has instead."""
    losses = keras_backend.load().tree.flatten(getattr(model, "loss", None))
    return losses[0] if len(losses) == 1 else None


def _takes_logits(loss: Any) -> bool:
    return bool(getattr(loss, "from_logits", False))


def _loss_name(loss: Any) -> str:
    """Return the class name of a loss of Keras's; "" for any other."""
    keras = keras_backend.load()
    if isinstance(loss, str):
        loss = keras.losses.get(loss)
    kind = loss if hasattr(loss, "__name__") else type(loss)
    if not (getattr(kind, "__module__", None) or "").startswith("keras."):
        return ""
    name: str = kind.__name__
    camel = "".join(word.capitalize() for word in name.split("_"))
    return camel if hasattr(keras.losses, camel) else name


def _last_activation(model: Any) -> str | None:
    """Return Keras's name of the activation of the outputs, None if it is not known."""
    keras, layer = keras_backend.load(), model
    while isinstance(layer, keras.Model):
        is_sequential = type(layer) is keras.Sequential
        # of a Functional, `layers` leaves functions of ``keras.ops`` out
        parts = layer.layers if is_sequential else getattr(layer, "operations", ())
        if not parts or not type(layer).__module__.startswith("keras."):
            return None
        layer = parts[-1]
    activation = getattr(layer, "activation", None)
    owner = getattr(activation, "__module__", None) or ""
    is_known = type(layer).__module__.startswith("keras.") and owner.startswith(
        "keras."
    )
    return str(activation.__name__) if is_known and activation else None


def _n_units(outputs: np.ndarray) -> int:
    return 1 if outputs.ndim < 2 else int(outputs.shape[1])


def _units(n: int) -> str:
    return f"{n} unit{'' if n == 1 else 's'}"


def _single_precision(outputs: np.ndarray) -> np.ndarray:
    """Return float16 and bfloat16 as float32, others unchanged."""
    return outputs if outputs.dtype.itemsize > 2 else outputs.astype(np.float32)
