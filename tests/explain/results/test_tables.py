import numpy as np
import pandas as pd
import pytest

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
def test_what_a_result_hands_out_is_not_its_own(result):
    table = result.frame()
    table["value"] = 9
    assert result.frame()["value"].item() == 0.5
    if isinstance(result, Counterfactuals):
        changes = result.changes()
        changes["new"] = 9
        assert result.changes()["new"].item() == 2
    with pytest.raises(AttributeError):
        result.table = None


def test_titles_say_what_it_is():
    assert [result.title for result in results()] == [
        "Partial dependence",
        "Importance",
        "Counterfactuals: fewest changes",
    ]


def test_plain_data_of_counterfactuals_tells_what_was_tried():
    told = results()[2].to_dict()
    assert told["is_fewest"] == [True]
    assert told["columns"]["value"] == [0.5]
