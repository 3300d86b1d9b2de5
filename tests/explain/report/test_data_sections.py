import json

import numpy as np
import pandas as pd

from skdnn.explain._report.summary import summarise


def test_strings_missing_values_and_constants(make_evidence):
    X = pd.DataFrame(
        {
            "word": ["a", "b", None] * 10,
            "constant": 1.0,
            "empty": np.nan,
            "gaps": [1.0, np.nan, 3.0] * 10,
            "fifth": 0.0,
            "sixth": 0.0,
            "huge": [-1e308, 0.0, 1e308] * 10,
        }
    )
    summary = summarise(make_evidence(X))
    word, constant, empty, gaps, *_ = summary["data"]["columns"]
    assert word["kind"] == "words"
    assert word["n_missing"] == 10
    assert {item["value"] for item in word["common"]} == {"a", "b"}
    assert constant["histogram"] == []
    assert empty["low"] is None
    assert empty["n_missing"] == 30
    assert sum(gaps["histogram"]) == 20
    assert "50 values are missing" in summary["data"]["words"].replace("\xa0", " ")
    json.dumps(summary, allow_nan=False)
