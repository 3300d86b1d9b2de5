"""Geometry of the pictures: the summary's numbers -> shapes for the templates.

There are two kinds. A *strip* is a row of a table, as wide as its cell: positions are
percentages, so that it fits a telephone and a page alike. A *plot* has axes and a
`viewBox`. Colours are CSS classes, never values, so both follow the reader's theme.
"""

import math
from collections.abc import Sequence
from typing import Any

from skdnn.explain._report import curves as _curves
from skdnn.explain._report.plot import Plot, done, scale
from skdnn.explain._text import formatting


def charts(summary: dict[str, Any]) -> dict[str, Any]:
    """Draw every picture of the report."""
    shown = [summary["classes"][k] for k in summary["shown_classes"]]
    colour = {label: f"c{i}" for i, label in enumerate(shown)}
    return {
        "colour": colour,
        "scores": [_score_strip(row, summary) for row in summary["scores"]["rows"]],
        "classes": [
            share_strip(item["share"], f"{item['class']}: {item['n']} rows", "bar")
            for item in summary["data"]["classes"]
        ],
        "columns": [_histogram(column) for column in summary["data"]["columns"]],
        "training": _training(summary["training"]),
        "confusion": _heat(summary["confusion"]["matrix"]),
        "calibration": _calibration(summary["calibration"], colour),
        "importance": _importance(summary["permutation_importance"]["rows"]),
        "profiles": _curves.profiles(
            summary["partial_dependence"]["curves"],
            colour,
            "Partial dependence on",
            "mean probability",
        ),
        "accumulated": _curves.profiles(
            summary["accumulated_local_effects"]["curves"],
            colour,
            "Accumulated local effects of",
            "change of the probability",
        ),
        "shap": _stacks(summary["shap"]["rows"], colour),
        "swarms": [_swarm(strips) for strips in summary["shap"]["strips"]],
        "rows": [_row(row, colour) for row in summary["rows"]],
        "deletion": [_curves.deletion(part) for part in summary["deletion"]],
    }


# Strips ------------------------------------------------------------------------------


def share_strip(value: float | None, label: str, css: str) -> dict[str, Any]:
    """Draw a share of 1 as a bar."""
    bar = {"x": 0.0, "w": _pct(value or 0.0), "css": css}
    return {"label": label, "bars": [bar]}


def _pct(value: float) -> float:
    return round(100 * value, 2)


def _score_strip(row: dict[str, Any], summary: dict[str, Any]) -> dict[str, Any]:
    """Draw the three values of a score on one line."""
    parts = [row["model"], row["simple"], row["baseline"]]
    values = [
        v
        for part in parts
        for v in (part.get(k) for k in ("value", "low", "high"))
        if v is not None
    ]
    top = 1.0 if row["high_is_good"] else max([*values, 1e-9])
    at = scale(0.0, top)
    marks = []
    names = (summary["subject"], "logistic regression", "baseline")
    for part, css in zip(parts, ("m0", "m1", "m2"), strict=True):
        if part["value"] is not None:
            whisker = None
            if part.get("low") is not None:
                whisker = [at(part["low"]), at(part["high"])]
            marks.append({"x": at(part["value"]), "whisker": whisker, "css": css})
    said = [
        f"{name} {formatting.interval(part)}"
        for name, part in zip(names, parts, strict=True)
        if part["value"] is not None
    ]
    return {"label": f"{row['title']}: {', '.join(said)}", "marks": marks}


