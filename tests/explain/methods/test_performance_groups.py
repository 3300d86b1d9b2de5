import numpy as np
import pandas as pd
import pytest
from optional import require
from scipy import stats
from sklearn.linear_model import LogisticRegression

from skdnn.explain._methods.performance_decisions import Predictions
from skdnn.explain._methods.performance_groups import Groups, find_groups, group_tables
from skdnn.explain._methods.performance_scores import wilson
from skdnn.explain._model.opening import open_problem
from skdnn.explain._results.intervals import holm

NAMES = np.array(["no", "yes"])


@pytest.fixture(scope="module")
def problem():
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"size": rng.normal(size=40), "n": np.arange(40) % 4})
    return open_problem(LogisticRegression().fit(X, X["size"] > 0), X)


class TestFindGroups:
    def test_a_column_by_name_and_position(self, problem):
        by_name, by_position = find_groups("n", problem), find_groups(1, problem)
        assert by_name.name == by_position.name == "n"
        assert by_name.labels == [0, 1, 2, 3]
        assert by_name.codes.tolist() == (np.arange(40) % 4).tolist()
        assert by_name.note == ""

    def test_many_numbers_are_cut_at_quartiles(self, problem):
        groups = find_groups("size", problem)
        size = problem.X[:, 0]
        assert np.bincount(groups.codes).tolist() == [10, 10, 10, 10]
        edges = np.sort(size)[[9, 19, 29]]
        assert groups.labels[0] == f"up to {edges[0]:.4g}"
        assert groups.labels[1] == f"above {edges[0]:.4g} to {edges[1]:.4g}"
        assert groups.labels[-1] == f"above {edges[2]:.4g}"
        assert (size[groups.codes == 1] > edges[0]).all()
        assert groups.note == "size has 40 values and was cut at its quartiles."

    def test_numbers_with_few_digits_between_them_keep_their_digits(self, problem):
        values = 1 + np.arange(40) / 1e7
        labels = find_groups(values, problem).labels
        assert labels[0] == "up to 1.0000009"

    def test_frequent_numbers_give_fewer_groups(self, problem):
        values = np.r_[np.zeros(30), np.arange(10)]
        assert find_groups(values, problem).labels == ["up to 0", "above 0"]

    def test_missing_values_are_a_group(self, problem):
        values = np.array(["b", None, "a", np.nan] * 10, dtype=object)
        groups = find_groups(values, problem)
        assert groups.labels == ["a", "b", "(missing)"]
        assert groups.codes[:4].tolist() == [1, 2, 0, 2]
        taken = np.array(["(missing)", None] * 20, dtype=object)
        assert find_groups(taken, problem).labels == ["(missing)", "((missing))"]
        numbers = np.r_[np.arange(39.0), np.nan]
        groups = find_groups(numbers, problem)
        assert groups.labels[-1] == "(missing)"
        assert groups.codes[-1] == 4

    def test_categories_keep_their_order_and_unused_ones_are_left_out(self, problem):
        values = pd.Categorical(["low", "high"] * 20, ["low", "middle", "high"])
        for given in (values, pd.Series(values, index=np.arange(40)[::-1])):
            groups = find_groups(given, problem)
            assert groups.labels == ["low", "high"]
            assert groups.codes[:2].tolist() == [0, 1]

    def test_other_containers_and_kinds(self, problem):
        polars = require("polars")
        series = polars.Series("where", ["x", "y"] * 20)
        assert find_groups(series, problem).name == "where"
        assert find_groups([True, False] * 20, problem).labels == [False, True]
        assert find_groups([1, "a"] * 20, problem).labels == [1, "a"]
        assert find_groups(tuple("ab" * 20), problem).labels == ["a", "b"]

    @pytest.mark.parametrize(
        ("by", "match"),
        [
            (
                "sizze",
                r"`by` must name columns of X\. Got 'sizze'\. Did you mean 'size'",
            ),
            (7, "`by` must be names or positions below 2"),
            (["a"] * 39, "one value for each of the 40 rows.*Got 39"),
            (["a"] * 40, r"at least two groups to compare\. Got \['a'\]"),
            (np.ones((40, 2)), r"\(n_samples,\)\. Got ndarray of shape \(40, 2\)"),
            ({"a": 1}, r"\(n_samples,\)\. Got dict"),
            (2.5, r"\(n_samples,\)\. Got float"),
            ([f"w{i:03}" for i in range(40)], None),
        ],
    )
    def test_bad_groups(self, by, match, problem):
        if match is None:
            assert len(find_groups(by, problem).labels) == 40
            return
        with pytest.raises(ValueError, match=match):
            find_groups(by, problem)

    def test_too_many_groups(self):
        X = pd.DataFrame({"a": np.arange(80.0), "id": [f"w{i}" for i in range(80)]})

        class Model:
            classes_ = np.array([0, 1])

            def predict_proba(self, X):
                return np.full((len(X), 2), 0.5)

        problem = open_problem(Model(), X)
        with pytest.raises(ValueError, match=r"at most 50 groups\. Got 80 of id"):
            find_groups("id", problem)


