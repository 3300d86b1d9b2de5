import json

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

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
        "agreement": explain.agreement(people_model, frame[:6], y[:6], **settings),
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


RESULTS = [
    "shap", "lime", "break_down", "ceteris_paribus", "profiles", "curves", "pairs",
    "accumulated", "importance", "effects", "counterfactuals", "agreement",
    "summary",
]  # fmt: skip


@pytest.mark.parametrize("name", RESULTS)
def test_protocol(name, results):
    import matplotlib.axes

    result = results[name]
    assert isinstance(result.frame(), pd.DataFrame)
    told = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    assert len(next(iter(told["columns"].values()))) == len(result.frame())
    assert result._repr_html_().startswith("<div>")
    axes = np.ravel(result.plot())
    assert all(isinstance(ax, matplotlib.axes.Axes) for ax in axes)


@pytest.mark.parametrize("name", RESULTS)
def test_every_result_has_checks(name, results):
    checks = results[name].checks()
    assert [finding.code for finding in checks] == [
        f"SKD{number}" for number in range(101, 112)
    ]
    assert {finding.verdict for finding in checks} <= {
        "fires", "silent", "not applicable",
    }  # fmt: skip
    assert all(bool(f.remedy) == (f.verdict == "fires") for f in checks)
    told = json.loads(json.dumps(checks.to_dict(), allow_nan=False))
    assert told["title"] == f"Checks of {results[name].title}"


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


def test_plain_data_tells_what_the_frame_does_not(results):
    shap, lime = results["shap"].to_dict(), results["lime"].to_dict()
    assert shap["classes"] == ["no", "perhaps", "yes"]
    assert shap["base_values"] == results["shap"].base_values.tolist()
    assert np.shape(shap["residual"]) == np.shape(lime["score"]) == (6, 3)
    assert shap["score"] is None
    assert (shap["method"], shap["n_background"]) == ("exact", 100)