def _importance(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    ends = [row[k] for row in rows for k in ("value", "low", "high")]
    known = [0.0, *(v for v in ends if v is not None)]
    at = scale(min(known), max(known))
    strips = []
    for row in rows:
        bar = _from_zero(at, row["value"], "bar")
        whisker = None
        if row["low"] is not None:
            whisker = [at(row["low"]), at(row["high"])]
        label = f"{row['feature']}: {formatting.interval(row, _three)}"
        strips.append(
            {"label": label, "zero": at(0.0), "bars": [bar], "whisker": whisker}
        )
    return strips


def _three(value: float | None) -> str:
    return formatting.fixed(value, 3)


def _from_zero(at: Any, value: float, css: str) -> dict[str, Any]:
    x = min(at(0.0), at(value))
    return {"x": x, "w": round(abs(at(value) - at(0.0)), 2), "css": css}


def _stacks(
    rows: Sequence[dict[str, Any]], colour: dict[str, str]
) -> list[dict[str, Any]]:
    """Draw mean absolute attributions, the classes one after the other."""
    longest = max([row["total"] for row in rows] + [1e-12])
    strips = []
    for row in rows:
        x, bars, said = 0.0, [], []
        parts = [(p["class"], p["value"], colour[p["class"]]) for p in row["by_class"]]
        for label, value, css in [*parts, ("other classes", row["others"], "rest")]:
            if value > 0:
                bars.append({"x": _pct(x), "w": _pct(value / longest), "css": css})
                said.append(f"{label} {formatting.number(value)}")
                x += value / longest
        label = f"{row['feature']}: {', '.join(said) or 'nothing'}"
        strips.append({"label": label, "bars": bars})
    return strips


def _swarm(strips: dict[str, Any]) -> dict[str, Any]:
    """Draw every attribution as a dot, dots that would touch on top of each other."""
    rows = strips["rows"]
    known = [0.0] + [v for row in rows for v in row["values"] if v is not None]
    low, high = min(known), max(known)
    at = scale(low, high)
    drawn = []
    for row in rows:
        dots: list[dict[str, Any]] = []
        taken: dict[int, int] = {}
        points = [
            (v, level)
            for v, level in zip(row["values"], row["levels"], strict=True)
            if v is not None
        ]
        for value, level in sorted(points, key=lambda point: point[0]):
            x = at(value)
            slot = round(x)
            place = taken.get(slot, 0)
            taken[slot] = place + 1
            # 0, 1, -1, 2, -2 ... steps off the middle, within the height of the strip.
            step = (place + 1) // 2 * (1 if place % 2 else -1)
            y = 14 + max(-11, min(11, 3 * step))
            css = "v-none" if level is None else f"v{level}"
            dots.append({"x": x, "y": y, "css": css})
        values = [v for v, _ in points]
        label = (
            f"{row['feature']}: from {formatting.signed(min(values, default=0.0))} to "
            f"{formatting.signed(max(values, default=0.0))}"
        )
        drawn.append({"label": label, "zero": at(0.0), "dots": dots})
    return {"rows": drawn, "low": low, "high": high, "zero": at(0.0)}


def _row(row: dict[str, Any], colour: dict[str, str]) -> dict[str, Any]:
    """Draw the probabilities of a row, its attributions, steps and curves."""
    return {
        "probabilities": [
            share_strip(
                item["value"],
                f"{item['class']}: {formatting.percent(item['value'])}",
                "bar" if item["class"] == row["predicted"] else "rest",
            )
            for item in row["probabilities"]
        ],
        "shap": _signed_strips(row["features"], "shap", extra=row["more"]),
        "lime": _signed_strips(row["features"], "lime", pale=row["lime_is_poor"]),
        "steps": _step_strips(row["steps"]),
        "ceteris": _curves.profiles(
            row["ceteris_paribus"], colour, "Ceteris paribus along", "probability"
        ),
    }


def _step_strips(steps: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Draw each step from where the one before it has led."""
    known = [v for step in steps for v in (step["start"], step["end"])]
    at = scale(min(known, default=0.0), max(known, default=1.0))
    strips = []
    for step in steps:
        ends = sorted((at(step["start"]), at(step["end"])))
        css = "plus" if step["value"] >= 0 else "minus"
        bar = {"x": ends[0], "w": round(ends[1] - ends[0], 2), "css": css}
        label = (
            f"{step['feature']}: {formatting.signed(step['value'])}, "
            f"from {formatting.fixed(step['start'], 3)} "
            f"to {formatting.fixed(step['end'], 3)}"
        )
        strips.append({"label": label, "bars": [bar]})
    return strips


def _signed_strips(
    features: Sequence[dict[str, Any]],
    name: str,
    extra: float | None = None,
    pale: bool = False,
) -> list[dict[str, Any]]:
    ends = [f[name] for f in features if f[name] is not None]
    longest = max([abs(v) for v in ends] + [abs(extra or 0.0), 1e-12])
    at = scale(-longest, longest)
    items = [(f["feature"], f[name]) for f in features]
    if extra is not None:
        items.append(("all other columns", extra))
    strips = []
    for feature, value in items:
        css = "plus" if (value or 0) >= 0 else "minus"
        css = "rest" if pale else css  # not to be relied on
        bars = [] if value is None else [_from_zero(at, value, css)]
        label = f"{feature}: {formatting.signed(value)}"
        strips.append({"label": label, "zero": at(0.0), "bars": bars})
    return strips


def _histogram(column: dict[str, Any]) -> dict[str, Any] | None:
    steps = column.get("histogram")
    if not steps:
        return None
    width, tallest = 100 / len(steps), max(steps)
    bars = [
        {
            "x": round(i * width, 2),
            "w": round(width - 1, 2),
            "y": round(20 - 20 * n / tallest, 1),
            "h": round(20 * n / tallest, 1),
            "css": "bar",
        }
        for i, n in enumerate(steps)
        if n
    ]
    label = f"{column['name']}: rows in {len(steps)} equal steps: " + ", ".join(
        str(n) for n in steps
    )
    return {"label": label, "bars": bars}


def _heat(matrix: Sequence[Sequence[int]]) -> list[list[int]]:
    """Give each cell of the confusion matrix a shade from 0 to 8, row by row."""
    shades = []
    for row in matrix:
        total = sum(row) or 1
        shades.append([math.ceil(8 * n / total) for n in row])
    return shades


# Plots ------------------------------------------------------------------------------


def _training(section: dict[str, Any] | None) -> list[dict[str, Any]]:
    if section is None:
        return []
    drawn = []
    for name, title in (("loss", "loss"), ("accuracy", "accuracy")):
        base = section["baseline_loss"] if name == "loss" else None
        curves = [(name, "m0"), (f"val_{name}", "m1")]
        known = [(section[key], css) for key, css in curves if section[key]]
        values = [v for curve, _ in known for v in curve if v is not None]
        if not values:
            continue
        high = 1.0 if name == "accuracy" else _ceiling(values, base)
        last = max(2, section["n_epochs"])
        plot = Plot((1, last), (0.0, high), f"{title} by epoch", "epoch", title)
        if base is not None:
            plot.line([(1, base), (last, base)], "baseline")
        for curve, css in known:
            points = [
                (i + 1, None if v is None else min(v, high))
                for i, v in enumerate(curve)
            ]
            plot.line(points, f"curve {css}")
            if len(curve) == 1 and curve[0] is not None:
                plot.dot(1, curve[0], css)
        if section["best_epoch"] and section[f"val_{name}"]:
            best = section["best_epoch"]
            value = section[f"val_{name}"][best - 1]
            if value is not None:
                plot.dot(best, min(value, high), "m1", 4)
        last = formatting.number(known[0][0][-1])
        ends = f"from {formatting.number(values[0])} to {last}"
        plot.label = f"Training {title} by epoch, {ends}"
        drawn.append(done(plot, title))
    return drawn


def _ceiling(values: list[float], base: float | None) -> float:
    """Leave out the first leaps of a loss, so that the rest can be seen."""
    top = max(values)
    if base is not None:
        top = max(base * 1.1, min(top, base * 2.5))
    return top * 1.02 or 1.0


def _calibration(
    section: dict[str, Any], colour: dict[str, str]
) -> list[dict[str, Any]]:
    drawn = [_reliability("Predicted class", section["curve"], "m0")]
    by_class = section["by_class"]
    # Of two classes one is the mirror image of the other.
    for item in by_class if len(by_class) > 2 else by_class[-1:]:
        css = colour[item["class"]]
        drawn.append(_reliability(item["class"], item["curve"], css))
    return drawn


def _reliability(
    title: str, curve: Sequence[dict[str, Any]], css: str
) -> dict[str, Any]:
    said = "; ".join(
        f"{formatting.percent(p['predicted'])} predicted, "
        f"{formatting.percent(p['observed'])} true"
        for p in curve
    )
    label = f"Reliability of {title}: {said}"
    plot = Plot((0, 1), (0, 1), label, "predicted probability", "share that came true")
    plot.line([(0, 0), (1, 1)], "baseline")
    most = max([p["n"] for p in curve], default=1)
    for p in curve:
        plot.line([(p["predicted"], p["low"]), (p["predicted"], p["high"])], "error")
    plot.line([(p["predicted"], p["observed"]) for p in curve], f"curve {css}")
    for p in curve:
        r = round(2.5 + 4 * math.sqrt(p["n"] / most), 1)
        plot.dot(p["predicted"], p["observed"], css, r)
    return done(plot, title)
