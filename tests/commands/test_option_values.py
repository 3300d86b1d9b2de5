import pandas as pd
import pytest

from skdnn._commands.option_values import parse_actionable, parse_costs
from skdnn._table_files.table_file_error import TableFileError

X = pd.DataFrame({"age": [1], "a=b": [2], "grade": ["low"]})


@pytest.mark.parametrize(
    ("given", "classes", "costs"),
    [
        ([], ["a", "b"], None),
        (["5:1"], ["bad", "good"], {("bad", "good"): 5, ("good", "bad"): 1}),
        (["bad:good=5"], ["bad", "good"], {("bad", "good"): 5, ("good", "bad"): 1}),
        (["0:1=2.5", "1:0=0"], [0, 1], {(0, 1): 2.5, (1, 0): 0}),
        (["a:b:c=3"], ["a:b", "c"], {("a:b", "c"): 3, ("c", "a:b"): 1}),
    ],
)
def test_costs(given, classes, costs):
    assert parse_costs(given, classes, classes[0]) == costs


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["bad:god=5"], "Did you mean 'good'"),
        (["bad=5"], "TRUE:PREDICTED=COST"),
        (["bad:good=much"], "with a number"),
        (["bad:bad=5"], "two classes"),
        (["5:1", "bad:good=1"], "TRUE:PREDICTED=COST"),
    ],
)
def test_costs_that_are_invalid(given, words):
    with pytest.raises(TableFileError, match=words):
        parse_costs(given, ["bad", "good"], "bad")


def test_actionable():
    given = ["age=no", "a=b=up", "grade=up:low,high"]
    assert parse_actionable(given, X) == {
        "age": False, "a=b": "up", "grade": ("up", ["low", "high"]),
    }  # fmt: skip
    assert parse_actionable(["grade=low,high"], X) == {"grade": ["low", "high"]}
    assert parse_actionable([], X) is None
    for text, words in [
        ("age", "COLUMN=RULE"),
        ("agee=no", "Did you mean 'age'"),
        ("age=maybe", "no, yes, up, down"),
    ]:
        with pytest.raises(TableFileError, match=words):
            parse_actionable([text], X)
