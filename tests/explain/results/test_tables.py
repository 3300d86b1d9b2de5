import numpy as np
import pandas as pd
import pytest

from skdnn.explain import DeletionCurves
from skdnn.explain._results.counterfactuals import Counterfactuals
from skdnn.explain._results.profiles import Profiles
from skdnn.explain._results.tables import ResultTable


def results():
    frame = pd.DataFrame({"feature": ["a"], "class": ["x"], "x": [1.0], "value": [0.5]})
    changed = pd.DataFrame(
        {"row": [0], "sample": [0], "feature": ["a"], "old": [1], "new": [2]}
    )
    return [
        Profiles(frame, "Partial dependence", 3, {}),
        ResultTable(frame, "Importance", "importance"),
        Counterfactuals(frame, changed, np.array([True]), 3),
    ]


@pytest.mark.parametrize("result", results(), ids=lambda r: type(r).__name__)
def test_frames_are_copies(result):
    table = result.frame()
    table["value"] = 9
    assert result.frame()["value"].item() == 0.5
    if isinstance(result, Counterfactuals):
        changes = result.changes()
        changes["new"] = 9
        assert result.changes()["new"].item() == 2
    with pytest.raises(AttributeError):
        result.table = None


def test_titles():
    assert [result.title for result in results()] == [
        "Partial dependence",
        "Importance",
        "Counterfactuals: fewest changes",
    ]


def test_plain_data_of_counterfactuals():
    data = results()[2].to_dict()
    assert data["is_fewest"] == [True]
    assert data["columns"]["value"] == [0.5]


def test_chance_counts_random_orders_that_are_as_good():
    areas = np.array([0.2, 0.3, 0.3 + 1e-13, 0.6])
    curves = DeletionCurves(pd.DataFrame(), areas, 0.3, 5, "probability")
    assert curves.chance == 4 / 5
    assert DeletionCurves(pd.DataFrame(), areas, 0.1, 5, "").chance == 1 / 5
