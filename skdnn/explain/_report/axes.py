"""Axes of plots, and scales that turn numbers into positions."""

import math
from collections.abc import Callable, Iterable
from typing import Any

from skdnn._runtime.names import shorten
from skdnn.explain._text import formatting

_WIDTH, _HEIGHT = 340, 230
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 10, 26, 38
_MAX_TITLE = 36  # characters
_MAX_TICKS = 36  # characters of all labels along x


def scale(low: float, high: float) -> Callable[[float], float]:
    """Return a function from low..high to 1..99 percent, so that no mark is cut."""
    spread = (high - low) or 1.0
    return lambda value: round(1 + 98 * (value - low) / spread, 2)


def ticks(low: float, high: float, n: int = 5) -> list[float]:
    """Return about `n` round numbers between low and high.

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


class Axes:
    """Axes and marks of one plot, which the templates write as SVG.

    `x` and `y` are the ends of the axes, `label` describes the plot to screen readers.
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
        self.marks: list[dict[str, Any]] = []
        self._x, self._y = x, y
        self._draw_frame(x_title, y_title)

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Return the position of a point in the plot."""
        (x0, x1), (y0, y1) = self._x, self._y
        across = (x - x0) / ((x1 - x0) or 1)
        up = (y - y0) / ((y1 - y0) or 1)
        return (
            round(_LEFT + across * (_WIDTH - _LEFT - _RIGHT), 1),
            round(_HEIGHT - _BOTTOM - up * (_HEIGHT - _TOP - _BOTTOM), 1),
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
        """Write at a position in the plot."""
        mark = {"kind": "text", "x": x, "y": y, "text": text, "css": css}
        self.marks.append({**mark, "anchor": anchor})

    def as_dict(self, title: str) -> dict[str, Any]:
        """Return what the template of a plot takes."""
        return {
            "title": title,
            "label": self.label,
            "width": _WIDTH,
            "height": _HEIGHT,
            "marks": self.marks,
        }

    def _draw_frame(self, x_title: str, y_title: str) -> None:
        (x0, x1), (y0, y1) = self._x, self._y
        for value in ticks(y0, y1, 4):
            _, up = self.at(x0, value)
            self.line([(x0, value), (x1, value)], "grid")
            self.text(_LEFT - 6, up + 3.5, formatting.number(value), "tick", "end")
        marks = ticks(x0, x1)
        longest = max(len(formatting.number(value)) for value in marks)
        if x_title == "epoch":
            marks = [value for value in marks if value == int(value)]
        # long labels would overlap
        for value in marks[:: 2 if longest * len(marks) > _MAX_TICKS else 1]:
            across, _ = self.at(value, y0)
            below = _HEIGHT - _BOTTOM + 14
            self.text(across, below, formatting.number(value), "tick", "middle")
        self.line([(x0, y0), (x1, y0)], "axis")
        middle = (_LEFT + _WIDTH - _RIGHT) / 2
        title = shorten(x_title, _MAX_TITLE)
        self.text(middle, _HEIGHT - 6, title, "title", "middle")
        self.text(2, 10, y_title, "title", "start")
