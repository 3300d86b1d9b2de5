"""A report whose positive class is the first one, every number computed again."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import (
    average_precision_score,
    confusion_matrix,
    precision_score,
    recall_score,
    roc_auc_score,
    roc_curve,
)

from skdnn.explain._report.charts import charts
from skdnn.explain._report.report import make_report
from skdnn.explain._report.request import Request

COSTS = {("died", "lived"): 5, ("lived", "died"): 1}


class Made:
    def __init__(self):
        rng = np.random.default_rng(0)
        X = pd.DataFrame(rng.normal(size=(300, 3)), columns=list("abc"))
        y = np.where(X["a"] + rng.normal(size=300) > 0.6, "died", "lived")
        self.groups = np.array(["men", "women"])[rng.integers(2, size=150)]
        self.X, self.y = X[150:], y[150:]
        self.model = LogisticRegression().fit(X[:150], y[:150])
        request = Request(
            background=X[:150], y_background=y[:150], costs=COSTS, samples=[0, 1],
            groups_by=self.groups, positive="died",
        )  # fmt: skip
        self.report = make_report(self.model, self.X, self.y, request)
        self.summary = self.report.to_dict()
        assert self.model.classes_.tolist() == ["died", "lived"]
        self.p = self.model.predict_proba(self.X)[:, 0]
        self.is_in = self.y == "died"
        self.predicted = self.model.predict(self.X)


@pytest.fixture(scope="module")
def made():
    return Made()


def cost(y, named):
    return sum(c * ((y == a) & (named == b)).mean() for (a, b), c in COSTS.items())


def test_thresholds_and_their_costs(made):
    section = made.summary["decisions"]
    assert section["positive"] == "died"
    rows = [row for row in section["thresholds"] if row["threshold"] is not None]
    assert len(rows) > 5
    for row in rows:
        named = np.where(made.p >= row["threshold"] - 1e-12, "died", "lived")
        counts = confusion_matrix(made.y, named, labels=["lived", "died"]).ravel()
        names = ("true_negatives", "false_positives", "false_negatives")
        assert [row[n] for n in (*names, "true_positives")] == counts.tolist()
        options = {"pos_label": "died", "zero_division": 0}
        assert row["precision"] == pytest.approx(
            precision_score(made.y, named, **options)
        )
        assert row["recall"] == pytest.approx(recall_score(made.y, named, **options))
        assert row["predicted_positive"] == pytest.approx((named == "died").mean())
        assert row["cost"] == pytest.approx(cost(made.y, named))
    thresholds = np.r_[np.unique(made.p), np.inf]
    costs = [cost(made.y, np.where(made.p >= t, "died", "lived")) for t in thresholds]
    best = next(row for row in rows if row["is_best"])
    assert best["cost"] == pytest.approx(min(costs))
    assert f"The best threshold of died, {best['threshold']:.3g}," in section["words"]


def test_costs_of_decisions(made):
    rows = {row["decision"]: row for row in made.summary["decisions"]["decisions"]}
    rules = {
        "predict": made.predicted,
        "least expected cost": np.where(5 * made.p > 1 - made.p, "died", "lived"),
        "always died": np.full(150, "died"),
    }
    for name, named in rules.items():
        assert rows[name]["cost"] == pytest.approx(cost(made.y, named))
        assert rows[name]["true_positives"] == (made.is_in & (named == "died")).sum()


def test_curves_and_scores(made):
    curves = made.summary["decisions"]["curves"]
    assert [line["class"] for line in curves["roc"]] == ["died"]
    x, y, _ = roc_curve(made.is_in, made.p, drop_intermediate=False)
    all_points = set(zip(x.round(9).tolist(), y.round(9).tolist(), strict=True))
    points = {(round(x, 9), round(y, 9)) for x, y in curves["roc"][0]["points"]}
    assert points <= all_points
    (line,) = curves["precision_recall"]
    assert line["class"] == "died"
    assert line["points"][-1] == pytest.approx([1, made.is_in.mean()], abs=0.01)
    area = roc_auc_score(made.is_in, made.p)
    scores = {row["name"]: row["model"] for row in made.summary["scores"]["rows"]}
    assert scores["roc_auc"]["value"] == pytest.approx(area)
    row = next(r for r in made.summary["decisions"]["classes"] if r["class"] == "died")
    assert row["roc_auc"]["value"] == pytest.approx(area)
    assert row["average_precision"]["value"] == pytest.approx(
        average_precision_score(made.is_in, made.p)
    )


def test_groups_have_the_rates_of_the_positive_class(made):
    section = made.summary["decisions"]
    assert [row["group"] for row in section["groups"]] == ["men", "women"]
    for row in section["groups"]:
        rows = made.groups == row["group"]
        is_in, named = made.is_in[rows], made.predicted[rows] == "died"
        assert row["prevalence"]["value"] == pytest.approx(is_in.mean())
        assert row["predicted_share"]["value"] == pytest.approx(named.mean())
        assert row["false_positive_rate"]["value"] == pytest.approx(
            named[~is_in].mean()
        )
        assert row["false_negative_rate"]["value"] == pytest.approx(
            (~named)[is_in].mean()
        )
        assert row["predicted_minus_observed"]["value"] == pytest.approx(
            made.p[rows].mean() - is_in.mean()
        )
    named = {row["class"] for row in section["differences"]} - {None}
    assert named == {"died"}


def test_effects_are_on_the_positive_class(made):
    summary = made.summary
    for curve in summary["partial_dependence"]["curves"]:
        line = next(one for one in curve["lines"] if one["class"] == "died")
        at = curve["x"][-1]
        moved = made.X.assign(**{curve["feature"]: at})
        mean = made.model.predict_proba(moved)[:, 0].mean()
        assert line["values"][-1] == pytest.approx(mean)
    for name in ("partial_dependence", "accumulated_local_effects"):
        for curve in summary[name]["curves"]:
            words = curve["sentence"]
            assert "“lived”" not in words
            assert "“died”" in words or "hardly change" in words
    for row in summary["rows"]:
        for curve in row["ceteris_paribus"]:
            assert "“lived”" not in curve["sentence"]
    assert {gain["class"] for gain in summary["depth"]["curves"]} == {"died"}
    assert {gain["class"] for gain in summary["depth"]["pairs"]} == {"died"}


def test_shap_is_of_the_positive_class(made):
    section = made.summary["shap"]
    assert [strip["class"] for strip in section["strips"]] == ["died"]
    row = section["rows"][0]
    assert [item["class"] for item in row["by_class"]] == ["died"]
    assert row["by_class"][0]["direction"] == "raises"
    assert "probability of “died”" in section["words"]
    assert "high values raise it" in section["words"]


def test_the_page_shows_the_positive_class(made):
    drawn = charts(made.summary)
    assert [p["title"] for p in drawn["calibration"]] == ["Predicted class", "died"]
    page = made.report.html()
    assert "Thresholds: predict “died” from this probability on" in page
    assert "True “died”" in page
    assert "True “lived”" not in page


def test_without_a_positive_class_it_is_the_second(made):
    request = Request(background=made.X, samples=0)
    summary = make_report(made.model, made.X, made.y, request).to_dict()
    assert summary["decisions"]["positive"] == "lived"
    assert [line["class"] for line in summary["decisions"]["curves"]["roc"]] == [
        "lived"
    ]
