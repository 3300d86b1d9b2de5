import pytest

from skdnn.explain._model.players import players_of

COLUMNS = ["age", "height", "width", "city"]


def test_every_column_alone():
    alone = [("age", [0]), ("height", [1]), ("width", [2]), ("city", [3])]
    assert players_of(COLUMNS, None) == alone
    assert players_of(COLUMNS, {}) == alone
    assert players_of(COLUMNS, []) == alone


def test_named_groups_are_ordered_by_their_first_column():
    result = players_of(COLUMNS, {"who": ["city", "age"], "size": ("height", 2)})
    assert result == [("who", [3, 0]), ("size", [1, 2])]


def test_groups_without_names_are_called_after_their_columns():
    result = players_of(COLUMNS, [["height", -2], "age"])
    assert result == [("age", [0]), ("height + width", [1, 2]), ("city", [3])]


def test_a_group_may_be_called_as_its_own_column():
    assert players_of(COLUMNS, {"age": ["age"]}) == players_of(COLUMNS, None)
    assert players_of(COLUMNS, {"age": "age"}) == players_of(COLUMNS, None)


@pytest.mark.parametrize(
    ("groups", "match"),
    [
        ({"size": ["hight"]}, r"Got 'hight'\. Did you mean 'height'\?"),
        ({"size": ["zzz"]}, r"Got 'zzz'\. There are: \['age', 'height'"),
        ({"size": [4]}, r"positions below 4\. Got 4"),
        ({"size": []}, r"columns in each group\. Got none for 'size'"),
        ([[]], r"columns in each group\. Got none in a list"),
        ({"a": ["age"], "b": ["city", "age"]}, r"more often: \['age'\]"),
        ({"city": ["age", "width"]}, r"no other group or column has\. Got \['city'\]"),
    ],
)
def test_invalid_groups(groups, match):
    with pytest.raises(ValueError, match=match):
        players_of(COLUMNS, groups)


@pytest.mark.parametrize(
    ("groups", "match"),
    [("age", "Got str"), ({1: ["age"]}, "must be strings. Got 1")],
)
def test_groups_of_another_type(groups, match):
    with pytest.raises(TypeError, match=match):
        players_of(COLUMNS, groups)
