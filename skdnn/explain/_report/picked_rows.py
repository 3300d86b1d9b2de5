"""Section on the rows to pick from: each in brief, for the class predicted for it."""

from typing import Any

import numpy as np

from skdnn._runtime.names import shorten
from skdnn.explain._report import sentences
from skdnn.explain._report.cells import cell_text
from skdnn.explain._report.evidence import Evidence
from skdnn.explain._report.row_sections import MAX_LABEL, prediction
from skdnn.explain._results.frames import rows_by

N_FEATURES = 8  # columns with the largest attributions
_N_CELLS = 6  # columns of the table of similar rows


def more_rows(evidence: Evidence) -> list[dict[str, Any]]:
    """Explain the rows that SHAP explains, except those that are chosen."""
    chosen = {row for row, _ in evidence.chosen}
    where = {row: i for i, row in enumerate(evidence.more)}
    return [
        _row(evidence, row, at, where[row])
        for at, row in enumerate(evidence.shap_rows)
        if row not in chosen
    ]


def _row(evidence: Evidence, row: int, at: int, i: int) -> dict[str, Any]:
    k, shap = int(evidence.predicted[row]), evidence.shap
    order = np.argsort(-np.abs(shap.values[at, :, k]), kind="stable")
    label = None if evidence.row_labels is None else evidence.row_labels[row]
    section = {
        "position": row,
        "label": None if label in (None, str(row)) else shorten(label, MAX_LABEL),
        "reason": "",
        **prediction(evidence, row, k),
        "features": [
            {
                "feature": evidence.feature_names[j],
                "cell": cell_text(evidence.columns[j][row]),
                "shap": shap.values[at, j, k],
            }
            for j in order[:N_FEATURES]
        ],
        "n_more": max(0, len(order) - N_FEATURES),
        "more": shap.values[at, order[N_FEATURES:], k].sum(),
        "curves": _curves(evidence, i, k),
    }
    return {
        **section,
        "headline": sentences.row_headline(section, evidence.subject),
        "words": shap.describe(at, target_class=shap.class_names[k]),
    }


def _curves(evidence: Evidence, i: int, k: int) -> list[dict[str, Any]]:
    """Return how the probability of the predicted class varies along some columns."""
    result = evidence.more_curves
    if result is None or result.own is None:
        return []
    table = result.table[result.table["sample"] == i]
    label = np.array([str(one) == evidence.classes[k] for one in table["class"]])
    curves = []
    for (name,), where in rows_by(table["feature"]).items():
        part = table.iloc[[i for i in where if label[i]]]
        x = part["x"].tolist()
        values = part["value"].tolist()
        curves.append(
            {
                "feature": name,
                "own": cell_text(result.own[name][i]),
                "first": cell_text(x[0]),
                "last": cell_text(x[-1]),
                "values": np.round(values, 3).tolist(),
                "low": min(values),
                "high": max(values),
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
    for i, row in enumerate(evidence.shap_rows):
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
