import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import VotingClassifier
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import LinearSVC
from sklearn.utils import check_random_state

from skdnn import explain
from skdnn.explain._model.opening import draw_background, open_problem


class Recorder:
    """Keeps the rows it predicts."""

    classes_ = np.array(["a", "b"])

    def __init__(self):
        self.calls = []

    def predict_proba(self, X):
        self.calls.append(X)
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


def test_decoded_rows_equal_the_input(mixed):
    problem = open_problem(Recorder(), mixed)
    back = problem.target.decode(problem.X)
    pd.testing.assert_frame_equal(back, mixed.reset_index(drop=True))


def test_estimator_gets_the_users_columns_and_dtypes(mixed):
    recorder = Recorder()
    before = mixed.copy()
    explain.shap(recorder, mixed, random_state=0)
    for frame in recorder.calls:
        assert list(frame.columns) == list(mixed.columns)
        pd.testing.assert_series_equal(frame.dtypes, mixed.dtypes)
    pd.testing.assert_frame_equal(mixed, before)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64, object])
def test_arrays_stay_arrays(dtype):
    recorder = Recorder()
    X = np.array([[1, 2, 3], [4, 5, 6]]).astype(dtype)
    explain.shap(recorder, X)
    assert all(isinstance(rows, np.ndarray) for rows in recorder.calls)
    assert all(rows.dtype == dtype for rows in recorder.calls)


