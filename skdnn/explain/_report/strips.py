"""Strips: small pictures as wide as a table cell, with positions in percent."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any

from skdnn.explain._text.formatting import fixed, interval, number, signed

_HISTOGRAM_HEIGHT = 20
# Differences that are larger than this multiple of the median one are cut off.
_MAX_STRETCH = 3
# Vertical positions of the dots of a swarm, and steps between dots that would touch.
_SWARM_MIDDLE, _SWARM_REACH, _SWARM_STEP = 14, 11, 3

Row = Mapping[str, Any]  # a row of a table of the summary
Strip = dict[str, Any]
Mark = tuple[float, list[float] | None, str]  # position, ends of its whisker, CSS class


def scale(low: float, high: float) -> Callable[[float], float]:
    """Return a function from low..high to 1..99 percent, so that no mark is cut."""
    spread = (high - low) or 1.0
    return lambda value: round(1 + 98 * (value - low) / spread, 2)


def _bar(x: float, width: float, css: str) -> dict[str, Any]:
    return {"x": x, "w": round(width, 2), "css": css}


def share_strip(value: float | None, label: str, css: str) -> Strip:
    """Draw a share of 1 as a bar."""
    return {"label": label, "bars": [_bar(0.0, 100 * (value or 0.0), css)]}


def mark_strip(label: str, marks: Iterable[Mark]) -> Strip:
    """Draw positions with their whiskers."""
    drawn = [{"x": x, "whisker": whisker, "css": css} for x, whisker, css in marks]
    return {"label": label, "marks": drawn}


def difference_strips(rivals: Sequence[Row], name: str, sign: int) -> list[Strip]:
    """Draw differences of a score to each rival, right of 0 if the model is better."""
    parts = [rival["differences"][name] for rival in rivals]
    # far rivals are at the edge, so that near ones can be compared
    widths = [
        max(abs(part["low"]), abs(part["high"]))
        for part in parts
        if part["low"] is not None
    ]
    reach = sorted(widths)[(len(widths) - 1) // 2] * _MAX_STRETCH if widths else 1.0
    reach = min(max(widths, default=1.0), reach) or 1.0
    whole = scale(-reach, reach)

    def at(value: float) -> float:
        return whole(min(max(value, -reach), reach))

    strips = []
    for rival, part in zip(rivals, parts, strict=True):
        label = f"minus {rival['name']}: {interval(part, lambda v: signed(v, 3))}"
        marks: list[Mark] = []
        if part["value"] is not None:
            known = {
                k: None if part[k] is None else sign * part[k] for k in ("low", "high")
            }
            if sign < 0:
                known["low"], known["high"] = known["high"], known["low"]
            marks = [(at(sign * part["value"]), _whisker(at, known), "m0")]
        strips.append({**mark_strip(label, marks), "zero": at(0.0)})
    return strips


def _whisker(at: Callable[[float], float], part: Row) -> list[float] | None:
    return None if part.get("low") is None else [at(part["low"]), at(part["high"])]


def _zero_strip(
    at: Callable[[float], float], value: float | None, label: str, css: str
) -> Strip:
    """Draw a bar from 0 to a value."""
    bars = []
    if value is not None:
        low, high = sorted((at(0.0), at(value)))
        bars = [_bar(low, high - low, css)]
    return {"label": label, "zero": at(0.0), "bars": bars}


def importance_strips(rows: Sequence[Row]) -> list[Strip]:
    """Draw permutation importances with their intervals."""
    ends = [row[k] for row in rows for k in ("value", "low", "high")]
    known = [0.0, *(v for v in ends if v is not None)]
    at = scale(min(known), max(known))
    strips = []
    for row in rows:
        label = f"{row['feature']}: {interval(row, lambda value: fixed(value, 3))}"
        strip = _zero_strip(at, row["value"], label, "bar")
        strips.append({**strip, "whisker": _whisker(at, row)})
    return strips


def attribution_strips(
    features: Sequence[Row], name: str, more: float | None = None, pale: bool = False
) -> list[Strip]:
    """Draw the attributions of one row; `more` is the sum over all other columns."""
    items = [(row["feature"], row[name]) for row in features]
    if more is not None:
        items.append(("all other columns", more))
    longest = max([abs(v) for _, v in items if v is not None] + [1e-12])
    at = scale(-longest, longest)
    strips = []
    for feature, value in items:
        css = "rest" if pale else _sign_css(value or 0.0)
        strips.append(_zero_strip(at, value, f"{feature}: {signed(value)}", css))
    return strips


def _sign_css(value: float) -> str:
    return "plus" if value >= 0 else "minus"


def step_strips(steps: Sequence[Row]) -> list[Strip]:
    """Draw each step of a break-down from where the step before it ended."""
    known = [v for step in steps for v in (step["start"], step["end"])]
    at = scale(min(known, default=0.0), max(known, default=1.0))
    strips = []
    for step in steps:
        start, end = sorted((at(step["start"]), at(step["end"])))
        label = (
            f"{step['feature']}: {signed(step['value'])}, "
            f"from {fixed(step['start'], 3)} to {fixed(step['end'], 3)}"
        )
        bar = _bar(start, end - start, _sign_css(step["value"]))
        strips.append({"label": label, "bars": [bar]})
    return strips


def stack_strips(rows: Sequence[Row], colours: Mapping[str, str]) -> list[Strip]:
    """Draw mean absolute attributions, one class after the other."""
    longest = max([row["total"] for row in rows] + [1e-12])
    strips = []
    for row in rows:
        x, bars, texts = 0.0, [], []
        parts = [(p["class"], p["value"], colours[p["class"]]) for p in row["by_class"]]
        for label, value, css in [*parts, ("other classes", row["others"], "rest")]:
            if value > 0:
                bars.append(_bar(round(100 * x, 2), 100 * (value / longest), css))
                texts.append(f"{label} {number(value)}")
                x += value / longest
        label = f"{row['feature']}: {', '.join(texts) or 'nothing'}"
        strips.append({"label": label, "bars": bars})
    return strips


def swarm(section: Row) -> dict[str, Any]:
    """Draw every attribution as a dot; dots that would touch are stacked."""
    rows = section["rows"]
    known = [0.0, *(v for row in rows for v in row["values"] if v is not None)]
    low, high = min(known), max(known)
    at = scale(low, high)
    drawn = []
    for row in rows:
        pairs = zip(row["values"], row["levels"], strict=True)
        points = sorted((p for p in pairs if p[0] is not None), key=itemgetter(0))
        values = [v for v, _ in points] or [0.0]
        label = f"{row['feature']}: from {signed(values[0])} to {signed(values[-1])}"
        drawn.append({"label": label, "zero": at(0.0), "dots": _dots(points, at)})
    return {"rows": drawn, "low": low, "high": high, "zero": at(0.0)}


def _dots(
    points: Sequence[tuple[float, int | None]], at: Callable[[float], float]
) -> list[dict[str, Any]]:
    dots: list[dict[str, Any]] = []
    n_at: dict[int, int] = {}
    for value, level in points:
        x = at(value)
        n = n_at[round(x)] = n_at.get(round(x), -1) + 1
        # 0, 1, -1, 2, -2 ... steps from the middle
        step = (n + 1) // 2 * (1 if n % 2 else -1) * _SWARM_STEP
        y = _SWARM_MIDDLE + max(-_SWARM_REACH, min(_SWARM_REACH, step))
        dots.append({"x": x, "y": y, "css": "v-none" if level is None else f"v{level}"})
    return dots


def histogram_strip(column: Row) -> Strip | None:
    """Draw the distribution of a numeric column."""
    counts = column.get("histogram")
    if not counts:
        return None
    width, tallest = 100 / len(counts), max(counts)
    bars = []
    for i, n in enumerate(counts):
        height = _HISTOGRAM_HEIGHT * n / tallest
        if height:
            place = {"y": round(_HISTOGRAM_HEIGHT - height, 1), "h": round(height, 1)}
            bars.append(_bar(round(i * width, 2), width - 1, "bar") | place)
    text = ", ".join(str(n) for n in counts)
    label = f"{column['name']}: rows in {len(counts)} bins of equal width: {text}"
    return {"label": label, "bars": bars}
