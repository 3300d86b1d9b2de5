"""The bytes of a checkpoint: a zip archive of one JSON text and the raw arrays.

Both are data: reading them runs nothing. The archive holds a checksum of each.
"""

import io
import json
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

# Dicts with names as keys, lists, texts, numbers, booleans, None, and arrays.
Tree = Any

# Of what follows; another one is not read.
FORMAT = 1
_HEADER, _ARRAYS = "checkpoint.json", "arrays"
# In the JSON text, the dict that replaces an array has this key alone.
_POSITION = "array"


@dataclass(frozen=True)
class Packed:
    """A tree without its arrays, and the arrays in their order."""

    tree: Tree
    arrays: list[np.ndarray]

    @classmethod
    def of(cls, tree: Tree) -> "Packed":
        arrays: list[np.ndarray] = []
        return cls(_without_arrays(tree, arrays), arrays)

    def unpacked(self) -> Tree:
        """Return the tree, with copies of the arrays."""
        return _with_arrays(self.tree, self.arrays)


def _without_arrays(node: Tree, arrays: list[np.ndarray]) -> Tree:
    if isinstance(node, np.ndarray):
        arrays.append(np.asarray(node, order="C"))
        return {_POSITION: len(arrays) - 1}
    if isinstance(node, dict):
        return {name: _without_arrays(part, arrays) for name, part in node.items()}
    if isinstance(node, list | tuple):
        return [_without_arrays(part, arrays) for part in node]
    return node


def _with_arrays(node: Tree, arrays: list[np.ndarray]) -> Tree:
    if isinstance(node, dict):
        if node.keys() == {_POSITION}:
            return arrays[node[_POSITION]].copy()
        return {name: _with_arrays(part, arrays) for name, part in node.items()}
    if isinstance(node, list):
        return [_with_arrays(part, arrays) for part in node]
    return node


def to_bytes(parts: Mapping[str, Packed]) -> memoryview:
    """Return the content of a file."""
    described = {
        name: {
            "tree": part.tree,
            "arrays": [[array.dtype.str, list(array.shape)] for array in part.arrays],
        }
        for name, part in parts.items()
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:  # weights hardly compress
        header = {"format": FORMAT, "parts": described}
        archive.writestr(_HEADER, json.dumps(header))
        with archive.open(_ARRAYS, "w", force_zip64=True) as file:
            for part in parts.values():
                for array in part.arrays:
                    file.write(array.reshape(-1).view(np.uint8).data)
    return buffer.getbuffer()


def from_bytes(content: bytes) -> dict[str, Packed]:
    """Return what `to_bytes` was given; ``ValueError`` for any other content."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            header = json.loads(archive.read(_HEADER))
            data = archive.read(_ARRAYS)
        if header["format"] != FORMAT:
            raise ValueError(f"it has format {header['format']}, not {FORMAT}")
        parts, start = {}, 0
        for name, described in header["parts"].items():
            arrays = []
            for dtype, shape in described["arrays"]:
                end = start + np.dtype(dtype).itemsize * int(np.prod(shape))
                flat = np.frombuffer(data[start:end], dtype)
                arrays.append(flat.reshape(shape))
                start = end
            parts[name] = Packed(described["tree"], arrays)
    # what a zip archive, JSON and dicts of another kind raise
    except (
        zipfile.BadZipFile, zlib.error, EOFError, OSError, KeyError, TypeError,
        ValueError, AttributeError, NotImplementedError, RuntimeError,
    ) as error:  # fmt: skip
        raise ValueError(f"{type(error).__name__}: {error}") from error
    return parts
