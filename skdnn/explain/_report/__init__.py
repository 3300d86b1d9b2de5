"""The report: results -> summary dict -> one HTML page. See README.md beside this."""

import copy
import os
import secrets
import stat
from pathlib import Path
from typing import Any

from skdnn.explain._report.summary import Evidence, summarise

__all__ = ["Evidence", "Report", "summarise"]


class Report:
    """A finished report; made by :func:`skdnn.explain.report`.

    In a notebook it shows itself.

    Parameters
    ----------
    summary : dict
        As `summarise` gives it.
    """

    def __init__(self, summary: dict[str, Any]) -> None:
        self._summary = summary

    def to_dict(self) -> dict[str, Any]:
        """Give all numbers and sentences of the report.

        Returns
        -------
        dict
            A copy, of what `json.dumps` takes only; unknown numbers are None.
        """
        return copy.deepcopy(self._summary)

    def html(self) -> str:
        """Give the whole page as text."""
        from skdnn.explain._report.render import render

        return render(self._summary)

    def write_html(self, file: Any) -> None:
        """Write the page to a file.

        The page needs nothing but this file: no other files, no network, no scripts.

        Parameters
        ----------
        file : str, path-like or file object
            Where to write. A file that exists is replaced once the new one is
            complete, so it is never lost to a failure.

        Raises
        ------
        OSError
            If nothing can be written there; says what to do instead.

        See Also
        --------
        skdnn.explain.report : Makes the report, with an example.
        """
        if hasattr(file, "write"):
            _write_stream(file, self.html())
            return
        path = Path(os.path.realpath(os.fspath(file)))
        mode = _mode(path)
        if mode and not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            # A pipe or a device is written to; replacing it would destroy it.
            path.write_bytes(_encode(self.html()))
            return
        beside = _open_beside(path, mode)
        try:
            beside.write_bytes(_encode(self.html()))
            if mode:
                beside.chmod(stat.S_IMODE(mode))
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)

    def _repr_html_(self) -> str:
        from skdnn.explain._report.render import render_inline

        return render_inline(self._summary)

    def __repr__(self) -> str:
        return f"<Report {self._summary['title']!r}: write_html(path) saves it>"


def _encode(html: str) -> bytes:
    """Encode a page; half a surrogate pair in a name must not cost the report."""
    return html.encode("utf-8", errors="xmlcharrefreplace")


def _write_stream(file: Any, html: str) -> None:
    try:
        file.write(_encode(html).decode("utf-8"))
    except TypeError:  # a file opened for bytes
        file.write(_encode(html))


def _mode(path: Path) -> int:
    """Give type and permissions of what is at a path, 0 if there is nothing."""
    try:
        return path.stat().st_mode
    except FileNotFoundError:
        return 0
    except OSError as error:
        raise _explained(path, error) from error


def _explained(path: Path, error: OSError) -> OSError:
    return type(error)(
        f"write_html cannot write {str(path)!r}: {error.strerror or error}. "
        "Give a path in a folder that you may write to."
    )


def _open_beside(path: Path, mode: int) -> Path:
    """Create an empty file in the folder of `path`, or say why there can be none."""
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
    beside = path.with_name(f".skdnn-{secrets.token_hex(6)}.tmp")
    try:
        beside.touch(exist_ok=False)
    except OSError as error:
        raise _explained(path, error) from error
    return beside
