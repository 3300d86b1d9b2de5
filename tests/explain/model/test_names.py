import pytest

from skdnn.explain._model.names import positions_of

NAMES = ["age", "height", "3"]


def test_names_and_positions():
    assert positions_of("features", ["height", 0, -1], NAMES) == [1, 0, 2]
    assert positions_of("features", "3", NAMES) == [2]
    assert positions_of("features", 1, NAMES) == [1]


@pytest.mark.parametrize(
    ("given", "match"),
    [
        ("hight", r"`features` must name columns of X\. Got 'hight'\. Did you mean"),
        ("zzz", r"There are: \['age', 'height', '3'\]"),
        (3, r"positions below 3\. Got 3\. The column's name is '3'"),
        (-4, r"positions below 3\. Got -4\.$"),
        (True, "must name columns of X. Got True"),
        ([], r"at least one column\. Got none"),
        (["age", 0], r"name a column once\. Got more often: \['age'\]"),
    ],
)
def test_columns_that_are_not_there(given, match):
    with pytest.raises(ValueError, match=match):
        positions_of("features", given, NAMES)
