"""Networks as plain data: what is fitted, pickled and predicted from."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Literal

import numpy as np

from skdnn._network.numpy_activations import ACTIVATION_FUNCTIONS

# Keras's own names; those of MLPClassifier and Keras's aliases map to them.
ACTIVATIONS = tuple(ACTIVATION_FUNCTIONS)
ACTIVATION_ALIASES = {
    "identity": "linear",
    "logistic": "sigmoid",
    "swish": "silu",
    "hard_swish": "hard_silu",
}


@dataclass(frozen=True)
class Hidden:
    """One hidden layer: dense, then batch norm, activation and dropout."""

    units: int
    activation: str | Callable[[Any], Any]  # in `ACTIVATIONS`, or of a Keras tensor
    dropout: float = 0.0  # share of the outputs set to zero in training, in [0, 1)
    batch_norm: bool = False


@dataclass(frozen=True)
class Array:
    """Role, shape and kind of one weight array."""

    role: str
    shape: tuple[int, ...]
    trainable: bool = True

    @property
    def size(self) -> int:
        return int(np.prod(self.shape))


@dataclass(frozen=True)
class InputEncoding:
    """What numeric, flag and coded inputs become before the first layer.

    A numeric input is concatenated with `units` piecewise-linear functions of it, which
    start as zero (Gorishniy et al., 2022, section 3.2), a code is replaced by its row
    of an embedding, and every resulting column is multiplied by a trained factor
    (Holzmüller et al., 2024).
    """

    n_numeric: int
    n_flags: int  # 0 or 1; the inputs are in the order numeric, flags, codes
    code_sizes: tuple[int, ...]  # codes of each coded input; 0: missing or unknown
    bins: int  # of each piecewise-linear function; 0 for no such functions
    units: int = 8  # functions of each numeric input, columns of each embedding

    @property
    def n_dense(self) -> int:
        """Inputs that are no codes."""
        return self.n_numeric + self.n_flags

    @property
    def n_piecewise_linear(self) -> int:
        """Columns that are piecewise-linear functions of numeric inputs."""
        return self.n_numeric * self.units if self.bins else 0

    @property
    def n_outputs(self) -> int:
        """Columns that the first layer receives."""
        codes = self.units * len(self.code_sizes)
        return self.n_dense + self.n_piecewise_linear + codes

    @property
    def arrays(self) -> list[Array]:
        """The weight arrays, in the order Keras lists them."""
        shape = (self.n_numeric, self.bins)
        arrays = []
        if self.bins:
            arrays.append(Array("piecewise_linear", (*shape, self.units)))
        arrays += [
            Array(f"embedding_{i}", (size - 1, self.units))
            for i, size in enumerate(self.code_sizes)
        ]
        arrays.append(Array("scale", (self.n_outputs,)))
        if self.bins:
            arrays.append(Array("bin_start", shape, trainable=False))
            arrays.append(Array("bin_width", shape, trainable=False))
        return arrays


@dataclass(frozen=True)
class NetworkSpec:
    """A feed-forward network for classification.

    Logistic outputs are one for two classes, or one per label where a row may have
    several. With an input encoding, the product of each layer is divided by the root of
    the number of its inputs (Jacot et al., 2018). The probabilities of several members
    are averaged; their weight arrays have a first axis for the members. Logarithms of
    (mean) probabilities are multiplied by `inverse_temperature` and normalized again
    (temperature scaling, Guo et al., 2017).
    """

    n_inputs: int
    hidden: tuple[Hidden, ...]  # none for softmax regression
    n_outputs: int
    output: Literal["softmax", "logistic"]
    dtype: str  # "float32" or "float64", of weights and arithmetic
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
        """Whether all weights are kernels and biases."""
        return self.encoding is None and not self.has_batch_norm

    @property
    def has_batch_norm(self) -> bool:
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
                    Array("beta", (fan_out,)),  # replaces the bias of the layer
                    Array("moving_mean", (fan_out,), trainable=False),
                    Array("moving_variance", (fan_out,), trainable=False),
                ]
            else:
                arrays.append(Array("bias", (fan_out,)))
        return tuple(arrays)

    def member_weights(self, weights: Sequence[np.ndarray]) -> list[list[np.ndarray]]:
        if self.members == 1:
            return [list(weights)]
        return [[array[i] for array in weights] for i in range(self.members)]

    def without_rates(self) -> "NetworkSpec":
        """Return the spec with every dropout rate other than zero set to one half.

        Rates are inputs of a compiled program, and the inverse temperature is applied
        after it: networks that differ in these only share one program.
        """
        halved = (replace(h, dropout=0.5 if h.dropout else 0.0) for h in self.hidden)
        return replace(self, hidden=tuple(halved), inverse_temperature=1.0)
