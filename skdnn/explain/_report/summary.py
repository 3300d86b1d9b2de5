"""Results of the explain functions -> one plain dict, from which all else follows.

What the report says stands in the dict: numbers, names and sentences. Renderers add
nothing to it, so a page and the dict cannot disagree.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np

from skdnn.explain._methods.performance import SCORES, Performance, difference
from skdnn.explain._report import row_sections, sections, trust_sections
from skdnn.explain._report import words as _words
from skdnn.explain._report.fitted_record import FittedRecord

N_CLASSES_SHOWN = 6  # as many as can be told apart by colour


@dataclass(frozen=True)
class Evidence:
    """All results that a report is made of.

    `shap_rows` are the positions in X of the rows that `shap` explains, the chosen ones
    among them; `chosen` the positions of the rows to show, with the reason for each.
    They are the first rows of `lime`, and the rows of `break_down`, `ceteris_paribus`
    and `counterfactuals`; the last is None where there can be none.
    `deletion` and `reruns` are by the name of the method.
    """

    title: str | None
    record: FittedRecord
    X: Any
    feature_names: Sequence[Any]
    classes: np.ndarray
    codes: np.ndarray
    probabilities: np.ndarray
    predicted: np.ndarray
    performance: Performance
    simple: Performance | None
    simple_note: str
    base: Performance
    importance: Any
    scoring: str
    profiles: Any
    accumulated: Any
    shap: Any
    shap_rows: Sequence[int]
    lime: Any
    chosen: Sequence[tuple[int, str]]
    break_down: Any
    ceteris_paribus: Any
    counterfactuals: Any
    agreement: Any
    checks: Sequence[Any]
    deletion: Mapping[str, Any]
    reruns: Mapping[str, Any]
    n_background: int
    random_state: int | None


def summarise(evidence: Evidence) -> dict[str, Any]:
    """Put the results of one report into a dict that `json.dumps` takes.

    Raises
    ------
    ValueError
        If the rows to explain are not among those that SHAP explained.
    """
    record = evidence.record
    is_network = record.history is not None or record.network is not None
    names = [str(name) for name in evidence.feature_names]
    classes = [str(label) for label in evidence.classes.tolist()]
    shown = _shown_classes(evidence.codes, len(classes))
    n_rows = len(evidence.codes)
    summary: dict[str, Any] = {
        "title": str(evidence.title or f"{record.name}, explained"),
        "estimator": record.name,
        "steps": list(record.steps),
        "subject": "network" if is_network else "model",
        "n_rows": n_rows,
        "n_columns": len(names),
        "classes": classes,
        "shown_classes": shown,
        "n_background": evidence.n_background,
        "random_state": evidence.random_state,
        "version": _version(),
    }
    subject = summary["subject"]
    summary["scores"] = _scores(evidence)
    summary["confusion"] = _confusion(evidence, classes, subject)
    summary["calibration"] = _calibration(evidence, classes, shown, subject)
    summary["data"] = sections.data(evidence.X, names, evidence.codes, classes)
    summary["network"] = sections.network(record)
    summary["training"] = sections.training(record)
    summary["permutation_importance"] = sections.importance(
        evidence.importance, names, evidence.scoring
    )
    summary["partial_dependence"] = sections.profiles(
        evidence.profiles,
        classes,
        shown,
        summary["permutation_importance"],
        _words.profile,
    )
    summary["accumulated_local_effects"] = sections.profiles(
        evidence.accumulated,
        classes,
        shown,
        summary["permutation_importance"],
        _words.accumulated,
    )
    summary["shap"] = sections.shap(evidence, names, classes, shown)
    summary["rows"] = row_sections.rows(evidence, names, classes, shown, subject)
    summary["lime"] = row_sections.lime(evidence, summary["rows"])
    summary["agreement"] = trust_sections.agreement(
        evidence.agreement, len(evidence.lime.values)
    )
    summary["checks"] = trust_sections.checks(evidence.checks)
    summary["deletion"] = trust_sections.deletion(evidence.deletion)
    summary["stability"] = trust_sections.stability(evidence.reruns)
    summary["verdict"] = _words.verdict(summary)
    return plain(summary)


def plain(value: Any) -> Any:
    """Turn arrays and numpy numbers into Python's; what is not finite into None.

    >>> plain({"a": np.array([1.0, np.nan]), 2: np.bool_(True)})
    {'a': [1.0, None], '2': True}
    """
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if value is None or isinstance(value, bool | np.bool_):
        return None if value is None else bool(value)
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return float(value) if np.isfinite(value) else None
    return str(value)


def _version() -> str:
    return version("skdnn")


def _shown_classes(codes: np.ndarray, n_classes: int) -> list[int]:
    """Pick the classes that get a colour: all, or those with most rows."""
    counts = np.bincount(codes, minlength=n_classes)
    commonest = np.argsort(-counts, kind="stable")[:N_CLASSES_SHOWN]
    return sorted(commonest.tolist())


def _score(performance: Performance | None, name: str) -> dict[str, Any]:
    if performance is None:
        return {"value": None, "low": None, "high": None}
    score = performance.scores[name]
    return {"value": score.value, "low": score.low, "high": score.high}


_TITLES = {
    "accuracy": ("Accuracy", "share of rows that are right", True),
    "balanced_accuracy": ("Balanced accuracy", "the same, each class counting", True),
    "log_loss": ("Log loss", "mean surprise at the true class", False),
    "roc_auc": ("ROC AUC", "one class against the rest, on average", True),
    "calibration_error": ("Calibration error", "confidence against accuracy", False),
}


def _scores(evidence: Evidence) -> dict[str, Any]:
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
                "simple": _score(evidence.simple, name),
                "baseline": {"value": evidence.base.scores[name].value},
            }
        )
    lead: dict[str, float | None] = {"value": None, "low": None, "high": None}
    if evidence.simple is not None:
        score = difference(evidence.performance, evidence.simple, "accuracy")
        lead = {"value": score.value, "low": score.low, "high": score.high}
    section = {
        "rows": rows,
        "lead": lead,
        "simple_note": evidence.simple_note if evidence.simple is not None else "",
        "simple_missing": "" if evidence.simple is not None else evidence.simple_note,
        "n_draws": len(evidence.performance.draws["accuracy"]),
    }
    is_network = (
        evidence.record.history is not None or evidence.record.network is not None
    )
    subject = "network" if is_network else "model"
    return {**section, "words": _words.compared(section, subject)}


def _confusion(evidence: Evidence, classes: list[str], subject: str) -> dict[str, Any]:
    matrix = evidence.performance.confusion
    off = matrix - np.diag(np.diag(matrix))
    order = np.argsort(-off, axis=None, kind="stable")[:20]
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
    words = _words.confusion(section, len(evidence.codes), subject)
    return {**section, "words": words}


def _calibration(
    evidence: Evidence, classes: list[str], shown: list[int], subject: str
) -> dict[str, Any]:
    performance = evidence.performance
    top = evidence.probabilities[np.arange(len(evidence.codes)), evidence.predicted]
    # A class that no row has says nothing about calibration but "zero".
    held = [k for k in shown if (evidence.codes == k).any()]
    section = {
        "curve": [vars(point) for point in performance.reliability],
        "by_class": [
            {
                "class": classes[k],
                "curve": [vars(point) for point in performance.reliability_by_class[k]],
            }
            for k in held
        ],
        "mean_confidence": float(top.mean()),
        "accuracy": performance.scores["accuracy"].value,
        "error": _score(performance, "calibration_error"),
    }
    return {**section, "words": _words.calibration(section, subject)}
