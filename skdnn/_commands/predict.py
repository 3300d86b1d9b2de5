"""``skdnn predict``: classes, probabilities, sets and novelty of new rows."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from skdnn._commands.console import Output
from skdnn._commands.model_notes import ModelNotes, read_notes
from skdnn._commands.training import ReadingOptions
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
    classes = network.classes_.tolist()
    columns: dict[str, Any] = {}

    def add(name: str, values: Any) -> None:
        columns[free_name(name, columns)] = values

    ids = notes.reading.id_columns(table)
    for name, cells in ids.items():
        columns[name] = pd.Series(cells, dtype=object).infer_objects()
    absent = [name for name in notes.reading.ids if name not in ids]
    if absent:
        output.note(f"There is no {listed(absent)}; rows are numbered.")
    if not ids:
        columns["row"] = np.arange(1, len(X) + 1)
    # the names below are fixed; an identifier of such a name has an underscore
    for name in ("prediction", "set", "n_disagree", "novelty_p_value", "remark"):
        if name in columns:
            columns[f"{name}_"] = columns.pop(name)
    proba = network.predict_proba(X)
    predicted = network.predict(X)
    add("prediction", predicted)
    for label, values in zip(classes, proba.T, strict=True):
        add(f"probability_{label}", values.round(6))
    sets = None
    try:
        sets = network.predict_set(X, confidence)
        add("set", [_set_in_words(row, classes) for row in sets])
        output.note(
            f"set: the classes a row may have, at a confidence of {confidence:g}; of "
            f"{(sets.sum(axis=1) > 1).sum()} of {len(X)} rows more than one."
        )
    except ValueError:
        output.note(
            "No sets: the network was trained on too few rows to leave some out; from "
            "100 rows on it does."
        )
    members = network.predict_members(X).argmax(axis=2)
    novelty = _novelty(output, network, X, notes)
    known = _uncertainty(classes, proba, sets, confidence, members, novelty)
    add("n_disagree", known.n_disagree)
    output.note(
        f"n_disagree: how many of the {len(members)} networks predict another class."
    )
    if novelty is not None:
        add("novelty_p_value", np.round(novelty.p_values, 6))
    add("remark", _remarks(known))
    output.note("remark: why a prediction is in doubt; empty where nothing shows it.")
    return pd.DataFrame(columns)


def _uncertainty(
    classes: list[Any],
    proba: np.ndarray,
    sets: np.ndarray | None,
    confidence: float,
    members: np.ndarray,
    novelty: Any,
) -> Any:
    """Return how uncertain the rows are, of what is known of them.

    `members` are the classes predicted by each network, (n_networks, n_rows).
    """
    from skdnn.explain import Uncertainty
    from skdnn.explain._text.novelty import reasons_of_rows

    reasons = np.full(len(proba), "", dtype=object)
    if novelty is not None:
        reasons = reasons_of_rows(novelty)
    return Uncertainty(
        class_names=np.array(classes),
        predicted=proba.argmax(axis=1),
        reasons=reasons,
        sets=sets,
        confidence_level=None if sets is None else confidence,
        votes=(members[:, :, None] == np.arange(len(classes))).sum(axis=0),
        member="network",
        p_values=None if novelty is None else novelty.p_values,
        n_calibration=0 if novelty is None else novelty.n_calibration,
        p_unusual=None if novelty is None else novelty.p_unusual,
    )


def _remarks(known: Any) -> list[str]:
    """Describe the rows in doubt: of several classes, with disagreement, or unusual."""
    doubtful = known.several | (known.n_disagree > 0) | (known.reasons != "")
    return [
        known.describe(row) if is_doubtful else ""
        for row, is_doubtful in enumerate(doubtful.tolist())
    ]


def _set_in_words(row: np.ndarray, classes: list[Any]) -> str:
    return " or ".join(str(classes[k]) for k in np.flatnonzero(row))


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
