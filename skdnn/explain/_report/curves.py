"""Geometry of curves along columns, and of deletion curves."""

from collections.abc import Sequence
from typing import Any

from skdnn.explain._report.plot import Plot, done, scale, ticks
from skdnn.explain._text import formatting


def profiles(
    curves: Sequence[dict[str, Any]], colour: dict[str, str], name: str, title: str
) -> list[dict[str, Any]]:
    """Draw curves along columns, all on one scale; `title` is that of the scale.

    A curve that has an `own` cell is a row's, and is marked there.
    """
    values = [
        v
        for c in curves
        for line in c["lines"]
        for v in line["values"]
        if v is not None
    ]
    ends = _ends(min([*values, 0.0]), max([*values, 0.0]))
    return [
        _strips(curve, colour, ends)
        if curve["words"]
        else _plot(curve, colour, ends, name, title)
        for curve in curves
    ]


def _ends(low: float, high: float) -> tuple[float, float]:
    """Give the ends of a scale: 0 to 1 for large probabilities, else round numbers."""
    if low >= 0 and high > 0.5:
        return 0.0, 1.0
    most = max(high, -low, 0.02) * 1.3
    return (0.0 if low >= 0 else -ticks(0, most, 4)[-1]), ticks(0, most, 4)[-1]


def _plot(
    curve: dict[str, Any],
    colour: dict[str, str],
    ends: tuple[float, float],
    name: str,
    title: str,
) -> dict[str, Any]:
    x = [v for v in curve["x"] if v is not None]
    across = (min(x, default=0.0), max(x, default=1.0))
    label = f"{name} {curve['feature']}. {curve['sentence']}"
    plot = Plot(across, ends, label, curve["feature"], title)
    if ends[0] < 0:
        plot.line([(across[0], 0.0), (across[1], 0.0)], "axis")
    own = curve.get("own")
    if own is not None:
        plot.line([(own, ends[0]), (own, ends[1])], "baseline")
    for line in curve["lines"]:
        points = [
            (a, b)
            for a, b in zip(curve["x"], line["values"], strict=True)
            if a is not None
        ]
        css = colour[line["class"]]
        plot.line(points, f"curve {css}")
        for a, b in points:
            if b is not None and (len(points) == 1 or a == own):
                plot.dot(a, b, css)
    return done(plot, curve["feature"])


def _strips(
    curve: dict[str, Any], colour: dict[str, str], ends: tuple[float, float]
) -> dict[str, Any]:
    at = scale(*ends)
    write = formatting.percent if ends[0] == 0 else formatting.signed
    strips = []
    for i, word in enumerate(curve["x"]):
        values = [(line["class"], line["values"][i]) for line in curve["lines"]]
        known = [(label, v) for label, v in values if v is not None]
        said = ", ".join(f"{label} {write(v)}" for label, v in known)
        marks = [
            {"x": at(v), "whisker": None, "css": colour[label]} for label, v in known
        ]
        strips.append({"word": word, "label": f"{word}: {said}", "marks": marks})
    return {"title": curve["feature"], "strips": strips}


def deletion(section: dict[str, Any]) -> dict[str, Any]:
    """Draw the deletion curve, that of random orders, and where these lie."""
    curve = section["curve"]
    values = [p[k] for p in curve for k in ("attribution", "low", "high")]
    ends = _ends(min([*values, 0.0]), max([*values, 0.0]))
    label = f"Deletion curve. {section['words']}"
    plot = Plot((0.0, 1.0), ends, label, "share of the columns taken away", "")
    for p in curve:
        plot.line([(p["removed"], p["low"]), (p["removed"], p["high"])], "error")
    plot.line([(p["removed"], p["random"]) for p in curve], "curve m1")
    plot.line([(p["removed"], p["attribution"]) for p in curve], "curve m0")
    for p in curve:
        plot.dot(p["removed"], p["attribution"], "m0")
    plot.text(2, 10, f"mean {section['unit']}", "title", "start")
    return done(plot, "Deletion curve")
