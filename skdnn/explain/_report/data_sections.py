"""Sections on the data, the network and its training."""

from typing import Any

import numpy as np

from skdnn._runtime.names import shorten
from skdnn.explain._report import sentences
from skdnn.explain._report.cells import MAX_CELL, n_missing
from skdnn.explain._report.evidence import Evidence
from skdnn.explain._report.fitted_record import FittedRecord

N_COLUMNS = 60  # rows of the table of columns
N_CLASSES = 20  # rows of the table of classes
_N_COMMON = 3  # most frequent categories of a column
_N_BINS = 12  # of a histogram


def data(evidence: Evidence) -> dict[str, Any]:
    """Describe the columns and the classes."""
    columns, names = evidence.columns, evidence.feature_names
    classes, codes = evidence.classes, evidence.codes
    counts = np.bincount(codes, minlength=len(classes))
    order = np.argsort(-counts, kind="stable")[:N_CLASSES]
    return {
        "columns": [
            _describe(name, column)
            for name, column in zip(names[:N_COLUMNS], columns, strict=False)
        ],
        "n_left_out": max(0, len(names) - N_COLUMNS),
        "classes": [
            {"class": classes[k], "n": int(counts[k]), "share": counts[k] / len(codes)}
            for k in order
        ],
        "n_classes_left_out": len(classes) - len(order),
        "words": sentences.data(
            len(codes),
            len(names),
            sum(column.dtype == float for column in columns),
            sum(n_missing(column) for column in columns),
        ),
    }


def _describe(name: str, column: np.ndarray) -> dict[str, Any]:
    row: dict[str, Any] = {"name": name, "n_missing": n_missing(column)}
    if column.dtype != float:
        given = np.array([str(cell) for cell in column if cell is not None], dtype=str)
        values, counts = np.unique(given, return_counts=True)
        common = [
            {"value": shorten(str(values[i]), MAX_CELL), "n": int(counts[i])}
            for i in np.argsort(-counts, kind="stable")[:_N_COMMON]
        ]
        return {**row, "kind": "words", "n_distinct": len(values), "common": common}
    finite = column[np.isfinite(column)]
    row |= {"kind": "numbers", "n_distinct": len(np.unique(finite))}
    if not finite.size:
        return {**row, "low": None, "median": None, "high": None, "histogram": []}
    with np.errstate(over="ignore", invalid="ignore"):
        low, median, high = np.quantile(finite, [0, 0.5, 1]).tolist()
    # a constant, or a range that overflows, cannot be divided into bins
    has_bins = 0 < high - low < np.inf
    counts = np.histogram(finite, bins=_N_BINS)[0] if has_bins else np.array([])
    return {**row, "low": low, "median": median, "high": high, "histogram": counts}


def network(record: FittedRecord) -> dict[str, Any] | None:
    """Return the drawing and the summary of a network, if it has one of them."""
    if record.network is None and record.summary is None:
        return None
    return {
        "drawing": record.network,
        "text": record.summary,
        "words": sentences.network(record.name, record.network is not None),
    }


def training(record: FittedRecord) -> dict[str, Any] | None:
    """Return the curves of training, and the baseline loss."""
    history = record.history
    if history is None or "loss" not in history or not len(history):
        return None

    def curve(name: str) -> np.ndarray | None:
        if name not in history:
            return None
        values = np.asarray(history[name], dtype=float)
        return values if np.isfinite(values).any() else None

    known = {
        name: _finite(curve(name))
        for name in ("loss", "val_loss", "accuracy", "val_accuracy")
    }
    losses = curve("val_loss")
    section = {
        "n_epochs": len(history),
        **known,
        "loss": known["loss"] or [None],
        "baseline_loss": record.baseline_loss,
        "best_epoch": None if losses is None else int(np.nanargmin(losses)) + 1,
    }
    return {**section, "words": sentences.training(section)}


def _finite(values: np.ndarray | None) -> list[float | None] | None:
    if values is None:
        return None
    return [float(value) if np.isfinite(value) else None for value in values]
