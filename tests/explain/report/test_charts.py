import numpy as np
import pytest

from skdnn.explain._report.charts import charts
from skdnn.explain._report.summary import summarise


def test_many_classes_share_six_colours(make_evidence):
    evidence = make_evidence(classes=range(40), n_rows=200)
    summary = summarise(evidence)
    assert len(summary["shown_classes"]) == 6
    strip = charts(summary)["shap"][0]
    assert [bar["css"] for bar in strip["bars"]] == [
        *(f"c{i}" for i in range(6)),
        "rest",
    ]
    assert sum(bar["w"] for bar in strip["bars"]) == pytest.approx(100, abs=0.1)


def test_every_row_of_the_summary_has_its_picture(evidence):
    summary = summarise(evidence)
    drawn = charts(summary)
    assert len(drawn["differences"]) == len(summary["scores"]["rivals"]) == 2
    assert len(drawn["columns"]) == len(summary["data"]["columns"])
    assert len(drawn["rows"]) == len(summary["rows"])
    for row, pictures in zip(summary["rows"], drawn["rows"], strict=True):
        assert len(pictures["shap"]) == len(row["features"]) + 1  # and the others
        assert len(pictures["lime"]) == len(row["features"])
        assert len(pictures["steps"]) == len(row["steps"])
    shades = drawn["confusion"]
    assert [max(row) for row in shades] == [
        int(np.ceil(8 * max(row) / sum(row))) for row in summary["confusion"]["matrix"]
    ]
