"""Data frames of Dask."""

from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from skdnn._streaming.table_source import TableSource


class DaskFrame(TableSource):
    """A `dask.dataframe.DataFrame`, whose partitions are computed one by one."""

    kind = "Dask DataFrame"

    def __init__(self, X: Any):
        self._frame = X
        self.names = [str(name) for name in X.columns]
        self.n_columns = len(self.names)

    def count_rows(self) -> int:
        return len(self._frame)

    def parts(self, names: Sequence[str] | None) -> Iterator[pd.DataFrame]:
        frame = self._frame if names is None else self._frame[list(names)]
        for i in range(frame.npartitions):
            yield frame.partitions[i].compute()
