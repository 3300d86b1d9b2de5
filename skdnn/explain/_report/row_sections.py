"""The sections of the summary that tell of single rows."""

from typing import Any

import numpy as np

from skdnn._runtime.names import shorten
from skdnn.explain._report import words as _words
from skdnn.explain._report.sections import N_TABLE, cell_text, curve
from skdnn.explain._report.simple_model import columns_of, is_missing
from skdnn.explain._text import formatting

N_CELLS = 12  # columns of X in the picture of one row
N_CURVES = 3  # columns whose cell is moved
LOW_R2 = 0.5


def rows(
    evidence: Any, names: list[str], classes: list[str], shown: list[int], subject: str
) -> list[dict[str, Any]]:
    """Explain each chosen row for the class that was predicted for it."""
    where = {int(row): i for i, row in enumerate(evidence.shap_rows)}
    missing = [row for row, _ in evidence.chosen if row not in where]
    if missing:
        raise ValueError(f"shap_rows must hold the chosen rows. Got none of {missing}.")
    columns = columns_of(evidence.X)
    return [
        _row(
            evidence,
            where[row],
            i,
            row,
            reason,
            columns,
            names,
            classes,
            shown,
            subject,
        )
        for i, (row, reason) in enumerate(evidence.chosen)
    ]


def _row(evidence, at, i, row, reason, columns, names, classes, shown, subject):
    k = int(evidence.predicted[row])
    actual = int(evidence.codes[row])
    shap_values = np.asarray(evidence.shap.values[at])
    lime_values = np.asarray(evidence.lime.values[i])
    half = evidence.shap.interval()[1][at, :, k] - shap_values[:, k]
    order = np.argsort(-np.abs(shap_values[:, k]), kind="stable")
    told = list(dict.fromkeys([k, actual, *shown]))[: len(shown)]
    probabilities = evidence.probabilities[row]
    likely = np.argsort(-probabilities, kind="stable")[:6].tolist()
    likely = likely if actual in likely else [*likely[:5], actual]
    scores = getattr(evidence.lime, "score", None)
    local_r2 = None if scores is None else float(np.asarray(scores)[i, k])

    def cell(j: int) -> str:
        return cell_text(columns[j][row])

    def told_of(j: int, of: Any) -> dict[str, Any]:
        values = {"shap": shap_values[j, of], "lime": lime_values[j, of]}
        return {"feature": names[j], "cell": cell(j), **values}

    section = {
        "position": row,
        "label": _row_label(evidence.X, row),
        "reason": reason,
        "predicted": classes[k],
        "actual": classes[actual],
        "right": k == actual,
        "probability": probabilities[k],
        "probabilities": [
            {"class": classes[c], "value": probabilities[c]} for c in sorted(likely)
        ],
        "base_value": evidence.shap.base_values[k],
        "residual": evidence.shap.residual[at, k],
        "features": [{**told_of(j, k), "shap_error": half[j]} for j in order[:N_CELLS]],
        "n_more": max(0, len(names) - N_CELLS),
        "more": shap_values[order[N_CELLS:], k].sum(),
        "lime_r2": local_r2,
        "lime_is_poor": local_r2 is None or not local_r2 >= LOW_R2,
        "table_classes": [classes[c] for c in told],
        "table": [told_of(j, told) for j in order[:N_TABLE]],
    }
    words = evidence.shap.describe(at, target_class=evidence.shap.class_names[k])
    return {
        **section,
        "steps": _steps(evidence.break_down, i, k, names, cell),
        "ceteris_paribus": _ceteris_paribus(evidence, i, order, names, classes, shown),
        "counterfactual": _counterfactual(evidence.counterfactuals, i),
        "headline": _words.row_header(section, subject),
        "words": words,
        "lime_words": _words.row_lime(section),
    }


def _steps(result: Any, i: int, k: int, names: list[str], cell: Any) -> list[dict]:
    """Give the steps of break-down, in their order; the last ones in one."""
    values, order = result.values[i, :, k], result.orders[i]
    at = float(result.base_values[k])
    steps = []
    for j in order[:N_CELLS]:
        end = at + float(values[j])
        told = {"feature": names[j], "cell": cell(j), "value": float(values[j])}
        steps.append({**told, "start": at, "end": end})
        at = end
    rest = order[N_CELLS:]
    if len(rest):
        value = float(values[rest].sum())
        told = {
            "feature": formatting.count(len(rest), "other column"),
            "cell": "together",
        }
        steps.append({**told, "value": value, "start": at, "end": at + value})
    return steps


def _ceteris_paribus(evidence, i, order, names, classes, shown) -> list[dict]:
    """Give the curves of the columns that count most, and where the row stands."""
    frame = evidence.ceteris_paribus.frame()
    own = evidence.ceteris_paribus.own
    frame = frame[frame["sample"] == i]
    frame = frame.assign(**{"class": frame["class"].astype(str)})
    curves = []
    for j in order[:N_CURVES]:
        rows = frame[frame["feature"].astype(str) == names[j]]
        cell = own[names[j]][i]
        drawn = curve(rows, names[j], classes, shown, cell)
        if drawn["words"]:
            drawn["own"] = cell_text(None if is_missing(cell) else cell)
        else:
            drawn["own"] = None if is_missing(cell) else float(cell)
        curves.append({**drawn, "sentence": _words.ceteris_paribus(drawn)})
    return curves


def _counterfactual(result: Any, i: int) -> dict[str, Any] | None:
    """Give what would make the row another class, as a sentence and cell by cell."""
    if result is None:
        return None
    changes = result.changes()
    changes = changes[changes["sample"] == i]
    cells = [
        {"feature": str(c.feature), "old": cell_text(c.old), "new": cell_text(c.new)}
        for c in changes.itertuples(index=False)
    ]
    return {"words": result.describe(i), "changes": cells}


def _row_label(X: Any, row: int) -> str | None:
    """Give the index label of a row where it says more than its position."""
    index = getattr(X, "index", None)
    if not hasattr(index, "tolist"):
        return None
    label = str(index[row])  # type: ignore[index]
    return None if label == str(row) else shorten(label, 40)


def lime(evidence: Any, explained: list[dict[str, Any]]) -> dict[str, Any]:
    """Say how LIME was run and for how many rows its line fits badly."""
    poor = sum(row["lime_is_poor"] for row in explained)
    return {
        "method": str(evidence.lime.method),
        "n_background": int(evidence.lime.n_background),
        "n_rows": len(evidence.lime.values),
        "n_poor": poor,
        "threshold": LOW_R2,
    }
