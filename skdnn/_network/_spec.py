"""The network as plain data: what is fitted, pickled and predicted from."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

# Keras's own names; MLPClassifier's two words and Keras's aliases lead to them.
ACTIVATIONS = (
    "celu",
    "elu",
    "exponential",
    "gelu",
    "hard_shrink",
    "hard_sigmoid",
    "hard_silu",
    "hard_tanh",
    "leaky_relu",
    "linear",
    "log_sigmoid",
    "log_softmax",
    "mish",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "soft_shrink",
    "softmax",
    "softplus",
    "softsign",
    "sparse_plus",
    "sparse_sigmoid",
    "sparsemax",
    "squareplus",
    "tanh",
    "tanh_shrink",
)
ACTIVATION_ALIASES = {
    "identity": "linear",
    "logistic": "sigmoid",
    "swish": "silu",
    "hard_swish": "hard_silu",
}


@dataclass(frozen=True)
class Hidden:
    """One hidden layer: dense, then batch norm, activation and dropout.

    Parameters
    ----------
    units : int
        Width of the layer.
    activation : str or callable
        A name in `ACTIVATIONS`, or a function of a Keras tensor.
    dropout : float
        Share of the outputs that is set to zero in training, in [0, 1).
    batch_norm : bool
        Whether outputs are normalised over the batch before the activation.
    """

    units: int
    activation: str | Callable
    dropout: float = 0.0
    batch_norm: bool = False


@dataclass(frozen=True)
class Array:
    """Role, shape and kind of one weight array, in the order they are kept."""

    role: str
    shape: tuple[int, ...]
    trainable: bool = True

    @property
    def size(self) -> int:
        """Count of the numbers in the array."""
        return int(np.prod(self.shape))


@dataclass(frozen=True)
class NetworkSpec:
    """A feed-forward network for classes.

    Parameters
    ----------
    n_inputs : int
        Columns that the network receives.
    hidden : tuple of Hidden
        The hidden layers, none for softmax regression.
    n_outputs : int
        Units of the last layer: one for two classes, else one a class or label.
    output : {"softmax", "logistic"}
        What turns the last layer into probabilities. Logistic units are one for two
        classes, or one a label where a row may have several.
    dtype : {"float32", "float64"}
        Precision of weights and arithmetic.
    """

    n_inputs: int
    hidden: tuple[Hidden, ...]
    n_outputs: int
    output: Literal["softmax", "logistic"]
    dtype: str

    @property
    def widths(self) -> tuple[int, ...]:
        """Units of every layer, input and output included."""
        return (self.n_inputs, *(layer.units for layer in self.hidden), self.n_outputs)

    @property
    def is_multilabel(self) -> bool:
        """Whether a row may have several labels, or none."""
        return self.output == "logistic" and self.n_outputs > 1

    @property
    def is_plain(self) -> bool:
        """Whether kernels and biases are all the weights there are."""
        return not any(layer.batch_norm for layer in self.hidden)

    @property
    def arrays(self) -> tuple[Array, ...]:
        """The weight arrays, layer by layer, in the order Keras lists them."""
        arrays = []
        for i, (fan_in, fan_out) in enumerate(
            zip(self.widths, self.widths[1:], strict=False)
        ):
            arrays.append(Array("kernel", (fan_in, fan_out)))
            if i < len(self.hidden) and self.hidden[i].batch_norm:
                arrays += [
                    Array("gamma", (fan_out,)),
                    Array("beta", (fan_out,)),  # the layer needs no bias besides
                    Array("moving_mean", (fan_out,), trainable=False),
                    Array("moving_variance", (fan_out,), trainable=False),
                ]
            else:
                arrays.append(Array("bias", (fan_out,)))
        return tuple(arrays)

    def without_rates(self) -> "NetworkSpec":
        """Return the spec with every dropout rate that is not zero set to one half.

        Rates are inputs of a compiled program, not part of it: networks that differ
        in their rates only share one program.
        """
        layers = (
            replace(layer, dropout=0.5 if layer.dropout else 0.0)
            for layer in self.hidden
        )
        return replace(self, hidden=tuple(layers))


def initial_weights(
    spec: NetworkSpec, random_state: np.random.RandomState
) -> list[np.ndarray]:
    """Draw starting weights as ``MLPClassifier`` does.

    Kernels and biases are uniform within ``sqrt(6 / (fan_in + fan_out))``, with 2 in
    place of 6 for logistic units (Glorot and Bengio, 2010, eq. 16). The same
    `random_state` gives the numbers ``MLPClassifier`` would start from.
    """
    first = spec.hidden[0].activation if spec.hidden else None
    factor = 2.0 if first == "sigmoid" else 6.0
    ones = {"gamma", "moving_variance"}
    weights = []
    bound = 0.0
    for array in spec.arrays:
        if array.role == "kernel":
            bound = np.sqrt(factor / sum(array.shape))
        if array.role in ("kernel", "bias"):
            value = random_state.uniform(-bound, bound, array.shape)
        else:
            value = np.full(array.shape, float(array.role in ones))
        weights.append(value.astype(spec.dtype, copy=False))
    return weights
