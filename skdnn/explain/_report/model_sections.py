"""Sections on the data, the network and its training, and on its predictions."""

from typing import Any

import numpy as np

from skdnn._estimator.calibration import N_CALIBRATION_BINS
from skdnn._runtime.names import shorten
from skdnn.explain._methods.performance_scores import Bin
from skdnn.explain._report import sentences
from skdnn.explain._report.cells import MAX_CELL, n_missing, plain
from skdnn.explain._report.evidence import Evidence
from skdnn.explain._report.fitted_record import FittedRecord
from skdnn.explain._report.origin import rows_noun
from skdnn.explain._report.rival_sections import score_of

N_COLUMNS = 60  # rows of the table of columns
N_CLASSES = 20  # rows of the table of classes
N_MISTAKES = 20  # pairs of classes in the table of mistakes
_N_COMMON = 3  # most frequent categories of a column
_N_BINS = 12  # of a histogram


def data(evidence: Evidence) -> dict[str, Any]:
    """Describe the columns and the classes."""
    columns, names = evidence.columns, evidence.feature_names
    classes, codes = evidence.classes, evidence.codes
    counts = np.bincount(codes, minlength=len(classes))
    order = np.argsort(-counts, kind="stable")[:N_CLASSES]
    described = zip(names[:N_COLUMNS], columns, strict=False)
    n_numeric = sum(column.dtype == float for column in columns)
    n_gaps = sum(n_missing(column) for column in columns)
    return {
        "columns": [_describe(name, column) for name, column in described],
        "n_left_out": max(0, len(names) - N_COLUMNS),
        "classes": [
            {"class": classes[k], "n": counts[k], "share": counts[k] / len(codes)}
            for k in order
        ],
        "n_classes_left_out": len(classes) - len(order),
        "words": sentences.data(
            len(codes),
            len(names),
            n_numeric,
            n_gaps,
            noun=rows_noun(evidence.origin.overlap),
        ),
    }


def _describe(name: str, column: np.ndarray) -> dict[str, Any]:
    row: dict[str, Any] = {"name": name, "n_missing": n_missing(column)}
    if column.dtype != float:
        given = np.array([str(cell) for cell in column if cell is not None], dtype=str)
        values, counts = np.unique(given, return_counts=True)
        common = [
            {"value": shorten(str(values[i]), MAX_CELL, values), "n": counts[i]}
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
    words = sentences.network(record.name, record.network is not None)
    return {"drawing": record.network, "text": record.summary, "words": words}


def training(record: FittedRecord) -> dict[str, Any] | None:
    """Return the curves of training, and the baseline loss."""
    history = record.history
    if history is None or "loss" not in history or not len(history):
        return None
    known: dict[str, np.ndarray | None] = {}
    for name in ("loss", "val_loss", "accuracy", "val_accuracy"):
        values = np.asarray(history.get(name, []), dtype=float)
        known[name] = values if np.isfinite(values).any() else None
    losses, tried = known["val_loss"], record.tried_losses
    section = {
        "n_epochs": len(history),
        **plain(known),
        "loss": [None] if known["loss"] is None else plain(known["loss"]),
        "baseline_loss": record.baseline_loss,
        "best_epoch": None if losses is None else int(np.nanargmin(losses)) + 1,
        "kept_epoch": record.kept_epoch or len(history),
        "n_networks": record.n_networks,
        "n_tried": None if tried is None else len(tried),
        "lowest_tried": None if tried is None else min(tried),
    }
    return {**section, "words": sentences.training(section)}


def confusion(evidence: Evidence) -> dict[str, Any]:
    """Return the confusion matrix, and the most frequent mistakes."""
    matrix, classes = evidence.performance.confusion, evidence.classes
    off = matrix - np.diag(np.diag(matrix))
    order = np.argsort(-off, axis=None, kind="stable")[:N_MISTAKES]
    largest = []
    for i, j in zip(*np.unravel_index(order, off.shape), strict=True):
        if off[i, j]:
            pair = {"actual": classes[i], "predicted": classes[j]}
            share = off[i, j] / matrix[i].sum()
            largest.append({**pair, "n": off[i, j], "share": share})
    counts = {"matrix": matrix, "n_right": np.trace(matrix), "largest": largest}
    section = {"classes": classes, **counts}
    return {**section, "words": sentences.confusion(section, len(evidence.codes))}


def calibration(evidence: Evidence) -> dict[str, Any]:
    """Return reliability curves of the predicted class and of each shown class."""
    measured, codes = evidence.performance, evidence.codes
    curves = [_curve(bins) for bins in measured.reliability_by_class]
    by_class = [
        {"class": evidence.classes[k], "curve": curves[k]}
        for k in evidence.shown
        if (codes == k).any()  # of a class without rows nothing comes true
    ]
    top = evidence.probabilities[np.arange(len(codes)), evidence.predicted]
    section = {
        "curve": _curve(measured.reliability),
        "by_class": by_class,
        "n_bins": N_CALIBRATION_BINS,
        "mean_confidence": top.mean(),
        "accuracy": measured.scores["accuracy"].value,
        "accuracy_low": measured.scores["accuracy"].low,
        "accuracy_high": measured.scores["accuracy"].high,
        "error": score_of(measured, "calibration_error"),
    }
    return {**section, "words": sentences.calibration(section, evidence.subject)}


def _curve(bins: tuple[Bin, ...]) -> list[dict[str, Any]]:
    return [dict(vars(one)) for one in bins]
