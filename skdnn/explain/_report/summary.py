"""Results of the explain functions -> one plain dict of numbers, names and sentences.

Renderers add nothing to the dict, so that the page and the dict agree.
"""

from importlib.metadata import version
from typing import Any

from skdnn.explain._report import (
    column_sections,
    model_sections,
    origin,
    performance_sections,
    picked_rows,
    rival_sections,
    rival_sentences,
    row_sections,
    sentences,
    trust_sections,
    uncertainty_sections,
)
from skdnn.explain._report.cells import plain
from skdnn.explain._report.evidence import Evidence

# Raised with every change of names or meanings in the dict.
SCHEMA = 3


def summarise(evidence: Evidence) -> dict[str, Any]:
    """Return the results of one report as a dict that `json.dumps` accepts."""
    record = evidence.record
    ranking = column_sections.importance(evidence)
    rows = row_sections.rows(evidence)
    summary: dict[str, Any] = {
        "title": str(evidence.title or f"{record.name}, explained"),
        "estimator": record.name,
        "steps": list(record.steps),
        "subject": evidence.subject,
        "n_rows": len(evidence.codes),
        "n_columns": len(evidence.feature_names),
        "classes": evidence.classes,
        "shown_classes": evidence.shown,
        "n_background": evidence.n_background,
        "random_state": evidence.random_state,
        "version": version("skdnn"),
        "schema": SCHEMA,
        "origin": origin.section(evidence.origin, evidence.subject),
        "scores": rival_sections.scores(evidence),
        "depth": rival_sections.depth(evidence),
        "decisions": performance_sections.decisions(evidence),
        "search": performance_sections.search(evidence),
        "confusion": model_sections.confusion(evidence),
        "calibration": model_sections.calibration(evidence),
        "data": model_sections.data(evidence),
        "network": model_sections.network(record),
        "training": model_sections.training(record),
        "permutation_importance": ranking,
        "partial_dependence": column_sections.profiles(
            evidence.profiles, evidence, ranking, sentences.profile
        ),
        "accumulated_local_effects": column_sections.profiles(
            evidence.accumulated, evidence, ranking, sentences.accumulated
        ),
        "shap": column_sections.shap(evidence),
        "rows": rows,
        "more_rows": picked_rows.more_rows(evidence),
        "similar_rows": picked_rows.similar_rows(evidence),
        "lime": row_sections.lime(evidence, rows),
        "agreement": trust_sections.agreement(evidence),
        "checks": trust_sections.checks(evidence),
        "deletion": trust_sections.deletion(evidence),
        "stability": trust_sections.stability(evidence),
        "uncertainty": uncertainty_sections.uncertainty(evidence),
    }
    summary |= {
        "verdict": rival_sentences.verdict(summary),
        "first_screen": rival_sentences.first_screen(summary),
    }
    return dict(plain(summary))
