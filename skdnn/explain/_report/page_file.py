"""Write a page to a path or an open file."""

from collections.abc import Callable
from typing import Any

from skdnn._runtime.atomic_file import Writer

_WRITER = Writer("write_html", "report.html")


def write_page(file: Any, make_page: Callable[[], str]) -> None:
    """Write a page to a path or an open file.

    The page is made after the path has been checked. OSError with a remedy if nothing
    can be written there.
    """

    def page() -> bytes:
        # half of a surrogate pair in a name becomes a character reference
        return make_page().encode("utf-8", errors="xmlcharrefreplace")

    if not hasattr(file, "write"):
        _WRITER.write(file, page)
        return
    content = page()
    try:
        file.write(content.decode("utf-8"))
    except TypeError:  # a file opened for bytes
        file.write(content)
