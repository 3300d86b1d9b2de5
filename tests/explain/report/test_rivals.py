import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, log_loss
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skdnn import explain


@pytest.fixture(scope="module")
def mixed():
    """Return train and test rows of a mixed table, and a classifier."""
    rng = np.random.default_rng(0)
    n = 300
    X = pd.DataFrame(
        {
            "size": np.where(rng.random(n) < 0.1, np.nan, rng.normal(size=n)),
            "age": rng.normal(50, 10, n),
            "town": rng.choice(["Ulm", "Bonn", "Jena"], n),
        }
    )
    score = X["size"].fillna(0) + (X["town"] == "Ulm") + rng.normal(0, 0.7, n)
    y = np.where(score > 0.5, "yes", "no")
    encode = make_column_transformer(
        (
            make_pipeline(
                SimpleImputer(strategy="median", add_indicator=True), StandardScaler()
            ),
            ["size", "age"],
        ),
        (OneHotEncoder(), ["town"]),
    )
    model = make_pipeline(encode, LogisticRegression(max_iter=1000))
    model.fit(X[:200], y[:200])
    return X[:200], X[200:], y[:200], y[200:], model


def scores_of(mixed, **options):
    X, X_test, _, y_test, model = mixed
    made = explain.report(
        model, X_test, y_test, background=X, samples=0, **options
    ).to_dict()
    return made["scores"], made


def test_rivals_are_trained_on_the_background_and_scored_on_the_rows(mixed):
    X, X_test, y, y_test, model = mixed
    section, made = scores_of(mixed, y_background=y)
    by_name = {rival["name"]: rival for rival in section["rivals"]}
    assert list(by_name) == ["class shares", "logistic regression", "gradient boosting"]
    assert {rival["n_trained"] for rival in section["rivals"]} == {200}
    # the model is this logistic regression itself
    own = section["rows"][2]["model"]["value"]
    linear = by_name["logistic regression"]
    assert linear["scores"]["log_loss"]["value"] == pytest.approx(own, rel=1e-4)
    assert own == pytest.approx(log_loss(y_test, model.predict_proba(X_test)))
    assert section["recommended"] == "logistic regression"
    assert made["verdict"].count("Use logistic regression") == 1
    codes = X.assign(town=X["town"].astype("category").cat.codes)
    tested = X_test.assign(town=X_test["town"].astype("category").cat.codes)
    boosting = HistGradientBoostingClassifier(
        categorical_features=["town"], random_state=0
    ).fit(codes, y)
    theirs = by_name["gradient boosting"]["scores"]["log_loss"]["value"]
    expected = log_loss(y_test, boosting.predict_proba(tested))
    assert theirs == pytest.approx(expected, rel=1e-6)
    dummy = DummyClassifier().fit(X, y)
    shares = by_name["class shares"]["scores"]
    assert shares["log_loss"]["value"] == pytest.approx(
        log_loss(y_test, dummy.predict_proba(X_test))
    )
    assert shares["accuracy"]["value"] == accuracy_score(y_test, dummy.predict(X_test))
    assert shares["roc_auc"]["low"] is None


def test_differences_are_paired(mixed):
    X, X_test, y, y_test, model = mixed
    section, _ = scores_of(mixed, y_background=y)
    for rival in section["rivals"]:
        for k, i in (("accuracy", 0), ("log_loss", 2)):
            difference = rival["differences"][k]
            own = section["rows"][i]["model"]["value"]
            assert difference["value"] == pytest.approx(
                own - rival["scores"][k]["value"]
            )
            assert difference["low"] <= difference["value"] <= difference["high"]
    # an interval over rows of the mean of paired differences, by the normal law
    dummy = DummyClassifier().fit(X, y)
    column = (y_test == "yes").astype(int)
    rows = np.arange(len(y_test))
    loss = -np.log(model.predict_proba(X_test)[rows, column])
    loss += np.log(dummy.predict_proba(X_test)[rows, column])
    half = 1.96 * loss.std(ddof=1) / np.sqrt(len(rows))
    difference = section["rivals"][0]["differences"]["log_loss"]
    ends = (loss.mean() - half, loss.mean() + half)
    assert (difference["low"], difference["high"]) == pytest.approx(ends, abs=half / 4)
    assert difference["better"] == 1


def test_without_labels_there_are_no_rivals(mixed):
    section, made = scores_of(mixed)
    assert section["rivals"] == []
    assert made["depth"] is None
    assert "y_background" in made["verdict"]
    assert "y_background" in section["words"]


def test_a_worse_model_is_advised_against(mixed):
    X, X_test, y, y_test, _ = mixed
    constant = DummyClassifier(strategy="constant", constant="no").fit(X, y)
    made = explain.report(
        constant, X_test, y_test, background=X, y_background=y, samples=0
    )
    verdict = made.to_dict()["verdict"]
    assert "Do not use the model: class shares alone do as well" in verdict


def test_given_rivals(mixed):
    X, X_test, y, y_test, model = mixed
    other = make_pipeline(model[0], LogisticRegression(C=1e-3)).fit(X, y)
    order = DummyClassifier().fit(X, y)
    rivals = {"strong penalty": other, "<b>": order}
    section, _ = scores_of(mixed, rivals=rivals)
    first, second = section["rivals"]
    assert first["n_trained"] is None
    assert first["scores"]["log_loss"]["value"] == pytest.approx(
        log_loss(y_test, other.predict_proba(X_test))
    )
    assert second["name"] == "<b>"
    assert section["recommended"] is None


def test_given_rivals_are_checked(mixed):
    X, _, y, _, _ = mixed
    other = DummyClassifier().fit(X, np.where(y == "no", "nein", "ja"))
    with pytest.raises(ValueError, match=r"classes of the estimator.*rivals\['x'\]"):
        scores_of(mixed, rivals={"x": other})
    with pytest.raises(TypeError, match='"auto" or a dict'):
        scores_of(mixed, rivals=[other])
    with pytest.raises(ValueError, match="must differ from those trained here"):
        scores_of(mixed, rivals={"gradient boosting": other})


def test_classes_of_the_background_are_checked(mixed):
    _, X_test, y, y_test, model = mixed
    with pytest.raises(ValueError, match=r"`y_background` must have one class"):
        scores_of(mixed, y_background=y[:-1])
    with pytest.raises(ValueError, match=r"`y_background` must hold classes"):
        scores_of(mixed, y_background=["maybe", *y[1:]])
    with pytest.raises(ValueError, match="must come with background"):
        explain.report(model, X_test, y_test, y_background=y_test)


def test_a_class_that_the_background_lacks(mixed):
    X, X_test, y, y_test, model = mixed
    kept = y == "no"
    made = explain.report(
        model, X_test, y_test, background=X[kept], y_background=y[kept], samples=0
    )
    section = made.to_dict()["scores"]
    assert [rival["name"] for rival in section["rivals"]] == ["class shares"]
    assert "the background has one class" in section["words"]
    made.html()
