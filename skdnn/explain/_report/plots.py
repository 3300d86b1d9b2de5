"""Plots with axes: training, calibration, curves along columns, deletion curves."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from skdnn._runtime.names import shorten
from skdnn.explain._report.strips import mark_strip, scale
from skdnn.explain._text.formatting import number, percent, signed

_WIDTH, _HEIGHT = 340, 230
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 10, 26, 38
_MAX_TITLE = 36  # characters
_MAX_TICKS = 36  # characters of all labels along x

Curve = Mapping[str, Any]  # a curve of the summary
Ends = tuple[float, float]
Colours = Mapping[str, str]  # CSS class by class name


def ticks(low: float, high: float, n: int = 5) -> list[float]:
    """Return about `n` round numbers between low and high."""
    spread = high - low
    if not math.isfinite(spread) or spread <= 0:
        return [low]
    raw = spread / n
    size = 10.0 ** math.floor(math.log10(raw))
    step = next(m * size for m in (1, 2, 2.5, 5, 10) if m * size >= raw * 0.999)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [float(f"{i * step:.12g}") for i in range(first, last + 1)]


class Axes:
    """Axes and marks of one plot, which the templates write as SVG.

    `x` and `y` are the ends of the axes, `label` describes the plot to screen readers.
    """

    def __init__(
        self, x: Ends, y: Ends, label: str, x_title: str = "", y_title: str = ""
    ) -> None:
        self.label, self._x, self._y = label, x, y
        self.marks: list[dict[str, Any]] = []
        self._draw_frame(x_title, y_title)

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Return the position of a point in the plot."""
        (x0, x1), (y0, y1) = self._x, self._y
        across = (x - x0) / ((x1 - x0) or 1) * (_WIDTH - _LEFT - _RIGHT)
        up = (y - y0) / ((y1 - y0) or 1) * (_HEIGHT - _TOP - _BOTTOM)
        return round(_LEFT + across, 1), round(_HEIGHT - _BOTTOM - up, 1)

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

    def errors(self, curve: Sequence[Curve], x: str) -> None:
        """Draw the whisker of each point of a curve, at its value `x`."""
        for p in curve:
            self.line([(p[x], p["low"]), (p[x], p["high"])], "error")

    def dot(self, x: float, y: float, css: str, r: float = 3.0) -> None:
        """Mark one point."""
        across, up = self.at(x, y)
        self.marks.append({"kind": "dot", "x": across, "y": up, "r": r, "css": css})

    def text(self, x: float, y: float, text: str, css: str, anchor: str) -> None:
        """Write at a position in the plot."""
        mark = {"kind": "text", "x": x, "y": y, "text": text, "css": css}
        self.marks.append({**mark, "anchor": anchor})

    def as_dict(self, title: str) -> dict[str, Any]:
        """Return what the template of a plot takes."""
        size = {"width": _WIDTH, "height": _HEIGHT}
        return {"title": title, "label": self.label, **size, "marks": self.marks}

    def _draw_frame(self, x_title: str, y_title: str) -> None:
        (x0, x1), (y0, y1) = self._x, self._y
        for value in ticks(y0, y1, 4):
            _, up = self.at(x0, value)
            self.line([(x0, value), (x1, value)], "grid")
            self.text(_LEFT - 6, up + 3.5, number(value), "tick", "end")
        marks = ticks(x0, x1)
        longest = max(len(number(value)) for value in marks)
        if x_title == "epoch":
            marks = [value for value in marks if value == int(value)]
        # long labels would overlap
        for value in marks[:: 2 if longest * len(marks) > _MAX_TICKS else 1]:
            across, below = self.at(value, y0)[0], _HEIGHT - _BOTTOM + 14
            self.text(across, below, number(value), "tick", "middle")
        self.line([(x0, y0), (x1, y0)], "axis")
        middle, title = (_LEFT + _WIDTH - _RIGHT) / 2, x_title
        self.text(middle, _HEIGHT - 6, title, "title", "middle")
        self.text(2, 10, y_title, "title", "start")


