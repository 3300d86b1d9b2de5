"""The section on rows whose class is not known, from results with given numbers."""

import json

import numpy as np
import pytest
from oracles import WithSets

from skdnn import explain
from skdnn.explain import Report, Uncertainty
from skdnn.explain._report.summary import summarise
from skdnn.explain._report.uncertainty_sections import N_ROWS, uncertainty

CLASSES = ("setosa", "versicolor", "virginica")


def _decisions(y, by=None):
    """Return the performance of sets that hold all but the first class."""

    class Always(WithSets):
        def predict_set(self, X, confidence_level=0.9):
            sets = np.ones((len(X), 3), dtype=bool)
            sets[:, 0] = confidence_level > 0.9
            return sets

    model = Always(lambda X: np.full(len(X), 0.5), classes=CLASSES)
    model.predict_proba = lambda X: np.tile([0.2, 0.3, 0.5], (len(X), 1))
    X = np.arange(len(y), dtype=float)[:, None]
    return explain.performance(model, X, y, by=by, random_state=0)


@pytest.fixture
def given(make_evidence):
    plain = make_evidence()
    n, sets = 40, np.zeros((40, 3), dtype=bool)
    sets[np.arange(n), plain.predicted] = True
    sets[:20] = True
    votes = np.zeros((n, 3), dtype=int)
    votes[np.arange(n), plain.predicted] = 4
    votes[5] = [2, 1, 1]
    p = np.full(n, 0.5)
    p[[5, 30]] = 0.02
    reasons = np.full(n, "", dtype=object)
    reasons[[5, 30]] = "unlike all <b>rows</b>"
    known = Uncertainty(
        class_names=plain.class_names, predicted=plain.predicted, reasons=reasons,
        sets=sets, confidence_level=0.9, votes=votes, p_values=p, n_calibration=49,
        p_unusual=0.3,
    )  # fmt: skip
    by = np.repeat(["north", "south"], [35, 5])
    y = np.array(CLASSES)[plain.codes]
    return make_evidence(
        uncertainty=known, uncertain_rows=list(range(n)), drift="One has moved.",
        decisions=_decisions(y, by),
    )  # fmt: skip


def test_counts_and_rows(given):
    section = uncertainty(given)
    assert (section["n_several"], section["n_disagree"], section["n_unlike"]) == (
        20, int(given.predicted[5] != 0) or 1, 2,
    )  # fmt: skip
    assert section["n_uncertain"] == 21  # the first twenty, and row 30
    assert len(section["rows"]) == N_ROWS
    first, *others = section["rows"]
    assert first["position"] == 5  # with every sign
    assert first["reason"] == "Unlike all <b>rows</b>"
    assert first["classes"] == list(CLASSES)
    top = [given.probabilities[row["position"]].max() for row in others]
    assert top == sorted(top)
    assert set(section["by_row"]) == {str(row) for row in given.readable}


def test_coverage_by_level_and_group(given):
    section = uncertainty(given)
    share = (given.codes > 0).mean()
    assert [row["coverage"] for row in section["levels"]] == pytest.approx(
        [share, share, 1, 1]
    )
    assert [row["n_classes"] for row in section["levels"]] == [2, 2, 3, 3]
    assert section["levels"][0]["accuracy"] is None
    north, south = section["groups"]
    assert (north["n"], south["n"]) == (35, 5)
    assert (north["is_small"], south["is_small"]) == (False, True)
    assert south["coverage"]["value"] == pytest.approx((given.codes[35:] > 0).mean())
    assert "“south” has fewer than 30 rows" in section["group_words"]
    assert section["guarantee"].endswith("does not know what is proven of them.")


def test_page_and_markdown(given):
    summary = summarise(given)
    report = Report(json.loads(json.dumps(summary, allow_nan=False)))
    page, text = report.html(), report.to_markdown()
    assert page.count('data-test="uncertain-row"') == N_ROWS
    assert "Unlike all &lt;b&gt;rows" in page
    assert page.count('data-test="row-uncertainty"') == len(given.chosen) + len(
        summary["more_rows"]
    )
    for part in ("headline", "words", "coverage", "drift"):
        assert summary["uncertainty"][part].split("(")[0] in page
    assert "## Uncertain rows" in text
    assert "One has moved." in text
    for row, _ in given.chosen:
        assert summary["uncertainty"]["by_row"][str(row)].split("(")[0] in text


def test_no_section_without_evidence(make_evidence):
    plain = make_evidence()
    assert uncertainty(plain) is None
    nothing = Uncertainty(
        plain.class_names, plain.predicted, np.full(40, "", dtype=object)
    )
    rows = {"uncertainty": nothing, "uncertain_rows": list(range(40))}
    assert uncertainty(make_evidence(**rows)) is None
    page = Report(summarise(plain)).html()
    assert "#uncertain" not in page
