import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from skdnn import explain


@pytest.fixture(scope="module")
def made():
    X, y = load_iris(return_X_y=True, as_frame=True)
    X, y = X.sample(frac=1, random_state=0), y.sample(frac=1, random_state=0)
    X = X.assign(petal=pd.cut(X["petal width (cm)"], 3, labels=list("abc")).astype(str))
    numbers = X.drop(columns="petal")
    model = LogisticRegression(max_iter=1000).fit(numbers[:100], y[:100])
    report = explain.report(
        model, numbers[100:], y[100:], background=numbers[:100], y_background=y[:100]
    )
    return report.to_dict(), model, numbers, y.to_numpy()


def test_every_row_can_be_picked(made):
    summary, *_ = made
    positions = [row["position"] for row in summary["rows"] + summary["more_rows"]]
    assert sorted(positions) == list(range(50))


def test_curves_in_brief_are_predictions(made):
    summary, model, X, _ = made
    for row in summary["more_rows"][:5]:
        at = X.iloc[[100 + row["position"]]]
        k = int(model.predict(at)[0])
        for curve in row["curves"]:
            assert float(curve["own"]) == pytest.approx(at[curve["feature"]].iloc[0])
            grid = np.linspace(float(curve["first"]), float(curve["last"]), 200)
            moved = pd.concat([at] * 200).assign(**{curve["feature"]: grid})
            proba = model.predict_proba(moved)[:, k]
            ends = (proba.min(), proba.max())
            assert (curve["low"], curve["high"]) == pytest.approx(ends, abs=0.02)
            assert len(curve["values"]) >= 11


def test_attributions_in_brief_add_up(made):
    summary, model, X, _ = made
    for row in summary["more_rows"]:
        total = sum(f["shap"] for f in row["features"]) + row["more"]
        base = row["probability"] - total
        mean = model.predict_proba(X[:100]).mean(axis=0)
        k = summary["classes"].index(row["predicted"])
        assert base == pytest.approx(mean[k], abs=1e-6)


def test_similar_rows_are_the_nearest(made):
    summary, _, X, y = made
    similar = summary["similar_rows"]
    known, spread = X[:100].to_numpy(), X[:100].to_numpy().std(axis=0)
    for position in (0, 7, 49):
        own = X.iloc[100 + position].to_numpy()
        distance = np.sqrt((((known - own) / spread) ** 2).sum(axis=1))
        nearest = np.argsort(distance, kind="stable")[:5]
        entry = similar["rows"][str(position)]
        assert entry["distances"] == pytest.approx(distance[nearest])
        assert entry["classes"] == [str(label) for label in y[nearest]]
        j = list(X).index(similar["columns"][0])
        cells = [float(line[0]) for line in entry["cells"]]
        assert sorted(cells) == pytest.approx(sorted(known[nearest, j]))


def test_without_a_background_there_are_no_similar_rows():
    X, y = load_iris(return_X_y=True, as_frame=True)
    model = LogisticRegression(max_iter=1000).fit(X, y)
    summary = explain.report(model, X[::5], y[::5]).to_dict()
    assert summary["similar_rows"] == {"columns": [], "rows": {}}
