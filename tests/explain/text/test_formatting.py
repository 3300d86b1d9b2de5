import pytest

from skdnn.explain._text.formatting import (
    DASH,
    MINUS,
    count,
    interval,
    join,
    number,
    percent,
    quote,
    signed,
)


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.0, "0%"),
        (0.004, "<\xa01%"),
        (0.5, "50%"),
        (0.97, "97%"),
        (0.996, ">\xa099%"),
        (1.0, "100%"),
        (None, DASH),
    ],
)
def test_percentages_never_round_to_none_or_all(share, text):
    assert percent(share) == text


def test_intervals_where_they_are_known():
    assert interval({"value": -0.5, "low": -1, "high": 0.1}) == (
        f"{MINUS}0.50 ({MINUS}1.00 to 0.10)"
    )
    assert interval({"value": 0.5, "low": None, "high": None}) == "0.50"


def test_numbers_and_their_signs():
    assert [number(0.41234), number(1234567.0), number(12.0)] == [
        "0.412",
        "1,234,567",
        "12",
    ]
    assert [signed(0.25), signed(-0.0001)] == ["+0.250", "0.000"]


def test_counts_and_names():
    assert join(["a", "b", "c"]) == "a, b and c"
    assert count(1, "row") == "1\xa0row"
    assert count(2, "class", "classes") == "2\xa0classes"
    assert count(1200, "row") == "1,200\xa0rows"
    assert quote("a" * 180) == f"“{'a' * 80}…{'a' * 39}”"
