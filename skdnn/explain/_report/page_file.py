"""Write a page to a file that is complete or left unchanged."""

import os
import secrets
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any


def write_page(file: Any, make_page: Callable[[], str]) -> None:
    """Write a page to a path or an open file.

    The page is made after the path has been checked. OSError with a remedy if nothing
    can be written there.
    """

    def page() -> bytes:
        # half of a surrogate pair in a name becomes a character reference
        return make_page().encode("utf-8", errors="xmlcharrefreplace")

    if hasattr(file, "write"):
        content = page()
        try:
            file.write(content.decode("utf-8"))
        except TypeError:  # a file opened for bytes
            file.write(content)
        return
    path = Path(os.path.realpath(os.fspath(file)))
    mode = _mode(path)
    if mode and not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        # a pipe or a device is written to; replacing it would destroy it
        path.write_bytes(page())
        return
    temporary = _create_temporary(path, mode)
    try:
        temporary.write_bytes(page())
        if mode:
            temporary.chmod(stat.S_IMODE(mode))
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _mode(path: Path) -> int:
    """Return type and permissions of what is at a path, 0 if there is nothing."""
    try:
        return path.stat().st_mode
    except FileNotFoundError:
        return 0
    except OSError as error:
        raise _with_remedy(path, error) from error


def _with_remedy(path: Path, error: OSError) -> OSError:
    return type(error)(
        f"write_html cannot write {str(path)!r}: {error.strerror or error}. "
        "Give a path in a folder that you may write to."
    )


def _create_temporary(path: Path, mode: int) -> Path:
    """Create an empty file in the folder of `path`; OSError if there can be none."""
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(
            f"write_html needs the name of a file. Got the folder {str(path)!r} "
            f"instead. Try {str(path / 'report.html')!r}."
        )
    if not path.parent.is_dir():
        raise FileNotFoundError(
            f"write_html cannot write {str(path)!r}: there is no folder "
            f"{str(path.parent)!r}. Create it first, or give another path."
        )
    if mode and not mode & stat.S_IWUSR:
        raise PermissionError(
            f"write_html cannot write {str(path)!r}: the file is read-only. "
            "Give another path, or make the file writable."
        )
    temporary = path.with_name(f".skdnn-{secrets.token_hex(6)}.tmp")
    try:
        temporary.touch(exist_ok=False)
    except OSError as error:
        raise _with_remedy(path, error) from error
    return temporary
