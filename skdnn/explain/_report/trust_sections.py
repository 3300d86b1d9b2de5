"""Sections on how far explanations can be relied on."""

from typing import Any

from skdnn.explain._report import sentences
from skdnn.explain._report.cells import plain
from skdnn.explain._report.evidence import Evidence
from skdnn.explain._results.checks import FIRES, NOT_APPLICABLE, SILENT, VERDICTS

_SEVERITIES = ("high", "medium", "low")


def agreement(evidence: Evidence) -> dict[str, Any]:
    """Return how far the methods agree, SHAP with LIME first."""
    pairs = evidence.agreement.frame().itertuples(index=False)
    rows = [
        {"methods": f"{a} and {b}", "rank": plain(rank), "sign": plain(sign)}
        for a, b, rank, sign in pairs
    ]
    n_rows = len(evidence.lime.values)
    words = sentences.agreement({**rows[0], "n_rows": n_rows})
    return {"rows": rows, "n_rows": n_rows, "words": words}


def checks(evidence: Evidence) -> dict[str, Any]:
    """Return the findings of the checks of all results by their verdict."""
    by_verdict: dict[str, list[dict[str, str]]] = {name: [] for name in VERDICTS}
    for result in evidence.checks:
        for finding in result:
            entry = {**vars(finding), "of": result.of}
            by_verdict[entry.pop("verdict")].append(entry)
    by_verdict[FIRES].sort(key=lambda entry: _SEVERITIES.index(entry["severity"]))
    section = {
        "fired": by_verdict[FIRES],
        "silent": by_verdict[SILENT],
        "n_not_applicable": len(by_verdict[NOT_APPLICABLE]),
    }
    return {**section, "words": sentences.checks(section)}


def deletion(evidence: Evidence) -> list[dict[str, Any]]:
    """Return the deletion curve of each method, and that of random orders."""
    sections = []
    for name, result in evidence.deletion.items():
        section = {
            "method": name,
            "curve": result.frame().to_dict("records"),
            "area": result.area,
            "random_area": result.areas.mean(),
            "chance": result.chance,
            "n_rows": result.n_samples,
            "unit": result.unit,
        }
        sections.append({**section, "words": sentences.deletion(section)})
    return sections


def stability(evidence: Evidence) -> dict[str, Any]:
    """Return how much the attributions of each method change with the seed."""
    rows = [
        {
            "method": name,
            "n_seeds": len(table),
            "n_rows": table["n_rows"].max(),
            "rank": table["rank"].min(),
            "sign": table["sign"].min(),
            "moved": table["moved"].max(),
        }
        for name, table in evidence.reruns.items()
        if table is not None
    ]
    return {"rows": rows, "words": sentences.stability(rows)}
