"""Sections on what to do with the predictions: classes, thresholds, costs, groups."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from skdnn.explain._report.cells import cell_text, plain
from skdnn.explain._report.evidence import Evidence
from skdnn.explain._results.performance import Performance, part_of
from skdnn.explain._text import formatting

N_THRESHOLDS = 12  # rows of the table
N_DIFFERENCES = 12
N_GROUPS = 30
N_CANDIDATES = 10
_CURVE_POINTS = 60
_BY_CLASS = ("prevalence", "precision", "recall", "f1", "roc_auc", "average_precision")
_BY_GROUP = (
    "accuracy",
    "predicted_share",
    "prevalence",
    "false_positive_rate",
    "false_negative_rate",
    "roc_auc",
    "predicted_minus_observed",
)


def decisions(evidence: Evidence) -> dict[str, Any]:
    """Return scores by class, thresholds, costs, groups and abstention."""
    result = evidence.decisions
    return {
        "words": result.describe(),
        "classes": _classes(result, evidence),
        "curves": _curves(result, evidence),
        "thresholds": _thresholds(result),
        "positive": None if result.positive is None else str(result.positive),
        "decisions": _records(result.decisions) if result.costs is not None else [],
        "abstention": _few(_records(result.abstention), N_THRESHOLDS),
        "by": result.by,
        "groups": _groups(result),
        "differences": _differences(result),
        "note": result.note,
        "multiplicity": result.multiplicity,
    }


def _records(table: pd.DataFrame | None) -> list[dict[str, Any]]:
    if table is None:
        return []
    return [
        {str(name): _cell(value) for name, value in record.items()}
        for record in table.to_dict("records")
    ]


def _cell(value: Any) -> Any:
    """Return a cell as a number, text or None; infinite numbers are None."""
    if value is None or value is pd.NA:
        return None
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, int | float | np.number):
        return plain(value)
    return str(value)


def _few(rows: Sequence[Any], n: int) -> list[Any]:
    """Return at most `n` rows, evenly spaced, the first and the last among them."""
    kept = np.unique(np.linspace(0, len(rows) - 1, min(n, len(rows))).round())
    return [rows[int(i)] for i in kept]


def _by_score(table: pd.DataFrame, names: Iterable[str]) -> dict[str, Any]:
    """Return the scores of a part of the table by their names."""
    known = {row.score: row for row in table.itertuples()}
    return {
        name: {
            "value": _cell(known[name].value),
            "low": _cell(known[name].ci_low),
            "high": _cell(known[name].ci_high),
        }
        for name in names
        if name in known
    }


def _classes(result: Performance, evidence: Evidence) -> list[dict[str, Any]]:
    names = list(result.class_names)
    return [
        {
            "class": evidence.classes[k],
            **_by_score(part_of(result.table, names[k]), _BY_CLASS),
        }
        for k in evidence.shown
    ]


def _curves(result: Performance, evidence: Evidence) -> dict[str, list[dict[str, Any]]]:
    """Return ROC and precision-recall curves of the shown classes."""
    names = list(result.class_names)
    curves = {}
    for kind, x, y in (
        ("roc", "false_positive_rate", "true_positive_rate"),
        ("precision_recall", "recall", "precision"),
    ):
        table = result.curves(kind)
        lines = []
        for k in evidence.distinct:
            part = part_of(table, names[k])[[x, y]].dropna()
            points = _few(part.to_numpy().tolist(), _CURVE_POINTS) if len(part) else []
            lines.append({"class": evidence.classes[k], "points": points})
        curves[kind] = [line for line in lines if line["points"]]
    return curves


def _thresholds(result: Performance) -> list[dict[str, Any]]:
    """Return some thresholds, those that may cost least among them."""
    rows = [{**row, "is_best": False} for row in _records(result.thresholds)]
    known = [row for row in rows if row.get("cost") is not None]
    few = _few(rows, N_THRESHOLDS)
    if known:
        best = min(known, key=lambda row: row["cost"])
        best["is_best"] = True
        few = [row for row in rows if row in few or row is best]
    return few


def _groups(result: Performance) -> list[dict[str, Any]]:
    """Return the scores of each group; of two classes also those of the positive."""
    if result.groups is None:
        return []
    of_class = part_of(result.groups, result.positive)
    sections = []
    for group in dict.fromkeys(result.groups["group"].tolist()):
        whole = part_of(result.groups, None)
        parts = [whole[[one == group for one in whole["group"]]]]
        if result.positive is not None:
            parts.append(of_class[[one == group for one in of_class["group"]]])
        table = pd.concat(parts)
        accuracy = table[table["score"] == "accuracy"].iloc[0]
        sections.append(
            {
                "group": cell_text(group),
                "n": int(accuracy["n_rows"]),
                "is_small": bool(accuracy["is_small"]),
                **_by_score(table, _BY_GROUP),
            }
        )
    return sections[:N_GROUPS]


def _differences(result: Performance) -> list[dict[str, Any]]:
    if result.differences is None:
        return []
    table = result.differences.sort_values(["p_holm", "p_value"], kind="stable")
    return _records(table.head(N_DIFFERENCES))


def search(evidence: Evidence) -> dict[str, Any] | None:
    """Return the candidates of a fitted search, and the nested score if given."""
    candidates, nested = evidence.record.candidates, evidence.nested
    if not candidates and nested is None:
        return None
    section: dict[str, Any] = {
        "candidates": list(candidates)[:N_CANDIDATES],
        "n_candidates": len(candidates),
        "nested": None,
    }
    if nested is not None:
        low, high = nested.interval()
        section["nested"] = {
            "value": float(nested.score),
            "low": float(low),
            "high": float(high),
            "n_folds": len(nested.scores),
        }
    return {**section, "words": _search_words(section)}


def _search_words(section: dict[str, Any]) -> str:
    """State the best score of a search, and what it is worth."""
    text = ""
    if section["candidates"]:
        best = section["candidates"][0]
        text = (
            f"{formatting.count(section['n_candidates'], 'candidate')} were compared "
            f"by cross-validation. The best mean score is "
            f"{formatting.fixed(best['mean'], 3)}; as the best of several it is "
            "optimistic."
        )
    nested = section["nested"]
    if nested is None:
        return f"{text} Pass nested= for a score without this optimism."
    write = formatting.interval(nested, lambda value: formatting.fixed(value, 3))
    return (
        f"{text} Nested cross-validation, which selects again in each of "
        f"{nested['n_folds']} outer folds, gives {write}."
    ).strip()
