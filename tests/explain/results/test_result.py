"""What all results have: a frame, plain data, HTML and checks."""

import json

import numpy as np
import pandas as pd
import pytest

from skdnn import explain


@pytest.fixture(scope="module")
def results(people, people_model):
    frame, y = people
    settings = {"background": frame, "random_state": 0}
    return {
        "shap": explain.shap(people_model, frame[:6], **settings),
        "lime": explain.lime(people_model, frame[:6], **settings),
        "importance": explain.permutation_importance(
            people_model, frame, y, random_state=0
        ),
        "profiles": explain.partial_dependence(people_model, frame),
        "curves": explain.partial_dependence(people_model, frame[:30], ice=True),
        "pairs": explain.partial_dependence(
            people_model, frame[:30], features=[("age", "city")]
        ),
        "break_down": explain.break_down(people_model, frame[:6], **settings),
        "ceteris_paribus": explain.ceteris_paribus(people_model, frame[:6], **settings),
        "accumulated": explain.accumulated_local_effects(people_model, frame),
        "effects": explain.average_conditional_effects(people_model, frame),
        "counterfactuals": explain.counterfactuals(
            people_model, frame[:6], **settings, n_alternatives=2
        ),
        "summary": explain.summary(people_model, frame, y, random_state=0),
        "performance": explain.performance(
            people_model, frame, y, by="city", costs=1 - np.eye(3), random_state=0
        ),
        "novelty": explain.novelty(people_model, frame[:6], **settings),
        "agreement": explain.agreement(people_model, frame[:6], y[:6], **settings),
    }


RESULTS = [
    "shap", "lime", "break_down", "ceteris_paribus", "profiles", "curves", "pairs",
    "accumulated", "importance", "effects", "counterfactuals", "agreement", "summary",
    "performance", "novelty",
]  # fmt: skip
# of results alone, the checks that apply
VERDICTS = {
    "shap": {"SKD101": "silent", "SKD109": "silent", "SKD110": "silent"},
    "lime": {
        "SKD102": "silent", "SKD103": "silent", "SKD105": "silent", "SKD109": "silent",
        "SKD110": "silent",
    },
    "break_down": {"SKD101": "silent", "SKD109": "silent", "SKD110": "silent"},
    "importance": {"SKD105": "silent"},
    "effects": {}, "agreement": {}, "summary": {}, "performance": {},
    "novelty": {"SKD117": "fires"},
}  # fmt: skip


@pytest.mark.parametrize("name", RESULTS)
def test_frame_plain_data_and_html(name, results):
    result = results[name]
    assert isinstance(result.frame(), pd.DataFrame)
    data = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    assert len(next(iter(data["columns"].values()))) == len(result.frame())
    assert result._repr_html_().startswith("<div>")


@pytest.mark.parametrize("name", RESULTS)
def test_every_result_has_checks(name, results):
    checks = results[name].checks()
    assert [finding.code for finding in checks] == [
        f"SKD{number}" for number in range(101, 118)
    ]
    applicable = {f.code: f.verdict for f in checks if f.verdict != "not applicable"}
    assert applicable == VERDICTS.get(name, {"SKD109": "silent"})
    assert all(bool(f.remedy) == (f.verdict == "fires") for f in checks)
    data = json.loads(json.dumps(checks.to_dict(), allow_nan=False))
    assert data["title"] == f"Checks of {results[name].title}"


def test_html_is_escaped(formula):
    X = pd.DataFrame({"<script>alert(1)</script>": [0.0, 1.0], "b": ["<b>", "&"]})

    class Model:
        classes_ = np.array(["<i>", "x"])

        def predict_proba(self, X):
            p = X.iloc[:, 0].to_numpy()
            return np.column_stack([p, 1 - p])

    settings = {"background": X}
    for function in (
        explain.shap,
        explain.break_down,
        explain.ceteris_paribus,
        explain.partial_dependence,
        explain.accumulated_local_effects,
        explain.average_conditional_effects,
        explain.counterfactuals,
    ):
        text = function(Model(), X, **settings)._repr_html_()
        assert "&lt;script&gt;" in text
        assert "<script>" not in text
        assert "<i>" not in text
        assert "<b>" not in text
