"""What a command prints, where, and how it ends."""

import json
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.padding import Padding
from rich.table import Table

from skdnn._runtime.names import visible
from skdnn.exceptions import (
    BaselineWarning,
    CheckpointWarning,
    ColumnWarning,
    VersionWarning,
)

FAILURE, BAD_INPUT = 1, 2
STANDARD_OUTPUT = "-"
# Warnings that are printed.
_SHOWN = (BaselineWarning, CheckpointWarning, ColumnWarning, VersionWarning)


class Output:
    """The lines of one command: facts and results for people, or one JSON object.

    `data_on_stdout` is whether the standard output holds a table; then the lines go to
    the standard error.
    """

    def __init__(self, *, as_json: bool, data_on_stdout: bool = False):
        self._as_json = as_json
        self._notes: list[str] = []
        self._console = Console(
            stderr=data_on_stdout, highlight=False, markup=False, emoji=False
        )

    def heading(self, text: str) -> None:
        """Print a line that begins a part."""
        if not self._as_json:
            self._console.print(visible(text), style="bold")

    def note(self, text: str) -> None:
        """Print a sentence, and keep it for the JSON object."""
        self._notes.append(text)
        if not self._as_json:
            self._console.print(Padding(visible(text), (0, 0, 0, 2), expand=False))

    def summary(self, text: str) -> None:
        """Print the summary of a network."""
        self.show(summary_table(text))

    def show(self, renderable: Any) -> None:
        """Print a table."""
        if not self._as_json:
            self._console.print(renderable)

    def end(self, result: dict[str, Any], path: Path | None = None) -> None:
        """Print the JSON object, or the path of the file written as the last line."""
        if self._as_json:
            result = result | {"notes": self._notes}
            if path is not None:
                result["output"] = str(path.absolute())
            text = json.dumps(result, ensure_ascii=False, allow_nan=False)
            # half of a surrogate pair in a name has no bytes in UTF-8
            typer.echo(text.encode("utf-8", "backslashreplace").decode("utf-8"))
        elif path is not None:
            typer.echo(str(path.absolute()))


def summary_table(text: str) -> Table:
    """Return the lines of a network's summary, each with its name, for a terminal."""
    grid = Table.grid()
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column()
    for line in text.splitlines():
        grid.add_row(f"  {line[:12].strip():<12}", visible(line[12:]))
    return grid


def is_terminal() -> bool:
    """Return whether the standard error is a terminal, where progress is shown."""
    return bool(sys.stderr is not None and sys.stderr.isatty())


@contextmanager
def errors_as_lines(command: str) -> Iterator[None]:
    """Print errors and warnings as one line each, and end with an exit code."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for category in _SHOWN:
            warnings.simplefilter("default", category)
        warnings.showwarning = _line_of_warning(command)
        try:
            yield
        except ValueError as error:
            _fail(command, error, BAD_INPUT)
        except BrokenPipeError:
            raise  # of a reader such as head, which typer ends quietly for
        except MemoryError as error:
            text = "the memory is not enough. Use fewer rows or columns."
            _fail(command, MemoryError(text), FAILURE, cause=error)
        except OSError as error:
            _fail(command, error, FAILURE)


def _line_of_warning(command: str) -> Any:
    def show(message: Warning | str, *_: object, **__: object) -> None:
        typer.echo(f"skdnn {command}: warning: {_one_line(str(message))}", err=True)

    return show


def _fail(
    command: str, error: Exception, code: int, cause: Exception | None = None
) -> None:
    text = str(error)
    if isinstance(error, OSError) and error.strerror:
        path = f"{error.filename}: " if error.filename else ""
        text = f"{path}{error.strerror}. Check the path, its rights and free space."
    typer.echo(f"skdnn {command}: {_one_line(text)}", err=True)
    raise typer.Exit(code=code) from cause or error


def _one_line(text: str) -> str:
    return visible(" ".join(text.split()))
