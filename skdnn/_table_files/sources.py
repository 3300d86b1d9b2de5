"""Where a table comes from: a file, compressed or not, or the standard input."""

import gzip
import sys
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from skdnn._runtime.names import visible
from skdnn._runtime.suggestions import did_you_mean
from skdnn._table_files.table_file_error import TableFileError

STANDARD_INPUT = "-"
_IN_MEMORY = 32 * 1024**2  # bytes of the standard input; more go to a temporary file
_CHUNK = 1024**2
# First bytes of files that are tables of another format, or no tables.
_FORMATS = {
    b"PAR1": "parquet",
    b"PK\x03\x04": "excel",
    b"\xd0\xcf\x11\xe0": "an old Excel file (.xls)",
    b"\x89PNG": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"%PDF": "a PDF document",
    b"SQLite format": "a SQLite database",
    b"BZh": "a file compressed by bzip2",
    b"\xfd7zXZ": "a file compressed by xz",
    b"\x28\xb5\x2f\xfd": "a file compressed by zstd",
    b"\x7fELF": "a program",
    b"ARROW1": "an Arrow file",
    b"HDF": "an HDF file",
    b"\x89HDF": "an HDF5 file",
}
_TABLES = ("parquet", "excel")


@dataclass
class Source:
    """A file of a table, which can be opened more than once.

    `format` is "text", "parquet" or "excel", as its first bytes show, whatever its
    name ends in.
    """

    path: str
    format: str = "text"
    is_compressed: bool = False
    _spool: IO[bytes] | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        """Return what messages call the file."""
        is_input = self.path == STANDARD_INPUT
        return "the standard input" if is_input else visible(Path(self.path).name)

    def close(self) -> None:
        """Release what was read from the standard input."""
        if self._spool is not None:
            self._spool.close()

    @contextmanager
    def opened(self) -> Iterator[IO[bytes]]:
        """Open the bytes of the table, after decompression."""
        raw: IO[bytes] | None = None
        try:
            if self._spool is None:
                raw = Path(self.path).open("rb")  # noqa: SIM115 - closed below
            else:
                self._spool.seek(0)
            stream: Any = raw or self._spool
            if self.is_compressed:
                stream = gzip.GzipFile(fileobj=stream)
            yield stream
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise TableFileError(
                f"{self.name} is not a complete gzip file: {error}. Copy or download "
                "it again."
            ) from error
        finally:
            if raw is not None:
                raw.close()


def open_source(path: str) -> Source:
    """Return the source at a path; "-" is the standard input.

    Raises ``TableFileError`` if there is no file, or none that may hold a table.
    """
    source = Source(path)
    if path == STANDARD_INPUT:
        source._spool = _spooled(sys.stdin.buffer)
    else:
        _check_file(Path(path))
    head = _first_bytes(source)
    if head.startswith(b"\x1f\x8b"):
        source.is_compressed = True
        head = _first_bytes(source)
    if not head:
        raise TableFileError(
            f"{source.name} is empty. It must hold a line of column names, and a line "
            "for each row."
        )
    source.format = next(
        (kind for first, kind in _FORMATS.items() if head.startswith(first)), "text"
    )
    if source.format not in ("text", *_TABLES):
        raise TableFileError(
            f"{source.name} is {source.format}, not a table that can be read here. "
            "Save the table as CSV (also .gz), Parquet or Excel (.xlsx)."
        )
    return source


def _check_file(path: Path) -> None:
    """Raise unless a path is that of a file; the text names files that are similar."""
    shown = visible(str(path))
    try:
        is_folder, exists = path.is_dir(), path.exists()
    except (OSError, ValueError) as error:  # too long a name, or a NUL in it
        raise TableFileError(
            f"{shown[:40]!r} must be the name of a file. Got a name that no file can "
            "have. Check it."
        ) from error
    if is_folder:
        raise TableFileError(f"{shown} is a folder. Name a file in it: a table.")
    if not exists:
        folder = path.parent
        others = [p.name for p in folder.iterdir()] if folder.is_dir() else []
        raise TableFileError(
            f"There is no file {shown!r}."
            f"{did_you_mean(path.name, others) or ' Check the name and the folder.'}"
        )


def _spooled(stream: IO[bytes]) -> IO[bytes]:
    """Copy what can be read once, so that it can be read twice."""
    spool = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - kept
    while chunk := stream.read(_CHUNK):
        spool.write(chunk)
    return spool


def _first_bytes(source: Source) -> bytes:
    with source.opened() as stream:
        return stream.read(16)
