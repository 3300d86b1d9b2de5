"""Findings as a sequence, a table, text and HTML."""

import pytest

from skdnn.explain import Checks, Finding


@pytest.fixture
def checks():
    silent = Finding("SKD101", "Sums match", "high", "silent", "The residual is 0.")
    fired = Finding("SKD103", "<i> fits", "low", "fires", "R² is 0.3.", "Use <shap>.")
    return Checks((silent, fired), "LIME (<b>)")


def test_is_a_sequence_and_a_table(checks):
    assert len(checks) == 2
    assert checks[0].code == "SKD101"
    assert [c.code for c in checks] == ["SKD101", "SKD103"]
    assert checks.fired == [checks[1]]
    table = checks.frame()
    assert table.columns.tolist() == [
        "code", "title", "severity", "verdict", "words", "remedy",
    ]  # fmt: skip
    assert table["verdict"].tolist() == ["silent", "fires"]
    assert checks.to_dict()["title"] == "Checks of LIME (<b>)"


def test_text_starts_with_what_fires(checks):
    assert repr(checks).splitlines() == [
        "Checks of LIME (<b>): 1 of 2 fire",
        "SKD103 fires          <i> fits: R² is 0.3.",
        "                       -> Use <shap>.",
        "SKD101 silent         Sums match: The residual is 0.",
    ]


def test_html_is_escaped_and_starts_with_what_fires(checks):
    text = checks._repr_html_()
    assert text.startswith("<div><strong>Checks of LIME (&lt;b&gt;)</strong>")
    assert text.index("SKD103") < text.index("SKD101")
    assert '<td style="text-align:left">Use &lt;shap&gt;.</td>' in text
    assert "<i>" not in text
