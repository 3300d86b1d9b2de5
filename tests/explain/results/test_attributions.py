import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from skdnn import explain


@pytest.fixture(scope="module")
def results(people, people_model):
    frame, _ = people
    settings = {"background": frame, "random_state": 0}
    methods = {
        "shap": explain.shap, "lime": explain.lime, "break_down": explain.break_down,
    }  # fmt: skip
    return {
        name: method(people_model, frame[:6], **settings)
        for name, method in methods.items()
    }


@pytest.mark.parametrize("name", ["shap", "lime", "break_down"])
def test_frame_of_attributions(name, results, people):
    frame, _ = people
    result = results[name]
    table = result.frame()
    assert list(table.columns) == [
        "sample",
        "feature",
        "class",
        "data",
        "value",
        "std_error",
    ]
    assert len(table) == 6 * 5 * 3
    row = table[(table["sample"] == 2) & (table["feature"] == "age")]
    assert row["class"].tolist() == ["no", "perhaps", "yes"]
    assert (row["data"] == frame["age"].iloc[2]).all()
    np.testing.assert_array_equal(row["value"], result.values[2, 0])
    np.testing.assert_array_equal(row["std_error"], result.std_errors[2, 0])


def test_classes_keep_their_dtype(iris_model):
    _, X, _ = iris_model
    y = np.repeat([3, 1, 2], 50)
    model = LogisticRegression(max_iter=1000).fit(X, y)
    table = explain.shap(model, X[:2], background=X).frame()
    assert pd.api.types.is_integer_dtype(table["class"])


def test_attributes(results):
    shap, lime = results["shap"], results["lime"]
    assert shap.class_names.tolist() == ["no", "perhaps", "yes"]
    assert shap.base_values.shape == (3,)
    assert shap.residual.shape == lime.score.shape == (6, 3)
    assert shap.refit_errors is shap.score is None
    assert (shap.method, shap.output, shap.n_background) == (
        "exact",
        "probability",
        100,
    )
    assert shap.random_state == 0
    assert shap.data.shape == (6, 5)
    assert "largest residual" in repr(shap)


def test_rows_can_be_taken(results):
    shap, lime = results["shap"], results["lime"]
    assert len(shap[1:3]) == 2
    np.testing.assert_array_equal(shap[-1].values, shap.values[5:])
    np.testing.assert_array_equal(lime[[0, 2]].score, lime.score[[0, 2]])
    steps = results["break_down"]
    assert type(steps[[0, 2]]) is type(steps)
    np.testing.assert_array_equal(steps[[0, 2]].orders, steps.orders[[0, 2]])
    with pytest.raises(ValueError, match=r"one of the 6 explained rows\. Got 6"):
        shap[6]


def test_every_plot_of_shap_takes_it(iris_model):
    import shap

    model, X, _ = iris_model
    result = explain.shap(model, X[::10], background=X, random_state=0).to_shap()
    assert result.output_names == ["setosa", "versicolor", "virginica"]
    shap.plots.bar(result[:, :, 2], show=False)
    shap.plots.waterfall(result[0, :, 2], show=False)
    shap.plots.beeswarm(result[:, :, 2], show=False, plot_size=None)


def test_plain_data_has_more_than_the_frame(results):
    shap, lime = results["shap"].to_dict(), results["lime"].to_dict()
    assert shap["classes"] == ["no", "perhaps", "yes"]
    assert shap["base_values"] == results["shap"].base_values.tolist()
    assert np.shape(shap["residual"]) == np.shape(lime["score"]) == (6, 3)
    assert shap["score"] is None
    assert (shap["method"], shap["n_background"]) == ("exact", 100)
