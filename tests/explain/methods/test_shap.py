import itertools

import numpy as np
import pandas as pd
import pytest
from joblib import parallel_config
from resources import peak_of
from sklearn.datasets import load_breast_cancer, make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler
from threadpoolctl import threadpool_limits

from skdnn import DNNClassifier, explain

pytestmark = pytest.mark.usefixtures("outputs_of_any_size")


@pytest.fixture(scope="module")
def cancer_model():
    X, y = load_breast_cancer(return_X_y=True, as_frame=True)
    model = make_pipeline(MinMaxScaler(), LogisticRegression(max_iter=1000)).fit(X, y)
    return model, X


@pytest.mark.parametrize("kind", ["linear", "forest", "network"])
def test_equals_shap_exact(kind, wine):
    from shap.explainers import Exact
    from shap.maskers import Independent

    X, y = wine
    made = {
        "linear": LogisticRegression(max_iter=500),
        "forest": RandomForestClassifier(15, random_state=0),
        "network": DNNClassifier(
            (8,), solver="sgd", learning_rate_init=0.2, random_state=0
        ),
    }
    model = make_pipeline(MinMaxScaler(), made[kind]).fit(X, y)
    background = X[::4]
    ours = explain.shap(model, X[:4], background=background, method="exact")

    def predict(rows):
        return model.predict_proba(pd.DataFrame(rows, columns=X.columns))

    masker = Independent(background.to_numpy(), max_samples=len(background))
    theirs = Exact(predict, masker)(X[:4].to_numpy())
    assert ours.method == "exact"
    np.testing.assert_allclose(ours.values, theirs.values, atol=1e-9)
    np.testing.assert_allclose(ours.base_values, theirs.base_values[0], atol=1e-9)
    assert (ours.std_errors == 0).all()


def test_linear_truth(formula):
    # the Shapley values of a sum are the differences of the terms from their means
    factors = np.array([0.1, -0.2, 0.05])
    model = formula(lambda X: 0.5 + X @ factors)
    rng = np.random.default_rng(0)
    X, background = rng.uniform(-1, 1, (5, 3)), rng.uniform(-1, 1, (40, 3))
    for method in ("exact", "regression", "walks"):
        result = explain.shap(
            model, X, background=background, method=method, random_state=0
        )
        expected = (X - background.mean(axis=0)) * factors
        np.testing.assert_allclose(result.values[..., 1], expected, atol=1e-12)
        np.testing.assert_allclose(result.values[..., 0], -expected, atol=1e-12)


def test_product_is_shared_evenly(formula):
    model = formula(lambda X: 0.25 + 0.5 * X[:, 0] * X[:, 1])
    background = np.zeros((2, 3))
    result = explain.shap(model, np.ones((1, 3)), background=background)
    np.testing.assert_allclose(result.values[0, :, 1], [0.25, 0.25, 0], atol=1e-15)


def test_adds_up(cancer_model, people, people_model):
    model, X = cancer_model
    settings = {"background": X, "random_state": 0}
    sampled = explain.shap(model, X[:3], **settings)
    assert sampled.method == "regression"
    walks = explain.shap(model, X[:3], method="walks", **settings)
    frame, _ = people
    exact = explain.shap(people_model, frame[:3], background=frame, random_state=0)
    for result, estimator, rows in (
        (sampled, model, X[:3]),
        (walks, model, X[:3]),
        (exact, people_model, frame[:3]),
    ):
        np.testing.assert_allclose(result.residual, 0, atol=1e-12)
        np.testing.assert_allclose(
            result.base_values + result.values.sum(axis=1),
            estimator.predict_proba(rows),
            atol=1e-12,
        )


def test_a_text_column_is_one_player(people, people_model):
    frame, _ = people
    result = explain.shap(people_model, frame[:5], background=frame, random_state=0)
    assert result.feature_names == list(frame.columns)
    assert result.values.shape == (5, 5, 3)
    of = dict(
        zip(result.feature_names, np.abs(result.values).mean(axis=(0, 2)), strict=True)
    )
    assert min(of["age"], of["city"], of["grade"]) > 5 * max(of["income"], of["member"])


@pytest.mark.parametrize("method", ["regression", "walks"])
def test_sampling_agrees_with_enumeration(method, wine, wine_model):
    X, _ = wine
    settings = {"background": X, "random_state": 0}
    exact = explain.shap(wine_model, X[:4], method="exact", **settings)
    sampled = explain.shap(wine_model, X[:4], method=method, **settings)
    far = np.abs(sampled.values - exact.values) / sampled.std_errors
    assert 0.4 < np.median(far) < 1.2
    assert far.max() < 5
    assert np.abs(sampled.values - exact.values).max() < 0.03


