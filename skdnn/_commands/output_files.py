"""The files that commands write: checked before the work, never replaced unasked."""

import os
from pathlib import Path

from skdnn._runtime.names import visible
from skdnn._table_files.sources import STANDARD_INPUT
from skdnn._table_files.table_file_error import TableFileError


def check_output(path: Path, *, force: bool, inputs: tuple[Path, ...] = ()) -> None:
    """Raise if a file cannot be written there, or would replace another.

    ``OSError`` for folders that do not exist or are not writable, else
    ``TableFileError``.
    """
    shown = visible(str(path))
    folder = path.absolute().parent
    if not folder.is_dir():
        raise FileNotFoundError(
            "The file must be written to an existing folder. Got "
            f"{visible(str(folder))}; create it, or name another file with --output."
        )
    if path.is_dir() or not os.access(folder, os.W_OK):
        raise PermissionError(
            f"The output must be a writable file. Got {shown}; name another file with "
            "--output."
        )
    if not path.exists():
        return
    for other in inputs:
        if other.exists() and path.samefile(other):
            raise TableFileError(
                f"The output must be another file than the input. Got {shown} for both;"
                " name another file with --output."
            )
    if not force:
        raise TableFileError(
            f"{shown} exists. Replace it with --force, or name another file with "
            "--output."
        )


def default_output(data: Path, ending: str) -> Path:
    """Return the name of an output after that of the table, in the current folder."""
    stem = "table" if str(data) == STANDARD_INPUT else data.name.split(".")[0]
    return Path(f"{stem or 'table'}{ending}")
