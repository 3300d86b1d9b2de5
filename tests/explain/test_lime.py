import numpy as np
import pytest
from lime.lime_base import LimeBase
from scipy.stats import spearmanr
from sklearn.linear_model import Ridge

from skdnn import explain
from skdnn.explain import _lime
from skdnn.explain._target import open_problem


@pytest.fixture
def around(iris_model):
    model, X, _ = iris_model
    problem = open_problem(model, X[:1], background=X)
    return _lime.sample_around(problem, _lime.Bins(problem), problem.X[0], seed=0)


def test_surrogate_equals_that_of_lime(around):
    like, output = around
    base, coefs, _, score = _lime.fit_surrogate(like, output)
    distances = np.sqrt((1 - like).sum(axis=1))
    width = 0.75 * np.sqrt(like.shape[1])
    theirs = LimeBase(lambda d: np.sqrt(np.exp(-(d**2) / width**2)))
    for k in range(output.shape[1]):
        intercept, pairs, r2, _ = theirs.explain_instance_with_data(
            like.astype(float), output, distances, k, like.shape[1], "none",
            model_regressor=Ridge(alpha=1.0),
        )  # fmt: skip
        assert base[k] == pytest.approx(intercept, abs=1e-9)
        assert score[k] == pytest.approx(r2, abs=1e-9)
        np.testing.assert_allclose(coefs[:, k], [dict(pairs)[j] for j in range(4)])


def test_kernel_counts_rows_by_what_is_alike(around):
    like, _ = around
    weights = _lime.kernel_weights(like)
    assert weights[0] == weights.max() == 1
    assert weights[like.sum(axis=1) == 0].max() == weights.min()


def test_recovers_a_sum_of_steps(formula):
    # probability is a sum of what cells in the upper quarter add
    model = formula(lambda X: 0.1 + 0.5 * (X[:, 0] > 0.75) + 0.2 * (X[:, 2] > 0.75))
    rng = np.random.default_rng(0)
    background = rng.uniform(size=(4000, 3))
    # quarters of the drawn rows lie a little off those of the formula
    background[:, :] = (np.argsort(np.argsort(background, axis=0), axis=0) + 0.5) / 4000
    result = explain.lime(
        model, np.array([[0.9, 0.5, 0.1]]), background=background, random_state=0
    )
    values = result.values[0, :, 1]
    assert values[0] == pytest.approx(0.5, abs=0.01)
    assert values[1] == pytest.approx(0, abs=0.01)
    # not like the rows of the upper quarter, which are a third of the others
    assert values[2] == pytest.approx(-0.2 / 3, abs=0.02)
    np.testing.assert_allclose(result.values[0, :, 0], -values, atol=1e-12)
    assert result.score.shape == (1, 2)
    assert result.score[0, 1] > 0.8


def test_words_and_missing_cells_stay_what_they_are(people):
    frame, _ = people

    class Watching:
        classes_ = np.array(["a", "b"])

        def predict_proba(self, X):
            assert set(X["city"].dropna()) <= {"Oslo", "Bergen", "Tromsø"}
            assert set(X["grade"]) <= set("abc")
            assert X["income"].isna().any()
            assert len(X) == 1 or X["age"].isin(frame["age"]).all()
            return np.full((len(X), 2), 0.5)

    result = explain.lime(Watching(), frame[:2], background=frame, random_state=0)
    np.testing.assert_allclose(result.values, 0, atol=1e-12)
    np.testing.assert_array_equal(result.score, 0)


def test_a_word_can_matter(people, people_model):
    frame, _ = people
    at = int(np.flatnonzero(frame["city"] == "Oslo")[0])
    result = explain.lime(
        people_model, frame[at : at + 1], background=frame, random_state=0
    )
    table = result.frame().set_index(["feature", "class"])["value"]
    assert table["city", "yes"] > 0.1
    assert table["city", "no"] < -0.1
    assert abs(table["member", "yes"]) < 0.05


def test_same_seed_same_bits_whatever_rows_are_beside_it(iris_model):
    model, X, _ = iris_model
    settings = {"background": X, "random_state": 0}
    together = explain.lime(model, X[:3], **settings)
    alone = explain.lime(model, X[2:3], **settings)
    np.testing.assert_array_equal(together.values[2:], alone.values)
    other = explain.lime(model, X[:3], background=X, random_state=1)
    assert not np.array_equal(other.values, together.values)


def test_ranking_is_stable_over_seeds(iris_model):
    model, X, _ = iris_model
    first, second = (
        explain.lime(model, X[::30], background=X, random_state=seed).values
        for seed in (0, 1)
    )
    ranks = [
        spearmanr(np.abs(first[i, :, k]), np.abs(second[i, :, k])).statistic
        for i in range(len(first))
        for k in range(3)
    ]
    assert np.mean(ranks) > 0.9


@pytest.mark.slow
def test_standard_errors_are_of_the_right_size(iris_model):
    model, X, _ = iris_model
    results = [
        explain.lime(model, X[:3], background=X, random_state=seed)
        for seed in range(40)
    ]
    spread = np.stack([result.values for result in results]).std(axis=0, ddof=1)
    errors = np.stack([result.std_errors for result in results]).mean(axis=0)
    assert 0.8 < np.median(errors / spread) < 1.25


def test_residual_is_what_the_surrogate_misses(iris_model):
    model, X, _ = iris_model
    result = explain.lime(model, X[:5], background=X, random_state=0)
    assert result.base_values.shape == (5, 3)
    np.testing.assert_allclose(
        result.base_values + result.values.sum(axis=1) + result.residual,
        model.predict_proba(X[:5]),
    )