@pytest.fixture(scope="module")
def wide(formula):
    """A network of twelve columns, rows, background rows, and the truth."""
    rng = np.random.default_rng(1)
    weights = rng.normal(size=(8, 12))
    out = rng.normal(size=8)
    model = formula(lambda X: 1 / (1 + np.exp(-np.maximum(X @ weights.T, 0) @ out / 3)))
    X, background = rng.normal(size=(4, 12)), rng.normal(size=(50, 12))
    truth = explain.shap(model, X, background=background, method="exact")
    return model, X, background, truth.values[..., 1]


def one_square(X):
    """Background rows differ nonlinearly."""
    return 1 / (1 + np.exp(-(X[:, 0] ** 2)))


def all_of_five(X):
    """The worth of a set is far from the sum over its players."""
    return (X[:, :5] > -1).all(axis=1) * 0.9


@pytest.fixture(scope="module")
def wide_cases(wide, formula):
    model, X, background, truth = wide
    cases = {"network": (model, X, background, truth)}
    for rule in (one_square, all_of_five):
        model = formula(rule)
        exact = explain.shap(model, X, background=background, method="exact")
        cases[rule.__name__] = (model, X, background, exact.values[..., 1])
    return cases


CALIBRATED = [
    *itertools.product(
        ["network", "one_square", "all_of_five"],
        [{}, {"max_evals": 600}, {"tolerance": 0.004}],
    ),
    # walks are exact for sums; for a rule with steps, a hundred pairs are too few
    ("network", {"method": "walks"}),
]


@pytest.mark.slow
@pytest.mark.parametrize(("case", "options"), CALIBRATED, ids=str)
def test_standard_errors_match_the_deviation(case, options, wide_cases):
    model, X, background, truth = wide_cases[case]
    results = [
        explain.shap(model, X, background=background, random_state=seed, **options)
        for seed in range(60)
    ]
    values = np.stack([result.values[..., 1] for result in results])
    errors = np.stack([result.std_errors[..., 1] for result in results])
    spread = values.std(axis=0, ddof=1)
    ends = [result.interval() for result in results]
    low, high = (np.stack([end[i][..., 1] for end in ends]) for i in (0, 1))
    inside = (low - 1e-12 < truth) & (truth < high + 1e-12)  # up to rounding
    bias = np.abs(values.mean(axis=0) - truth)
    assert (bias < 4 * spread / np.sqrt(60) + 1e-12).all()
    assert 0.85 < errors.mean() / spread.mean() < 1.15
    assert 0.92 < inside.mean() < 0.98


def test_tolerance_is_met_row_by_row(wide):
    model, X, background, truth = wide
    calls = []

    class Counting:
        classes_ = model.classes_

        def predict_proba(self, rows):
            calls.append(len(rows))
            return model.predict_proba(rows)

    options = {"background": background, "random_state": 0}
    loose = explain.shap(Counting(), X, tolerance=0.02, **options)
    n_loose = sum(calls)
    tight = explain.shap(Counting(), X, tolerance=0.002, **options)
    assert loose.std_errors.max() <= 0.02
    assert 0.001 < tight.std_errors.max() <= 0.002
    assert sum(calls) - n_loose > 2 * n_loose
    np.testing.assert_allclose(tight.values[..., 1], truth, atol=0.01)
    alone = explain.shap(Counting(), X[2:3], tolerance=0.002, **options)
    np.testing.assert_allclose(alone.values, tight.values[2:3], atol=1e-12)


def test_tolerance_that_max_evals_does_not_reach_warns(wide):
    model, X, background, _ = wide
    with pytest.warns(ConvergenceWarning, match=r"max_evals=900 .* tolerance=1e-05"):
        explain.shap(model, X, background=background, tolerance=1e-5, max_evals=900)


@pytest.mark.parametrize("method", ["auto", "exact", "walks", "permutation", "kernel"])
def test_max_evals_is_kept(method, wide):
    model, X, background, truth = wide
    most = {"exact": 50_000, "walks": 4000}.get(method, 2000)
    calls = []

    class Counting:
        classes_ = model.classes_

        def predict_proba(self, rows):
            calls.append(len(rows))
            return model.predict_proba(rows)

    result = explain.shap(
        Counting(), X, background=background, method=method, max_evals=most,
        random_state=0,
    )  # fmt: skip
    # in addition the rows themselves, the background, and opening the problem
    assert 0.5 * most * len(X) < sum(calls) < most * len(X) + 4 * len(background)
    assert np.abs(result.values[..., 1] - truth).max() < 0.2


