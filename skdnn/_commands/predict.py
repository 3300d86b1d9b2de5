"""``skdnn predict``: classes, probabilities, sets and novelty of new rows."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from skdnn._commands.console import Output
from skdnn._commands.model_notes import ModelNotes, read_notes
from skdnn._commands.training import ReadingOptions
from skdnn._estimator.uncertainty import set_thresholds, sets_of
from skdnn._runtime.atomic_file import Writer
from skdnn._runtime.names import free_name, visible
from skdnn._table_files.raw_table import RawTable, listed
from skdnn._table_files.table_file_error import TableFileError
from skdnn._table_files.table_writer import as_bytes, check_ending


def run_predict(
    output: Output,
    model: Path,
    source: Path,
    path: Path | None,
    reading: ReadingOptions,
    *,
    confidence: float,
    as_json: bool,
) -> None:
    """Predict the rows of a table, and write a table with a line for each."""
    if not 0 < confidence < 1:
        raise TableFileError(
            f"--confidence must be between 0 and 1, such as 0.9. Got {confidence:g}."
        )
    if path is not None:
        check_ending(path)
    notes = read_notes(model)
    table = reading.read(source, notes.reading.decimal)
    output.heading(f"{table.name}: {table.n_rows} rows, {len(table.columns)} columns")
    notes.reading = notes.reading.with_order(reading.dates)
    for fact in [*table.facts, *notes.reading.orders_in_words()]:
        output.note(fact)
    unused = notes.reading.unused(table)
    if unused:
        output.note(f"Not in the training, and not used: {listed(unused)}.")
    X = notes.reading.features(table)

    from skdnn._model_files.archive import read_model

    network = read_model(model)
    frame = predictions(output, network, X, table, notes, confidence)
    counts = frame["prediction"].value_counts(sort=False).sort_index()
    shares = [f"{label} {count}" for label, count in counts.items()]
    output.note(f"Predicted {visible(notes.reading.target)}: {listed(shares)}.")
    facts: dict[str, Any] = {"target": notes.reading.target, "n_rows": len(X)}
    facts["counts"] = {str(label): int(count) for label, count in counts.items()}
    if as_json and path is None:
        facts["predictions"] = _records(frame)
        output.end(facts)
        return
    content, n_disarmed = as_bytes(
        frame, path, separator=table.separator or ",", decimal=table.decimal
    )
    if n_disarmed:
        output.note(
            f"{n_disarmed} cells begin like a formula (=, +, -, @); a single quote was "
            "put before them, so that no spreadsheet runs them."
        )
    if path is None:
        sys.stdout.buffer.write(content)
        sys.stdout.flush()
        return
    Writer("skdnn predict", "predictions.csv").write(path, lambda: content)
    output.end(facts, path)


def predictions(
    output: Output,
    network: Any,
    X: pd.DataFrame,
    table: RawTable,
    notes: ModelNotes,
    confidence: float,
) -> pd.DataFrame:
    """Return a row for each row of a table: identifiers, and what is predicted."""
    from skdnn.explain._methods.uncertainty import uncertainty_of, votes_of

    classes = network.classes_.tolist()
    columns = _identifiers(output, len(X), table, notes)

    def add(name: str, values: Any) -> None:
        columns[free_name(name, columns)] = values

    proba, each = network._proba_and_members(X)  # all that follows is made of these
    codes, named = proba.argmax(axis=1), each.argmax(axis=2)
    add("prediction", network.classes_[codes])
    for label, values in zip(classes, proba.T, strict=True):
        add(f"probability_{label}", values.round(6))
    sets = _sets(output, network, proba, confidence)
    if sets is not None:
        add("set", _sets_in_words(sets, classes))
    novelty = _novelty(output, network, X, notes)
    known = uncertainty_of(
        network.classes_,
        codes,
        novelty,
        sets=sets,
        confidence_level=None if sets is None else confidence,
        votes=votes_of(named, len(classes)),
        member="network",
    )
    add("n_disagree", known.n_disagree)
    output.note(
        f"n_disagree: how many of the {len(named)} networks predict another class."
    )
    if novelty is not None:
        add("novelty_p_value", np.round(novelty.p_values, 6))
    add("remark", _remarks(known))
    output.note("remark: why a prediction is in doubt; empty where nothing shows it.")
    return pd.DataFrame(columns)


def _identifiers(
    output: Output, n_rows: int, table: RawTable, notes: ModelNotes
) -> dict[str, Any]:
    """Return the columns that identify rows; numbers if the table has none."""
    columns: dict[str, Any] = {}
    ids = notes.reading.id_columns(table)
    for name, cells in ids.items():
        columns[name] = pd.Series(cells, dtype=object).infer_objects()
    absent = [name for name in notes.reading.ids if name not in ids]
    if absent:
        output.note(f"There is no {listed(absent)}; rows are numbered.")
    if not ids:
        columns["row"] = np.arange(1, n_rows + 1)
    # the names of what is predicted are fixed; an identifier of such a name has an
    # underscore
    for name in ("prediction", "set", "n_disagree", "novelty_p_value", "remark"):
        if name in columns:
            columns[f"{name}_"] = columns.pop(name)
    return columns


def _sets(
    output: Output, network: Any, proba: np.ndarray, confidence: float
) -> np.ndarray | None:
    """Return what `predict_set` does of rows with these probabilities; None if none."""
    try:
        sets = sets_of(proba, set_thresholds(network, confidence))
    except ValueError:  # the fit left no rows out
        output.note(
            "No sets: the network was trained on too few rows to leave some out; from "
            "100 rows on it does."
        )
        return None
    output.note(
        f"set: the classes a row may have, at a confidence of {confidence:g}; of "
        f"{(sets.sum(axis=1) > 1).sum()} of {len(sets)} rows more than one."
    )
    return sets


def _remarks(known: Any) -> list[str]:
    """Describe the rows in doubt: of several classes, with disagreement, or unusual."""
    doubtful = known.several | (known.n_disagree > 0) | (known.reasons != "")
    return [
        known.describe(row) if is_doubtful else ""
        for row, is_doubtful in enumerate(doubtful.tolist())
    ]


def _sets_in_words(sets: np.ndarray, classes: list[Any]) -> list[str]:
    """Return the classes of each set; many rows have the same few sets."""
    kinds, codes = np.unique(sets, axis=0, return_inverse=True)
    words = [
        " or ".join(str(classes[k]) for k in np.flatnonzero(kind)) for kind in kinds
    ]
    return [words[code] for code in codes.reshape(-1)]


def _novelty(output: Output, network: Any, X: pd.DataFrame, notes: ModelNotes) -> Any:
    """Return how unusual the rows are beside the rows kept; None if there are none."""
    from skdnn import explain

    kept = notes.kept_rows()
    if kept is None:
        output.note(
            "No novelty_p_value: the model file keeps no rows to compare with "
            "(train --keep-rows)."
        )
        return None
    result = explain.novelty(network, X, background=kept, random_state=notes.seed)
    output.note(
        f"novelty_p_value: how often a row like those of the training is as unusual; "
        f"{result.n_unusual} of {len(X)} rows are at most 0.05, where about "
        f"{result.expected_unusual * len(X):.0f} are expected."
    )
    return result


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    data = frame.astype(object).where(frame.notna(), None)
    return [
        {str(k): v.item() if isinstance(v, np.generic) else v for k, v in row.items()}
        for row in data.to_dict("records")
    ]
