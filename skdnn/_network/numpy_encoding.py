"""The NumPy forward pass of networks with input encoding, all members at once."""

from collections.abc import Callable, Sequence

import numpy as np

from skdnn._network.first_layer import LayerArrays, member_kernels, members_of
from skdnn._network.numpy_activations import ACTIVATION_FUNCTIONS, linear, softmax
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

    def apply(self, numeric: np.ndarray) -> np.ndarray:
        """Return the functions, of shape (n_members, n_rows, n_numeric * units)."""
        n, bins = self._start.shape
        at = np.empty(numeric.shape, np.intp)
        for j, start in enumerate(self._start):
            at[:, j] = start.searchsorted(numeric[:, j], side="right")
        np.maximum(at - 1, 0, out=at)
        at += bins * np.arange(n)
        start, width = self._of_bin[:, at]
        share = np.clip((numeric - start) / width, 0, 1)
        below, step = np.split(self._table.take(at, axis=0), 2, axis=2)
        values = step * share[:, :, None]
        values += below
        by_member = values.reshape(len(numeric), n, self._n_members, -1)
        shape = (self._n_members, len(numeric), -1)
        return by_member.transpose(2, 0, 1, 3).reshape(shape)


class _FirstSums:
    """The sums of the first layers of all members."""

    def __init__(self, spec: NetworkSpec, members: Sequence[LayerArrays]):
        encoding = spec.encoding
        assert encoding is not None
        self._n_numeric, self._n_dense = encoding.n_numeric, encoding.n_dense
        kernels = [member_kernels(encoding, member) for member in members]
        dense = [np.vstack([own.numeric, own.flags]) for own in kernels]
        self._dense = np.hstack(dense)
        self._bias = np.hstack([member["bias"] for member in members])
        tables = zip(*(own.tables for own in kernels), strict=True)
        self._tables = [np.hstack(of_input) for of_input in tables]
        self._encoding = _PiecewiseLinear(members) if encoding.bins else None
        self._functions = [own.functions for own in kernels]
        self._width = self._dense.shape[1] // len(members)

    def of_members(self, X: np.ndarray) -> list[np.ndarray]:
        """Return the sums of each member, of shape (n_rows, n_units)."""
        sums = X[:, : self._n_dense] @ self._dense
        sums += self._bias
        for table, codes in zip(self._tables, X[:, self._n_dense :].T, strict=True):
            sums += table[codes.astype(np.intp)]
        parts = np.split(sums, len(self._functions), axis=1)
        if self._encoding is None:
            return [part.copy() for part in parts]
        functions = self._encoding.apply(X[:, : self._n_numeric])
        products = zip(functions, self._functions, strict=True)
        of_members = [values @ kernel for values, kernel in products]
        for own, part in zip(of_members, parts, strict=True):
            own += part
        return of_members


def forward(
    spec: NetworkSpec, weights: Sequence[np.ndarray]
) -> Callable[[np.ndarray], np.ndarray]:
    """Return a function from rows to logits: of several, log of mean probabilities.

    The arithmetic is that of the weights; the mean has the dtype of the rows.
    """
    members = members_of(spec, weights)
    first = _FirstSums(spec, [layers[0] for layers in members])
    activations = [ACTIVATION_FUNCTIONS[str(h.activation)] for h in spec.hidden]
    activations.append(linear)

    def run(X: np.ndarray) -> np.ndarray:
        X = np.asarray(X)
        total = np.zeros(1, dtype=X.dtype)
        sums = first.of_members(X.astype(spec.dtype, copy=False))
        for layers, h in zip(members, sums, strict=True):
            h = activations[0](h)
            for layer, activation in zip(layers[1:], activations[1:], strict=True):
                h = activation(h @ layer["kernel"] + layer["bias"])
            if spec.members == 1:
                return h
            total = total + softmax(h)
        return np.log(np.maximum(total / spec.members, np.finfo(total.dtype).tiny))

    return run


def max_width(spec: NetworkSpec) -> int:
    """Return the largest number of values that a row becomes in the forward pass."""
    encoding = spec.encoding
    assert encoding is not None
    functions = 2 * spec.members * encoding.n_piecewise_linear
    return max(encoding.n_dense, functions, spec.members * spec.widths[1])
