"""What a page states of its rows follows from what is known of them."""

import pytest

from skdnn.explain._report.origin import Origin
from skdnn.explain._report.report import Report
from skdnn.explain._report.summary import summarise

CASES = {
    "stated": (Origin(), "40 held-out rows", "", "only if the model was not fitted"),
    "none": (
        Origin("none"), "40 held-out rows", "",
        "The model was not trained on these rows.",
    ),
    "all": (
        Origin("all"), "40 rows",
        "These are rows that the model was trained on: its scores are too good.",
        "The scores do not apply to new rows.",
    ),
    "some": (
        Origin("some", 3), "40 rows",
        "At least 3 rows of these equal rows that the model was trained on: its scores "
        "may be too good.",
        "only as far as these rows are new.",
    ),
    "one": (
        Origin("some", 1), "40 rows",
        "At least 1 row of these equals a row that the model was trained on: its "
        "scores may be too good.",
        "only as far as these rows are new.",
    ),
    "unknown": (
        Origin("unknown"), "40 rows",
        "It is not known whether the model was trained on some of these rows: if it "
        "was, its scores are too good.",
        "only if these are new.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_the_page_states_what_is_known_of_its_rows(name, make_evidence, schema):
    origin, rows, words, validity = CASES[name]
    summary = summarise(make_evidence(origin=origin))
    schema.validate(summary)
    verdict = summary["verdict"].replace("\xa0", " ")
    data = summary["data"]["words"].replace("\xa0", " ")
    assert f"of {rows};" in verdict
    assert data.startswith(rows)
    assert ("held-out" in verdict + data) == (name in ("stated", "none"))
    assert summary["origin"]["words"].replace("\xa0", " ") == words
    assert words in verdict
    assert validity in summary["origin"]["validity"]
    page = Report(summary).html()
    assert summary["origin"]["validity"] in page
    assert "trained on some of these rows" not in page or name == "unknown"


@pytest.mark.parametrize("is_command", [False, True])
def test_readers_of_a_command_are_given_no_names_of_python(is_command, make_evidence):
    evidence = make_evidence(
        origin=Origin("unknown", is_command=is_command), has_labels=False, rivals=[]
    )
    summary = summarise(evidence)
    page = Report(summary).html()
    for name in ("y_background", "explain.counterfactuals", "The parameter samples"):
        assert (name in page) != is_command
    for name in ("--actionable", "skdnn report"):
        assert (name in page) == is_command
    assert ("y_background" in summary["verdict"]) != is_command


@pytest.mark.parametrize("is_known", [False, True])
def test_whether_the_background_is_that_of_the_training(is_known, make_evidence):
    origin = Origin("none", is_background_training=is_known)
    page = Report(summarise(make_evidence(origin=origin))).html()
    assert ("was trained on these very rows is not known" in page) != is_known
    assert ("The model was trained on these very rows." in page) == is_known
