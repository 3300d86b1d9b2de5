"""Axes, marks and scales: where a number stands in a picture."""

import math
from collections.abc import Iterable
from typing import Any

from skdnn._runtime.names import shorten
from skdnn.explain._text import formatting

PLOT_WIDTH, PLOT_HEIGHT = 340, 230
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 10, 26, 38


def scale(low: float, high: float) -> Any:
    """Map low..high to 1..99 percent, so that marks at the ends are not cut."""
    spread = (high - low) or 1.0
    return lambda value: round(1 + 98 * (value - low) / spread, 2)


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
            self.text(_LEFT - 6, up + 3.5, formatting.number(value), "tick", "end")
        marks = ticks(x0, x1, 5)
        # Long numbers would run into each other.
        longest = max(len(formatting.number(value)) for value in marks)
        if x_title == "epoch":
            marks = [value for value in marks if value == int(value)]
        for value in marks[:: 2 if longest * len(marks) > 36 else 1]:
            across, _ = self.at(value, y0)
            place = self.height - _BOTTOM + 14
            self.text(across, place, formatting.number(value), "tick", "middle")
        self.line([(x0, y0), (x1, y0)], "axis")
        middle = (_LEFT + self.width - _RIGHT) / 2
        self.text(middle, self.height - 6, shorten(x_title, 36), "title", "middle")
        self.text(2, 10, y_title, "title", "start")


def done(plot: Plot, title: str) -> dict[str, Any]:
    return {
        "title": title,
        "label": plot.label,
        "width": plot.width,
        "height": plot.height,
        "marks": plot.marks,
    }
