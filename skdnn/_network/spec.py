"""The network as plain data: what is fitted, pickled and predicted from."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
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
class InputEncoding:
    """What numbers, flags and codes of a table become before the first layer.

    A number is laid next to a piecewise-linear function of it, which begins as zero
    (Gorishniy et al., 2022, section 3.2), a code becomes the row of its own in a
    matrix, and all are multiplied by a factor a column (Holzmüller et al., 2024).

    Parameters
    ----------
    n_numeric, n_flags : int
        Inputs of each kind; numbers come first, then flags, then codes.
    code_sizes : tuple of int
        How many codes each coded input has; 0 is for a missing or unseen category.
    bins : int
        Pieces of the functions of each number, 0 for no such function.
    units : int
        Functions of each number, and columns of each code.
    """

    n_numeric: int
    n_flags: int
    code_sizes: tuple[int, ...]
    bins: int
    units: int = 8

    @property
    def n_outputs(self) -> int:
        """Columns that the first layer receives."""
        ramps = self.n_numeric * self.units if self.bins else 0
        codes = self.units * len(self.code_sizes)
        return self.n_numeric + ramps + self.n_flags + codes

    @property
    def arrays(self) -> list[Array]:
        """The weight arrays, in the order Keras lists them."""
        shape = (self.n_numeric, self.bins)
        arrays = [Array("piecewise_linear", (*shape, self.units))] if self.bins else []
        arrays += [
            Array(f"embed_{i}", (size - 1, self.units))
            for i, size in enumerate(self.code_sizes)
        ]
        arrays.append(Array("scale", (self.n_outputs,)))
        if self.bins:
            arrays += [Array(role, shape, trainable=False) for role in _EDGES]
        return arrays


# Where each piece of a function of a number begins, and how long it is.
_EDGES = ("start", "length")


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
    front : Front or None
        What comes before the first layer. With a front, the product of a layer is
        divided by the root of the number of its inputs (Jacot et al., 2018).
    members : int
        Networks of this shape whose probabilities are averaged. The arrays of more
        than one have a first axis for them.
    inverse_temperature : float
        Factor of the logarithm of the mean probabilities, which are then normalised
        anew (temperature scaling, Guo et al., 2017).
    """

    n_inputs: int
    hidden: tuple[Hidden, ...]
    n_outputs: int
    output: Literal["softmax", "logistic"]
    dtype: str
    encoding: InputEncoding | None = None
    members: int = 1
    inverse_temperature: float = 1.0

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
        return self.encoding is None and not self.has_batch_norm

    @property
    def has_batch_norm(self) -> bool:
        """Whether a layer is normalised over the batch."""
        return any(layer.batch_norm for layer in self.hidden)

    @property
    def arrays(self) -> tuple[Array, ...]:
        """The weight arrays of a member, in the order Keras lists them."""
        arrays = [] if self.encoding is None else self.encoding.arrays
        widths = list(self.widths)
        if self.encoding is not None:
            widths[0] = self.encoding.n_outputs
        for i, (fan_in, fan_out) in enumerate(pairwise(widths)):
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

    def member_weights(self, weights: Sequence[np.ndarray]) -> list[list[np.ndarray]]:
        """Return the arrays of each member."""
        if self.members == 1:
            return [list(weights)]
        return [[array[i] for array in weights] for i in range(self.members)]

    def without_rates(self) -> "NetworkSpec":
        """Return the spec with every dropout rate that is not zero set to one half.

        Rates are inputs of a compiled program, and the inverse temperature is applied
        after it: networks that differ in these only share one program.
        """
        layers = (
            replace(layer, dropout=0.5 if layer.dropout else 0.0)
            for layer in self.hidden
        )
        return replace(self, hidden=tuple(layers), inverse_temperature=1.0)


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