def test_max_evals_and_tolerance_take_more_background(formula):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1500, 12))
    model = formula(lambda X: 1 / (1 + np.exp(-X.sum(axis=1))))
    settings = {"background": X, "random_state": 0}
    assert explain.shap(model, X[:1], **settings).n_background == 100
    assert explain.shap(model, X[:1], max_evals=2000, **settings).n_background == 500
    many = explain.shap(model, X[:1], max_evals=50_000, **settings)
    assert many.n_background == 1000
    precise = explain.shap(model, X[:1], tolerance=0.01, **settings)
    assert precise.n_background == 1000
    few = explain.shap(model, X[:1], max_evals=60, **settings)
    assert few.n_background == 15


def test_auto_enumerates_if_evaluations_allow(iris_model):
    model, X, _ = iris_model
    settings = {"background": X, "random_state": 0}
    assert explain.shap(model, X[:1], max_evals=1400, **settings).method == "exact"
    assert explain.shap(model, X[:1], max_evals=1399, **settings).method == "regression"


@pytest.mark.parametrize(("d", "n", "method"), [
    (6, 100, "exact"), (7, 100, "regression"), (8, 31, "exact"), (8, 32, "regression"),
])  # fmt: skip
def test_auto_enumerates_where_it_costs_at_most_twice_as_much(d, n, method, formula):
    counted = []

    def count(X):
        counted.append(len(X))
        return X.mean(axis=1)

    X = np.random.default_rng(0).uniform(size=(n, d))
    result = explain.shap(formula(count), X[:1], background=X, random_state=0)
    assert result.method == method
    assert sum(counted) < 8000 + 300  # and the rows that are checked first


def test_groups_are_one_player(people, people_model):
    frame, _ = people
    settings = {"background": frame, "random_state": 0}
    groups = {"person": ["age", "member"], "place": ["city"]}
    result = explain.shap(people_model, frame[:4], groups=groups, **settings)
    assert result.feature_names == ["person", "place", "income", "grade"]
    assert result.values.shape == (4, 4, 3)
    np.testing.assert_allclose(result.residual, 0, atol=1e-12)
    assert result.data[0, 0] == f"{frame['age'][0]}, {frame['member'][0]}"
    assert result.data[1, 2] == frame["income"][1]
    # switched together against the same rows: the values of a two-column game
    both = explain.shap(people_model, frame[:4], groups=[list(frame)], **settings)
    np.testing.assert_allclose(
        both.values[:, 0], both.predictions - both.base_values, atol=1e-12
    )
    sampled = explain.shap(
        people_model, frame[:4], groups=groups, method="regression", **settings
    )
    assert np.abs(sampled.values - result.values).max() < 0.03


def test_groups_add_up_where_nothing_interacts(formula):
    rng = np.random.default_rng(0)
    factors = rng.normal(size=14) / 50
    model = formula(lambda X: 0.5 + X @ factors)
    X = rng.normal(size=(40, 14))
    settings = {"background": X, "random_state": 0}
    groups = {"even": list(range(0, 14, 2)), "odd": list(range(1, 14, 2))}
    alone = explain.shap(model, X[:3], **settings)
    assert alone.method == "regression"
    together = explain.shap(model, X[:3], groups=groups, **settings)
    assert together.method == "exact"
    for place in (0, 1):
        np.testing.assert_allclose(
            together.values[:, place], alone.values[:, place::2].sum(axis=1), atol=1e-12
        )


@pytest.mark.parametrize("output", ["probability", "log_odds"])
def test_contrast_is_the_difference_of_two_classes(output, iris_model):
    model, X, _ = iris_model
    settings = {"background": X, "random_state": 0, "output": output}
    every = explain.shap(model, X[::40], **settings)
    result = explain.shap(
        model, X[::40], contrast=("virginica", "versicolor"), **settings
    )
    assert result.class_names.tolist() == ["virginica - versicolor"]
    np.testing.assert_allclose(
        result.values[..., 0], every.values[..., 2] - every.values[..., 1], atol=1e-12
    )
    np.testing.assert_allclose(result.residual, 0, atol=1e-9)
    assert result.n_background == every.n_background
    assert result.frame()["class"].unique().tolist() == ["virginica - versicolor"]
    result.plot("waterfall", sample=0)


