"""Write a file that is complete or left unchanged."""

import contextlib
import os
import secrets
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

try:
    import fcntl
except ImportError:  # Windows, which refuses to delete a file that is open
    fcntl = None  # type: ignore[assignment]

# Of temporary files, which lie beside the file.
_PREFIX, _SUFFIX = ".skdnn-", ".tmp"


@dataclass(frozen=True)
class Writer:
    """The public function that writes, and a name it may give, for messages."""

    name: str
    example: str

    def write(
        self,
        file: str | os.PathLike[str],
        make_content: Callable[[], bytes | memoryview],
    ) -> None:
        """Write a file; its content is made after the path has been checked.

        OSError with a remedy if nothing can be written there.
        """
        path = Path(os.path.realpath(os.fspath(file)))

        def fill(handle: IO[bytes]) -> None:
            content = make_content()
            with self._remedied(path):
                handle.write(content)

        self.write_parts(path, fill)

    def write_parts(
        self, file: str | os.PathLike[str], fill: Callable[[IO[bytes]], None]
    ) -> None:
        """Write a file by a function that is given it, open to write bytes to."""
        path = Path(os.path.realpath(os.fspath(file)))
        mode = self._mode(path)
        if mode and not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            # a pipe or a device is written to; replacing it would destroy it
            with path.open("wb") as handle:
                fill(handle)
            return
        self._check_writable(path, mode)
        with self._temporary(path) as (temporary, handle):
            fill(handle)
            with self._remedied(path):
                handle.flush()
                os.fsync(handle.fileno())  # a full disk is reported here at the latest
                if mode:
                    temporary.chmod(stat.S_IMODE(mode))
                if fcntl is None:
                    handle.close()  # Windows cannot rename a file that is open
                temporary.replace(path)
                _sync_folder(path.parent)

    def _mode(self, path: Path) -> int:
        """Return type and permissions of what is at a path, 0 if there is nothing."""
        with self._remedied(path):
            try:
                return path.stat().st_mode
            except FileNotFoundError:
                return 0

    @contextmanager
    def _remedied(self, path: Path) -> Iterator[None]:
        """Raise any OSError with the path and a remedy."""
        try:
            yield
        except OSError as error:
            raise type(error)(
                f"{self.name} cannot write {str(path)!r}: {error.strerror or error}. "
                "Give a path in a folder that exists, has free space and that you may "
                "write to."
            ) from error

    def _check_writable(self, path: Path, mode: int) -> None:
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(
                f"{self.name} needs the name of a file. Got the folder {str(path)!r} "
                f"instead. Try {str(path / self.example)!r}."
            )
        if not path.parent.is_dir():
            raise FileNotFoundError(
                f"{self.name} cannot write {str(path)!r}: there is no folder "
                f"{str(path.parent)!r}. Create it first, or give another path."
            )
        if mode and not mode & stat.S_IWUSR:
            raise PermissionError(
                f"{self.name} cannot write {str(path)!r}: the file is read-only. "
                "Give another path, or make the file writable."
            )

    @contextmanager
    def _temporary(self, path: Path) -> Iterator[tuple[Path, IO[bytes]]]:
        """Open a temporary file beside `path`; remove it, and those of killed writers.

        A writer holds a lock on its file for as long as it lives.
        """
        _remove_abandoned(path.parent)
        with self._remedied(path):
            temporary, handle = _create_locked(path)
        try:
            yield temporary, handle
        finally:
            handle.close()
            temporary.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    """Have the new name of a file survive a loss of power, where that is possible."""
    if fcntl is None:  # Windows opens no folders
        return
    with contextlib.suppress(OSError):  # of shared folders
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _create_locked(path: Path) -> tuple[Path, IO[bytes]]:
    while True:
        temporary = path.with_name(f"{_PREFIX}{secrets.token_hex(6)}{_SUFFIX}")
        handle = temporary.open("xb")
        if fcntl is not None:
            fcntl.flock(handle, fcntl.LOCK_EX)
        if temporary.exists():
            return temporary, handle
        handle.close()  # another writer found it before it was locked


def _remove_abandoned(folder: Path) -> None:
    """Remove the temporary files in a folder whose writers no longer live."""
    for path in folder.glob(f"{_PREFIX}*{_SUFFIX}"):
        with contextlib.suppress(OSError):
            if fcntl is None:
                path.unlink()
                continue
            with path.open("rb") as handle:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.unlink()
