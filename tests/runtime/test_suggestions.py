import pytest

from skdnn._runtime.suggestions import did_you_mean


@pytest.mark.parametrize(
    ("value", "choices", "hint"),
    [
        ("rleu", ["relu", "tanh"], " Did you mean 'relu'?"),
        ("ADAM", {"adam", "sgd"}, " Did you mean 'adam'?"),
        ("setosa", ["Setosa", "SETOSA"], " Did you mean 'Setosa'?"),
        ("id", ["ID", "name"], " Did you mean 'ID'?"),
        (2011, [2010, 1999], " Did you mean '2010'?"),
        ("zzz", ["relu", "tanh"], ""),
        ("relu", [], ""),
        (None, ["relu"], ""),
    ],
)
def test_the_nearest_choice_is_suggested(value, choices, hint):
    assert did_you_mean(value, choices) == hint
