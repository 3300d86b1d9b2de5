"""``skdnn explain``: a report on a model file and rows it was not trained on."""

from pathlib import Path
from typing import Any

import numpy as np

from skdnn._commands.console import Output
from skdnn._commands.model_notes import checksum, read_notes
from skdnn._commands.report import Subject, write_report
from skdnn._commands.training import ReadingOptions
from skdnn._runtime.names import visible
from skdnn._table_files.raw_table import listed
from skdnn._table_files.table_file_error import TableFileError
from skdnn._table_files.targets import find_class


def run_explain(
    output: Output,
    model: Path,
    source: Path,
    path: Path,
    reading: ReadingOptions,
    subject: Subject,
    *,
    seed: int,
) -> None:
    """Explain a model by the rows of a table with classes, and write the page."""
    from skdnn._model_files.archive import read_model

    notes = read_notes(model)
    table = reading.read(source, notes.reading.decimal)
    y, has_label = notes.reading.labels(table)
    output.heading(f"{table.name}: {table.n_rows} rows, {len(table.columns)} columns")
    notes.reading = notes.reading.with_order(reading.dates)
    for fact in [*table.facts, *notes.reading.orders_in_words()]:
        output.note(fact)
    if not has_label.all():
        output.note(
            f"Rows without {visible(notes.reading.target)}, left out: "
            f"{(~has_label).sum()}."
        )
        table, y = table.take(has_label), y[has_label]
    unused = notes.reading.unused(table)
    if unused:
        output.note(f"Not in the training, and not used: {listed(unused)}.")
    X = notes.reading.features(table)
    network = read_model(model)
    classes = network.classes_.tolist()
    y = _as_known(y, classes, table.name, notes.reading.target)
    if checksum(X) == notes.checksum:
        output.note(
            "These are the rows that the network was trained on: its scores on them "
            "are too good. Name rows that it was not trained on, or use skdnn report."
        )
    options = subject.options(table, X, classes, notes.positive)
    background = notes.kept_rows()
    if background is None:
        output.note("Averages are over these rows, as the model file keeps none.")
    else:
        output.note(f"Averages are over {len(background)} rows that the file keeps.")
        background = background.astype(
            {n: X[n].dtype for n in X if X[n].dtype.kind == "O"}
        )
    verdict = write_report(
        output,
        path,
        (network, X, y),
        network.predict(X),
        notes.positive,
        background=background,
        title=f"{visible(notes.reading.target)} in {table.name}",
        random_state=seed,
        **options,
    )
    facts = {"target": notes.reading.target, "n_rows": len(y), "verdict": verdict}
    output.end(facts, path)


def _as_known(
    y: np.ndarray, classes: list[Any], source: str, target: str
) -> np.ndarray:
    """Return labels of the type that the classes have; raise for other classes."""
    of_label = {}
    for label in np.unique(y.astype(str)):
        if label not in {str(known) for known in classes}:
            raise TableFileError(
                f"The column {visible(target)!r} of {source} must hold classes of the "
                f"model: {listed(classes)}. Got {visible(label)!r}. Leave these rows "
                "out."
            )
        of_label[label] = find_class(label, classes, target)
    dtype = object if isinstance(classes[0], str) else np.asarray(classes).dtype
    return np.array([of_label[str(label)] for label in y], dtype=dtype)
