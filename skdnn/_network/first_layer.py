"""Encoding and first layer of all members as one product.

Apart from the ends of the bins, the encoding is linear.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

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


@dataclass(frozen=True)
class MemberKernels:
    """What the first layer of a member multiplies its inputs by.

    `functions` is for piecewise-linear functions of numeric inputs, of shape (n_numeric
    * units, n_units); a table has a row for each code of one input.
    """

    numeric: np.ndarray
    functions: np.ndarray
    flags: np.ndarray
    tables: list[np.ndarray]


def member_kernels(encoding: InputEncoding, member: LayerArrays) -> MemberKernels:
    """Return the kernels of a member, with the factors of its inputs in them."""
    scale = member["scale"] / len(member["kernel"]) ** 0.5
    kernel = member["kernel"] * scale[:, None]
    n, units = encoding.n_numeric, encoding.units
    sizes = [n, encoding.n_piecewise_linear, encoding.n_flags]
    numeric, functions, flags, codes = np.split(kernel, np.cumsum(sizes))
    blocks = codes.reshape(-1, units, codes.shape[1])
    known = [member[f"embedding_{i}"] @ block for i, block in enumerate(blocks)]
    tables = [np.vstack([np.zeros_like(table[:1]), table]) for table in known]
    return MemberKernels(numeric, functions, flags, tables)


def first_layer(spec: NetworkSpec, members: Sequence[LayerArrays]) -> FirstLayer:
    """Return encoding and first layer of the members, from their first arrays."""
    encoding = spec.encoding
    assert encoding is not None
    n, units = encoding.n_numeric, encoding.units
    kernels = [member_kernels(encoding, member) for member in members]
    dense = []
    for member, own in zip(members, kernels, strict=True):
        parts = [own.numeric]
        if encoding.bins:
            of_units = own.functions.reshape(n, units, -1)
            of_bins = member["piecewise_linear"] @ of_units
            parts.append(of_bins.reshape(n * encoding.bins, -1))
        dense.append(np.vstack([*parts, own.flags]))
    tables = zip(*(own.tables for own in kernels), strict=True)
    return FirstLayer(
        encoding=encoding,
        bin_start=members[0].get("bin_start"),
        bin_width=members[0].get("bin_width"),
        kernel=np.hstack(dense),
        tables=[np.hstack(of_input) for of_input in tables],
        bias=np.hstack([member["bias"] for member in members]),
    )


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
