import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.linear_model import LogisticRegression

from skdnn import explain
from skdnn.explain._methods.novelty import conformal_p_values, p_of_unusual
from skdnn.explain._methods.novelty_scores import NoveltyScore


class Anything:
    """Takes every row; novelty does not depend on predictions."""

    classes_ = np.array(["no", "yes"])

    def predict_proba(self, X):
        return np.full((len(X), 2), 0.5)


def _mixed(n, rng):
    """Return rows with all kinds of columns."""
    city = rng.choice(12, n)
    frame = pd.DataFrame(
        {
            "city": np.array([f"c{k}" for k in range(12)], dtype=object)[city],
            "country": pd.Categorical(np.array(list("abcd"))[city // 3]),
            "when": pd.Timestamp("2020")
            + pd.to_timedelta(rng.integers(0, 900, n), "D"),
            "member": rng.random(n) < 0.3,
            "rooms": rng.integers(1, 6, n),
            "constant": 1,
            "name": [f"n{k}" for k in rng.integers(0, 10**9, n)],
            "x": rng.normal(size=n),
        }
    )
    frame["y"] = 2 * frame["x"] + 0.3 * rng.normal(size=n)
    frame.loc[rng.random(n) < 0.1, "y"] = np.nan
    return frame


@pytest.fixture(scope="module")
def mixed():
    rng = np.random.default_rng(0)
    background, X = _mixed(800, rng), _mixed(60, rng)
    X.loc[0, "when"] = pd.Timestamp("2035")
    X.loc[1, "country"], X.loc[1, "city"] = "a", "c11"
    X.loc[2, "constant"] = 2
    X.loc[3, "x"] = np.nan
    X.loc[4, "x"], X.loc[4, "y"] = 1.5, -3.0
    X.loc[5, "city"] = "Paris"
    return X, background, explain.novelty(Anything(), X, background=background,
                                          random_state=0)  # fmt: skip


def test_kinds_of_unusual_rows(mixed):
    X, _, result = mixed
    names = result.feature_names
    assert (result.p_values[:6] <= 0.05).tolist() == [True] * 6
    largest = names[result.contributions.argmax(axis=1)]
    assert largest[0] == "when"
    assert largest[1] in ("country", "city")
    assert largest[[2, 3, 5]].tolist() == ["constant", "x", "city"]
    pairs = result.pairs.set_index("sample")
    assert set(pairs.loc[1, ["feature", "other"]]) == {"country", "city"}
    assert set(pairs.loc[4, ["feature", "other"]]) == {"x", "y"}
    assert (result.p_values[6:] <= 0.05).mean() < 0.15
    assert result.data["city"].tolist() == X["city"].tolist()
    assert result.n_training[[0, 2, 3, 5], [2, 5, 7, 0]].tolist() == [0, 0, 0, 0]


def test_frame_and_scores(mixed):
    _, _, result = mixed
    table = result.frame()
    assert table.columns.tolist() == [
        "sample", "p_value", "feature", "value", "contribution", "n_training"
    ]  # fmt: skip
    by_row = table.groupby("sample")
    np.testing.assert_allclose(by_row["contribution"].sum(), result.scores)
    assert (by_row["contribution"].diff().fillna(0) <= 0).all()
    assert (by_row["feature"].nunique() == 9).all()
    assert (result.contributions >= 0).all()


def test_p_values_are_recomputed_by_counting():
    rng = np.random.default_rng(1)
    X, background = rng.normal(size=(30, 3)), rng.normal(size=(101, 3))
    result = explain.novelty(Anything(), X, background=background, random_state=5)
    drawn = np.random.RandomState(5).permutation(101)
    score = NoveltyScore(background[drawn[50:]], [True] * 3)
    calibration = [score.contributions(background[[i]]).sum() for i in drawn[:50]]
    for row, p_value in zip(X, result.p_values, strict=True):
        own = score.contributions(row[None]).sum()
        assert p_value == (1 + sum(other >= own for other in calibration)) / 51
    assert (result.n_calibration, result.n_reference) == (50, 51)


def test_equal_scores_count_as_at_least_as_high():
    calibration = np.array([1.0, 2, 2, 3])
    result = conformal_p_values(np.array([0.0, 2, 2 + 1e-15, 3.5]), calibration)
    np.testing.assert_allclose(result, np.array([5, 4, 4, 1]) / 5)


def test_false_alarms_are_at_most_at_the_stated_rate():
    # one row per split: p-values of several rows depend on each other
    rng = np.random.default_rng(0)
    p_values = []
    for seed in range(300):
        table = rng.standard_t(3, size=(60, 3))
        table[:, 2] = rng.poisson(2, size=60)  # ties
        result = explain.novelty(
            Anything(), table[:1], background=table[1:], random_state=seed
        )
        p_values.append(result.p_values[0])
    for level in (0.05, 0.1, 0.25, 0.5):
        n_alarms = (np.array(p_values) <= level).sum()
        assert n_alarms <= stats.binom(300, level).ppf(0.999)
    # without ties the p-values are uniform on 1/30, 2/30, ... 1
    assert stats.kstest(p_values, "uniform").pvalue > 0.001


def test_number_of_unusual_rows_has_the_stated_distribution():
    rng = np.random.default_rng(0)
    tails = []
    for _ in range(2000):
        scores = rng.normal(size=59 + 40)
        result = conformal_p_values(np.exp(scores[59:]), np.exp(scores[:59]))
        tails.append(p_of_unusual(result, 59))
    for level in (0.01, 0.05, 0.2):
        assert np.mean(np.array(tails) <= level) <= level + 3 * np.sqrt(level / 2000)
    # by simulation of the k-th highest of n: one minus a share
    shares = 1 - np.sort(rng.random((20_000, 59)), axis=1)[:, -3]
    counts = rng.binomial(40, shares)
    p_values = np.append(np.full(6, 0.01), np.full(34, 0.5))
    assert p_of_unusual(p_values, 59) == pytest.approx((counts >= 6).mean(), abs=0.01)


def test_the_same_seed_gives_the_same(mixed):
    X, background, result = mixed
    again = explain.novelty(Anything(), X, background=background, random_state=0)
    np.testing.assert_array_equal(again.contributions, result.contributions)
    other = explain.novelty(Anything(), X, background=background, random_state=1)
    assert not np.array_equal(other.p_values, result.p_values)


def test_rows_are_independent_of_each_other():
    rng = np.random.default_rng(0)
    X, background = rng.normal(size=(20, 3)), rng.normal(size=(100, 3))
    settings = {"background": background, "random_state": 0}
    together = explain.novelty(Anything(), X, **settings)
    for i in (0, 7):
        alone = explain.novelty(Anything(), X[[i]], **settings)
        np.testing.assert_allclose(alone.contributions[0], together.contributions[i])
        assert alone.p_values[0] == together.p_values[i]


def test_arrays_and_frames_give_the_same():
    rng = np.random.default_rng(0)
    X, background = rng.normal(size=(20, 3)), rng.normal(size=(100, 3))
    model = LogisticRegression().fit(background, np.arange(100) % 2)
    of_array = explain.novelty(model, X, background=background, random_state=0)
    of_frame = explain.novelty(
        Anything(), pd.DataFrame(X), background=pd.DataFrame(background), random_state=0
    )
    np.testing.assert_array_equal(of_array.p_values, of_frame.p_values)
    assert of_array.feature_names.tolist() == ["x0", "x1", "x2"]


@pytest.mark.parametrize(
    "cells",
    [np.ones(90), np.arange(90) % 2, np.array(["a", "b", "c"] * 30, dtype=object),
     np.full(90, np.nan), np.array([None, "a", "a"] * 30, dtype=object)],
    ids=["constant", "binary", "strings", "missing", "missing strings"],
)  # fmt: skip
def test_one_column(cells):
    frame = pd.DataFrame({"only": cells})
    result = explain.novelty(
        Anything(), frame[:10], background=frame[10:], random_state=0
    )
    assert (result.p_values > 0.05).all()
    assert result.contributions.shape == (10, 1)
    assert result.pairs.empty
    assert result.describe()
    assert result.describe(0)


def test_duplicates_are_not_unusual():
    rows = np.repeat(np.eye(4), 30, axis=0)
    result = explain.novelty(Anything(), rows, background=rows, random_state=0)
    assert (result.p_values > 0.05).all()


def test_long_backgrounds_are_sampled():
    rng = np.random.default_rng(0)
    result = explain.novelty(
        Anything(), rng.normal(size=(9, 2)), background=rng.normal(size=(20_100, 2)),
        random_state=0,
    )  # fmt: skip
    assert (result.n_calibration, result.n_reference) == (10_000, 10_000)
    assert result.n_background == 20_100


def test_invalid_backgrounds():
    X = np.zeros((50, 2))
    with pytest.raises(ValueError, match=r"must be the training rows\. Got None"):
        explain.novelty(Anything(), X, background=None)
    with pytest.raises(ValueError, match=r"at least 40 rows.*Got 39"):
        explain.novelty(Anything(), X, background=X[:39])


def test_columns_that_have_moved(mixed):
    rng = np.random.default_rng(3)
    background, X = _mixed(600, rng), _mixed(300, rng)
    X["x"] += 0.8
    result = explain.novelty(Anything(), X, background=background, random_state=0)
    drift = result.drift
    clear = drift[drift["p_holm"] < 0.05]
    assert clear["feature"].tolist() == ["x"]
    expected = stats.ks_2samp(X["x"], background["x"], method="asymp")
    assert clear["p_value"].iloc[0] == pytest.approx(expected.pvalue)
    assert set(drift["feature"]) == set(X)
    row = drift[drift["feature"] == "when"].iloc[0]
    expected = stats.ks_2samp(
        X["when"].astype("int64"), background["when"].astype("int64"), method="asymp"
    )
    assert row["p_value"] == pytest.approx(expected.pvalue)
