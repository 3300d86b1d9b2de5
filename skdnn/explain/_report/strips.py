"""Strips: small pictures as wide as a table cell, with positions in percent."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from skdnn.explain._report.axes import scale
from skdnn.explain._text import formatting

_HISTOGRAM_HEIGHT = 20
# Vertical positions of the dots of a swarm, and steps between dots that would touch.
_SWARM_MIDDLE, _SWARM_REACH, _SWARM_STEP = 14, 11, 3

Row = Mapping[str, Any]  # a row of a table of the summary
Strip = dict[str, Any]


def share_strip(value: float | None, label: str, css: str) -> Strip:
    """Draw a share of 1 as a bar."""
    bar = {"x": 0.0, "w": round(100 * (value or 0.0), 2), "css": css}
    return {"label": label, "bars": [bar]}


def mark_strip(
    label: str, marks: Iterable[tuple[float, list[float] | None, str]]
) -> Strip:
    """Draw positions, each with the ends of its whisker and its CSS class."""
    drawn = [{"x": x, "whisker": whisker, "css": css} for x, whisker, css in marks]
    return {"label": label, "marks": drawn}


def score_strip(row: Row, subject: str) -> Strip:
    """Draw the score of the model, the simple model and the baseline."""
    parts = (
        (subject, row["model"], "m0"),
        ("logistic regression", row["simple"], "m1"),
        ("baseline", row["baseline"], "m2"),
    )
    known = [
        (name, part, css) for name, part, css in parts if part["value"] is not None
    ]
    values = [v for _, part, _ in known for v in part.values() if v is not None]
    at = scale(0.0, 1.0 if row["high_is_good"] else max([*values, 1e-9]))
    texts = [f"{name} {formatting.interval(part)}" for name, part, _ in known]
    marks = [(at(part["value"]), _whisker(at, part), css) for _, part, css in known]
    return mark_strip(f"{row['title']}: {', '.join(texts)}", marks)


def _whisker(at: Callable[[float], float], part: Row) -> list[float] | None:
    if part.get("low") is None:
        return None
    return [at(part["low"]), at(part["high"])]


def _zero_strip(
    at: Callable[[float], float], value: float | None, label: str, css: str
) -> Strip:
    """Draw a bar from 0 to a value."""
    bars = []
    if value is not None:
        width = round(abs(at(value) - at(0.0)), 2)
        bars.append({"x": min(at(0.0), at(value)), "w": width, "css": css})
    return {"label": label, "zero": at(0.0), "bars": bars}


def importance_strips(rows: Sequence[Row]) -> list[Strip]:
    """Draw permutation importances with their intervals."""
    ends = [row[k] for row in rows for k in ("value", "low", "high")]
    known = [0.0, *(v for v in ends if v is not None)]
    at = scale(min(known), max(known))
    strips = []
    for row in rows:
        text = formatting.interval(row, lambda value: formatting.fixed(value, 3))
        strip = _zero_strip(at, row["value"], f"{row['feature']}: {text}", "bar")
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
        label = f"{feature}: {formatting.signed(value)}"
        strips.append(_zero_strip(at, value, label, css))
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
        bar = {"x": start, "w": round(end - start, 2), "css": _sign_css(step["value"])}
        label = (
            f"{step['feature']}: {formatting.signed(step['value'])}, "
            f"from {formatting.fixed(step['start'], 3)} "
            f"to {formatting.fixed(step['end'], 3)}"
        )
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
                width = value / longest
                bars.append(
                    {"x": round(100 * x, 2), "w": round(100 * width, 2), "css": css}
                )
                texts.append(f"{label} {formatting.number(value)}")
                x += width
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
        points = sorted((pair for pair in pairs if pair[0] is not None), key=_value)
        values = [v for v, _ in points] or [0.0]
        label = (
            f"{row['feature']}: from {formatting.signed(values[0])} to "
            f"{formatting.signed(values[-1])}"
        )
        drawn.append({"label": label, "zero": at(0.0), "dots": _dots(points, at)})
    return {"rows": drawn, "low": low, "high": high, "zero": at(0.0)}


def _value(point: tuple[float, int | None]) -> float:
    return point[0]


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
    heights = [_HISTOGRAM_HEIGHT * n / tallest for n in counts]
    bars = [
        {
            "x": round(i * width, 2),
            "w": round(width - 1, 2),
            "y": round(_HISTOGRAM_HEIGHT - height, 1),
            "h": round(height, 1),
            "css": "bar",
        }
        for i, height in enumerate(heights)
        if height
    ]
    text = ", ".join(str(n) for n in counts)
    return {
        "label": f"{column['name']}: rows in {len(counts)} bins of equal width: {text}",
        "bars": bars,
    }
