import json

import numpy as np
import pandas as pd
import pytest

from skdnn.explain._report import charts as _charts
from skdnn.explain._report import plot, sections
from skdnn.explain._report import summary as _summary
from skdnn.explain._report import words as _words
from skdnn.explain._report.summary import plain, summarise


def test_summary_is_strict_json(evidence):
    text = json.dumps(summarise(evidence), allow_nan=False)
    assert json.loads(text) == summarise(evidence)


def test_numbers_are_those_of_the_results(evidence):
    summary = summarise(evidence)
    accuracy = summary["scores"]["rows"][0]
    assert accuracy["model"]["value"] == evidence.performance.scores["accuracy"].value
    assert accuracy["simple"]["value"] == evidence.simple.scores["accuracy"].value
    assert summary["confusion"]["matrix"] == evidence.performance.confusion.tolist()
    first = summary["permutation_importance"]["rows"][0]
    frame = evidence.importance.frame()
    assert first["value"] == frame["importance"].max()
    mean = np.abs(evidence.shap.values).mean(0)
    top = summary["shap"]["rows"][0]
    assert top["feature"] == evidence.feature_names[mean.sum(1).argmax()]
    assert top["total"] == pytest.approx(mean.sum(1).max())


def test_rows_hold_the_attributions_of_the_predicted_class(evidence):
    summary = summarise(evidence)
    for i, (row, _) in enumerate(evidence.chosen):
        told = summary["rows"][i]
        k = evidence.predicted[row]
        assert told["predicted"] == evidence.classes[k]
        assert told["actual"] == evidence.classes[evidence.codes[row]]
        by_name = {f["feature"]: f for f in told["features"]}
        for j, name in enumerate(evidence.feature_names):
            assert by_name[name]["shap"] == evidence.shap.values[row, j, k]
            assert by_name[name]["lime"] == evidence.lime.values[i, j, k]
        assert told["lime_r2"] == evidence.lime.score[i, k]
        assert told["lime_is_poor"] == (evidence.lime.score[i, k] < 0.5)


def test_steps_lead_from_the_average_to_the_prediction(evidence):
    for i, row in enumerate(summarise(evidence)["rows"]):
        k = evidence.predicted[row["position"]]
        steps = row["steps"]
        assert steps[0]["start"] == pytest.approx(evidence.break_down.base_values[k])
        assert steps[-1]["end"] == pytest.approx(evidence.break_down.predictions[i, k])
        names = [evidence.feature_names[j] for j in evidence.break_down.orders[i]]
        assert [step["feature"] for step in steps] == names


def test_many_steps_end_in_one(make_evidence):
    X = pd.DataFrame(np.random.default_rng(0).normal(size=(30, 20)))
    evidence = make_evidence(X)
    row = summarise(evidence)["rows"][0]
    assert len(row["steps"]) == 13
    assert row["steps"][-1]["feature"].split() == ["8", "other", "columns"]
    k = evidence.predicted[row["position"]]
    assert row["steps"][-1]["end"] == pytest.approx(
        evidence.break_down.predictions[0, k]
    )


def test_sentences_and_curves_of_rows_are_those_of_the_results(evidence):
    for i, row in enumerate(summarise(evidence)["rows"]):
        at, k = row["position"], evidence.predicted[row["position"]]
        assert row["words"] == evidence.shap.describe(
            at, target_class=evidence.classes[k]
        )
        assert row["counterfactual"]["words"] == evidence.counterfactuals.describe(i)
        first = row["ceteris_paribus"][0]
        assert first["feature"] == row["features"][0]["feature"]
        assert first["own"] == evidence.X[first["feature"]].iloc[at]
        assert first["own"] in first["x"]


def test_of_many_words_those_are_shown_that_differ_most():
    x = [f"w{i}" for i in range(40)]
    values = np.full(40, 0.5)
    values[[3, 7, 30]] = [0.1, 0.9, 0.2]
    rows = pd.DataFrame({"class": "k", "x": x, "value": values})
    told = sections.curve(rows, "f", ["k"], [0], "w35")
    assert (len(told["x"]), told["n_left_out"]) == (15, 25)
    assert {"w3", "w7", "w30", "w35"} <= set(told["x"])
    assert told["x"] == sorted(told["x"], key=x.index)
    line = told["lines"][0]
    assert line["values"][told["x"].index("w7")] == 0.9
    assert line["range"] == pytest.approx(0.8)
    few = sections.curve(rows[:15], "f", ["k"], [0])
    assert (len(few["x"]), few["n_left_out"]) == (15, 0)


