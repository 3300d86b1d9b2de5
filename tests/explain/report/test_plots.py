import pytest

from skdnn.explain._report.plots import Axes, ticks


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (-1, 1, [-1, -0.5, 0, 0.5, 1]),
        (3, 3, [3]),
        (1, 60, [20, 40, 60]),
    ],
)
def test_ticks_are_round(low, high, expected):
    assert ticks(low, high) == expected


class TestAxes:
    def marks(self, axes, kind, css):
        return [m for m in axes.marks if m["kind"] == kind and m["css"] == css]

    def test_a_missing_point_leaves_a_gap(self):
        axes = Axes((0, 4), (0, 1), "label")
        axes.line([(0, 0.5), (1, 0.5), (2, None), (3, 1.0), (4, 1.0)], "curve")
        lines = self.marks(axes, "line", "curve")
        assert [len(line["points"].split()) for line in lines] == [2, 2]

    def test_dots_are_on_the_line_through_them(self):
        axes = Axes((0, 2), (-1, 1), "label")
        axes.line([(0, -1), (2, 1)], "curve")
        axes.dot(1, 0, "dot")
        (line,), (dot,) = (
            self.marks(axes, "line", "curve"),
            self.marks(axes, "dot", "dot"),
        )
        (x0, y0), (x1, y1) = (
            map(float, point.split(",")) for point in line["points"].split()
        )
        assert (dot["x"], dot["y"]) == ((x0 + x1) / 2, (y0 + y1) / 2)
        assert x0 < x1
        assert y0 > y1  # SVG counts down

    def test_epochs_are_whole_numbers(self):
        axes = Axes((1, 2), (0, 1), "label", "epoch")
        texts = [m["text"] for m in self.marks(axes, "text", "tick")]
        assert {"1", "2"} <= set(texts)
        assert "1.2" not in texts
