"""What every table that is read block by block has in common."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from skdnn._runtime.suggestions import did_you_mean
from skdnn._tabular.columns import as_table


class TableSource(ABC):
    """A table that is read from its beginning, as often as needed.

    `names` are those of its columns, None if they have none. Subclasses give parts of
    any length, always in the same order; `blocks` makes blocks of one size of them, so
    that results do not depend on how a table is divided in files.
    """

    kind: str
    names: list[str] | None
    n_columns: int

    @abstractmethod
    def count_rows(self) -> int:
        """Return the number of rows."""

    @abstractmethod
    def parts(self, names: Sequence[str] | None) -> Iterator[Any]:
        """Yield successive rows: arrays, pandas frames or tables of pyarrow.

        They have the columns `names`, in this order, or all where columns have no name.
        """

    def check(self, names: Sequence[str] | None) -> None:  # noqa: B027 - few have files
        """Raise ``ValueError`` for columns whose type differs between files."""

    def require(self, names: Sequence[str], role: str) -> None:
        """Raise ``ValueError`` unless there are columns of these names."""
        known = self.names or []
        for name in names:
            if name not in known:
                shown = [*known[:20], "…"] if len(known) > 20 else known
                hint = did_you_mean(name, known) or f" The columns are: {shown}."
                raise ValueError(
                    f"{role} must be a column of the {self.kind}. Got {name!r}.{hint}"
                )

    def blocks(self, names: Sequence[str] | None, n_rows: int) -> Iterator[Any]:
        """Yield arrays or pandas frames of `n_rows` rows, the last one maybe fewer."""
        held: list[Any] = []
        n_held = 0
        for whole in self.parts(names):
            start = 0
            while start < len(whole):
                part = _rows(whole, start, start + n_rows - n_held)
                held.append(part)
                start, n_held = start + len(part), n_held + len(part)
                if n_held == n_rows:
                    yield as_table(_joined(held))
                    held, n_held = [], 0
        if held:
            yield as_table(_joined(held))


def _rows(part: Any, start: int, stop: int) -> Any:
    if isinstance(part, np.ndarray):
        return part[start:stop]
    if isinstance(part, pd.DataFrame):
        return part.iloc[start:stop]
    return part.slice(start, stop - start)


def _joined(parts: list[Any]) -> Any:
    """Return successive rows as one array or table."""
    first = parts[0]
    if isinstance(first, np.ndarray):
        return np.concatenate(parts)
    if isinstance(first, pd.DataFrame):
        return pd.concat(parts, ignore_index=True)
    import pyarrow as pa

    return pa.concat_tables(parts)