def test_trust_is_that_of_the_results(evidence):
    summary = summarise(evidence)
    fired = [f.code for checks in evidence.checks for f in checks.fired]
    assert sorted(f["code"] for f in summary["checks"]["fired"]) == sorted(fired)
    deletion = summary["deletion"][0]
    assert (deletion["method"], deletion["area"]) == ("SHAP", 0.6)
    assert "SHAP finds what the predictions hang on" in deletion["words"]
    row = summary["stability"]["rows"][1]
    assert (row["method"], row["rank"], row["moved"]) == ("LIME", 0.9, 0.1)


def test_errors_of_rows_are_halves_of_intervals(make_evidence):
    evidence = make_evidence()
    evidence.shap.std_errors[:] = 0.01
    row = summarise(evidence)["rows"][0]
    for told in row["features"]:
        assert told["shap_error"] == pytest.approx(0.0196, abs=1e-4)


def test_rows_to_explain_must_have_been_explained(make_evidence):
    evidence = make_evidence(shap_rows=[0])
    with pytest.raises(ValueError, match="shap_rows must hold the chosen rows"):
        summarise(evidence)


def test_sections_of_a_network_need_a_network(make_evidence, evidence):
    assert summarise(evidence)["training"]["n_epochs"] == 60
    assert summarise(evidence)["subject"] == "network"
    summary = summarise(make_evidence())
    assert summary["network"] is None
    assert summary["training"] is None
    assert summary["subject"] == "model"


def test_words_missing_cells_and_constants(make_evidence):
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
    assert "50 cells are missing" in summary["data"]["words"].replace("\xa0", " ")
    json.dumps(summary, allow_nan=False)


def test_many_classes_share_six_colours(make_evidence):
    evidence = make_evidence(classes=range(40), n_rows=200)
    summary = summarise(evidence)
    assert len(summary["shown_classes"]) == 6
    strip = _charts.charts(summary)["shap"][0]
    assert [bar["css"] for bar in strip["bars"]] == [
        *(f"c{i}" for i in range(6)),
        "rest",
    ]
    assert sum(bar["w"] for bar in strip["bars"]) == pytest.approx(100, abs=0.1)


def test_no_simple_model_is_explained(make_evidence):
    evidence = make_evidence(simple=None, simple_note="one class has a single row")
    summary = summarise(evidence)
    assert "a single row" in summary["scores"]["words"]
    assert "Logistic" not in summary["verdict"]


def test_plain_leaves_no_numpy():
    value = {"a": (np.float32(1), np.int8(2)), "b": np.array([[np.inf]]), "c": object}
    assert plain(value) == {"a": [1.0, 2], "b": [[None]], "c": str(object)}


def test_shown_classes_are_the_commonest_in_their_own_order():
    codes = np.repeat(np.arange(8), [1, 9, 2, 8, 7, 6, 5, 4])
    assert _summary._shown_classes(codes, 8) == [1, 3, 4, 5, 6, 7]


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (1.0, "1"),
        (-0.5, "\N{MINUS SIGN}0.5"),
        (np.nan, "missing"),
        (None, "missing"),
        ("a" * 100, "a" * 40 + "…" + "a" * 19),
    ],
)
def test_cells_as_text(cell, text):
    assert sections.cell_text(cell) == text


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (-1, 1, [-1, -0.5, 0, 0.5, 1]),
        (3, 3, [3]),
        (1, 60, [20, 40, 60]),
    ],
)
def test_ticks_are_round(low, high, expected):
    assert plot.ticks(low, high) == expected