@pytest.mark.parametrize("options", [{}, {"tolerance": 0.004}], ids=str)
def test_several_processes_give_the_same(options, wide):
    model, X, background, _ = wide
    settings = {"background": background, "random_state": 0, **options}
    alone = explain.shap(model, X, **settings)
    with parallel_config("threading"):
        together = explain.shap(model, X, n_jobs=2, **settings)
    np.testing.assert_allclose(together.values, alone.values, atol=1e-12)
    np.testing.assert_allclose(together.std_errors, alone.std_errors, atol=1e-12)
    assert together.error_df == alone.error_df


@pytest.mark.slow
def test_rows_go_through_processes(wine, wine_model):
    X, _ = wine
    settings = {"background": X, "random_state": 0}
    alone = explain.shap(wine_model, X[:5], **settings)
    together = explain.shap(wine_model, X[:5], n_jobs=2, **settings)
    np.testing.assert_allclose(together.values, alone.values, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"contrast": "setosa"}, r"two classes.*Got 'setosa'"),
        ({"contrast": ("setosa", "rose")}, r"`contrast` must be one of .*Got 'rose'"),
        ({"contrast": ("setosa", "setosa")}, "Got 'setosa' twice"),
        ({"tolerance": 0}, "above 0. Got 0"),
        ({"tolerance": "small"}, "above 0. Got 'small'"),
        ({"max_evals": 3}, r"at least 16 for 4 players and method='regression'"),
        ({"max_evals": 20, "method": "exact"}, "at least 28 for 4 players"),
        ({"max_evals": 20, "method": "walks"}, "at least 24 for 4 players"),
        ({"max_evals": 20, "method": "kernel"}, "at least 900 for method='kernel'"),
        ({"tolerance": 0.1, "method": "kernel"}, "used without `tolerance`"),
        ({"groups": [["x"]]}, "Got 'x'"),
        ({"n_jobs": 0}, "n_jobs == 0"),
    ],
)
def test_invalid_options(options, match, iris_model):
    model, X, _ = iris_model
    with pytest.raises(ValueError, match=match):
        explain.shap(model, X[:2], background=X, **options)


@pytest.mark.parametrize("name", ["max_evals", "n_jobs"])
def test_counts_are_whole_numbers(name, iris_model):
    model, X, _ = iris_model
    with pytest.raises(TypeError, match=f"`{name}` must be a whole number.*Got 1.5"):
        explain.shap(model, X[:2], **{name: 1.5})


def test_log_odds(iris_model):
    model, X, _ = iris_model
    result = explain.shap(model, X[:3], background=X, output="log_odds")
    p = model.predict_proba(X[:3])
    np.testing.assert_allclose(result.predictions, np.log(p / (1 - p)), rtol=1e-6)
    np.testing.assert_allclose(result.residual, 0, atol=1e-9)
    assert result.output == "log_odds"


@pytest.mark.parametrize("method", ["permutation", "kernel"])
def test_explainers_of_shap_by_name(method, iris_model):
    model, X, _ = iris_model
    settings = {"background": X[::3], "random_state": 0}
    state = np.random.get_state()[1].copy()
    theirs = explain.shap(model, X[:3], method=method, **settings)
    np.testing.assert_array_equal(np.random.get_state()[1], state)
    ours = explain.shap(model, X[:3], **settings)
    np.testing.assert_allclose(theirs.values, ours.values, atol=0.03)
    again = explain.shap(model, X[:3], method=method, **settings)
    np.testing.assert_array_equal(theirs.values, again.values)
    assert np.isnan(theirs.std_errors).all()


def test_same_seed_same_bits(cancer_model):
    model, X = cancer_model
    first, second, other = (
        explain.shap(model, X[:2], background=X, random_state=seed).values
        for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, other)


def test_same_bits_on_any_number_of_threads():
    X, y = make_classification(150, 10, n_informative=5, random_state=0)
    model = LogisticRegression().fit(X, y)

    def explained(n_threads):
        with threadpool_limits(n_threads, "blas"):
            return explain.shap(model, X[:40], background=X, random_state=0)

    one, two = explained(1), explained(2)
    np.testing.assert_array_equal(one.values, two.values)
    np.testing.assert_array_equal(one.std_errors, two.std_errors)


def test_a_row_alone_has_the_same_values(cancer_model):
    model, X = cancer_model
    together = explain.shap(model, X[:3], background=X, random_state=0)
    alone = explain.shap(model, X[2:3], background=X, random_state=0)
    np.testing.assert_allclose(together.values[2:], alone.values, atol=1e-12)