def test_strings_in_an_array():
    X = np.array([["a", 1.0], ["b", 2.0], [None, 3.0]], dtype=object)
    recorder = Recorder()
    result = explain.shap(recorder, X)
    assert result.feature_names == ["x0", "x1"]
    assert {type(cell) for rows in recorder.calls for cell in rows[:, 0]} <= {
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


def test_small_background_is_used_in_full(iris_model):
    model, X, _ = iris_model
    assert explain.shap(model, X[:1], background=X[:30]).n_background == 30
    assert explain.shap(model, X[:1], background=X).n_background == 100


FUNCTIONS = [
    explain.shap,
    explain.lime,
    explain.break_down,
    explain.ceteris_paribus,
    explain.partial_dependence,
    explain.accumulated_local_effects,
    explain.average_conditional_effects,
    explain.counterfactuals,
]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_bad_input(function, iris_model):
    model, X, y = iris_model
    cases = [
        (clone(model), X, X, NotFittedError, "not fitted"),
        (RidgeClassifier().fit(X, y), X, X, ValueError, "CalibratedClassifierCV"),
        (LogisticRegression, X, X, ValueError, "the class LogisticRegression"),
        (model, csr_matrix(X), X, ValueError, "toarray"),
        (model, X[:0], X, ValueError, "must have rows"),
        (model, X, X[:0], ValueError, "`background` must have rows"),
        (model, X, X[:1], ValueError, "at least 2 rows"),
        (model, X, X.iloc[:, :3], ValueError, "missing"),
        (model, X, X.iloc[:, ::-1], ValueError, "another order"),
        (model, X, X.to_numpy(), ValueError, "of the kind of X"),
        (model, X.to_numpy()[0], X, ValueError, r"X\[\[0\]\]"),
        (model, X.iloc[:, :3], X.iloc[:, :3], ValueError, "feature names should match"),
        (model, X.iloc[:, [0, 0, 1, 2]], X, ValueError, "must be different"),
        (model, X, X.assign(**{X.columns[0]: "word"}), ValueError, "to float: 'word'"),
    ]
    for estimator, rows, background, error, match in cases:
        with pytest.raises(error, match=match):
            function(estimator, rows, background=background)


def test_background_with_categories_that_x_does_not_list(people):
    X, y = people
    model = make_pipeline(OneHotEncoder(handle_unknown="ignore"), LogisticRegression())
    model.fit(X, y)
    other = X.assign(grade=pd.Categorical(["d"] * len(X)))
    result = explain.shap(model, X[:2], background=other, random_state=0)
    np.testing.assert_allclose(
        result.base_values, model.predict_proba(other).mean(axis=0), atol=0.02
    )
    np.testing.assert_allclose(result.predictions, model.predict_proba(X[:2]))


@pytest.mark.parametrize(
    ("proba", "match"),
    [
        (np.zeros((3, 5)), r"n_classes.*\(3, 3\)"),
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
    with pytest.raises(ValueError, match=r"at least one column\. Got none"):
        explain.partial_dependence(model, X, features=[])


def test_unknown_options(iris_model):
    model, X, _ = iris_model
    with pytest.raises(ValueError, match="Did you mean 'exact'"):
        explain.shap(model, X, method="exat")
    with pytest.raises(ValueError, match="`output` must be one of"):
        explain.lime(model, X, output="logit")


def test_background_that_the_classifier_refuses(iris_model, people, people_model):
    model, X, _ = iris_model
    holes = X.copy()
    holes.iloc[70, 2] = np.nan
    for function in FUNCTIONS:
        with pytest.raises(ValueError, match=r"`background` must hold .*contains NaN"):
            function(model, X[:3], background=holes)
    frame = pd.DataFrame({"city": ["Oslo", "Bergen"] * 5})
    strict = make_pipeline(OneHotEncoder(), LogisticRegression())
    strict.fit(frame, np.arange(10) % 2)
    other = frame.replace("Bergen", "Rome")
    with pytest.raises(ValueError, match=r"`background` must hold .*Rome"):
        explain.shap(strict, frame[:1], background=other)


@pytest.mark.parametrize("function", [explain.shap, explain.lime])
def test_rows_that_the_classifier_refuses(function):
    frame = pd.DataFrame({"city": ["Oslo", "Bergen"] * 5, "size": np.arange(10.0)})
    made = []

    class Strict:
        classes_ = np.array([0, 1])

        def predict_proba(self, X):
            made.append(len(X))
            if not X["city"].isin(["Oslo", "Bergen"]).all():
                raise ValueError("unknown city")
            return np.full((len(X), 2), 0.5)

    other = frame.replace({"city": {"Bergen": "Rome"}})
    with pytest.raises(ValueError, match="unknown city"):
        function(Strict(), other, background=frame)
    assert made == [5]  # a few rows are predicted first, before work starts


@pytest.mark.parametrize("function", [explain.shap, explain.lime])
@pytest.mark.parametrize("n_columns", [3, 12])
def test_constant_columns_have_no_attribution(function, n_columns):
    X = np.random.default_rng(0).normal(size=(60, n_columns))
    X[:, 1] = 7.0
    X = pd.DataFrame(X).rename(columns=str).assign(word="same")

    class Model:
        classes_ = np.array([0, 1])

        def predict_proba(self, X):
            p = 1 / (1 + np.exp(-X["0"].to_numpy()))
            return np.column_stack([1 - p, p])

    result = function(Model(), X[:3], background=X, random_state=0)
    np.testing.assert_allclose(result.values[:, [1, -1]], 0, atol=1e-15)
    np.testing.assert_allclose(result.std_errors[:, [1, -1]], 0, atol=1e-12)
    assert np.isfinite(result.values).all()
    assert np.abs(result.values[:, 0]).max() > 0.1


@pytest.mark.parametrize("container", [np.asarray, pd.DataFrame])
def test_classifier_that_scales_in_place(container):
    class Greedy:
        classes_ = np.array([0, 1])

        def predict_proba(self, X):
            X *= 0.5
            p = 1 / (1 + np.exp(-np.asarray(X)[:, 0]))
            return np.column_stack([1 - p, p])

    X = container(np.random.default_rng(0).normal(size=(30, 12)))
    before = X.copy()
    y = np.arange(30) % 2
    for method in ("auto", "permutation"):
        result = explain.shap(Greedy(), X, method=method, random_state=0)
        expected = Greedy().predict_proba(X.copy())
        np.testing.assert_allclose(result.predictions, expected)
        np.testing.assert_allclose(result.residual, 0, atol=1e-7)
    explain.lime(Greedy(), X[:2], background=X, random_state=0)
    for function in FUNCTIONS[2:]:
        function(Greedy(), X[:5], background=X)
    explain.permutation_importance(Greedy(), X, y, scoring="neg_log_loss", features=0)
    np.testing.assert_array_equal(X, before)


def test_only_a_part_of_a_long_background_is_predicted(formula):
    calls = []

    def record(X):
        calls.append(len(X))
        return (X[:, 0] > 0.9).astype(float)

    problem = open_problem(formula(record), np.linspace(0, 1, 60_000)[:, None])
    drawn = draw_background(problem, check_random_state(0))
    assert sum(calls) < 11_000
    assert 8 <= (drawn > 0.9).sum() <= 12


@pytest.mark.parametrize("function", FUNCTIONS)
def test_probabilities_must_be_finite(function, formula):
    X = np.random.default_rng(0).normal(size=(20, 2))
    model = formula(lambda X: np.where((X[:, 0] > 0) & (X[:, 1] < 0), np.nan, 0.5))
    with pytest.raises(ValueError, match=r"finite numbers\. Got NaN .* rows made of"):
        function(model, X[X[:, 0] < 0][:3], background=X)


def test_global_random_state_is_left_alone(iris_model):
    model, X, y = iris_model
    before = np.random.get_state()[1].copy()
    settings = {"background": X, "random_state": 0}
    for method in ("exact", "regression", "walks", "permutation", "kernel"):
        explain.shap(model, X[:2], method=method, **settings)
    explain.lime(model, X[:2], method="tabular", **settings)
    explain.lime(model, X[:2], **settings)
    for function in FUNCTIONS[2:]:
        function(model, X[:2], **settings)
    explain.permutation_importance(model, X, y, features=0, random_state=0)
    np.testing.assert_array_equal(np.random.get_state()[1], before)


def test_names_of_any_kind(formula):
    model = formula(lambda X: 1 / (1 + np.exp(-X[:, 0])))
    values = np.random.default_rng(0).normal(size=(12, 2))
    for names in ([1, 0], pd.MultiIndex.from_tuples([("a", 1), ("a", 2)]), ["", " "]):
        X = pd.DataFrame(values, columns=names, index=list("abcdefghijkl"))
        outcome = [str(name) for name in names]
        for function in FUNCTIONS[2:7]:
            table = function(model, X[:3], background=X).frame()
            assert list(dict.fromkeys(table["feature"])) == outcome
        changed = explain.counterfactuals(model, X[:3], background=X)
        assert set(changed.changes()["feature"]) == {outcome[0]}
        assert model.predict_proba(changed.frame().iloc[:, 3:]).shape == (3, 2)
        result = explain.shap(model, X[:3], background=X)
        assert result.feature_names == [str(name) for name in names]
        np.testing.assert_allclose(result.values[:, 1], 0, atol=1e-12)
        np.testing.assert_allclose(result.residual, 0, atol=1e-12)


@pytest.mark.parametrize(
    "make",
    [
        lambda: CalibratedClassifierCV(RidgeClassifier(), cv=2),
        lambda: VotingClassifier(
            [("a", LogisticRegression(max_iter=500))], voting="soft"
        ),
        lambda: make_pipeline(StandardScaler(), CalibratedClassifierCV(LinearSVC())),
    ],
)
def test_wrapped_estimators(make, iris_model):
    _, X, y = iris_model
    model = make().fit(X, y)
    result = explain.shap(model, X[:2], background=X)
    np.testing.assert_allclose(
        result.base_values + result.values.sum(axis=1), model.predict_proba(X[:2])
    )
    assert result.class_names.tolist() == ["setosa", "versicolor", "virginica"]


def test_columns_that_differ_in_kind_only_have_one_name(formula):
    X = pd.DataFrame(np.zeros((4, 2)), columns=[1, "1"])
    with pytest.raises(ValueError, match=r"must be different\. Got twice: \['1'\]"):
        explain.shap(formula(lambda X: X[:, 0]), X)


@pytest.mark.parametrize("function", FUNCTIONS[2:])
def test_every_method_predicts_rows_like_the_users(function, mixed):
    recorder = Recorder()
    before = mixed.copy()
    function(recorder, mixed[:2], background=mixed)
    assert recorder.calls
    for frame in recorder.calls:
        assert list(frame.columns) == list(mixed.columns)
        pd.testing.assert_series_equal(frame.dtypes, mixed.dtypes)
    pd.testing.assert_frame_equal(mixed, before)
    recorder.calls.clear()
    X = mixed[["float", "int"]].to_numpy(dtype=np.float32)
    function(recorder, X)
    assert all(rows.dtype == np.float32 for rows in recorder.calls)


@pytest.mark.parametrize("function", FUNCTIONS[3:7])
def test_features_are_named_as_everywhere(function, iris_model):
    model, X, _ = iris_model
    names = ["petal width (cm)", "sepal length (cm)"]
    by_name = function(model, X, features=names).frame()
    by_place = function(model, X, features=[3, -4]).frame()
    pd.testing.assert_frame_equal(by_name, by_place)
    assert list(dict.fromkeys(by_name["feature"])) == names
    with pytest.raises(ValueError, match="Did you mean 'petal width"):
        function(model, X, features="petal_width (cm)")
    with pytest.raises(ValueError, match="name a column once"):
        function(model, X, features=[0, names[1]])


@pytest.mark.parametrize("function", FUNCTIONS[2:])
def test_one_row_of_one_column(function, formula):
    model = formula(lambda X: 1 / (1 + np.exp(-X[:, 0])))
    X = np.array([[-1.0], [1.0]])
    table = function(model, X[:1], background=X).frame()
    assert len(table)
    assert not table.select_dtypes("number").drop(
        columns=["std_error", "ci_low", "ci_high"], errors="ignore"
    ).isna().any(axis=None)  # fmt: skip


@pytest.mark.parametrize("function", FUNCTIONS[2:])
def test_equal_seeds_give_equal_frames_and_progress_is_shown(
    function, iris_model, capsys
):
    model, X, _ = iris_model
    settings = {"background": X, "random_state": 7}
    first = function(model, X[:2], **settings).frame()
    assert capsys.readouterr().err == ""
    again = function(model, X[:2], verbose=True, **settings).frame()
    pd.testing.assert_frame_equal(first, again)
    result = capsys.readouterr()
    assert "2/2" in result.err or "4/4" in result.err
    assert result.out == ""
