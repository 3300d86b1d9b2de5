"""The command line: ``skdnn demo``."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    name="skdnn",
    help="Deep neural networks for tables, and explanations of their predictions.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _show_version(wanted: bool) -> None:
    if wanted:
        from skdnn import __version__

        typer.echo(f"skdnn {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version."
        ),
    ] = False,
) -> None:
    """Handle options that precede a command."""


@app.command()
def demo(
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Where to write the report.")
    ] = Path("skdnn-demo-report.html"),
) -> None:
    """Train, tune and explain a network on iris, and write a report."""
    from skdnn._commands.demo import check_writable, run_demo

    try:
        check_writable(output)
        path = run_demo(output)
    except OSError as error:
        typer.echo(f"skdnn demo: {error}", err=True)
        raise typer.Exit(code=1) from error
    typer.echo(path)


def main() -> None:
    """Run the command line."""
    app()
