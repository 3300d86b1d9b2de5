from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import spearmanr

from skdnn import explain
from skdnn.explain._methods.agreement import compare, mean_rank


def both(first, second):
    return compare({"one": first, "other": second}).frame()


def test_a_method_agrees_with_itself(iris_model):
    model, X, _ = iris_model
    shap = explain.shap(model, X[::20], background=X, random_state=0)
    table = both(shap, shap)
    assert table["rank"].iloc[0] == pytest.approx(1)
    assert table["sign"].iloc[0] == pytest.approx(1)
    opposite = both(shap, replace(shap, values=-shap.values))
    assert opposite["rank"].iloc[0] == pytest.approx(1)
    assert opposite["sign"].iloc[0] == 0
    turned = replace(shap, values=1 - np.abs(shap.values))
    assert both(shap, turned)["rank"].iloc[0] == pytest.approx(-1)
    nothing = both(shap, replace(shap, values=0 * shap.values))
    assert nothing[["rank", "sign"]].isna().all(axis=None)


def test_every_pair_and_importance_only_with_classes(iris_model):
    model, X, y = iris_model
    settings = {"background": X, "random_state": 0}
    without = explain.agreement(model, X[::10], **settings).frame()
    pairs = [["SHAP", "LIME"], ["SHAP", "break-down"], ["LIME", "break-down"]]
    assert without[["method_a", "method_b"]].to_numpy().tolist() == pairs
    table = explain.agreement(model, X[::10], y[::10], **settings).frame()
    assert list(table.columns) == ["method_a", "method_b", "rank", "sign"]
    with_importance = table[table["method_b"] == "permutation importance"]
    assert with_importance["method_a"].tolist() == ["SHAP", "LIME", "break-down"]
    assert table["rank"].between(0.4, 1).all()
    assert table["sign"].notna().tolist() == [True] * 3 + [False] * 3


def test_all_methods_use_the_same_background(iris_model):
    model, X, _ = iris_model
    seed = np.random.RandomState(3).randint(2**31 - 1)
    settings = {"background": X, "random_state": seed}
    result = {"a": explain.shap(model, X[::30], **settings),
            "b": explain.break_down(model, X[::30], **settings)}  # fmt: skip
    table = explain.agreement(
        model, X[::30], background=X, random_state=np.random.RandomState(3)
    ).frame()
    assert table["rank"].iloc[1] == compare(result).frame()["rank"].iloc[0]


def test_ranks_are_spearmans_of_each_row_and_class():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 6, 5, 3)).round(1)  # with ties
    a[0] = 0.3  # constant: left out, with what is not a number
    a[1, 2, 0] = np.nan
    pairs = [(a[i, :, k], b[i, :, k]) for i, k in np.ndindex(6, 3) if i > 1 or i * k]
    expected = [spearmanr(*np.abs(pair)).statistic for pair in pairs]
    assert mean_rank(a, b) == pytest.approx(np.mean(expected), abs=1e-12)
    assert np.isnan(mean_rank(a[:1], b[:1]))
