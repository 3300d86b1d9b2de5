import json

import numpy as np
import pandas as pd
import pytest

from skdnn.explain._report.model_sections import calibration, confusion
from skdnn.explain._report.summary import summarise


def test_mistakes_are_the_cells_off_the_diagonal(evidence):
    section = confusion(evidence)
    matrix = np.zeros((3, 3), dtype=int)
    np.add.at(matrix, (evidence.codes, evidence.predicted), 1)
    assert (section["matrix"] == matrix).all()
    counts = [item["n"] for item in section["largest"]]
    assert counts == sorted(counts, reverse=True)
    assert sum(counts) + section["n_right"] == 40
    for item in section["largest"]:
        i = evidence.classes.index(item["actual"])
        assert item["n"] == matrix[i, evidence.classes.index(item["predicted"])]
        assert item["share"] == item["n"] / matrix[i].sum()


def test_reliability_has_the_bins_of_the_calibration_error(evidence):
    section = calibration(evidence)
    assert section["n_bins"] == 15
    confidence = evidence.probabilities.max(axis=1)
    right = evidence.predicted == evidence.codes
    edges = np.linspace(0, 1, 16)
    n, hits = (np.histogram(c, edges)[0] for c in (confidence, confidence[right]))
    assert [point["n"] for point in section["curve"]] == n[n > 0].tolist()
    observed = [point["observed"] for point in section["curve"]]
    assert observed == pytest.approx(hits[n > 0] / n[n > 0])


def test_a_class_without_rows_has_no_reliability(make_evidence):
    made = make_evidence()
    codes = np.where(made.codes == 2, 0, made.codes)
    names = [
        item["class"] for item in calibration(make_evidence(codes=codes))["by_class"]
    ]
    assert names == ["setosa", "versicolor"]


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
