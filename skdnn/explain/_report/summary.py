"""Results of the explain functions -> one plain dict of numbers, names and sentences.

Renderers add nothing to the dict, so that the page and the dict agree.
"""

from importlib.metadata import version
from typing import Any

import numpy as np

from skdnn.explain._report import (
    column_sections,
    data_sections,
    prediction_sections,
    row_sections,
    sentences,
    trust_sections,
)
from skdnn.explain._report.evidence import Evidence


def summarise(evidence: Evidence) -> dict[str, Any]:
    """Return the results of one report as a dict that `json.dumps` accepts.

    ValueError if the rows to explain are not among those that SHAP explained.
    """
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
        "scores": prediction_sections.scores(evidence),
        "confusion": prediction_sections.confusion(evidence),
        "calibration": prediction_sections.calibration(evidence),
        "data": data_sections.data(evidence),
        "network": data_sections.network(record),
        "training": data_sections.training(record),
        "permutation_importance": ranking,
        "partial_dependence": column_sections.profiles(
            evidence.profiles, evidence, ranking, sentences.profile
        ),
        "accumulated_local_effects": column_sections.profiles(
            evidence.accumulated, evidence, ranking, sentences.accumulated
        ),
        "shap": column_sections.shap(evidence),
        "rows": rows,
        "lime": row_sections.lime(evidence, rows),
        "agreement": trust_sections.agreement(evidence),
        "checks": trust_sections.checks(evidence),
        "deletion": trust_sections.deletion(evidence),
        "stability": trust_sections.stability(evidence),
    }
    summary["verdict"] = sentences.verdict(summary)
    return {str(key): plain(value) for key, value in summary.items()}


def plain(value: Any) -> Any:
    """Return arrays and NumPy numbers as Python's, and None for what is not finite.

    >>> plain({"a": np.array([1.0, np.nan]), 2: np.bool_(True)})
    {'a': [1.0, None], '2': True}
    """
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float):
        return value if np.isfinite(value) else None
    return value if value is None or isinstance(value, bool | int | str) else str(value)
