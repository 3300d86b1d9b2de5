"""Geometry of the pictures: the summary's numbers -> shapes for the templates.

There are two kinds. A *strip* is a row of a table, as wide as its cell: positions are
percentages, so that it fits a telephone and a page alike. A *plot* has axes and a
`viewBox`. Colours are CSS classes, never values, so both follow the reader's theme.
"""

import math
from collections.abc import Iterable, Sequence
from typing import Any

from skdnn.explain import _text

PLOT_WIDTH, PLOT_HEIGHT = 340, 230
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 10, 26, 38


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
        "profiles": _profiles(summary["partial_dependence"]["curves"], colour),
        "shap": _stacks(summary["shap"]["rows"], colour),
        "swarms": [_swarm(strips) for strips in summary["shap"]["strips"]],
        "rows": [_row(row) for row in summary["rows"]],
    }


# Strips ------------------------------------------------------------------------------


def share_strip(value: float | None, label: str, css: str) -> dict[str, Any]:
    """Draw a share of 1 as a bar."""
    bar = {"x": 0.0, "w": _pct(value or 0.0), "css": css}
    return {"label": label, "bars": [bar]}


def _pct(value: float) -> float:
    return round(100 * value, 2)


def _scale(low: float, high: float) -> Any:
    """Map low..high to 1..99 percent, so that marks at the ends are not cut."""
    spread = (high - low) or 1.0
    return lambda value: round(1 + 98 * (value - low) / spread, 2)


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
    at = _scale(0.0, top)
    marks = []
    names = (summary["subject"], "logistic regression", "baseline")
    for part, css in zip(parts, ("m0", "m1", "m2"), strict=True):
        if part["value"] is not None:
            whisker = None
            if part.get("low") is not None:
                whisker = [at(part["low"]), at(part["high"])]
            marks.append({"x": at(part["value"]), "whisker": whisker, "css": css})
    said = [
        f"{name} {_text.interval(part)}"
        for name, part in zip(names, parts, strict=True)
        if part["value"] is not None
    ]
    return {"label": f"{row['title']}: {', '.join(said)}", "marks": marks}


def _importance(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    ends = [row[k] for row in rows for k in ("value", "low", "high")]
    known = [0.0, *(v for v in ends if v is not None)]
    at = _scale(min(known), max(known))
    strips = []
    for row in rows:
        bar = _from_zero(at, row["value"], "bar")
        whisker = None
        if row["low"] is not None:
            whisker = [at(row["low"]), at(row["high"])]
        label = f"{row['feature']}: {_text.interval(row, _three)}"
        strips.append(
            {"label": label, "zero": at(0.0), "bars": [bar], "whisker": whisker}
        )
    return strips


def _three(value: float | None) -> str:
    return _text.fixed(value, 3)


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
                said.append(f"{label} {_text.number(value)}")
                x += value / longest
        label = f"{row['feature']}: {', '.join(said) or 'nothing'}"
        strips.append({"label": label, "bars": bars})
    return strips


def _swarm(strips: dict[str, Any]) -> dict[str, Any]:
    """Draw every attribution as a dot, dots that would touch on top of each other."""
    rows = strips["rows"]
    known = [0.0] + [v for row in rows for v in row["values"] if v is not None]
    low, high = min(known), max(known)
    at = _scale(low, high)
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
            f"{row['feature']}: from {_text.signed(min(values, default=0.0))} to "
            f"{_text.signed(max(values, default=0.0))}"
        )
        drawn.append({"label": label, "zero": at(0.0), "dots": dots})
    return {"rows": drawn, "low": low, "high": high, "zero": at(0.0)}


def _row(row: dict[str, Any]) -> dict[str, Any]:
    """Draw the probabilities of a row, and its attributions by both methods."""
    return {
        "probabilities": [
            share_strip(
                item["value"],
                f"{item['class']}: {_text.percent(item['value'])}",
                "bar" if item["class"] == row["predicted"] else "rest",
            )
            for item in row["probabilities"]
        ],
        "shap": _signed_strips(row["features"], "shap", extra=row["more"]),
        "lime": _signed_strips(row["features"], "lime"),
    }


def _signed_strips(
    features: Sequence[dict[str, Any]], name: str, extra: float | None = None
) -> list[dict[str, Any]]:
    ends = [f[name] for f in features if f[name] is not None]
    longest = max([abs(v) for v in ends] + [abs(extra or 0.0), 1e-12])
    at = _scale(-longest, longest)
    items = [(f["feature"], f[name]) for f in features]
    if extra is not None:
        items.append(("all other columns", extra))
    strips = []
    for feature, value in items:
        css = "plus" if (value or 0) >= 0 else "minus"
        bars = [] if value is None else [_from_zero(at, value, css)]
        label = f"{feature}: {_text.signed(value)}"
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


# Plots -------------------------------------------------------------------------------


def ticks(low: float, high: float, n: int = 5) -> list[float]:
    """Give round numbers between low and high.

    >>> ticks(0, 1)
    [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    """
    spread = high - low
    if not math.isfinite(spread) or spread <= 0:
        return [low]
    raw = spread / n
    size = 10.0 ** math.floor(math.log10(raw))
    step = next(m * size for m in (1, 2, 2.5, 5, 10) if m * size >= raw * 0.999)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [float(f"{i * step:.12g}") for i in range(first, last + 1)]