def _given(n, seed=0, n_classes=2):
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, n_classes, n)
    proba = rng.dirichlet(np.ones(n_classes), n) + 0.4 * np.eye(n_classes)[codes]
    proba /= proba.sum(axis=1, keepdims=True)
    return Predictions(codes, proba, proba.argmax(axis=1), np.ones(n))


def _groups(n, n_groups=3, seed=1):
    codes = np.random.default_rng(seed).integers(0, n_groups, n)
    return Groups("where", list("abcdef"[:n_groups]), codes)


def _row(table, group, score):
    return table[(table["group"] == group) & (table["score"] == score)].iloc[0]


def test_scores_of_groups_by_hand():
    given, groups = _given(200), _groups(200)
    scores, _, _ = group_tables(given, groups, NAMES)
    rows = groups.codes == 1
    truth, named = given.codes[rows] == 1, given.predicted[rows] == 1
    p = given.probabilities[rows, 1]
    shares = {
        "accuracy": (truth == named, np.ones(rows.sum(), dtype=bool)),
        "prevalence": (truth, np.ones(rows.sum(), dtype=bool)),
        "predicted_share": (named, np.ones(rows.sum(), dtype=bool)),
        "precision": (truth, named),
        "false_positive_rate": (named, ~truth),
        "false_negative_rate": (~named, truth),
    }
    for name, (hit, among) in shares.items():
        row = _row(scores, "b", name)
        hits, n = hit[among].sum(), among.sum()
        assert row["value"] == pytest.approx(hits / n), name
        assert (row["ci_low"], row["ci_high"]) == pytest.approx(wilson(hits, n))
        assert row["n_rows"] == n
        assert row["is_small"] == (n < 30)
    row = _row(scores, "b", "predicted_minus_observed")
    assert row["value"] == pytest.approx((p - truth).mean())
    expected = stats.t(len(p) - 1, (p - truth).mean(), stats.sem(p - truth))
    assert (row["ci_low"], row["ci_high"]) == pytest.approx(expected.interval(0.95))
    loss = -np.log(np.where(truth, p, 1 - p))
    assert _row(scores, "b", "log_loss")["value"] == pytest.approx(loss.mean())


def test_differences_by_hand():
    given, groups = _given(200), _groups(200)
    _, differences, n_tested = group_tables(given, groups, NAMES)
    rows = groups.codes == 2
    right = given.codes == given.predicted
    row = _row(differences, "c", "accuracy")
    assert row["difference"] == pytest.approx(right[rows].mean() - right[~rows].mean())
    counts = [[right[m].sum(), (~right[m]).sum()] for m in (rows, ~rows)]
    assert row["p_value"] == pytest.approx(stats.fisher_exact(counts)[1])
    gap = given.probabilities[:, 1] - (given.codes == 1)
    row = _row(differences, "c", "predicted_minus_observed")
    test = stats.ttest_ind(gap[rows], gap[~rows], equal_var=False)
    assert row["p_value"] == pytest.approx(test.pvalue)
    ends = test.confidence_interval(0.95)
    assert (row["ci_low"], row["ci_high"]) == pytest.approx((ends.low, ends.high))
    assert n_tested == len(differences) == 3 * 9
    np.testing.assert_allclose(differences["p_holm"], holm(differences["p_value"]))


