"""Encoded rows in a temporary file, each in a bucket drawn at random.

Each bucket is a simple random sample of the rows, whatever their order was: reading the
buckets in random order, and the rows of each in random order, shuffles a table of any
size with two passes over it (an external shuffle, as in Sanders, 1998).
"""

import hashlib
import shutil
import tempfile
import threading
from typing import Any, Protocol

import numpy as np

from skdnn._tabular.dataset import Dataset

# Space that is left on the disk.
_SPARE_BYTES = 2**28


class StoredRows(Protocol):
    """Rows in buckets: a `RowStore`, or what stands for one of another process."""

    @property
    def counts(self) -> np.ndarray:
        """Number of rows of each bucket."""

    def read(self, bucket: int) -> np.ndarray:
        """Return the rows of a bucket in the order of the table, as records."""


class RowStore:
    """Rows of inputs, class codes and weights, in buckets of a temporary file.

    The file has no name, so that it is gone when it is closed, or the process ends.
    A digest of the rows takes time, and is made on request only.
    """

    def __init__(
        self, n_inputs: int, dtype: str, n_buckets: int, *, has_digest: bool = False
    ):
        self.n_inputs, self.n_buckets = n_inputs, n_buckets
        self._dtype = np.dtype(
            [("X", dtype, (n_inputs,)), ("y", np.int32), ("weight", dtype)]
        )
        self._counts: list[np.ndarray] = []  # rows of each block, by bucket
        self._total = np.zeros(n_buckets, dtype=np.int64)
        self._offsets: np.ndarray | None = None
        self._n_rows = 0
        self._sums = None
        if has_digest:
            self._sums = hashlib.sha256(repr(self._dtype.descr).encode())
        self._file = tempfile.TemporaryFile(  # noqa: SIM115 - closed by `close`
            prefix="skdnn-", buffering=0
        )
        self._lock = threading.Lock()

    @property
    def row_bytes(self) -> int:
        """Bytes that a row takes in the file."""
        return self._dtype.itemsize

    @property
    def counts(self) -> np.ndarray:
        """Number of rows of each bucket."""
        return self._total

    def digest(self) -> str:
        """Return a digest of the rows and of their buckets."""
        assert self._sums is not None
        return self._sums.hexdigest()

    def require_space(self, n_rows: int) -> None:
        """Raise ``OSError`` if the disk has no space for `n_rows`."""
        folder = tempfile.gettempdir()
        needed = n_rows * self.row_bytes
        free = shutil.disk_usage(folder).free
        if needed + _SPARE_BYTES > free:
            raise OSError(
                f"Training on a table larger than memory keeps its rows in a temporary "
                f"file of {needed / 1e9:.1f} GB. Got {free / 1e9:.1f} GB free in "
                f"{folder}. Set the environment variable TMPDIR to a folder with more, "
                "or give fewer rows or columns."
            )

    def append(
        self, X: np.ndarray, y: np.ndarray, weight: np.ndarray, buckets: np.ndarray
    ) -> None:
        """Write a block of rows, each into one of the buckets."""
        rows = np.empty(len(y), dtype=self._dtype)
        order = np.argsort(buckets, kind="stable")
        rows["X"], rows["y"], rows["weight"] = X[order], y[order], weight[order]
        self._write(rows)
        counts = np.bincount(buckets, minlength=self.n_buckets)
        if self._sums is not None:
            self._sums.update(rows.view(np.uint8).reshape(-1).data)
            self._sums.update(counts.tobytes())
        self._counts.append(counts.astype(np.int32))
        self._total += counts
        self._offsets = None
        self._n_rows += len(rows)

    def _write(self, rows: np.ndarray) -> None:
        left = rows.view(np.uint8).reshape(-1).data
        with self._lock:
            self._file.seek(self._n_rows * self.row_bytes)
            try:
                while len(left):
                    left = left[self._file.write(left) :]
            except OSError as error:
                raise OSError(
                    "The temporary file of the rows could not be written: "
                    f"{error.strerror or error}, after {self._n_rows} rows. Set the "
                    "environment variable TMPDIR to a folder with more space."
                ) from error

    def read(self, bucket: int) -> np.ndarray:
        """Return the rows of a bucket in the order of the table, as records."""
        with self._lock:
            if self._offsets is None:
                sizes = np.stack(self._counts)
                ends = np.cumsum(sizes.ravel(), dtype=np.int64).reshape(sizes.shape)
                self._offsets = ends - sizes
        sizes = np.array([counts[bucket] for counts in self._counts])
        rows = np.empty(int(sizes.sum()), dtype=self._dtype)
        whole, done = rows.view(np.uint8).reshape(-1).data, 0
        offsets = self._offsets[:, bucket].tolist()
        for size, offset in zip(sizes.tolist(), offsets, strict=True):
            n_bytes = size * self.row_bytes
            self._read_into(whole[done : done + n_bytes], offset * self.row_bytes)
            done += n_bytes
        return rows

    def _read_into(self, space: memoryview, offset: int) -> None:
        done = 0
        with self._lock:  # of networks that train side by side
            self._file.seek(offset)
            while done < len(space):
                n = self._file.readinto(space[done:])
                if not n:
                    raise OSError(
                        "The temporary file of the rows has become shorter. Leave the "
                        "folder of temporary files unchanged during training."
                    )
                done += n

    def close(self) -> None:
        """Delete the file."""
        self._file.close()


def as_dataset(records: Any) -> Dataset:
    """Return records of `RowStore.read` as rows."""
    return Dataset(
        np.ascontiguousarray(records["X"]),
        np.ascontiguousarray(records["y"]),
        np.ascontiguousarray(records["weight"]),
    )
