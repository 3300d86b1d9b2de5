"""The NumPy forward pass of networks with input encoding, all members at once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from skdnn._network.numpy_activations import ACTIVATION_FUNCTIONS, linear, softmax
from skdnn._network.spec import InputEncoding, NetworkSpec

# The arrays of one layer, by role; the first layer's include those of the encoding.
LayerArrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class FirstLayer:
    """Input encoding and first layer of all members as one product.

    `kernel` has rows for numeric inputs, their bins and flags, in this order, and
    columns for the units of all members. A table holds what each code of one input
    adds to the product.
    """

    encoding: InputEncoding
    bin_start: np.ndarray | None  # (n_numeric, bins)
    bin_width: np.ndarray | None
    kernel: np.ndarray
    tables: list[np.ndarray]
    bias: np.ndarray  # (n_members * units,)

    def apply(self, X: np.ndarray) -> np.ndarray:
        """Return the sums of the first layer, of shape (n_rows, n_members * units)."""
        n_numeric, n_dense = self.encoding.n_numeric, self.encoding.n_dense
        parts = [X[:, :n_numeric]]
        if self.bin_start is not None:
            position = (X[:, :n_numeric, None] - self.bin_start) / self.bin_width
            np.clip(position, 0, 1, out=position)
            parts.append(position.reshape(len(X), -1))
        parts.append(X[:, n_numeric:n_dense])
        sums = np.hstack(parts) @ self.kernel
        sums += self.bias
        for table, codes in zip(self.tables, X[:, n_dense:].T, strict=True):
            sums += table[codes.astype(np.intp)]
        return sums


def first_layer(spec: NetworkSpec, members: Sequence[LayerArrays]) -> FirstLayer:
    """Return encoding and first layer of the members, from their first arrays."""
    encoding = spec.encoding
    assert encoding is not None
    parts = [_first_kernels(encoding, member) for member in members]
    kernels, tables = zip(*parts, strict=True)
    return FirstLayer(
        encoding=encoding,
        bin_start=members[0].get("bin_start"),
        bin_width=members[0].get("bin_width"),
        kernel=np.hstack(kernels),
        tables=[np.hstack(of_input) for of_input in zip(*tables, strict=True)],
        bias=np.hstack([member["bias"] for member in members]),
    )


def _first_kernels(
    encoding: InputEncoding, member: LayerArrays
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Return the kernel for numeric inputs, bins and flags, and a table per code."""
    scale = member["scale"] / len(member["kernel"]) ** 0.5
    kernel = member["kernel"] * scale[:, None]
    n, units = encoding.n_numeric, encoding.units
    sizes = [n, encoding.n_piecewise_linear, encoding.n_flags]
    numeric, functions, flags, codes = np.split(kernel, np.cumsum(sizes))
    dense = [numeric]
    if encoding.bins:
        of_bins = member["piecewise_linear"] @ functions.reshape(n, units, -1)
        dense.append(of_bins.reshape(n * encoding.bins, -1))
    blocks = codes.reshape(-1, units, codes.shape[1])
    known = [member[f"embedding_{i}"] @ block for i, block in enumerate(blocks)]
    tables = [np.vstack([np.zeros_like(table[:1]), table]) for table in known]
    return np.vstack([*dense, flags]), tables


def members_of(
    spec: NetworkSpec, weights: Sequence[np.ndarray]
) -> list[list[LayerArrays]]:
    """Return the layers of each member, kernels after the first as they multiply."""
    members = []
    for arrays in spec.member_weights(weights):
        layers: list[LayerArrays] = [{}]
        for array, value in zip(spec.arrays, arrays, strict=True):
            if array.role == "kernel" and "kernel" in layers[-1]:
                layers.append({array.role: value / len(value) ** 0.5})
            else:
                layers[-1][array.role] = value
        members.append(layers)
    return members


def forward(
    spec: NetworkSpec, weights: Sequence[np.ndarray]
) -> Callable[[np.ndarray], np.ndarray]:
    """Return a function from rows to logits: of several, log of mean probabilities."""
    members = members_of(spec, weights)
    first = first_layer(spec, [layers[0] for layers in members])
    activations = [ACTIVATION_FUNCTIONS[str(h.activation)] for h in spec.hidden]
    activations.append(linear)

    def run(X: np.ndarray) -> np.ndarray:
        sums = first.apply(np.asarray(X))
        width = sums.shape[1] // spec.members
        total = np.zeros(1, dtype=sums.dtype)
        for i, layers in enumerate(members):
            h = activations[0](sums[:, i * width : (i + 1) * width].copy())
            for layer, activation in zip(layers[1:], activations[1:], strict=True):
                h = activation(h @ layer["kernel"] + layer["bias"])
            if spec.members == 1:
                return h
            total = total + softmax(h)
        return np.log(np.maximum(total / spec.members, np.finfo(spec.dtype).tiny))

    return run


def max_width(spec: NetworkSpec) -> int:
    """Return the largest number of values that a row becomes in the forward pass."""
    encoding = spec.encoding
    assert encoding is not None
    dense = encoding.n_numeric * (2 + 2 * encoding.bins) + encoding.n_flags
    return max(dense, spec.members * spec.widths[1] if spec.hidden else 0)
