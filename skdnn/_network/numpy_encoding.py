"""The NumPy forward pass of networks with input encoding, all members at once."""

from collections.abc import Callable, Sequence

import numpy as np

from skdnn._network.first_layer import LayerArrays, member_kernels, members_of
from skdnn._network.numpy_activations import softmax
from skdnn._network.numpy_layers import Buffers, dense, logits_of
from skdnn._network.spec import NetworkSpec


class _PiecewiseLinear:
    """The piecewise-linear functions of numeric inputs, of all members.

    The bins below that of a value count in full, and it in part: two rows of a table.
    """

    def __init__(self, members: Sequence[LayerArrays]):
        self._start, width = members[0]["bin_start"], members[0]["bin_width"]
        self._of_bin = np.stack([self._start.ravel(), width.ravel()])
        # (n_numeric * bins, n_members * units)
        steps = np.concatenate([own["piecewise_linear"] for own in members], axis=2)
        below = np.cumsum(steps, axis=1) - steps
        table = np.concatenate([below, steps], axis=2)
        self._table = np.ascontiguousarray(table.reshape(-1, table.shape[2]))
        self._n_members = len(members)

    def apply(self, numeric: np.ndarray, buffers: Buffers) -> np.ndarray:
        """Return a view of the functions, (n_members, n_rows, n_numeric, units)."""
        n, bins = self._start.shape
        at = np.empty(numeric.shape, np.intp)
        for j, start in enumerate(self._start):
            at[:, j] = start.searchsorted(numeric[:, j], side="right")
        np.maximum(at - 1, 0, out=at)
        at += bins * np.arange(n)
        start, width = self._of_bin[:, at]
        share = np.clip((numeric - start) / width, 0, 1)
        shape = *numeric.shape, self._table.shape[1]
        rows = buffers.get("table", shape, self._table.dtype)
        # "clip", as otherwise the result is computed apart and copied
        self._table.take(at, axis=0, out=rows, mode="clip")
        values, step = np.split(rows, 2, axis=2)
        step *= share[:, :, None]
        values += step
        by_member = values.reshape(len(numeric), n, self._n_members, -1)
        return by_member.transpose(2, 0, 1, 3)


class _FirstSums:
    """The sums of the first layers of all members."""

    def __init__(self, spec: NetworkSpec, members: Sequence[LayerArrays]):
        encoding = spec.encoding
        assert encoding is not None
        self._n_members = len(members)
        self._n_numeric, self._n_dense = encoding.n_numeric, encoding.n_dense
        kernels = [member_kernels(encoding, member) for member in members]
        # for inputs that are no codes, functions last
        self._kernel = np.stack(
            [np.vstack([own.numeric, own.flags, own.functions]) for own in kernels]
        )
        self._bias = _stacked(members, "bias")[:, None]
        # each of shape (n_codes, n_members, n_units)
        tables = zip(*(own.tables for own in kernels), strict=True)
        self._tables = [np.stack(of_input, axis=1) for of_input in tables]
        self._encoding = _PiecewiseLinear(members) if encoding.bins else None

    def compute(self, X: np.ndarray, buffers: Buffers) -> np.ndarray:
        """Return the sums, of shape (n_members, n_rows, n_units)."""
        inputs = self._inputs(X, buffers)
        sums = dense(inputs, self._kernel, self._bias, buffers, "first layer")
        for table, codes in zip(self._tables, X[:, self._n_dense :].T, strict=True):
            sums += table[codes.astype(np.intp)].transpose(1, 0, 2)
        return sums

    def _inputs(self, X: np.ndarray, buffers: Buffers) -> np.ndarray:
        """Return what the kernels multiply, equal for all members without functions."""
        shared = X[None, :, : self._n_dense]
        if self._encoding is None:
            return shared
        functions = self._encoding.apply(X[:, : self._n_numeric], buffers)
        shape = self._n_members, len(X), self._kernel.shape[1]
        out = buffers.get("inputs", shape, self._kernel.dtype)
        out[:, :, : self._n_dense] = shared
        # a view: one copy writes the functions, members first
        of_numeric = out[:, :, self._n_dense :].reshape(functions.shape)
        of_numeric[:] = functions
        return out


def _stacked(layers: Sequence[LayerArrays], role: str) -> np.ndarray:
    """Return the arrays of a layer of all members, members first."""
    return np.stack([layer[role] for layer in layers])


def forward(
    spec: NetworkSpec, weights: Sequence[np.ndarray]
) -> Callable[..., np.ndarray]:
    """Return a function from rows to logits: of several, log of mean probabilities.

    The arithmetic is that of the weights; the mean has the dtype of the rows. With
    `members`, the logits of each member follow: (n_rows, 1 + n_members, n_outputs).
    """
    by_member = members_of(spec, weights)
    first_sums = _FirstSums(spec, [layers[0] for layers in by_member])
    others = [
        (_stacked(layers, "kernel"), _stacked(layers, "bias")[:, None])
        for layers in zip(*(layers[1:] for layers in by_member), strict=True)
    ]

    def run(X: np.ndarray, buffers: Buffers, *, members: bool = False) -> np.ndarray:
        X = np.asarray(X)
        rows = X.astype(spec.dtype, copy=False)
        sums = first_sums.compute(rows, buffers)
        logits = logits_of(sums, spec.hidden, others, buffers)
        if spec.members == 1:
            return np.array(logits[0])
        # before softmax, which may write to its argument
        each = np.array(logits.swapaxes(0, 1), dtype=X.dtype) if members else None
        mean = softmax(logits).mean(axis=0, dtype=X.dtype)
        own = np.log(np.maximum(mean, np.finfo(mean.dtype).tiny))
        return own if each is None else np.concatenate([own[:, None], each], axis=1)

    return run


def row_values(spec: NetworkSpec) -> int:
    """Return how many values the forward pass holds for a row."""
    encoding = spec.encoding
    assert encoding is not None
    inputs = encoding.n_dense + 3 * encoding.n_piecewise_linear
    return spec.members * (inputs + sum(spec.widths[1:]))