def test_each_of_two_groups_less_the_other_is_one_test():
    given, groups = _given(120), _groups(120, 2)
    _, differences, n_tested = group_tables(given, groups, NAMES)
    assert n_tested == len(differences) / 2 == 9
    first, second = differences.iloc[:9], differences.iloc[9:]
    np.testing.assert_allclose(first["difference"], -second["difference"].to_numpy())
    np.testing.assert_allclose(first["p_holm"], second["p_holm"])
    np.testing.assert_allclose(first["p_holm"], holm(first["p_value"].to_numpy()))
    np.testing.assert_allclose(first["ci_low"], -second["ci_high"].to_numpy())


def test_of_more_classes_each_is_compared_with_the_rest():
    given = _given(300, n_classes=4)
    scores, differences, _ = group_tables(given, _groups(300), np.array(list("wxyz")))
    assert set(scores["class"].dropna()) == set("wxyz")
    assert len(scores) == len(differences) == 3 * (2 + 4 * 7)


def test_a_group_of_one_row_and_one_class():
    given = _given(60)
    codes = np.zeros(60, dtype=int)
    codes[0] = 1
    groups = Groups("where", ["all", "one"], codes)
    scores, differences, _ = group_tables(given, groups, NAMES)
    one = scores[scores["group"] == "one"]
    assert one["is_small"].all()
    assert np.isnan(_row(scores, "one", "roc_auc")["value"])
    assert np.isnan(_row(scores, "one", "log_loss")["ci_low"])
    assert np.isnan(_row(differences, "one", "log_loss")["p_value"])
    assert np.isfinite(_row(differences, "one", "accuracy")["p_value"])


def test_means_and_areas_of_few_rows_are_not_tested():
    given = _given(100)
    codes = (np.arange(100) < 9).astype(int)
    groups = Groups("where", ["most", "few"], codes)
    _, differences, n_tested = group_tables(given, groups, NAMES)
    few = differences[differences["group"] == "few"].set_index("score")
    unknown = few.index[few["p_value"].isna()]
    assert set(unknown) == {"log_loss", "roc_auc", "predicted_minus_observed"}
    assert few["difference"].notna().all()
    assert n_tested == 6


def test_weights_of_zero_are_left_out_and_equal_ones_change_nothing():
    given, groups = _given(120), _groups(120)
    kept = np.arange(120) < 90
    weight = np.where(kept, 120 / 90, 0)
    weighted = Predictions(given.codes, given.probabilities, given.predicted, weight)
    some = Predictions(
        given.codes[kept], given.probabilities[kept], given.predicted[kept], np.ones(90)
    )
    tables = group_tables(weighted, groups, NAMES)
    expected = group_tables(
        some, Groups("where", groups.labels, groups.codes[kept]), NAMES
    )
    for table, other in zip(tables[:2], expected[:2], strict=True):
        pd.testing.assert_frame_equal(table, other)


def test_groups_at_random_are_rarely_told_apart():
    n_clear = 0
    for seed in range(60):
        _, table, _ = group_tables(
            _given(150, seed), _groups(150, 3, seed + 1000), NAMES
        )
        n_clear += (table["p_holm"] < 0.05).any()
    assert n_clear <= 7


def test_a_group_with_more_mistakes_is_told_apart():
    given, groups = _given(400), _groups(400)
    flipped = np.where(groups.codes == 0, 1 - given.predicted, given.predicted)
    worse = Predictions(given.codes, given.probabilities, flipped, given.weight)
    _, table, _ = group_tables(worse, groups, NAMES)
    row = _row(table, "a", "accuracy")
    assert row["p_holm"] < 1e-6
    assert row["ci_high"] < 0
