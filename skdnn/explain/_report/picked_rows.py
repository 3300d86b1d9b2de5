"""Section on the rows to pick from: each in brief, for the class predicted for it."""

from typing import Any

import numpy as np

from skdnn.explain._report import sentences
from skdnn.explain._report.cells import cell_text
from skdnn.explain._report.evidence import Evidence
from skdnn.explain._report.picked_explanations import PickedRows
from skdnn.explain._report.row_sections import (
    counterfactual_words,
    identity,
    is_poor,
    prediction,
    steps,
)
from skdnn.explain._results.frames import rows_by

N_FEATURES = 8  # columns with the largest attributions
N_STEPS = 4  # columns of a break-down
_N_CELLS = 6  # columns of the table of similar rows


def more_rows(evidence: Evidence) -> list[dict[str, Any]]:
    """Explain the rows that can be picked, except those that are chosen."""
    picked = evidence.picked
    if picked is None:
        return []
    curves = _curves(evidence, picked)
    return [
        _row(evidence, picked, i, row, curves[i]) for i, row in enumerate(picked.rows)
    ]


def _row(
    evidence: Evidence,
    picked: PickedRows,
    i: int,
    row: int,
    curves: list[dict[str, Any]],
) -> dict[str, Any]:
    k, shap = int(evidence.predicted[row]), picked.shap[i]
    values = shap.values[0, :, k]
    order = np.argsort(-np.abs(values), kind="stable")
    section = {
        **identity(evidence, row),
        "reason": "",
        **prediction(evidence, row, k),
        **_attributions(evidence, picked, i, order[:N_FEATURES]),
        "n_more": max(0, len(order) - N_FEATURES),
        "more": values[order[N_FEATURES:]].sum(),
        "curves": curves,
    }
    counterfactual = picked.counterfactuals
    return {
        **section,
        "headline": sentences.row_headline(section, evidence.subject),
        "words": shap.describe(0, target_class=shap.class_names[k]),
        "lime_words": sentences.row_lime(section),
        "break_down": _steps(evidence, picked, i, row, k),
        "counterfactual": counterfactual and counterfactual_words(counterfactual, i),
    }


def _attributions(
    evidence: Evidence, picked: PickedRows, i: int, columns: np.ndarray
) -> dict[str, Any]:
    """Return SHAP and LIME of some columns, in their order."""
    row = picked.rows[i]
    k, shap, lime = int(evidence.predicted[row]), picked.shap[i], picked.lime[i]
    half = shap.interval()[1][0, :, k] - shap.values[0, :, k]
    local_r2 = None if lime.score is None else lime.score[0, k]
    return {
        "features": [
            {
                "feature": evidence.feature_names[j],
                "cell": cell_text(evidence.columns[j][row]),
                "shap": shap.values[0, j, k],
                "shap_error": half[j],
                "lime": lime.values[0, j, k],
            }
            for j in columns
        ],
        "lime_r2": local_r2,
        "lime_is_poor": is_poor(local_r2),
    }


def _steps(
    evidence: Evidence, picked: PickedRows, i: int, row: int, k: int
) -> dict[str, Any]:
    """Return the steps of the break-down, the last ones combined."""
    result = picked.break_down[i]
    return {
        "base_value": result.base_values[k],
        "steps": steps(evidence, result, 0, row, k, N_STEPS),
    }


def _curves(evidence: Evidence, picked: PickedRows) -> list[list[dict[str, Any]]]:
    """Return for each row how the probability of its class varies along columns."""
    table, own = picked.curves.table, picked.curves.own
    assert own is not None  # curves of rows have them
    cells, values = table["x"].tolist(), table["value"].tolist()
    labels = [evidence.classes[evidence.predicted[row]] for row in picked.rows]
    curves: list[list[dict[str, Any]]] = [[] for _ in picked.rows]
    of_curve = rows_by(table["sample"], table["feature"], table["class"])
    for (i, name, label), where in of_curve.items():
        if str(label) != labels[i]:
            continue
        y = [values[at] for at in where]
        curves[i].append(
            {
                "feature": name,
                "own": cell_text(own[name][i]),
                "first": cell_text(cells[where[0]]),
                "last": cell_text(cells[where[-1]]),
                "values": np.round(y, 3).tolist(),
                "low": min(y),
                "high": max(y),
            }
        )
    return curves


def similar_rows(evidence: Evidence) -> dict[str, Any]:
    """Return the background rows most similar to each row that can be picked.

    By the position of the row: classes and values of the columns that matter most.
    """
    similar = evidence.similar
    if similar is None:
        return {"columns": [], "rows": {}}
    sizes = evidence.importance.table["importance"].to_numpy()
    shown = np.argsort(-sizes, kind="stable")[:_N_CELLS].tolist()
    by_row = {}
    for i, row in enumerate(evidence.readable):
        classes = None
        if similar.codes is not None:
            classes = [evidence.classes[k] for k in similar.codes[i]]
        cells = [[cell_text(cell) for cell in line] for line in similar.cells[i]]
        by_row[str(row)] = {
            "classes": classes,
            "cells": [[line[j] for j in shown] for line in cells],
            "distances": similar.distances[i],
        }
    return {"columns": [evidence.feature_names[j] for j in shown], "rows": by_row}