def training(section: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """Draw loss and accuracy by epoch, of training and validation rows."""
    if section is None:
        return []
    drawn = [_training(section, name) for name in ("loss", "accuracy")]
    return [plot for plot in drawn if plot is not None]


def _training(section: Mapping[str, Any], name: str) -> dict[str, Any] | None:
    base = section["baseline_loss"] if name == "loss" else None
    validation = section[f"val_{name}"]
    pairs = ((section[name], "t0"), (validation, "t1"))
    known = [(curve, css) for curve, css in pairs if curve]
    values = [v for curve, _ in known for v in curve if v is not None]
    if not values:
        return None
    high = 1.0
    if name == "loss":
        top = max(values)
        # the first jumps of a loss are cut off
        top = top if base is None else max(base * 1.1, min(top, base * 2.5))
        high = top * 1.02 or 1.0
    start, last = number(values[0]), number(known[0][0][-1])
    label = f"Training {name} by epoch, from {start} to {last}"
    x = (1, max(2, section["n_epochs"]))
    axes = Axes(x, (0.0, high), label, "epoch", name)
    if base is not None:
        axes.line([(x[0], base), (x[1], base)], "baseline")
    for curve, css in known:
        shown = [None if v is None else min(v, high) for v in curve]
        axes.line(enumerate(shown, start=1), f"curve {css}")
        if len(curve) == 1 and curve[0] is not None:
            axes.dot(1, curve[0], css)
    best = section["best_epoch"]
    value = validation[best - 1] if best and validation else None
    if value is not None:
        axes.dot(best, min(value, high), "t1", 4)
    return axes.as_dict(name)


def calibration(
    section: Mapping[str, Any], colours: Colours, positive: str | None
) -> list[dict[str, Any]]:
    """Draw reliability diagrams of the predicted class and of each class.

    Of two classes it is the positive one, as one mirrors the other.
    """
    by_class = [c for c in section["by_class"] if positive in (None, c["class"])]
    return [
        _reliability("Predicted class", section["curve"], "m0"),
        *(_reliability(c["class"], c["curve"], colours[c["class"]]) for c in by_class),
    ]


def _reliability(title: str, curve: Sequence[Curve], css: str) -> dict[str, Any]:
    points = "; ".join(
        f"{percent(p['predicted'])} predicted, {percent(p['observed'])} observed"
        for p in curve
    )
    label = f"Reliability of {title}: {points}"
    axes = Axes((0, 1), (0, 1), label, "predicted probability", "observed share")
    axes.line([(0, 0), (1, 1)], "baseline")
    axes.errors(curve, "predicted")
    axes.line([(p["predicted"], p["observed"]) for p in curve], f"curve {css}")
    most = max([p["n"] for p in curve], default=1)
    for p in curve:
        radius = round(2.5 + 4 * math.sqrt(p["n"] / most), 1)
        axes.dot(p["predicted"], p["observed"], css, radius)
    return axes.as_dict(title)


def profiles(
    curves: Sequence[Curve], colours: Colours, name: str, y_title: str
) -> list[dict[str, Any]]:
    """Draw curves along columns on one scale, categories as strips.

    A curve with a value `own` belongs to one row, and is marked there.
    """
    values = [v for c in curves for line in c["lines"] for v in line["values"]]
    ends = _ends([v for v in values if v is not None])
    features = [curve["feature"] for curve in curves]
    titles = [shorten(feature, _MAX_TITLE, features) for feature in features]
    return [
        _categories(curve, colours, ends)
        if curve["words"]
        else _profile(curve, colours, ends, name, (title, y_title))
        for curve, title in zip(curves, titles, strict=True)
    ]


def _ends(values: Sequence[float]) -> Ends:
    """Return the ends of a scale: 0 and 1 for large probabilities, else round."""
    low, high = min([*values, 0.0]), max([*values, 0.0])
    if low >= 0 and high > 0.5:
        return 0.0, 1.0
    top = ticks(0, max(high, -low, 0.02) * 1.3, 4)[-1]
    return (0.0 if low >= 0 else -top), top


def _profile(
    curve: Curve, colours: Colours, ends: Ends, name: str, titles: tuple[str, str]
) -> dict[str, Any]:
    x = [v for v in curve["x"] if v is not None]
    across = (min(x, default=0.0), max(x, default=1.0))
    label = f"{name} {curve['feature']}. {curve['sentence']}"
    axes = Axes(across, ends, label, *titles)
    if ends[0] < 0:
        axes.line([(across[0], 0.0), (across[1], 0.0)], "axis")
    own = curve.get("own")
    if own is not None:
        axes.line([(own, ends[0]), (own, ends[1])], "baseline")
    for line in curve["lines"]:
        css = colours[line["class"]]
        pairs = zip(curve["x"], line["values"], strict=True)
        points = [(a, b) for a, b in pairs if a is not None]
        axes.line(points, f"curve {css}")
        for a, b in points:
            if b is not None and (len(points) == 1 or a == own):
                axes.dot(a, b, css)
    return axes.as_dict(curve["feature"])


def _categories(curve: Curve, colours: Colours, ends: Ends) -> dict[str, Any]:
    at, write = scale(*ends), percent if ends[0] == 0 else signed
    strips = []
    for i, category in enumerate(curve["x"]):
        values = [(line["class"], line["values"][i]) for line in curve["lines"]]
        known = [(label, v) for label, v in values if v is not None]
        text = ", ".join(f"{label} {write(v)}" for label, v in known)
        marks = [(at(v), None, colours[label]) for label, v in known]
        strips.append({"word": category, **mark_strip(f"{category}: {text}", marks)})
    return {"title": curve["feature"], "strips": strips}


def deletion(section: Mapping[str, Any]) -> dict[str, Any]:
    """Draw a deletion curve, and the mean and range of random orders."""
    curve = section["curve"]
    ends = _ends([p[k] for p in curve for k in ("attribution", "low", "high")])
    label, unit = f"Deletion curve. {section['words']}", f"mean {section['unit']}"
    axes = Axes((0.0, 1.0), ends, label, "share of columns replaced", unit)
    axes.errors(curve, "removed")
    for name, css in (("random", "baseline"), ("attribution", "m0")):
        axes.line([(p["removed"], p[name]) for p in curve], f"curve {css}")
    for p in curve:
        axes.dot(p["removed"], p["attribution"], "m0")
    return axes.as_dict("Deletion curve")
