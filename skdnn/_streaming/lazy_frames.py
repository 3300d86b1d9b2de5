"""Lazy frames of polars."""

from collections.abc import Iterator, Sequence
from typing import Any

from skdnn._streaming.limits import block_rows
from skdnn._streaming.table_source import TableSource


class LazyFrame(TableSource):
    """A `polars.LazyFrame`, whose query runs once for each pass."""

    kind = "LazyFrame"

    def __init__(self, X: Any):
        self._frame = X
        self.names = list(X.collect_schema().names())
        self.n_columns = len(self.names)

    def count_rows(self) -> int:
        import polars as pl

        return int(self._frame.select(pl.len()).collect(engine="streaming").item())

    def parts(self, names: Sequence[str] | None) -> Iterator[Any]:
        columns = list(names or self.names or [])
        frame, size = self._frame.select(columns), block_rows(len(columns))
        if not hasattr(frame, "collect_batches"):  # before polars 1.34
            yield from _slices(frame, size)
            return
        for batch in frame.collect_batches(chunk_size=size, maintain_order=True):
            yield batch.to_arrow()


def _slices(frame: Any, size: int) -> Iterator[Any]:
    """Yield successive rows, each by a query of its own."""
    start = 0
    while True:
        part = frame.slice(start, size).collect(engine="streaming")
        if not len(part):
            return
        yield part.to_arrow()
        start += len(part)
