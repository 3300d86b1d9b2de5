from dataclasses import replace

import numpy as np
import pytest

from skdnn import explain
from skdnn.explain._agreement import compare


def test_a_method_agrees_with_itself(iris_model):
    model, X, _ = iris_model
    shap = explain.shap(model, X[::20], background=X, random_state=0)
    table = compare(shap, shap).frame()
    assert table["rank"].iloc[0] == pytest.approx(1)
    assert table["sign"].iloc[0] == pytest.approx(1)
    opposite = compare(shap, replace(shap, values=-shap.values)).frame()
    assert opposite["rank"].iloc[0] == pytest.approx(1)
    assert opposite["sign"].iloc[0] == 0
    turned = replace(shap, values=1 - np.abs(shap.values))
    assert compare(shap, turned).frame()["rank"].iloc[0] == pytest.approx(-1)
    nothing = compare(shap, replace(shap, values=0 * shap.values)).frame()
    assert nothing[["rank", "sign"]].isna().all(axis=None)


def test_importance_only_with_classes(iris_model):
    model, X, y = iris_model
    settings = {"background": X, "random_state": 0}
    without = explain.agreement(model, X[::10], **settings).frame()
    assert without[["method_a", "method_b"]].to_numpy().tolist() == [["SHAP", "LIME"]]
    table = explain.agreement(model, X[::10], y[::10], **settings).frame()
    assert list(table.columns) == ["method_a", "method_b", "rank", "sign"]
    assert table["method_b"].tolist() == ["LIME", *["permutation importance"] * 2]
    assert table["rank"].between(0.5, 1).all()
    assert table["sign"].notna().tolist() == [True, False, False]
