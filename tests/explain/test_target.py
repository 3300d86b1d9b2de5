import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.utils import check_random_state

from skdnn import explain
from skdnn.explain._target import draw_background, open_problem


class Recorder:
    """Keeps what it is asked about."""

    classes_ = np.array(["a", "b"])

    def __init__(self):
        self.seen = []

    def predict_proba(self, X):
        self.seen.append(X)
        return np.full((len(X), 2), 0.5)


@pytest.fixture
def mixed():
    return pd.DataFrame(
        {
            "float": [1.5, np.nan, 3.0],
            "int": [1, 2, 3],
            "small": np.array([1, 2, 3], dtype=np.int8),
            "word": ["a", None, "c"],
            "object": pd.Series(["a", 1, None], dtype=object),
            "category": pd.Categorical(["x", "y", "x"], categories=["z", "y", "x"]),
            "truth": [True, False, True],
            "nullable": pd.array([1, None, 3], dtype="Int64"),
            "date": pd.to_datetime(["2020-01-01", None, "2022-01-01"]),
        },
        index=[7, 8, 9],
    )


def test_rows_come_back_as_they_were(mixed):
    problem = open_problem(Recorder(), mixed)
    back = problem.target.decode(problem.X)
    pd.testing.assert_frame_equal(back, mixed.reset_index(drop=True))


def test_estimator_sees_the_users_columns_and_dtypes(mixed):
    recorder = Recorder()
    before = mixed.copy()
    explain.shap(recorder, mixed, random_state=0)
    for frame in recorder.seen:
        assert list(frame.columns) == list(mixed.columns)
        pd.testing.assert_series_equal(frame.dtypes, mixed.dtypes)
    pd.testing.assert_frame_equal(mixed, before)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64, object])
def test_arrays_stay_arrays(dtype):
    recorder = Recorder()
    X = np.array([[1, 2, 3], [4, 5, 6]]).astype(dtype)
    explain.shap(recorder, X)
    assert all(isinstance(rows, np.ndarray) for rows in recorder.seen)
    assert all(rows.dtype == dtype for rows in recorder.seen)


def test_words_in_an_array():
    X = np.array([["a", 1.0], ["b", 2.0], [None, 3.0]], dtype=object)
    recorder = Recorder()
    result = explain.shap(recorder, X)
    assert result.feature_names == ["x0", "x1"]
    assert {type(cell) for rows in recorder.seen for cell in rows[:, 0]} <= {
        str,
        type(None),
        float,
    }


def test_searches_and_names_of_the_estimator(iris_model):
    model, X, y = iris_model
    search = GridSearchCV(model, {"logisticregression__C": [0.1, 1]}, cv=2).fit(X, y)
    assert explain.shap(search, X[:2], background=X).feature_names == list(X.columns)


def test_background_is_drawn_by_class(formula):
    # a tenth of the rows is of the second class
    X = np.linspace(0, 1, 1000)[:, None]
    model = formula(lambda X: (X[:, 0] > 0.9).astype(float))
    problem = open_problem(model, X)
    drawn = draw_background(problem, check_random_state(0))
    assert drawn.shape == (100, 1)
    assert 9 <= (drawn > 0.9).sum() <= 11
    assert len(np.unique(drawn)) == 100
    again = draw_background(problem, check_random_state(0))
    np.testing.assert_array_equal(drawn, again)
    other = draw_background(problem, check_random_state(1))
    assert not np.array_equal(drawn, other)


def test_small_background_is_taken_whole(iris_model):
    model, X, _ = iris_model
    assert explain.shap(model, X[:1], background=X[:30]).n_background == 30
    assert explain.shap(model, X[:1], background=X).n_background == 100


FUNCTIONS = [explain.shap, explain.lime, explain.partial_dependence]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_bad_input(function, iris_model):
    model, X, y = iris_model
    cases = [
        (clone(model), X, X, NotFittedError, "not fitted"),
        (RidgeClassifier().fit(X, y), X, X, TypeError, "CalibratedClassifierCV"),
        (LogisticRegression, X, X, TypeError, "the class LogisticRegression"),
        (model, csr_matrix(X), X, TypeError, "toarray"),
        (model, X[:0], X, ValueError, "must have rows"),
        (model, X, X[:0], ValueError, "`background` must have rows"),
        (model, X, X[:1], ValueError, "at least 2 rows"),
        (model, X, X.iloc[:, :3], ValueError, "missing"),
        (model, X, X.iloc[:, ::-1], ValueError, "another order"),
        (model, X, X.to_numpy(), ValueError, "of the kind of X"),
        (model, X.to_numpy()[0], X, ValueError, r"X\[\[0\]\]"),
        (model, X.iloc[:, :3], X.iloc[:, :3], ValueError, "feature names should match"),
        (model, X.iloc[:, [0, 0, 1, 2]], X, ValueError, "must be different"),
        (model, X, X.assign(**{X.columns[0]: "word"}), ValueError, "of one kind"),
    ]
    for estimator, rows, background, error, match in cases:
        with pytest.raises(error, match=match):
            function(estimator, rows, background=background)


def test_background_with_categories_that_x_does_not_list(people, people_model):
    X, _ = people
    other = X.assign(grade=pd.Categorical(["d"] * len(X)))
    with pytest.raises(ValueError, match="same categories"):
        explain.shap(people_model, X, background=other)


@pytest.mark.parametrize(
    ("proba", "match"),
    [
        (np.zeros((3, 5)), r"n_classes.*\(…, 3\)"),
        ([np.zeros((3, 2))] * 2, r"Got shape \[\("),
    ],
)
def test_predict_proba_of_another_shape(proba, match):
    class Odd:
        classes_ = np.arange(3)

        def predict_proba(self, X):
            return proba

    with pytest.raises(ValueError, match=match):
        explain.shap(Odd(), np.zeros((3, 2)))


def test_features_by_name_and_position(iris_model):
    model, X, _ = iris_model
    by_name = explain.partial_dependence(model, X, features=["petal width (cm)"])
    by_place = explain.partial_dependence(model, X, features=-1)
    assert by_name.frame().equals(by_place.frame())
    with pytest.raises(ValueError, match="Did you mean 'petal width"):
        explain.partial_dependence(model, X, features="petal_width (cm)")
    with pytest.raises(ValueError, match="positions below 4"):
        explain.partial_dependence(model, X, features=4)


def test_words_of_options(iris_model):
    model, X, _ = iris_model
    with pytest.raises(ValueError, match="Did you mean 'exact'"):
        explain.shap(model, X, method="exat")
    with pytest.raises(ValueError, match="`output` must be one of"):
        explain.lime(model, X, output="logit")
