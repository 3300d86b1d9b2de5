"""Sections on rows that are explained one by one."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate
from typing import Any

import numpy as np

from skdnn._runtime.names import shorten
from skdnn.explain._report import sentences
from skdnn.explain._report.cells import cell_text, is_missing
from skdnn.explain._report.column_sections import N_TABLE, curve
from skdnn.explain._report.evidence import Evidence
from skdnn.explain._results.attributions import BreakDown
from skdnn.explain._results.counterfactuals import Counterfactuals
from skdnn.explain._text import formatting

N_FEATURES = 12  # columns in the pictures of one row
N_CURVES = 3  # columns that ceteris paribus varies
N_PROBABILITIES = 6  # classes whose probabilities are drawn
LOW_R2 = 0.5
MAX_LABEL = 40  # characters


def rows(evidence: Evidence) -> list[dict[str, Any]]:
    """Explain each chosen row for the class that was predicted for it."""
    where = {row: i for i, row in enumerate(evidence.shap_rows)}
    return [
        _row(evidence, i, row, where[row], reason)
        for i, (row, reason) in enumerate(evidence.chosen)
    ]


def _row(evidence: Evidence, i: int, row: int, at: int, reason: str) -> dict[str, Any]:
    """Explain the chosen row number `i`: row `row` of X, row `at` of SHAP's."""
    k = int(evidence.predicted[row])
    shap = evidence.shap
    order = np.argsort(-np.abs(shap.values[at, :, k]), kind="stable")
    section = {
        **identity(evidence, row),
        "reason": reason,
        **prediction(evidence, row, k),
        "base_value": shap.base_values[k],
        "residual": shap.residual[at, k],
        **_attributions(evidence, i, row, at, order),
    }
    return {
        **section,
        "steps": steps(evidence, evidence.break_down, i, row, k, N_FEATURES),
        "ceteris_paribus": _curves(evidence, i, order[:N_CURVES].tolist()),
        "counterfactual": _counterfactual(evidence, i),
        "headline": sentences.row_headline(section, evidence.subject),
        "words": shap.describe(at, target_class=shap.class_names[k]),
        "lime_words": sentences.row_lime(section),
    }


def identity(evidence: Evidence, row: int) -> dict[str, Any]:
    """Return the position of a row, its label and its group."""
    label = None if evidence.row_labels is None else evidence.row_labels[row]
    return {
        "position": row,
        # a label that equals the position adds nothing
        "label": None if label in (None, str(row)) else shorten(label, MAX_LABEL),
        "group": None if evidence.row_groups is None else evidence.row_groups[row],
    }


def prediction(evidence: Evidence, row: int, k: int) -> dict[str, Any]:
    """Return predicted and true class of a row, and the highest probabilities."""
    classes, actual = evidence.classes, int(evidence.codes[row])
    probabilities = evidence.probabilities[row]
    top = np.argsort(-probabilities, kind="stable")[:N_PROBABILITIES].tolist()
    top = sorted(top if actual in top else [*top[:-1], actual])
    shown = [{"class": classes[c], "value": probabilities[c]} for c in top]
    return {
        "predicted": classes[k],
        "actual": classes[actual],
        "right": k == actual,
        "probability": probabilities[k],
        "probabilities": shown,
    }


def _attributions(
    evidence: Evidence, i: int, row: int, at: int, order: np.ndarray
) -> dict[str, Any]:
    """Return SHAP and LIME of a row, columns in the order given."""
    k, actual = int(evidence.predicted[row]), int(evidence.codes[row])
    shap, lime = evidence.shap.values[at], evidence.lime.values[i]
    half = evidence.shap.interval()[1][at, :, k] - shap[:, k]
    shown = list(dict.fromkeys([k, actual, *evidence.shown]))[: len(evidence.shown)]
    score, scales = evidence.lime.score, evidence.lime.scales
    local_r2 = None if score is None else score[i, k]
    others = evidence.lime.references

    def entry(j: int, classes: Any) -> dict[str, Any]:
        name, cell = _names(evidence, row, j)
        values = {"shap": shap[j, classes], "lime": lime[j, classes]}
        return {"feature": name, "cell": cell, **values}

    def detailed(j: int) -> dict[str, Any]:
        other = None if others is None else others[i, j]
        compared = None if other is None else cell_text(other)
        return {**entry(j, k), "shap_error": half[j], "lime_reference": compared}

    return {
        "features": [detailed(j) for j in order[:N_FEATURES]],
        "n_more": max(0, len(order) - N_FEATURES),
        "more": shap[order[N_FEATURES:], k].sum(),
        "lime_r2": local_r2,
        "lime_scale": None if scales is None else scales[i],
        "lime_is_poor": is_poor(local_r2),
        "table_classes": [evidence.classes[c] for c in shown],
        "table": [entry(j, shown) for j in order[:N_TABLE]],
    }


