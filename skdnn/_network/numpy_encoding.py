"""The forward pass of networks behind a front, all members at once, in NumPy."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from skdnn._network.spec import InputEncoding, NetworkSpec


@dataclass(frozen=True)
class FirstLayer:
    """Front and first layer of all members, multiplied into one product.

    Parameters
    ----------
    front : Front
        What the inputs are.
    start, length : ndarray of shape (n_numeric, bins) or None
        The pieces of the functions of each number.
    kernel : ndarray of shape (n_numeric * (1 + bins) + n_flags, n_members * units)
        For numbers, pieces and flags, in this order.
    tables : list of ndarray of shape (n_codes, n_members * units)
        What each code of an input adds.
    bias : ndarray of shape (n_members * units,)
        Biases.
    """

    encoding: InputEncoding
    start: np.ndarray | None
    length: np.ndarray | None
    kernel: np.ndarray
    tables: list[np.ndarray]
    bias: np.ndarray

    def apply(self, X: np.ndarray) -> np.ndarray:
        """Return the sums of the first layer, of shape (n_rows, n_members * units)."""
        n_numeric = self.encoding.n_numeric
        n_dense = n_numeric + self.encoding.n_flags
        parts = [X[:, :n_numeric]]
        if self.start is not None:
            reached = (X[:, :n_numeric, None] - self.start) / self.length
            np.clip(reached, 0, 1, out=reached)
            parts.append(reached.reshape(len(X), -1))
        parts.append(X[:, n_numeric:n_dense])
        sums = np.hstack(parts) @ self.kernel
        sums += self.bias
        for table, codes in zip(self.tables, X[:, n_dense:].T, strict=True):
            sums += table[codes.astype(np.intp)]
        return sums


def first_layer(
    spec: NetworkSpec, members: Sequence[dict[str, np.ndarray]]
) -> FirstLayer:
    """Return front and first layer of the members, each an array a role."""
    encoding = spec.encoding
    assert encoding is not None
    edges = members[0]
    parts = [_first_kernels(encoding, member) for member in members]
    kernels, tables = zip(*parts, strict=True)
    return FirstLayer(
        encoding=encoding,
        start=edges.get("start"),
        length=edges.get("length"),
        kernel=np.hstack(kernels),
        tables=[np.hstack(of_input) for of_input in zip(*tables, strict=True)],
        bias=np.hstack([member["bias"] for member in members]),
    )


def _first_kernels(
    encoding: InputEncoding, member: dict[str, np.ndarray]
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Return the kernel for numbers, pieces and flags, and a table for each code."""
    kernel = (
        member["kernel"] * (member["scale"] / len(member["kernel"]) ** 0.5)[:, None]
    )
    n, units = encoding.n_numeric, encoding.units
    sizes = [n, n * units if encoding.bins else 0, encoding.n_flags]
    numbers, ramps, flags, codes = np.split(kernel, np.cumsum(sizes))
    dense = [numbers]
    if encoding.bins:
        pieces = np.matmul(member["piecewise_linear"], ramps.reshape(n, units, -1))
        dense.append(pieces.reshape(n * encoding.bins, -1))
    tables = []
    for i, block in enumerate(np.split(codes, max(1, len(encoding.code_sizes)))):
        if i < len(encoding.code_sizes):
            known = member[f"embed_{i}"] @ block
            tables.append(np.vstack([np.zeros_like(known[:1]), known]))
    return np.vstack([*dense, flags]), tables


def members_of(
    spec: NetworkSpec, weights: Sequence[np.ndarray]
) -> list[list[dict[str, np.ndarray]]]:
    """Return for each member its layers, each an array a role; the front's come first.

    Kernels of the layers behind the first are divided by the root of their inputs.
    """
    members = []
    for arrays in spec.member_weights(weights):
        layers: list[dict[str, np.ndarray]] = [{}]
        for array, value in zip(spec.arrays, arrays, strict=True):
            if array.role == "kernel" and "kernel" in layers[-1]:
                layers.append({array.role: value / len(value) ** 0.5})
            else:
                layers[-1][array.role] = value
        members.append(layers)
    return members


def forward(
    spec: NetworkSpec, weights: Sequence[np.ndarray], activations: Sequence[Callable]
) -> Callable[[np.ndarray], np.ndarray]:
    """Return a function from rows to logits.

    Of one member, its own logits; of several, the logarithm of their mean
    probabilities.

    Parameters
    ----------
    spec : NetworkSpec
        With a front and softmax outputs.
    weights : list of ndarray
        Its weights.
    activations : sequence of callable
        Of the layers; each may write over its argument.
    """
    members = members_of(spec, weights)
    first = first_layer(spec, [layers[0] for layers in members])

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
            h = np.exp(h - h.max(axis=1, keepdims=True))
            h /= h.sum(axis=1, keepdims=True)
            total = total + h
        return np.log(np.maximum(total / spec.members, np.finfo(spec.dtype).tiny))

    return run


def widest(spec: NetworkSpec) -> int:
    """Return the most numbers that a row becomes on its way."""
    encoding = spec.encoding
    assert encoding is not None
    dense = encoding.n_numeric * (2 + 2 * encoding.bins) + encoding.n_flags
    return max(dense, spec.members * spec.widths[1] if spec.hidden else 0)
