"""Plots of decisions: ROC, precision-recall, abstention, and costs by threshold."""

from collections.abc import Mapping
from typing import Any

from skdnn.explain._report.plots import Axes, Colours
from skdnn.explain._text.formatting import percent


def decision_plots(
    section: Mapping[str, Any], colours: Colours
) -> list[dict[str, Any]]:
    """Draw the curves of a section of decisions."""
    curves = section["curves"]
    drawn = [
        _curves(
            "ROC", curves["roc"], colours, "false positive rate", "true positive rate"
        ),
        _curves(
            "Precision and recall", curves["precision_recall"], colours, "recall",
            "precision",
        ),
        _abstention(section["abstention"]),
        _costs(section["thresholds"]),
    ]  # fmt: skip
    return [plot for plot in drawn if plot is not None]


def _curves(
    title: str, lines: Any, colours: Colours, x_title: str, y_title: str
) -> dict[str, Any] | None:
    if not lines:
        return None
    label = f"{title} of {', '.join(line['class'] for line in lines)}"
    axes = Axes((0, 1), (0, 1), label, x_title, y_title)
    if title == "ROC":
        axes.line([(0, 0), (1, 1)], "baseline")
    for line in lines:
        points = [(x, y) for x, y in line["points"]]
        axes.line(points, f"curve {colours[line['class']]}")
    return axes.as_dict(title)


def _abstention(rows: Any) -> dict[str, Any] | None:
    """Draw the accuracy against the share of rows that are answered."""
    known = [row for row in rows if row["accuracy"] is not None]
    if len(known) < 2:
        return None
    low = min(row["ci_low"] for row in known)
    first, last = known[0], known[-1]
    label = (
        f"Accuracy from {percent(first['accuracy'])} of the first rows to "
        f"{percent(last['accuracy'])} of all"
    )
    axes = Axes((0, 1), (min(low, 0.5), 1), label, "share of rows answered", "accuracy")
    for row in known:
        axes.line(
            [(row["answered"], row["ci_low"]), (row["answered"], row["ci_high"])],
            "error",
        )
    axes.line([(row["answered"], row["accuracy"]) for row in known], "curve m0")
    return axes.as_dict("Answering fewer rows")


def _costs(rows: Any) -> dict[str, Any] | None:
    """Draw the cost per row by threshold."""
    known = [
        row
        for row in rows
        if row.get("cost") is not None and row["threshold"] is not None
    ]
    if len(known) < 2:
        return None
    top = max(row["ci_high"] for row in known)
    bottom = min(0.0, *(row["ci_low"] for row in known))
    ends = (known[0]["threshold"], known[-1]["threshold"])
    label = f"Cost per row by threshold, from {min(ends):.2g} to {max(ends):.2g}"
    axes = Axes((0, 1), (bottom, top), label, "threshold", "cost per row")
    for row in known:
        axes.line(
            [(row["threshold"], row["ci_low"]), (row["threshold"], row["ci_high"])],
            "error",
        )
    axes.line([(row["threshold"], row["cost"]) for row in known], "curve m0")
    for row in known:
        if row.get("is_best"):
            axes.dot(row["threshold"], row["cost"], "m0", 4)
    return axes.as_dict("Cost by threshold")
