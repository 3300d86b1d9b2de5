import numpy as np
import pandas as pd
import pytest
from oracles import Interaction, correlated

from skdnn import explain


@pytest.mark.usefixtures("outputs_of_any_size")
def test_curve_is_the_output_with_another_cell():
    model, X = Interaction(rho=0.8), correlated(60)
    table = explain.ceteris_paribus(model, X[:3], background=X, features=0).frame()
    assert list(table.columns) == ["sample", "feature", "class", "x", "value"]
    table = table[table["class"] == True]  # noqa: E712
    x1 = X[table["sample"], 1]
    np.testing.assert_allclose(table["value"], table["x"].astype(float) * x1)


def test_goes_through_the_row_itself(people, people_model):
    frame, _ = people
    rows = frame[3:9]
    result = explain.ceteris_paribus(people_model, rows, background=frame)
    table = result.frame()
    proba = people_model.predict_proba(rows)
    for i in range(len(rows)):
        for name in frame.columns:
            own = rows[name].iloc[i]
            part = table[(table["sample"] == i) & (table["feature"] == name)]
            same = part["x"].isna() if pd.isna(own) else part["x"] == own
            assert part[same]["class"].tolist() == ["no", "perhaps", "yes"]
            np.testing.assert_allclose(part[same]["value"], proba[i])
            if name in ("age", "income"):
                for _, curve in part.groupby("class"):
                    x = curve["x"].astype(float).dropna()
                    assert (np.diff(x) > 0).all()
            assert len(part) == 3 * part["x"].nunique(dropna=False)


def test_mean_of_the_curves_is_partial_dependence(iris_model):
    model, X, _ = iris_model
    curves = explain.ceteris_paribus(model, X, features=2).frame()
    mean = explain.partial_dependence(model, X, features=2).frame()
    curves["x"] = curves["x"].astype(float)
    mean["x"] = mean["x"].astype(float)
    ours = curves.groupby(["class", "x"])["value"].mean()
    wanted = mean.groupby(["class", "x"])["value"].mean()
    np.testing.assert_allclose(ours.loc[wanted.index], wanted)


def test_categories_not_in_the_background_stay_with_their_row(people, people_model):
    frame, _ = people
    rows = frame[frame["city"] == "Oslo"][:2]
    others = frame[(frame["city"] == "Bergen") | (frame["city"] == "Tromsø")]
    rows = pd.concat([rows, others[:1]])
    table = explain.ceteris_paribus(
        people_model, rows, background=others, features="city"
    ).frame()
    calls = table.groupby("sample")["x"].unique()
    assert list(calls[0]) == list(calls[1]) == ["Bergen", "Tromsø", "Oslo"]
    assert list(calls[2]) == ["Bergen", "Tromsø"]


def test_one_row_needs_a_background(iris_model):
    model, X, _ = iris_model
    with pytest.raises(ValueError, match="at least 2 rows"):
        explain.ceteris_paribus(model, X[:1])
    result = explain.ceteris_paribus(model, X[:1], background=X, output="log_odds")
    assert result.unit == "log odds"
    assert result.n_background == 150


@pytest.mark.usefixtures("outputs_of_any_size")
def test_cells_beyond_the_background_and_missing_ones(formula):
    X = np.array([[9.0, np.nan], [-9.0, 0.5]])
    background = np.column_stack([np.linspace(0, 1, 5)] * 2)
    model = formula(lambda X: np.nan_to_num(X).sum(axis=1) / 20 + 0.5)
    result = explain.ceteris_paribus(model, X, background=background)
    table = result.frame().query("`class` == True")
    first = table[(table["feature"] == "x0") & (table["sample"] == 0)]["x"]
    assert first.tolist() == [0, 0.25, 0.5, 0.75, 1, 9]
    second = table[(table["feature"] == "x0") & (table["sample"] == 1)]["x"]
    assert second.tolist() == [-9, 0, 0.25, 0.5, 0.75, 1]
    last = table[(table["feature"] == "x1") & (table["sample"] == 0)]["x"].tolist()
    assert last[:-1] == [0, 0.25, 0.5, 0.75, 1]
    assert np.isnan(last[-1])
    assert result.own["x0"].tolist() == [9, -9]


def test_rows_are_predicted_in_large_blocks(formula):
    calls = []

    def record(X):
        calls.append(len(X))
        return X[:, 0]

    X = np.random.default_rng(0).random((40, 3))
    explain.ceteris_paribus(formula(record), X, grid_resolution=30)
    assert len(calls) == 3 + 3
    assert max(calls) == 40 * 30
