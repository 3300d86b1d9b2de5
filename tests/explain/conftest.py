import numpy as np
import pandas as pd
import pytest
from oracles import Formula
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_iris, load_wine
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler


@pytest.fixture(scope="session")
def people():
    """A frame with strings, categories, booleans and missing values; and classes."""
    rng = np.random.default_rng(0)
    n = 240
    frame = pd.DataFrame(
        {
            "age": rng.integers(18, 80, n),
            "city": rng.choice(["Oslo", "Bergen", "Tromsø"], n),
            "income": rng.normal(size=n),
            "member": rng.random(n) < 0.5,
            "grade": pd.Categorical(rng.choice(list("abc"), n)),
        }
    )
    frame.loc[::7, "city"] = None
    frame.loc[::5, "income"] = np.nan
    y = np.where((frame["age"] > 50) | (frame["city"] == "Oslo"), "yes", "no").astype(
        object
    )
    y[frame["grade"] == "c"] = "perhaps"
    return frame, y


@pytest.fixture(scope="session")
def people_model(people):
    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    text = make_pipeline(
        SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore")
    )
    columns = make_column_transformer(
        (numbers, ["age", "income"]),
        (text, ["city", "grade"]),
        ("passthrough", ["member"]),
    )
    return make_pipeline(columns, LogisticRegression()).fit(*people)


@pytest.fixture(scope="session")
def wine():
    X, y = load_wine(return_X_y=True, as_frame=True)
    return X.iloc[:, :10], load_wine().target_names[y]


@pytest.fixture(scope="session")
def wine_model(wine):
    return make_pipeline(StandardScaler(), LogisticRegression()).fit(*wine)


@pytest.fixture(scope="session")
def iris_model():
    X, y = load_iris(return_X_y=True, as_frame=True)
    names = load_iris().target_names[y]
    return make_pipeline(StandardScaler(), LogisticRegression()).fit(X, names), X, names


@pytest.fixture(scope="session")
def formula():
    return Formula


HOSTILE = ["$a_b$", "<script>", "ü" * 200, "a\nb"]


@pytest.fixture(scope="session")
def hostile():
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(60, 4)), columns=HOSTILE)
    y = np.array(["$\\alpha$", "b_$", "c" * 80])[np.arange(60) % 3]
    return LogisticRegression().fit(X, y), X, y


@pytest.fixture
def outputs_of_any_size(monkeypatch):
    """Let formulas that are no probabilities pass: methods are linear in the output."""
    # private: _check_range, which refuses them
    from skdnn.explain._model import probabilities

    monkeypatch.setattr(probabilities, "_check_range", lambda proba, tolerance: None)
