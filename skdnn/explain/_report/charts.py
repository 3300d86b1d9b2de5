"""All pictures of the report: the summary's numbers -> shapes for the templates.

A *strip* is a row of a table, with positions in percent so that it fits any width. A
*plot* has axes and a `viewBox`. Colours are CSS classes, so that both follow the theme
of the reader.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from skdnn.explain._report import plots, strips
from skdnn.explain._report.decision_plots import decision_plots
from skdnn.explain._text.formatting import percent

_N_SHADES = 8
# What the curves are, and what is along their vertical axes.
_DEPENDENCE = ("Partial dependence on", "mean probability")
_ACCUMULATED = ("Accumulated local effects of", "change of the probability")
_CETERIS_PARIBUS = ("Ceteris paribus along", "probability")


def charts(summary: Mapping[str, Any]) -> dict[str, Any]:
    """Draw every picture of the report."""
    shown = [summary["classes"][k] for k in summary["shown_classes"]]
    colours = {label: f"c{i}" for i, label in enumerate(shown)}
    data, shap = summary["data"], summary["shap"]
    importance = summary["permutation_importance"]["rows"]
    dependence = summary["partial_dependence"]["curves"]
    accumulated = summary["accumulated_local_effects"]["curves"]
    return {
        "colour": colours,
        "differences": _differences(summary["scores"]["rivals"]),
        "decisions": decision_plots(summary["decisions"], colours),
        "classes": [
            strips.share_strip(c["share"], f"{c['class']}: {c['n']} rows", "bar")
            for c in data["classes"]
        ],
        "columns": [strips.histogram_strip(column) for column in data["columns"]],
        "training": plots.training(summary["training"]),
        # the share of each cell in its row of the confusion matrix
        "confusion": [
            [math.ceil(_N_SHADES * n / (sum(row) or 1)) for n in row]
            for row in summary["confusion"]["matrix"]
        ],
        "calibration": plots.calibration(
            summary["calibration"], colours, summary["decisions"]["positive"]
        ),
        "importance": strips.importance_strips(importance),
        "profiles": plots.profiles(dependence, colours, *_DEPENDENCE),
        "accumulated": plots.profiles(accumulated, colours, *_ACCUMULATED),
        "shap": strips.stack_strips(shap["rows"], colours),
        "swarms": [strips.swarm(section) for section in shap["strips"]],
        "rows": [_row(row, colours) for row in summary["rows"]],
        "more_rows": [_brief(row) for row in summary["more_rows"]],
        "deletion": [plots.deletion(section) for section in summary["deletion"]],
    }


def _brief(row: Mapping[str, Any]) -> dict[str, Any]:
    """Draw the attributions of a row in brief, and its curves from 0 to 1."""
    sparks = []
    for curve in row["curves"]:
        values, last = curve["values"], max(1, len(curve["values"]) - 1)
        points = [f"{100 * i / last:g},{30 - 30 * v:.4g}" for i, v in enumerate(values)]
        sparks.append(" ".join(points))
    shap = strips.attribution_strips(row["features"], "shap", more=row["more"])
    lime = strips.attribution_strips(row["features"], "lime", pale=row["lime_is_poor"])
    return {"shap": shap, "lime": lime, "sparks": sparks}


def _differences(rivals: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Draw the differences to each rival, of accuracy and of log loss."""
    accuracy = strips.difference_strips(rivals, "accuracy", 1)
    loss = strips.difference_strips(rivals, "log_loss", -1)
    pairs = zip(accuracy, loss, strict=True)
    return [{"accuracy": first, "log_loss": second} for first, second in pairs]


def _row(row: Mapping[str, Any], colours: Mapping[str, str]) -> dict[str, Any]:
    """Draw the probabilities of a row, its attributions, steps and curves."""
    features, shares = row["features"], []
    for item in row["probabilities"]:
        label = f"{item['class']}: {percent(item['value'])}"
        css = "bar" if item["class"] == row["predicted"] else "rest"
        shares.append(strips.share_strip(item["value"], label, css))
    return {
        "probabilities": shares,
        "shap": strips.attribution_strips(features, "shap", more=row["more"]),
        "lime": strips.attribution_strips(features, "lime", pale=row["lime_is_poor"]),
        "steps": strips.step_strips(row["steps"]),
        "ceteris": plots.profiles(row["ceteris_paribus"], colours, *_CETERIS_PARIBUS),
    }
