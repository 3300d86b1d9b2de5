"""Each check of a result alone fires, stays silent, and does not apply."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from skdnn.explain._checks import CHECKS, Measurements
from skdnn.explain._results.attributions import Attributions
from skdnn.explain._results.tables import ResultTable

VALUES = np.array([[[0.3, -0.3], [0.1, -0.1], [-0.05, 0.05]]] * 4)


def attributions(**changes):
    """Return four rows, three columns, two classes, that add up exactly."""
    fields = {
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
    return Attributions(**{**fields, **changes})


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


def by_code(code):
    return next(check for check in CHECKS if check.code == code)


def finding(check, result):
    return check(result, Measurements())


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
    check = by_code(code)
    verdicts = [finding(check, result).verdict for result in CASES[code]]
    assert verdicts == ["fires", "silent", "not applicable"]


@pytest.mark.parametrize("code", CASES)
def test_words_and_remedy(code):
    check = by_code(code)
    fired, silent, _ = (finding(check, result) for result in CASES[code])
    assert fired.words.endswith(".")
    assert fired.words != silent.words
    assert fired.remedy == check.remedy
    assert silent.remedy == ""


def test_ranks_of_importance():
    check = by_code("SKD105")
    assert finding(check, importance(low=0.14)).verdict == "fires"
    answer = finding(check, importance())
    assert answer.verdict == "silent"
    assert "two columns, “a” and “b”, do not overlap" in answer.words
    nothing = importance()
    nothing.table["importance"] = 0.0
    assert finding(check, nothing).verdict == "not applicable"


def test_ranks_by_refits_where_nothing_was_sampled():
    check = by_code("SKD105")
    exact = attributions(std_errors=np.zeros(VALUES.shape))
    assert finding(check, exact).verdict == "not applicable"
    for error, verdict in ((0.01, "silent"), (0.2, "fires")):
        refits = replace(exact, refit_errors=np.full(VALUES.shape, error))
        assert finding(check, refits).verdict == verdict


def test_a_column_missing_everywhere_is_constant():
    data = np.array([[np.nan, 1, 2], [None, 2, 3]], dtype=object)
    answer = finding(
        by_code("SKD110"),
        attributions(values=VALUES[:2] * [[[0], [1], [1]]], data=data),
    )
    assert answer.verdict == "fires"
    assert "“a”" in answer.words


def test_what_needs_the_classifier_says_how_to_pass_it():
    findings = {f.code: f for f in attributions().checks()}
    for code in ("SKD104", "SKD106", "SKD107", "SKD108"):
        assert findings[code].verdict == "not applicable"
        assert "checks(estimator, X, background=…)" in findings[code].words
