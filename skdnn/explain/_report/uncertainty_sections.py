"""Section on rows whose class the classifier does not know, and how often it does."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from skdnn._runtime.names import shorten
from skdnn.explain._model.prediction_sets import MEASURED, SPLIT, UNKNOWN
from skdnn.explain._report import sentences
from skdnn.explain._report.cells import cell_text, plain
from skdnn.explain._report.evidence import Evidence
from skdnn.explain._report.row_sections import MAX_LABEL
from skdnn.explain._results.performance import SMALL_GROUP, Performance, part_of
from skdnn.explain._results.uncertainty import Uncertainty
from skdnn.explain._text import formatting
from skdnn.explain._text.performance import describe_group_coverage, describe_sets
from skdnn.explain._text.uncertainty import headline

N_ROWS = 12  # of the table
N_GROUPS = 30
_GUARANTEES = {
    SPLIT: (
        "Their thresholds are from validation rows (split conformal prediction): on "
        "average over draws of such rows, sets of rows like them hold the class at "
        "least as often as the level. Early stopping and calibration on the same rows "
        "weaken this slightly."
    ),
    MEASURED: (
        "Their thresholds are from rows that some of the networks left out, while "
        "all networks predict: no bound is proven for that, and the shares in the "
        "table are measured."
    ),
    UNKNOWN: (
        "They are what predict_set of the classifier returns; the report does not know "
        "what is proven of them."
    ),
}


def uncertainty(evidence: Evidence) -> dict[str, Any] | None:
    """Return counts, coverage and a table of uncertain rows; None if none is known."""
    result, scores = evidence.uncertainty, evidence.decisions
    if result is None or not (has_evidence(result) and len(result)):
        return None
    open_rows = np.flatnonzero(result.several | result.disagree | result.unusual)
    groups = _groups(scores)
    return {
        "headline": headline(result),
        "words": result.describe(),
        "sample": sentences.sample(len(result), len(evidence.codes)),
        "n_rows": len(result),
        "n_uncertain": len(open_rows),
        "n_several": None if result.sets is None else int(result.several.sum()),
        "n_disagree": None if result.votes is None else int(result.disagree.sum()),
        "n_unlike": None if result.p_values is None else int(result.unusual.sum()),
        "level": result.confidence_level,
        "n_members": result.n_members,
        "member": result.member,
        "drift": evidence.drift,
        "coverage": describe_sets(scores),
        "guarantee": _GUARANTEES.get(scores.guarantee, ""),
        "levels": _levels(scores),
        "by": scores.by,
        "group_words": _group_words(scores, groups),
        "groups": groups,
        "rows": [_row(evidence, result, at) for at in _first(evidence, open_rows)],
        "by_row": {
            str(evidence.uncertain_rows[at]): result.describe(at)
            for at in _readable(evidence)
        },
    }


def has_evidence(result: Uncertainty) -> bool:
    """Return whether anything is known of the rows."""
    parts = (result.sets, result.votes, result.p_values)
    return any(part is not None for part in parts)


def _readable(evidence: Evidence) -> list[int]:
    """Return positions, among the uncertain rows, of those that are explained."""
    where = {row: at for at, row in enumerate(evidence.uncertain_rows)}
    return [where[row] for row in evidence.readable]


def _first(evidence: Evidence, rows: np.ndarray) -> list[int]:
    """Return the rows of the table: those with most signs first."""
    result = evidence.uncertainty
    assert result is not None  # there is a section
    signs = result.several.astype(int) + result.disagree + result.unusual
    top = evidence.probabilities[list(evidence.uncertain_rows)].max(axis=1)
    order = np.lexsort((top[rows], -signs[rows]))[:N_ROWS]
    return [int(at) for at in rows[order]]


def _row(evidence: Evidence, result: Uncertainty, at: int) -> dict[str, Any]:
    """Return a row of the table."""
    row = evidence.uncertain_rows[at]
    k, actual = int(evidence.predicted[row]), int(evidence.codes[row])
    label = None if evidence.row_labels is None else evidence.row_labels[row]
    classes = None
    if result.sets is not None:
        classes = [evidence.classes[c] for c in np.flatnonzero(result.sets[at])]
    reason = str(result.reasons[at])
    return {
        "position": row,
        "label": None if label in (None, str(row)) else shorten(label, MAX_LABEL),
        "is_readable": row in evidence.readable,
        "predicted": evidence.classes[k],
        "actual": evidence.classes[actual],
        "right": k == actual,
        "probability": evidence.probabilities[row, k],
        "classes": classes,
        "n_disagree": None if result.votes is None else int(result.n_disagree[at]),
        "p_value": None if result.p_values is None else result.p_values[at],
        "reason": reason[:1].upper() + reason[1:],
    }


def _levels(scores: Performance) -> list[dict[str, Any]]:
    if scores.sets is None:
        return []
    records = scores.sets.to_dict("records")
    return [
        {str(name): plain(value) for name, value in record.items()}
        for record in records
    ]


def _groups(scores: Performance) -> list[dict[str, Any]]:
    """Return coverage, and the share of sets with one class, of each group."""
    if scores.groups is None or scores.sets is None:
        return []
    table = part_of(scores.groups, None)
    sections = []
    for covered, single in zip(
        table[table["score"] == "coverage"].itertuples(),
        table[table["score"] == "one_class"].itertuples(),
        strict=True,
    ):
        score = {"value": covered.value, "low": covered.ci_low, "high": covered.ci_high}
        sections.append(
            {
                "group": cell_text(covered.group),
                "n": int(covered.n_rows),
                "is_small": bool(covered.is_small),
                "coverage": plain(score),
                "one_class": plain(single.value),
            }
        )
    return sections[:N_GROUPS]


def _group_words(scores: Performance, groups: Sequence[Mapping[str, Any]]) -> str:
    """Describe whether coverage differs between groups, and name the small ones."""
    if not groups:
        return ""
    text = describe_group_coverage(scores)[1] or "No group could be compared."
    small = [formatting.quote(group["group"]) for group in groups if group["is_small"]]
    if small:
        verb = "has" if len(small) == 1 else "have"
        text += (
            f" {formatting.join(small)} {verb} fewer than {SMALL_GROUP} rows, too few "
            "for a narrow interval."
        )
    return text
