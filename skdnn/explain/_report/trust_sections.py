"""The sections of the summary that tell how far explanations can be trusted."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from skdnn.explain._report import words as _words


def agreement(frame: Any, n_rows: int) -> dict[str, Any]:
    """Give the table of how far the methods agree, SHAP with LIME first."""
    rows = [
        {
            "methods": f"{a} and {b}",
            "rank": float(rank) if np.isfinite(rank) else None,
            "sign": float(sign) if np.isfinite(sign) else None,
        }
        for a, b, rank, sign in zip(
            frame["method_a"],
            frame["method_b"],
            frame["rank"],
            frame["sign"],
            strict=True,
        )
    ]
    section = {**rows[0], "rows": rows, "n_rows": n_rows}
    return {"rows": rows, "n_rows": n_rows, "words": _words.agreement(section)}


def checks(results: Sequence[Any]) -> dict[str, Any]:
    """Sort what the checks of all results say by their verdict.

    Parameters
    ----------
    results : sequence of Checks
    """
    found: dict[str, list[dict[str, str]]] = {
        "fires": [], "silent": [], "not applicable": [],
    }  # fmt: skip
    for result in results:
        for finding in result:
            told = {**vars(finding), "of": result.of}
            found[told.pop("verdict")].append(told)
    # what matters most comes first
    weight = {"high": 0, "medium": 1, "low": 2}
    found["fires"].sort(key=lambda told: weight[told["severity"]])
    section = {
        "fired": found["fires"],
        "silent": found["silent"],
        "n_not_applicable": len(found["not applicable"]),
    }
    return {**section, "words": _words.checks(section)}


def deletion(results: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Give the deletion curve of each method beside that of random orders."""
    sections = []
    for name, result in results.items():
        section = {
            "method": name,
            "curve": result.frame().to_dict("records"),
            "area": result.area,
            "random_area": float(result.areas.mean()),
            "chance": result.chance,
            "n_rows": result.n_samples,
            "unit": result.unit,
        }
        sections.append({**section, "words": _words.deletion(section)})
    return sections


def stability(results: Mapping[str, Any]) -> dict[str, Any]:
    """Give how far other seeds tell another story, method by method."""
    rows = [
        {
            "method": name,
            "n_seeds": len(table),
            "rank": table["rank"].min(),
            "sign": table["sign"].min(),
            "moved": table["moved"].max(),
        }
        for name, table in results.items()
    ]
    return {"rows": rows, "words": _words.stability(rows)}
