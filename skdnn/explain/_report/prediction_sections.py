"""Sections on the quality of the predictions: scores, confusion, calibration."""

from typing import Any

import numpy as np

from skdnn._estimator.calibration import N_CALIBRATION_BINS
from skdnn.explain._methods.performance import (
    SCORES,
    Bin,
    Performance,
    Score,
    difference,
)
from skdnn.explain._report import sentences
from skdnn.explain._report.evidence import Evidence

N_MISTAKES = 20  # pairs of classes in the table of mistakes

_TITLES = {
    "accuracy": ("Accuracy", "share of correct predictions", True),
    "balanced_accuracy": ("Balanced accuracy", "mean recall of the classes", True),
    "log_loss": ("Log loss", "mean -log probability of the true class", False),
    "roc_auc": ("ROC AUC", "each class against the rest, mean", True),
    "calibration_error": ("Calibration error", "confidence against accuracy", False),
}


def scores(evidence: Evidence) -> dict[str, Any]:
    """Return all scores of the classifier, the simple model and the baseline."""
    simple = evidence.simple
    rows = []
    for name in SCORES:
        title, meaning, high_is_good = _TITLES[name]
        rows.append(
            {
                "name": name,
                "title": title,
                "meaning": meaning,
                "high_is_good": high_is_good,
                "model": _score(evidence.performance, name),
                "simple": _score(simple, name),
                "baseline": {"value": evidence.base.scores[name].value},
            }
        )
    lead = Score(None)
    if simple is not None:
        lead = difference(evidence.performance, simple, "accuracy")
    section = {
        "rows": rows,
        "lead": dict(vars(lead)),
        "simple_note": "" if simple is None else evidence.simple_note,
        "simple_missing": evidence.simple_note if simple is None else "",
        "n_draws": len(evidence.performance.draws["accuracy"]),
    }
    return {**section, "words": sentences.scores(section, evidence.subject)}


def _score(performance: Performance | None, name: str) -> dict[str, Any]:
    score = Score(None) if performance is None else performance.scores[name]
    return dict(vars(score))


def confusion(evidence: Evidence) -> dict[str, Any]:
    """Return the confusion matrix, and the most frequent mistakes."""
    matrix, classes = evidence.performance.confusion, evidence.classes
    off = matrix - np.diag(np.diag(matrix))
    order = np.argsort(-off, axis=None, kind="stable")[:N_MISTAKES]
    largest = [
        {
            "actual": classes[i],
            "predicted": classes[j],
            "n": int(off[i, j]),
            "share": off[i, j] / matrix[i].sum(),
        }
        for i, j in zip(*np.unravel_index(order, off.shape), strict=True)
        if off[i, j]
    ]
    section = {
        "classes": classes,
        "matrix": matrix,
        "n_right": int(np.trace(matrix)),
        "largest": largest,
    }
    return {**section, "words": sentences.confusion(section, len(evidence.codes))}


def calibration(evidence: Evidence) -> dict[str, Any]:
    """Return reliability curves of the predicted class and of each shown class."""
    performance = evidence.performance
    top = evidence.probabilities[np.arange(len(evidence.codes)), evidence.predicted]
    # of a class without rows nothing comes true
    with_rows = [k for k in evidence.shown if (evidence.codes == k).any()]
    section = {
        "curve": _curve(performance.reliability),
        "by_class": [
            {
                "class": evidence.classes[k],
                "curve": _curve(performance.reliability_by_class[k]),
            }
            for k in with_rows
        ],
        "n_bins": N_CALIBRATION_BINS,
        "mean_confidence": float(top.mean()),
        "accuracy": performance.scores["accuracy"].value,
        "error": _score(performance, "calibration_error"),
    }
    return {**section, "words": sentences.calibration(section, evidence.subject)}


def _curve(bins: tuple[Bin, ...]) -> list[dict[str, Any]]:
    return [dict(vars(one)) for one in bins]
