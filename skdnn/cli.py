"""The command line: ``skdnn report``, ``train``, ``predict`` and others."""

import os
from pathlib import Path
from typing import Annotated

import typer

from skdnn._commands import options as o
from skdnn._commands.console import Output, errors_as_lines
from skdnn._commands.output_files import check_output, default_output

app = typer.Typer(
    name="skdnn",
    help="Deep neural networks for tables, and explanations of their predictions.",
    epilog="Exit codes: 0 done, 1 failure of the machine (such as a full disk), 2 "
    "wrong use or a table that cannot be used, 130 interrupted by Ctrl-C.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
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


@app.command(
    epilog="Example: skdnn report patients.csv --target outcome --group sex "
    "--costs ill:healthy=5"
)
def report(
    data: o.Data,
    target: o.Target = None,
    output: o.Output = None,
    group: o.Group = None,
    costs: o.Costs = None,
    actionable: o.Actionable = None,
    positive: o.Positive = None,
    test_size: o.TestSize = 0.25,
    seed: o.Seed = 0,
    drop: o.Drop = None,
    id_: o.Id = None,
    missing: o.Missing = None,
    separator: o.Separator = None,
    decimal: o.Decimal = None,
    encoding: o.Encoding = None,
    dates: o.Dates = None,
    force: o.Force = False,
    json: o.Json = False,
) -> None:
    """Explain what decides a column of a table: train a network, write a page.

    Some rows are held out, a network is trained on the others, and explained and
    scored by those held out. The page is one HTML file; its path is the last line.
    Small tables take about a minute.
    """
    with errors_as_lines("report"):
        from skdnn._commands.report import Subject, run_report
        from skdnn._commands.training import ReadingOptions, read_training_data

        path = output or default_output(data, "-report.html")
        check_output(path, force=force, inputs=(data,))
        out = Output(as_json=json)
        rows = read_training_data(
            out,
            data,
            target,
            ReadingOptions(separator, decimal, encoding, dates),
            drop=drop,
            ids=id_,
            missing=missing,
            positive=positive,
        )
        subject = Subject(group, costs, actionable)
        run_report(out, rows, path, subject, test_size=test_size, seed=seed)


@app.command(epilog="Example: skdnn train iris.csv --target species -o iris.skops")
def train(
    data: o.Data,
    target: o.Target = None,
    output: o.Output = None,
    keep_rows: o.KeepRows = 0,
    positive: o.Positive = None,
    seed: o.Seed = 0,
    drop: o.Drop = None,
    id_: o.Id = None,
    missing: o.Missing = None,
    separator: o.Separator = None,
    decimal: o.Decimal = None,
    encoding: o.Encoding = None,
    dates: o.Dates = None,
    checkpoint: o.Checkpoint = None,
    force: o.Force = False,
    json: o.Json = False,
) -> None:
    """Train a network on all rows of a table, and write a model file.

    The file keeps how the table was read, so that predict reads new rows in the same
    way. It holds the categories of the columns, and rows of the table only with
    --keep-rows.
    """
    with errors_as_lines("train"):
        from skdnn._commands.train import run_train
        from skdnn._commands.training import ReadingOptions, read_training_data

        path = output or default_output(data, ".skops")
        check_output(path, force=force, inputs=(data,))
        out = Output(as_json=json)
        rows = read_training_data(
            out,
            data,
            target,
            ReadingOptions(separator, decimal, encoding, dates),
            drop=drop,
            ids=id_,
            missing=missing,
            positive=positive,
        )
        run_train(
            out, rows, data, path, seed=seed, keep=keep_rows, checkpoint=checkpoint
        )


@app.command(epilog="Example: skdnn predict iris.skops new.csv -o predictions.csv")
def predict(
    model: o.Model,
    data: o.Data,
    output: o.Output = None,
    confidence: Annotated[
        float,
        typer.Option(
            "--confidence",
            help="Share of the rows whose set of classes is to hold their class.",
        ),
    ] = 0.9,
    separator: o.Separator = None,
    decimal: o.Decimal = None,
    encoding: o.Encoding = None,
    dates: o.Dates = None,
    force: o.Force = False,
    json: o.Json = False,
) -> None:
    """Predict the rows of a table by a model file.

    Columns of the output: identifiers (or row, the number of the row), prediction,
    probability_CLASS for each class, set (the classes a row may have), n_disagree (how
    many networks predict another class), novelty_p_value if the model file keeps rows,
    and remark (why a prediction is in doubt). Formats: .csv, .tsv, .parquet; without
    --output CSV is printed.
    """
    with errors_as_lines("predict"):
        from skdnn._commands.predict import run_predict
        from skdnn._commands.training import ReadingOptions

        if output is not None:
            check_output(output, force=force, inputs=(data, model))
        out = Output(as_json=json, data_on_stdout=output is None)
        run_predict(
            out,
            model,
            data,
            output,
            ReadingOptions(separator, decimal, encoding, dates),
            confidence=confidence,
            as_json=json,
        )


@app.command(
    epilog="Example: skdnn explain iris.skops measured_later.csv -o report.html"
)
def explain(
    model: o.Model,
    data: o.Data,
    output: o.Output = None,
    group: o.Group = None,
    costs: o.Costs = None,
    actionable: o.Actionable = None,
    seed: o.Seed = 0,
    separator: o.Separator = None,
    decimal: o.Decimal = None,
    encoding: o.Encoding = None,
    dates: o.Dates = None,
    force: o.Force = False,
    json: o.Json = False,
) -> None:
    """Explain a model file by rows that it was not trained on, and write a page.

    The table must have the target column, for the scores.
    """
    with errors_as_lines("explain"):
        from skdnn._commands.explain import run_explain
        from skdnn._commands.report import Subject
        from skdnn._commands.training import ReadingOptions

        path = output or default_output(data, "-report.html")
        check_output(path, force=force, inputs=(data, model))
        run_explain(
            Output(as_json=json),
            model,
            data,
            path,
            ReadingOptions(separator, decimal, encoding, dates),
            Subject(group, costs, actionable),
            seed=seed,
        )


@app.command(epilog="Example: skdnn tune iris.csv --target species --candidates 20")
def tune(
    data: o.Data,
    target: o.Target = None,
    output: o.Output = None,
    candidates: Annotated[
        int,
        typer.Option("--candidates", help="Settings that are tried.", min=2, max=1000),
    ] = 10,
    folds: Annotated[
        int,
        typer.Option("--folds", help="Folds of the cross-validation.", min=2, max=20),
    ] = 3,
    nested: Annotated[
        bool,
        typer.Option(
            "--nested",
            help="Also measure the result on rows that took no part in choosing, which "
            "takes four times as long again.",
        ),
    ] = False,
    keep_rows: o.KeepRows = 0,
    positive: o.Positive = None,
    seed: o.Seed = 0,
    drop: o.Drop = None,
    id_: o.Id = None,
    missing: o.Missing = None,
    separator: o.Separator = None,
    decimal: o.Decimal = None,
    encoding: o.Encoding = None,
    dates: o.Dates = None,
    checkpoint: o.Checkpoint = None,
    force: o.Force = False,
    json: o.Json = False,
) -> None:
    """Try settings around the defaults, and write the best network as a model file.

    Learning rate, dropout, weight decay and label smoothing are drawn at random, and
    compared with the defaults by the log loss in cross-validation. It takes as long as
    candidates times folds calls of skdnn train: minutes for a few hundred rows,
    hours for 50,000. The defaults are good for most tables.
    """
    with errors_as_lines("tune"):
        from skdnn._commands.training import ReadingOptions, read_training_data
        from skdnn._commands.tune import run_tune

        path = output or default_output(data, ".skops")
        check_output(path, force=force, inputs=(data,))
        out = Output(as_json=json)
        rows = read_training_data(
            out,
            data,
            target,
            ReadingOptions(separator, decimal, encoding, dates),
            drop=drop,
            ids=id_,
            missing=missing,
            positive=positive,
        )
        run_tune(
            out,
            rows,
            data,
            path,
            n_candidates=candidates,
            n_folds=folds,
            nested=nested,
            seed=seed,
            keep=keep_rows,
            checkpoint=checkpoint,
        )


@app.command(epilog="Example: skdnn inspect iris.skops --json")
def inspect(model: o.Model, json: o.Json = False) -> None:
    """Show what is in a model file; no code of it is run.

    Classes, features, how the table was read, versions, and a checksum.
    """
    with errors_as_lines("inspect"):
        from skdnn._commands.inspect import run_inspect

        run_inspect(Output(as_json=json), model)


@app.command(epilog="Example: skdnn demo -o demo.html")
def demo(
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Where to write the report.")
    ] = Path("skdnn-demo-report.html"),
    force: o.Force = False,
    json: o.Json = False,
) -> None:
    """Train, tune and explain a network on iris, and write a report."""
    with errors_as_lines("demo"):
        from skdnn._commands.demo import run_demo

        check_output(output, force=force)
        run_demo(output, as_json=json)


def main() -> None:
    """Run the command line."""
    # nothing of TensorFlow's start is for people at a terminal; this process is ours
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    app()