class TestWords:
    def curve(self, *values, words=False):
        line = {
            "class": "k",
            "values": list(values),
            "range": max(values) - min(values),
        }
        x = ["u", "v", "w"] if words else [0.0, 1.0, 2.0]
        return {"feature": "f", "words": words, "x": x, "lines": [line]}

    @pytest.mark.parametrize(
        ("words", "ends"),
        [(False, "0.10 at 0, +0.20 at 2"), (True, "at “u”, +0.20 at “w”")],
    )
    def test_accumulated(self, words, ends):
        said = _words.accumulated(self.curve(-0.1, 0.0, 0.2, words=words))
        assert "the probability of “k” moves by 0.30" in said
        assert ends in said
        assert "hardly" in _words.accumulated(self.curve(0.0, 0.001, 0.0))

    def test_ceteris_paribus(self):
        told = self.curve(0.2, 0.5, 0.9) | {"own": 1.0}
        said = _words.ceteris_paribus(told).replace("\xa0", " ")
        assert said == (
            "Now 1. The probability of “k” could be anything from 20% to 90%."
        )
        flat = self.curve(0.2, 0.2, 0.2) | {"own": None}
        assert "No other cell" in _words.ceteris_paribus(flat)

    def test_checks(self):
        told = {"fired": [], "silent": [1, 2], "n_not_applicable": 1}
        assert "All 2 checks" in _words.checks(told).replace("\xa0", " ")
        assert _words.checks(told | {"fired": [1]}).startswith("1 of 3")

    def test_deletion_that_is_chance(self):
        section = {
            "method": "LIME", "area": 0.5, "random_area": 0.4, "chance": 0.2,
            "unit": "probability",
        }  # fmt: skip
        assert "does not find" in _words.deletion(section)

    def test_stability(self):
        rows = [{"method": "a", "moved": 0.1}, {"method": "b", "moved": 0.4}]
        assert "of b move most, by 40" in _words.stability(rows)
        assert "No method" in _words.stability([])

    def test_verdict(self, evidence):
        said = summarise(evidence)["verdict"].replace("\xa0", " ")
        assert said.startswith("On 40 held-out rows the network is right for ")
        assert "Logistic regression is right for" in said
        assert "always guessing the largest class for" in said

    @pytest.mark.parametrize(
        ("lead", "said"),
        [
            ((0.1, 0.05, 0.2), "The network is ahead"),
            ((-0.1, -0.2, -0.05), "Logistic regression is ahead"),
            ((0.1, -0.05, 0.2), "These rows cannot tell them apart"),
        ],
    )
    def test_lead_must_be_separated(self, lead, said):
        score = dict(zip(("value", "low", "high"), lead, strict=True))
        scores = {"lead": score, "simple_missing": ""}
        assert _words.compared(scores, "network").startswith(said)

    @pytest.mark.parametrize(
        ("second", "said"),
        [((0.2, 0.1, 0.3), "comes next"), ((0.38, 0.3, 0.45), "is not separated")],
    )
    def test_importance_says_whether_the_order_is_certain(self, second, said):
        rows = [{"feature": "a", "value": 0.4, "low": 0.35, "high": 0.45}]
        keys = ("value", "low", "high")
        rows.append({"feature": "b", **dict(zip(keys, second, strict=True))})
        words = _words.importance({"rows": rows, "scoring": "accuracy"})
        assert "“a” matters most: shuffling it lowers the accuracy by 0.40" in words
        assert said in words

    def test_importance_of_nothing(self):
        rows = [{"feature": "a", "value": 0.0, "low": 0.0, "high": 0.0}]
        words = _words.importance({"rows": rows, "scoring": "accuracy"})
        assert "does not lower" in words

    @pytest.mark.parametrize(
        ("values", "said"),
        [
            ([0.1, 0.3, 0.9], "rises from 10% to 90%"),
            ([0.9, 0.5, 0.1], "falls from 90% to 10%"),
            ([0.1, 0.9, 0.1], "moves between 10% and 90%"),
            ([0.5, 0.5, 0.5], "hardly moves"),
        ],
    )
    def test_profile_of_numbers(self, values, said):
        line = {"class": "k", "values": values, "range": max(values) - min(values)}
        curve = {"feature": "f", "words": False, "x": [0, 1, 2], "lines": [line]}
        assert said in _words.profile(curve).replace("\xa0", " ")

    def test_profile_of_words(self):
        line = {"class": "k", "values": [0.5, 0.2], "range": 0.3}
        curve = {"feature": "f", "words": True, "x": ["u", "v"], "lines": [line]}
        assert "lowest at “v” (20" in _words.profile(curve)

    def test_training_that_learned_nothing(self):
        section = {
            "n_epochs": 2,
            "loss": [1.2, 1.15],
            "val_loss": [1.3, 1.2],
            "best_epoch": 2,
            "baseline_loss": 1.1,
        }
        words = _words.training(section)
        assert "not below the baseline of 1.1" in words
        assert "learned nothing" in words

    def test_confusion_names_the_commonest_mistake(self):
        worst = {"actual": "a", "predicted": "b", "n": 2, "share": 0.1}
        words = _words.confusion({"n_right": 8, "largest": [worst]}, 10, "model")
        assert "2 rows of “a” taken for “b”" in words.replace("\xa0", " ")

    @pytest.mark.parametrize(
        ("rank", "said"),
        [
            (0.9, "largely put"),
            (0.5, "partly"),
            (-0.1, "trust neither alone"),
            (None, "cannot be compared"),
        ],
    )
    def test_agreement(self, rank, said):
        section = {"rank": rank, "sign": 0.9, "n_rows": 5}
        assert said in _words.agreement(section)