def test_blocks_do_not_change_the_answer(cancer_model, monkeypatch):
    from skdnn.explain._model import target

    model, X = cancer_model
    whole = explain.shap(model, X[:1], background=X, random_state=0)
    # private: _BLOCK_CELLS, so that small tables are predicted in blocks
    monkeypatch.setattr(target, "_BLOCK_CELLS", 1)
    blocks = explain.shap(model, X[:1], background=X, random_state=0)
    np.testing.assert_allclose(blocks.values, whole.values, atol=1e-12)


def test_one_column_and_a_constant_one(formula):
    model = formula(lambda X: 1 / (1 + np.exp(-X[:, 0])))
    one = explain.shap(model, np.array([[1.0]]), background=np.array([[0.0], [2.0]]))
    assert one.values.shape == (1, 1, 2)
    for method in ("exact", "regression", "walks"):
        X = np.array([[1.0, 5.0], [2.0, 5.0]])
        result = explain.shap(model, X, method=method, random_state=0)
        np.testing.assert_allclose(result.values[:, 1], 0, atol=1e-15)


def test_constant_columns_are_not_enumerated(wide):
    model, X, background, _ = wide
    both = [
        np.hstack([np.full((len(rows), 9), 3.0), rows[:, :6]])
        for rows in (X, background)
    ]
    both[0][:, 4] = both[1][:, 4] = np.nan

    class Model:
        classes_ = model.classes_

        def predict_proba(self, rows):
            zeros = np.zeros((len(rows), 6))
            return model.predict_proba(np.hstack([rows[:, 9:], zeros]))

    result = explain.shap(Model(), both[0], background=both[1])
    assert result.method == "exact"
    np.testing.assert_array_equal(result.values[:, :9], 0)
    np.testing.assert_allclose(result.residual, 0, atol=1e-12)
    nothing = explain.shap(model, np.ones((3, 12)), background=np.ones((3, 12)))
    np.testing.assert_array_equal(nothing.values, 0)


def test_too_many_columns_to_enumerate(cancer_model):
    model, X = cancer_model
    with pytest.raises(ValueError, match="Got 30; use method='auto'"):
        explain.shap(model, X[:1], background=X, method="exact")


def test_progress_is_shown_if_verbose(iris_model, capfd):
    model, X, _ = iris_model
    explain.shap(model, X[:3], background=X)
    assert capfd.readouterr() == ("", "")
    explain.shap(model, X[:3], background=X, verbose=True)
    assert "SHAP row 3/3" in capfd.readouterr().err


def test_memory_stays_small_with_few_background_rows(formula):
    # all walks at once would take 260 MB
    X = np.random.default_rng(0).normal(size=(2, 400))
    model = formula(lambda X: 1 / (1 + np.exp(-X[:, 0])))
    assert peak_of(lambda: explain.shap(model, X[:1], background=X)) < 60e6


def test_memory_does_not_grow_with_rows(formula):
    X = np.random.default_rng(0).normal(size=(600, 30))
    model = formula(lambda X: 1 / (1 + np.exp(-X[:, 0])))
    settings = {"background": X[:50], "max_evals": 300}
    few, many = (
        peak_of(lambda rows=rows: explain.shap(model, rows, **settings))
        for rows in (X[:100], X)
    )
    # the result itself: values, errors, and the input values
    result = 500 * 30 * (2 * 2 * 8 + 2 * 32 + 8)
    assert many - few < 2 * result


def test_intervals_hold_the_truth(wine, wine_model):
    X, _ = wine
    truth = explain.shap(wine_model, X[:4], background=X[::9], method="exact")
    low, high = truth.interval()
    np.testing.assert_array_equal(low, high)
    walks = explain.shap(
        wine_model, X[:4], background=X[::9], method="walks", random_state=0
    )
    # twenty background rows, five pairs each
    assert (walks.n_background, walks.error_df) == (20, 80)
    low, high = walks.interval(0.99)
    inside = (low <= truth.values) & (truth.values <= high)
    assert inside.mean() > 0.93
    narrow = walks.interval(0.5)
    assert (narrow[1] - narrow[0] < high - low).all()
    # the quantile of Student's t, not of the normal distribution
    np.testing.assert_allclose(
        high - walks.values, 2.6387 * walks.std_errors, rtol=1e-4
    )
    with pytest.raises(ValueError, match=r"between 0 and 1. Got 95"):
        walks.interval(95)
