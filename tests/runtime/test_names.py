import pytest

from skdnn._runtime.names import shorten


@pytest.mark.parametrize(
    ("name", "width", "expected"),
    [
        ("petal", 5, "petal"),
        ("", 5, ""),
        ("a" * 100, 60, "a" * 40 + "…" + "a" * 19),
        ("abcdefghij", 5, "abc…j"),
        ("abcdefghij", 2, "a…"),
        ("abcdefghij", 1, "…"),
    ],
)
def test_long_names_lose_their_middle(name, width, expected):
    assert shorten(name, width) == expected
    assert len(shorten(name, width)) <= width


def test_names_that_differ_at_their_ends_stay_different():
    names = [f"measurement of the {i}th sensor, morning {i}" for i in range(10)]
    assert len({shorten(name, 22) for name in names}) == 10
