from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from skdnn.explain._report.column_sections import curve, direction, profiles, shap


def test_of_many_categories_those_are_shown_that_differ_most():
    x = [f"w{i}" for i in range(40)]
    values = np.full(40, 0.5)
    values[[3, 7, 30]] = [0.1, 0.9, 0.2]
    rows = pd.DataFrame({"class": "k", "x": x, "value": values})
    of_class = SimpleNamespace(classes=["k"], shown=[0])
    many = curve(rows, "f", of_class, "w35")
    assert (len(many["x"]), many["n_left_out"]) == (15, 25)
    assert {"w3", "w7", "w30", "w35"} <= set(many["x"])
    assert many["x"] == sorted(many["x"], key=x.index)
    line = many["lines"][0]
    assert line["values"][many["x"].index("w7")] == 0.9
    assert line["range"] == pytest.approx(0.8)
    few = curve(rows[:15], "f", of_class)
    assert (len(few["x"]), few["n_left_out"]) == (15, 0)


# Its rank correlation with the position is 0.38.
WEAK = np.random.default_rng(0).normal(size=100) + np.arange(100) / 80


@pytest.mark.parametrize(
    ("column", "attribution", "expected"),
    [
        ([1.0, 2.0, 3.0, np.nan], [-0.1, 0.0, 0.2, 5.0], "raises"),
        ([1.0, 2.0, 3.0, 4.0], [0.3, 0.1, -0.2, -0.3], "lowers"),
        ([1.0, 2.0, 3.0, 4.0], [0.3, -0.3, -0.2, 0.25], "mixed"),
        (np.arange(100.0), np.r_[0:60, 90:50:-1] / 100, "raises"),
        (np.arange(100.0), WEAK, "tends to raise"),
        (np.arange(100.0), -WEAK, "tends to lower"),
        (np.arange(100.0), np.tile([0.4, 0.1], 50), "mixed"),
        ([1.0, 1.0, 1.0, 1.0], [0.3, -0.3, -0.2, 0.2], ""),
        ([1.0, 2.0, 3.0, 4.0], [0.0, 0.0, 0.0, 0.0], ""),
        ([1.0, 2.0, np.nan, np.nan], [0.0, 0.1, 0.0, 0.0], ""),
    ],
)
def test_direction(column, attribution, expected):
    assert direction(np.array(column), np.array(attribution)) == expected


def test_text_columns_have_no_direction():
    column = np.array(["a", "b", "c"], dtype=object)
    assert direction(column, np.array([0.1, 0.2, 0.3])) == ""


def test_curves_are_in_the_order_of_the_importances(evidence):
    ranking = {"rows": [{"feature": "petal width"}, {"feature": "sepal width"}]}
    section = profiles(evidence.profiles, evidence, ranking, lambda *_: "text")
    names = [curve["feature"] for curve in section["curves"]]
    assert names[:2] == ["petal width", "sepal width"]
    assert sorted(names) == sorted(evidence.feature_names)
    assert {curve["sentence"] for curve in section["curves"]} == {"text"}


def test_levels_of_the_swarm_rise_with_the_values(evidence):
    for section in shap(evidence)["strips"]:
        for row in section["rows"]:
            j = evidence.feature_names.index(row["feature"])
            order = np.argsort(evidence.columns[j])
            levels = np.array(row["levels"])[order]
            assert levels.tolist() == sorted(levels)
            assert set(levels) == {0, 1, 2, 3, 4}