class Plot:
    """Axes and marks of one picture; the templates write it as SVG.

    Parameters
    ----------
    x, y : tuple of float
        Ends of the axes.
    label : str
        What the picture shows, in words.
    x_title, y_title : str
        Titles of the axes.
    """

    def __init__(
        self,
        x: tuple[float, float],
        y: tuple[float, float],
        label: str,
        x_title: str = "",
        y_title: str = "",
    ) -> None:
        self.label = label
        self.width, self.height = PLOT_WIDTH, PLOT_HEIGHT
        self.marks: list[dict[str, Any]] = []
        self._x, self._y = x, y
        self._frame(x_title, y_title)

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Give the place of a point in the picture."""
        (x0, x1), (y0, y1) = self._x, self._y
        across = (x - x0) / ((x1 - x0) or 1)
        up = (y - y0) / ((y1 - y0) or 1)
        return (
            round(_LEFT + across * (self.width - _LEFT - _RIGHT), 1),
            round(self.height - _BOTTOM - up * (self.height - _TOP - _BOTTOM), 1),
        )

    def line(self, points: Iterable[tuple[float, float | None]], css: str) -> None:
        """Join points; a missing one leaves a gap."""
        run: list[str] = []
        for x, y in [*points, (0.0, None)]:
            if y is not None and math.isfinite(y):
                across, up = self.at(x, y)
                run.append(f"{across},{up}")
            elif run:
                self.marks.append({"kind": "line", "points": " ".join(run), "css": css})
                run = []

    def dot(self, x: float, y: float, css: str, r: float = 3.0) -> None:
        """Mark one point."""
        across, up = self.at(x, y)
        self.marks.append({"kind": "dot", "x": across, "y": up, "r": r, "css": css})

    def text(self, x: float, y: float, text: str, css: str, anchor: str) -> None:
        """Write at a place of the picture."""
        mark = {"kind": "text", "x": x, "y": y, "text": text, "css": css}
        self.marks.append({**mark, "anchor": anchor})

    def _frame(self, x_title: str, y_title: str) -> None:
        (x0, x1), (y0, y1) = self._x, self._y
        for value in ticks(y0, y1, 4):
            _, up = self.at(x0, value)
            self.line([(x0, value), (x1, value)], "grid")
            self.text(_LEFT - 6, up + 3.5, _text.number(value), "tick", "end")
        marks = ticks(x0, x1, 5)
        # Long numbers would run into each other.
        longest = max(len(_text.number(value)) for value in marks)
        if x_title == "epoch":
            marks = [value for value in marks if value == int(value)]
        for value in marks[:: 2 if longest * len(marks) > 36 else 1]:
            across, _ = self.at(value, y0)
            place = self.height - _BOTTOM + 14
            self.text(across, place, _text.number(value), "tick", "middle")
        self.line([(x0, y0), (x1, y0)], "axis")
        middle = (_LEFT + self.width - _RIGHT) / 2
        self.text(
            middle, self.height - 6, _text.shorten(x_title, 36), "title", "middle"
        )
        self.text(2, 10, y_title, "title", "start")


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
        ends = f"from {_text.number(values[0])} to {_text.number(known[0][0][-1])}"
        plot.label = f"Training {title} by epoch, {ends}"
        drawn.append(_done(plot, title))
    return drawn


def _ceiling(values: list[float], base: float | None) -> float:
    """Leave out the first leaps of a loss, so that the rest can be seen."""
    top = max(values)
    if base is not None:
        top = max(base * 1.1, min(top, base * 2.5))
    return top * 1.02 or 1.0


def _done(plot: Plot, title: str) -> dict[str, Any]:
    return {
        "title": title,
        "label": plot.label,
        "width": plot.width,
        "height": plot.height,
        "marks": plot.marks,
    }


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
        f"{_text.percent(p['predicted'])} predicted, "
        f"{_text.percent(p['observed'])} true"
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
    return _done(plot, title)


def _profiles(
    curves: Sequence[dict[str, Any]], colour: dict[str, str]
) -> list[dict[str, Any]]:
    """Draw mean probabilities along each column, all on one scale."""
    values = [
        v
        for c in curves
        for line in c["lines"]
        for v in line["values"]
        if v is not None
    ]
    top = max([*values, 0.0])
    high = 1.0 if top > 0.5 else ticks(0, max(top, 0.02) * 1.3, 4)[-1]
    return [
        _profile_strips(curve, colour, high)
        if curve["words"]
        else _profile_plot(curve, colour, high)
        for curve in curves
    ]


def _profile_plot(
    curve: dict[str, Any], colour: dict[str, str], high: float
) -> dict[str, Any]:
    x = [v for v in curve["x"] if v is not None]
    ends = (min(x, default=0.0), max(x, default=1.0))
    label = f"Partial dependence on {curve['feature']}. {curve['sentence']}"
    plot = Plot(ends, (0.0, high), label, curve["feature"], "mean probability")
    for line in curve["lines"]:
        points = [
            (a, b)
            for a, b in zip(curve["x"], line["values"], strict=True)
            if a is not None
        ]
        plot.line(points, f"curve {colour[line['class']]}")
        if len(points) == 1 and points[0][1] is not None:
            plot.dot(*points[0], colour[line["class"]])
    return _done(plot, curve["feature"])


def _profile_strips(
    curve: dict[str, Any], colour: dict[str, str], high: float
) -> dict[str, Any]:
    at = _scale(0.0, high)
    strips = []
    for i, word in enumerate(curve["x"]):
        values = [(line["class"], line["values"][i]) for line in curve["lines"]]
        known = [(label, v) for label, v in values if v is not None]
        said = ", ".join(f"{label} {_text.percent(v)}" for label, v in known)
        marks = [
            {"x": at(v), "whisker": None, "css": colour[label]} for label, v in known
        ]
        strips.append({"word": word, "label": f"{word}: {said}", "marks": marks})
    return {"title": curve["feature"], "strips": strips, "high": high}
