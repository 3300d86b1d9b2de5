import numpy as np
import pandas as pd
import pytest
from lime.lime_base import LimeBase
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skdnn import explain
from skdnn.explain._methods.lime_package import kernel_weights
from skdnn.explain._methods.lime_surrogate import fit_surrogate


def test_surrogate_equals_that_of_lime():
    rng = np.random.default_rng(0)
    like = rng.random((800, 4)) < 0.4
    output = rng.dirichlet(np.ones(3), 800) + like[:, :3] @ rng.normal(size=(3, 3))
    weights = kernel_weights(like)
    surrogate = fit_surrogate(like.astype(float), output, weights=weights, ridge=1.0)
    distances = np.sqrt((1 - like).sum(axis=1))
    width = 0.75 * np.sqrt(like.shape[1])
    theirs = LimeBase(lambda d: np.sqrt(np.exp(-(d**2) / width**2)))
    for k in range(output.shape[1]):
        intercept, pairs, r2, _ = theirs.explain_instance_with_data(
            like.astype(float), output, distances, k, like.shape[1], "none",
            model_regressor=Ridge(alpha=1.0),
        )  # fmt: skip
        assert surrogate.intercept[k] == pytest.approx(intercept, abs=1e-9)
        assert surrogate.score[k] == pytest.approx(r2, abs=1e-9)
        np.testing.assert_allclose(
            surrogate.coefs[:, k], [dict(pairs)[j] for j in range(4)]
        )


def test_kernel_weighs_rows_by_similarity():
    like = np.array([[True, True], [True, False], [False, False]])
    weights = kernel_weights(like)
    assert weights[0] == 1
    assert weights[0] > weights[1] > weights[2]


def test_values_are_those_of_the_package(iris_model):
    from lime.lime_tabular import LimeTabularExplainer

    model, X, _ = iris_model
    settings = {"background": X, "method": "tabular", "random_state": 0}
    result = explain.lime(model, X[::50], **settings)
    alone = explain.lime(model, X[50:51], **settings)
    np.testing.assert_array_equal(result.values[1:2], alone.values)
    assert result.method == "up to 5000 rows around each"
    assert result.scales is result.references is result.slopes is None
    seed = int(np.random.RandomState(0).randint(2**31 - 1))
    explainer = LimeTabularExplainer(
        X.to_numpy(), feature_selection="none", random_state=seed
    )
    theirs = explainer.explain_instance(
        X.to_numpy()[50],
        lambda rows: model.predict_proba(pd.DataFrame(rows, columns=X.columns)),
        labels=range(3), num_features=4,
    )  # fmt: skip
    for k in range(3):
        expected = [dict(theirs.local_exp[k])[j] for j in range(4)]
        np.testing.assert_allclose(result.values[1, :, k], expected)
        assert result.base_values[1, k] == pytest.approx(theirs.intercept[k])
    # lime keeps the score of the last class only
    assert result.score[1, 2] == pytest.approx(theirs.score)


def test_the_surrogate_in_steps_fits_better(iris_model):
    model, X, _ = iris_model
    settings = {"background": X, "random_state": 0}
    theirs = explain.lime(model, X[::15], method="tabular", **settings)
    ours = explain.lime(model, X[::15], **settings)
    assert np.median(ours.score) > np.median(theirs.score) + 0.3
    # both are about the row's cells against others
    same = np.sign(ours.values) == np.sign(theirs.values)
    assert np.abs(theirs.values[same]).sum() > 0.8 * np.abs(theirs.values).sum()


def test_strings():
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"word": rng.choice(list("abc"), 300), "x": rng.normal(size=300)})
    y = (X["word"] == "a") ^ (X["x"] > 1)
    model = make_pipeline(
        make_column_transformer((OneHotEncoder(), ["word"]), (StandardScaler(), ["x"])),
        LogisticRegression(),
    ).fit(X, y)
    settings = {"background": X, "random_state": 0}
    theirs = explain.lime(model, X[:4], method="tabular", **settings)
    ours = explain.lime(model, X[:4], **settings)
    np.testing.assert_array_equal(
        np.sign(theirs.values[:, 0]), np.sign(ours.values[:, 0])
    )
    with pytest.raises(ValueError, match="`method` must be one of"):
        explain.lime(model, X[:4], method="table")
    for options in ({"groups": [["word", "x"]]}, {"output": "log_odds"}):
        with pytest.raises(ValueError, match=r"lime knows nothing else\. Got one"):
            explain.lime(model, X[:4], method="tabular", **options, **settings)


def test_missing_values_are_refused(people, people_model):
    frame, _ = people
    with pytest.raises(ValueError, match=r"no missing .*use method='auto'"):
        explain.lime(people_model, frame[:1], background=frame, method="tabular")
