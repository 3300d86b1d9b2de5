import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import precision_score, recall_score, roc_curve
from sklearn.model_selection import GridSearchCV

from skdnn import explain
from skdnn.model_selection import nested_cross_validate


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(300, 3)), columns=list("abc"))
    y = np.where(X["a"] + rng.normal(size=300) > 0.4, "sick", "well")
    return X, y, np.where(rng.random(300) < 0.1, "north", "south")


@pytest.fixture(scope="module")
def made(table):
    X, y, group = table
    model = LogisticRegression().fit(X[:150], y[:150])
    costs = {("sick", "well"): 5, ("well", "sick"): 1}
    report = explain.report(
        model, X[150:], y[150:], background=X[:150], groups_by=group[150:],
        costs=costs, actionable={"b": False, "c": False}, samples=[0, 1],
    )  # fmt: skip
    return report, model


def test_thresholds_and_costs(made, table):
    report, model = made
    X, y, _ = table
    proba = model.predict_proba(X[150:])[:, 1]
    section = report.to_dict()["decisions"]
    assert section["positive"] == "well"
    rows = section["thresholds"]
    assert sum(row["is_best"] for row in rows) == 1
    for row in rows:
        if row["threshold"] is None:
            continue
        named = np.where(proba >= row["threshold"] - 1e-12, "well", "sick")
        cost = 5 * ((y[150:] == "sick") & (named == "well")).mean()
        cost += ((y[150:] == "well") & (named == "sick")).mean()
        assert row["cost"] == pytest.approx(cost)
        if (named == "well").any():
            assert row["precision"] == pytest.approx(
                precision_score(y[150:], named, pos_label="well")
            )
        assert row["recall"] == pytest.approx(
            recall_score(y[150:], named, pos_label="well")
        )
    own = next(row for row in section["decisions"] if row["decision"] == "predict")
    named = model.predict(X[150:])
    cost = 5 * ((y[150:] == "sick") & (named == "well")).mean()
    cost += ((y[150:] == "well") & (named == "sick")).mean()
    assert own["cost"] == pytest.approx(cost)


def test_roc_curve_is_scikit_learns(made, table):
    report, model = made
    X, y, _ = table
    (line,) = report.to_dict()["decisions"]["curves"]["roc"]
    false, true, _ = roc_curve(
        y[150:] == "well", model.predict_proba(X[150:])[:, 1], drop_intermediate=False
    )
    known = {(round(a, 9), round(b, 9)) for a, b in zip(false, true, strict=True)}
    assert line["class"] == "well"
    assert len(line["points"]) > 20
    assert {(round(a, 9), round(b, 9)) for a, b in line["points"]} <= known


def test_groups_and_small_ones(made, table):
    report, model = made
    X, y, group = table
    section = report.to_dict()["decisions"]
    right = model.predict(X[150:]) == y[150:]
    for row in section["groups"]:
        is_in = group[150:] == row["group"]
        assert row["n"] == is_in.sum()
        assert row["accuracy"]["value"] == pytest.approx(right[is_in].mean())
        assert row["is_small"] == (is_in.sum() < 30)
    assert (
        "“north” has fewer than 30 rows" in section["words"]
        or "north has" in (section["words"])
    )
    assert 'data-test="group"' in report.html()
    assert "fair" not in report.html().lower().split("fair simple")[0]


def test_groups_and_costs_are_in_the_schema(made, schema):
    schema.validate(made[0].to_dict())


def test_only_actionable_columns_change(made):
    report, _ = made
    for row in report.to_dict()["rows"]:
        assert {c["feature"] for c in row["counterfactual"]["changes"]} <= {"a"}
        assert "not known which columns" not in row["counterfactual"]["words"]


def test_a_search_and_its_nested_score(table, schema):
    X, y, _ = table
    search = GridSearchCV(LogisticRegression(), {"C": [0.01, 0.1, 1]}, cv=3)
    nested = nested_cross_validate(search, X[:150], y[:150], cv=3)
    search.fit(X[:150], y[:150])
    made = explain.report(
        search, X[150:], y[150:], background=X[:150], nested=nested, samples=0
    )
    schema.validate(made.to_dict())
    section = made.to_dict()["search"]
    best = section["candidates"][0]
    assert best["mean"] == pytest.approx(search.best_score_)
    assert best["parameters"] == f"C={search.best_params_['C']!r}"
    assert f"{nested.score:.3f}" in section["words"]
    assert "3 outer folds" in section["words"]
    with pytest.raises(TypeError, match="nested_cross_validate returns"):
        explain.report(search, X[150:], y[150:], nested=0.9)


def test_markdown_escapes_names():
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(60, 2)), columns=["<b>|x", "y"])
    y = np.where(X["y"] > 0, "# a", "*b*")
    model = LogisticRegression().fit(X, y)
    text = explain.report(model, X, y, samples=0).to_markdown()
    assert "\\<b\\>\\|x" in text
    assert "\\*b\\*" in text
    assert not any(line.startswith("# a") for line in text.splitlines())


def test_open_shows_the_page(made, monkeypatch):
    opened = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    report, _ = made
    report.open()
    (url,) = opened
    assert url.startswith("file:")
    from pathlib import Path
    from urllib.parse import unquote, urlparse

    assert Path(unquote(urlparse(url).path)).read_text() == report.html()