def is_poor(local_r2: float | None) -> bool:
    """Return whether the local R² of LIME is too low to rely on it."""
    return local_r2 is None or not local_r2 >= LOW_R2


def _names(evidence: Evidence, row: int, j: int) -> tuple[str, str]:
    """Return the name of a column and its value in a row, as text."""
    return evidence.feature_names[j], cell_text(evidence.columns[j][row])


def steps(
    evidence: Evidence, result: BreakDown, i: int, row: int, k: int, n_shown: int
) -> list[dict[str, Any]]:
    """Return the steps of a break-down in their order, the last ones combined.

    Row `i` of the result is row `row` of X.
    """
    values, order = result.values[i, :, k], result.orders[i]
    parts = [(*_names(evidence, row, j), values[j]) for j in order[:n_shown]]
    rest = order[n_shown:]
    if len(rest):
        name = formatting.count(len(rest), "other column")
        parts.append((name, "together", values[rest].sum()))
    base = result.base_values[k]
    ends = list(accumulate((value for *_, value in parts), initial=base))
    moves = zip(parts, ends[:-1], ends[1:], strict=True)
    return [
        {"feature": feature, "cell": cell, "value": value, "start": start, "end": end}
        for (feature, cell, value), start, end in moves
    ]


def _curves(evidence: Evidence, i: int, columns: Sequence[int]) -> list[dict[str, Any]]:
    """Return the ceteris-paribus curves of a row, and its own value on each."""
    table, own_values = evidence.ceteris_paribus.table, evidence.ceteris_paribus.own
    assert own_values is not None  # curves of rows have them
    table = table[table["sample"] == i]
    curves = []
    for name in (evidence.feature_names[j] for j in columns):
        own = own_values[name][i]
        one = curve(table[table["feature"] == name], name, evidence, own)
        if one["words"]:
            one["own"] = cell_text(own)
        else:
            one["own"] = None if is_missing(own) else float(own)
        words = sentences.ceteris_paribus(one, evidence.positive_class)
        curves.append({**one, "sentence": words})
    return curves


def _counterfactual(evidence: Evidence, i: int) -> dict[str, Any] | None:
    """Return what would change the predicted class, as sentence and value by value."""
    result = evidence.counterfactuals
    if result is None:
        return None
    cells = [
        {"feature": c.feature, "old": cell_text(c.old), "new": cell_text(c.new)}
        for c in result.changes().itertuples(index=False)
        if c.sample == i
    ]
    n, n_all = result.n_background, evidence.n_background
    tried = (
        f"Values of {n:,} of {n_all:,} background rows, drawn at random, were tried."
    )
    return {
        "words": counterfactual_words(result, i),
        "changes": cells,
        "sample": tried if n < n_all else "",
    }


def counterfactual_words(result: Counterfactuals, i: int) -> str:
    """Describe the changes of a row; the section states once what may change."""
    return replace(result, actionable=result.actionable or {}).describe(i)


def lime(evidence: Evidence, explained: list[dict[str, Any]]) -> dict[str, Any]:
    """Return how LIME was run, and for how many of the rows it fits badly."""
    return {
        "method": evidence.lime.method,
        "output": evidence.lime.output,
        "n_background": evidence.lime.n_background,
        "n_rows": len(evidence.lime.values),
        "n_poor": sum(row["lime_is_poor"] for row in explained),
        "threshold": LOW_R2,
    }
