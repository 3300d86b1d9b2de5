"""Parquet and other files, as datasets of pyarrow."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from skdnn._streaming.limits import block_rows
from skdnn._streaming.table_source import TableSource


class ArrowDataset(TableSource):
    """A `pyarrow.dataset.Dataset`: a file, or a folder of files of one schema."""

    kind = "dataset"

    def __init__(self, X: Any):
        self._dataset = X
        self.names = list(X.schema.names)
        self.n_columns = len(self.names)

    def count_rows(self) -> int:
        with _named("the dataset"):
            return int(self._dataset.count_rows())

    def check(self, names: Sequence[str] | None) -> None:
        import pyarrow as pa

        schema = self._dataset.schema
        in_folders = _partition_names(self._dataset)
        for part, name in self._files():
            with _named(name):
                own = getattr(part, "physical_schema", schema)
            for column in names or self.names or []:
                index = own.get_field_index(column)
                expected = schema.field(column).type
                actual = pa.null() if index < 0 else own.field(index).type
                if index < 0 and column in in_folders:
                    continue
                if _kind_of(actual) != _kind_of(expected):
                    got = "no such column" if index < 0 else str(actual)
                    raise ValueError(
                        f"All files of a dataset must have the columns of its schema. "
                        f"Got {got} for {column!r}, which is {expected}, in {name}. "
                        "Write the file again, or leave it out."
                    )

    def parts(self, names: Sequence[str] | None) -> Iterator[Any]:
        import pyarrow as pa

        columns = list(names or self.names or [])
        options = {
            "columns": columns,
            "batch_size": block_rows(len(columns)),
            # what is read ahead is held in memory
            "batch_readahead": 1,
            "fragment_readahead": 1,
            "cache_metadata": False,
        }
        for part, name in self._files():
            own = options if part is self._dataset else options | self._of_file(part)
            with _named(name):
                for batch in part.to_batches(**own):
                    yield pa.Table.from_batches([batch])

    def _files(self) -> Iterator[tuple[Any, str]]:
        """Yield the files and their names; the dataset itself if it is filtered."""
        try:
            parts = list(self._dataset.get_fragments())
        except ValueError:
            yield self._dataset, "the dataset"
            return
        for part in parts:
            yield part, getattr(part, "path", "the dataset")

    def _of_file(self, part: Any) -> dict[str, Any]:
        """Return options of reading one file: its schema, and no whole row groups."""
        import pyarrow.dataset as ds

        own = {"schema": self._dataset.schema}
        if isinstance(part, ds.ParquetFileFragment):
            own["fragment_scan_options"] = ds.ParquetFragmentScanOptions(
                use_buffered_stream=True, pre_buffer=False
            )
        return own


def _partition_names(dataset: Any) -> list[str]:
    """Return the columns whose values are in the names of folders."""
    partitioning = getattr(dataset, "partitioning", None)
    return [] if partitioning is None else list(partitioning.schema.names)


def _kind_of(dtype: Any) -> str:
    """Return what the values of a type of pyarrow are; files agree in it."""
    import pyarrow as pa

    types = pa.types
    if types.is_dictionary(dtype):
        return _kind_of(dtype.value_type)
    if types.is_boolean(dtype):
        return "booleans"
    if types.is_integer(dtype) or types.is_floating(dtype) or types.is_decimal(dtype):
        return "numbers"
    is_text = types.is_string(dtype) or types.is_large_string(dtype)
    return "strings" if is_text or types.is_string_view(dtype) else str(dtype)


@contextmanager
def _named(name: str) -> Iterator[None]:
    """Raise what pyarrow raises as a ``ValueError`` that names the file."""
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, OSError) as error:
        first = (str(error) or type(error).__name__).splitlines()[0].rstrip(".")
        raise ValueError(
            f"Files of a dataset must be complete. Got an error in reading {name}: "
            f"{first}. Write or copy the file again, or leave it out."
        ) from error
