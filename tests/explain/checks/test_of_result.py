"""Each check that looks at a result alone: it fires, stays silent, does not apply."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from skdnn.explain._checks import ALL, CheckInput, of_result, run_checks
from skdnn.explain._results.attributions import Attributions
from skdnn.explain._results.checks import Checks
from skdnn.explain._results.tables import ResultTable

VALUES = np.array([[[0.3, -0.3], [0.1, -0.1], [-0.05, 0.05]]] * 4)


def attributions(**changes):
    """Return four rows, three columns, two classes, that add up exactly."""
    told = {
        "values": VALUES,
        "std_errors": np.full(VALUES.shape, 0.005),
        "base_values": np.array([0.4, 0.6]),
        "predictions": np.array([0.4, 0.6]) + VALUES.sum(axis=1),
        "feature_names": ["a", "b", "c"],
        "class_names": np.array(["no", "yes"]),
        "data": np.arange(12.0).reshape(4, 3).astype(object),
        "method": "exact",
        "output": "probability",
        "n_background": 100,
        "random_state": 0,
    }
    return Attributions(**{**told, **changes})


def importance(low=0.25):
    table = pd.DataFrame(
        {
            "feature": ["b", "a"],
            "importance": [0.1, 0.3],
            "ci_low": [0.05, low],
            "ci_high": [0.15, 0.35],
        }
    )
    return ResultTable(table, "Permutation importance", "importance")


def told(check, result):
    return check(CheckInput(result))


CASES = {
    "SKD101": (
        attributions(predictions=np.array([[0.8, 0.2]] * 4)),
        attributions(),
        attributions(score=np.ones((4, 2))),
    ),
    "SKD102": (
        attributions(std_errors=np.full(VALUES.shape, 0.04)),
        attributions(),
        attributions(std_errors=np.zeros(VALUES.shape)),
    ),
    "SKD103": (
        attributions(score=np.array([[0.9, 0.49]] * 4)),
        attributions(score=np.array([[0.9, 0.51]] * 4)),
        attributions(),
    ),
    "SKD105": (
        attributions(std_errors=np.full(VALUES.shape, 0.08)),
        attributions(),
        attributions(std_errors=np.full(VALUES.shape, np.nan)),
    ),
    "SKD109": (attributions(n_background=1), attributions(), importance()),
    "SKD110": (
        attributions(
            values=VALUES * [[[1], [1], [0]]],
            data=np.array([[1, 2, "x"], [1, 3, "x"]] * 2, dtype=object),
        ),
        attributions(data=np.array([[1, 2, "x"], [1, 3, "x"]] * 2, dtype=object)),
        attributions()[:1],
    ),
}


@pytest.mark.parametrize("code", CASES)
def test_fires_stays_silent_or_does_not_apply(code):
    check = next(check for check in ALL if check.code == code)
    verdicts = [told(check, result).verdict for result in CASES[code]]
    assert verdicts == ["fires", "silent", "not applicable"]


@pytest.mark.parametrize("code", CASES)
def test_says_what_was_found_and_what_to_do(code):
    check = next(check for check in ALL if check.code == code)
    fired, silent, _ = (told(check, result) for result in CASES[code])
    assert fired.words.endswith(".")
    assert fired.words != silent.words
    assert fired.remedy == check.remedy
    assert silent.remedy == ""


def test_ranks_of_importance():
    check = of_result.RanksSeparated()
    assert told(check, importance(low=0.14)).verdict == "fires"
    found = told(check, importance())
    assert found.verdict == "silent"
    assert "“a” and “b”, the first two, do not touch" in found.words
    nothing = importance()
    nothing.table["importance"] = 0.0
    assert told(check, nothing).verdict == "not applicable"


def test_ranks_by_refits_where_nothing_was_sampled():
    check = of_result.RanksSeparated()
    exact = attributions(std_errors=np.zeros(VALUES.shape))
    assert told(check, exact).verdict == "not applicable"
    for error, verdict in ((0.01, "silent"), (0.2, "fires")):
        refits = replace(exact, refit_errors=np.full(VALUES.shape, error))
        assert told(check, refits).verdict == verdict


def test_a_column_missing_everywhere_is_constant():
    data = np.array([[np.nan, 1, 2], [None, 2, 3]], dtype=object)
    found = told(
        of_result.ConstantColumn(),
        attributions(values=VALUES[:2] * [[[0], [1], [1]]], data=data),
    )
    assert found.verdict == "fires"
    assert "“a”" in found.words


class TestList:
    def test_codes_are_in_order_and_each_is_there_once(self):
        codes = [check.code for check in ALL]
        assert codes == sorted(set(codes))
        assert all(check.severity in ("high", "medium", "low") for check in ALL)

    def test_is_a_sequence_and_a_table(self):
        checks = attributions().checks()
        assert isinstance(checks, Checks)
        assert len(checks) == len(ALL) == len(checks.frame())
        assert list(checks.frame()) == [
            "code", "title", "severity", "verdict", "words", "remedy",
        ]  # fmt: skip
        assert checks[0].code == "SKD101"
        assert [c.code for c in checks] == checks.frame()["code"].tolist()

    def test_shows_what_fires_first(self):
        text = repr(run_checks(CheckInput(CASES["SKD103"][0])))
        first, second, third = text.splitlines()[:3]
        assert first == "Checks of LIME (exact): 1 of 11 fire"
        assert second.startswith("SKD103 fires")
        assert "-> Read explain.shap instead" in third

    def test_html_is_escaped(self):
        data = np.array([["<b>", 1, 2]] * 4, dtype=object)
        hostile = attributions(
            values=VALUES * [[[0], [1], [1]]],
            data=data,
            feature_names=["<script>", "b", "c"],
        )
        text = hostile.checks()._repr_html_()
        assert "&lt;script&gt;" in text
        assert "<script>" not in text

    def test_what_needs_the_classifier_says_how_to_ask(self):
        found = {c.code: c for c in attributions().checks()}
        for code in ("SKD104", "SKD106", "SKD107", "SKD108"):
            assert found[code].verdict == "not applicable"
            assert "checks(estimator, X, background=…)" in found[code].words
