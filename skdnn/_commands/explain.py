"""``skdnn explain``: a report on a model file and rows it was not trained on."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from skdnn._commands.console import Output
from skdnn._commands.model_notes import ModelNotes, read_notes
from skdnn._commands.report import Subject, write_report
from skdnn._commands.training import ReadingOptions
from skdnn._runtime.names import visible
from skdnn._table_files.raw_table import RawTable, listed
from skdnn._table_files.table_file_error import TableFileError
from skdnn._table_files.targets import find_class
from skdnn.explain._report.origin import caveat


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
    table, X, y = _rows(output, notes, source, reading)
    network = read_model(model)
    classes = network.classes_.tolist()
    y = _as_known(y, classes, table.name, notes.reading.target)
    origin = notes.origin_of(X)
    known = caveat(origin, "network") or "The network was not trained on these rows."
    output.note(known)
    if origin.overlap in ("all", "some"):
        output.note("Name rows that it was not trained on, or use skdnn report.")
    options = subject.options(table, X, classes, notes.positive)
    verdict = write_report(
        output,
        path,
        (network, X, y),
        network.predict(X),
        background=_background(output, notes, X),
        title=f"{visible(notes.reading.target)} in {table.name}",
        seed=seed,
        positive=notes.positive,
        origin=origin,
        **options,
    )
    facts = {
        "target": notes.reading.target,
        "positive": notes.positive,
        "n_rows": len(y),
        "training_rows": origin.overlap,
        "verdict": verdict,
    }
    output.end(facts, path)


def _rows(
    output: Output, notes: ModelNotes, source: Path, reading: ReadingOptions
) -> tuple[RawTable, pd.DataFrame, np.ndarray]:
    """Return the table, its features and its labels, after printing how it was read."""
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
    return table, notes.reading.features(table), y


def _background(
    output: Output, notes: ModelNotes, X: pd.DataFrame
) -> pd.DataFrame | None:
    """Return the rows that the file keeps in the dtypes of X, None if it keeps none."""
    kept = notes.kept_rows()
    if kept is None:
        output.note("Averages are over these rows, as the model file keeps none.")
        return None
    output.note(f"Averages are over {len(kept)} rows that the file keeps.")
    return kept.astype({n: X[n].dtype for n in X if X[n].dtype.kind == "O"})


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
