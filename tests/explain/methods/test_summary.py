import json

import numpy as np
import pandas as pd
import pytest
from oracles import Bagged, Logistic
from scipy import stats
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from skdnn import DNNClassifier, explain

TRUTH = Logistic([1.0, -0.5, 0.0, 0.25])
NUMBERS = [
    "value", "std_error", "data_error", "refit_error", "ci_low", "ci_high", "p_holm",
    "rank_low", "rank_high",
]  # fmt: skip


def fitted(seed, n=500, n_members=20):
    X, y = TRUTH.draw(n, seed)
    return Bagged(LogisticRegression(C=1e3), n_members, seed).fit(X, y)


@pytest.fixture(scope="module")
def result():
    X, y = TRUTH.draw(200, 1)
    return explain.summary(fitted(0), X, y, random_state=0)


def part(result, measure):
    table = result.frame()
    return table[table["measure"] == measure].reset_index(drop=True)


def test_frame(result):
    table = result.frame()
    assert list(table) == ["measure", "feature", "class", *NUMBERS]
    assert table["measure"].tolist() == ["importance"] * 4 + ["effect"] * 8
    assert table["feature"].iloc[:4].tolist() == ["x0", "x1", "x2", "x3"]
    assert table["class"].tolist() == [None] * 4 + [False, True] * 4
    assert part(result, "effect")[["rank_low", "rank_high"]].isna().all(axis=None)
    known = table.drop(columns=["class", "rank_low", "rank_high"])
    assert known.notna().all(axis=None)


def test_both_errors_are_named_and_add_up(result):
    table = result.frame()
    total = np.hypot(table["data_error"], table["refit_error"])
    np.testing.assert_allclose(table["std_error"], total)
    low, high = result.refit_interval()
    np.testing.assert_allclose(high - low, 2 * 2.0930241 * table["refit_error"])
    # an interval is between those of the fewest and of endless degrees of freedom
    reach = (table["ci_high"] - table["value"]) / table["std_error"]
    assert (reach > 1.959).all()
    assert (reach < 2.0931).all()


def test_effects_are_those_of_average_conditional_effects(result):
    X, _ = TRUTH.draw(200, 1)
    table = explain.average_conditional_effects(fitted(0), X).frame()
    effects = part(result, "effect")
    np.testing.assert_allclose(effects["value"], table["effect"])
    np.testing.assert_allclose(effects["refit_error"], table["std_error"])


def test_error_of_the_rows_is_that_of_a_mean():
    X, y = TRUTH.draw(80, 1)
    result = part(explain.summary(TRUTH, X, y, random_state=0), "effect")
    p = TRUTH.predict_proba(X)[:, 1]
    slopes = np.outer(p * (1 - p), TRUTH.coefs)
    errors = slopes.std(axis=0, ddof=1) / np.sqrt(80)
    np.testing.assert_allclose(result["data_error"][1::2], errors, rtol=1e-2)
    assert result["refit_error"].isna().all()
    np.testing.assert_allclose(result["std_error"], result["data_error"])


def test_p_values_are_adjusted_for_the_columns_measured(result):
    # the two classes of each column are one effect
    assert (result.n_importances, result.n_effects) == (4, 4)
    assert "4 importances and 4 effects were tested" in result.multiplicity
    effects = part(result, "effect")
    np.testing.assert_array_equal(effects["p_holm"][::2], effects["p_holm"][1::2])
    assert effects["p_holm"][0] < 0.001
    assert effects["p_holm"][4] > 0.05
    X, y = TRUTH.draw(80, 1)
    table = part(explain.summary(TRUTH, X, y, random_state=0), "effect")[::2]
    size = np.abs(table["value"]) / table["data_error"]
    # one column is not used: 1. The others count four, three and two times
    chance = np.sort(2 * stats.t.sf(size, 79))[:3] * [4, 3, 2]
    assert table["p_holm"].max() == 1
    wanted = np.maximum.accumulate(chance)
    np.testing.assert_allclose(np.sort(table["p_holm"])[:3], wanted, rtol=1e-6)


def test_ranks_that_are_not_distinguished_are_ties(result):
    ranks = part(result, "importance").set_index("feature")
    # x0 stands before x1 and x2, but not certainly before x3
    assert ranks.loc["x0", ["rank_low", "rank_high"]].tolist() == [1, 2]
    assert ranks.loc["x2", ["rank_low", "rank_high"]].tolist() == [2, 4]
    assert (ranks["rank_low"] <= ranks["value"].rank(ascending=False)).all()
    assert (ranks["rank_high"] >= ranks["value"].rank(ascending=False)).all()


def test_strings_classes_and_a_pipeline():
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"a": rng.normal(size=90), "city": rng.choice(["x", "y"], 90)})
    y = np.digitize(X["a"] + (X["city"] == "x"), [0, 1])

    class Coded(Bagged):
        def _numbers(self, X):
            return np.column_stack([X["a"], X["city"] == "x"])

    model = make_pipeline("passthrough", Coded(LogisticRegression(), 6)).fit(X, y)
    result = explain.summary(model, X, y, random_state=0)
    table = result.frame()
    assert list(table)[1:5] == ["feature", "level", "reference", "class"]
    assert table["class"].dropna().tolist() == [0, 1, 2, 0, 1, 2]
    assert all(isinstance(label, int) for label in table["class"].dropna())
    assert result.n_effects == 6
    assert result.n_refits == 6


def test_warning_names_what_the_intervals_leave_out(result):
    X, y = TRUTH.draw(40, 1)
    assert result.warning == ""
    assert result.title == (
        "Summary over 200 rows and 20 members (bootstrap samples and seeds)"
    )
    alone = explain.summary(TRUTH, X, y, random_state=0)
    assert "not an ensemble" in alone.warning
    assert alone.title == "Summary over 40 rows"
    with pytest.raises(ValueError, match="must have an ensemble"):
        alone.refit_interval()
    seeds = fitted(0, n_members=3)
    seeds.bootstrap = False
    table = explain.summary(seeds, X, y, random_state=0)
    assert "only in their seeds" in table.warning
    assert "other training rows" in table._repr_html_()


def test_output_is_that_of_effects_alone(result):
    X, y = TRUTH.draw(200, 1)
    odds = explain.summary(fitted(0), X, y, output="log_odds", random_state=0)
    pd.testing.assert_frame_equal(part(odds, "importance"), part(result, "importance"))
    assert part(odds, "effect")["value"][1] == pytest.approx(1.0, abs=0.35)


def test_protocol(result):
    outcome = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    assert outcome["n_refits"] == 20
    assert outcome["columns"]["rank_low"][0] == 1
    assert outcome["columns"]["rank_low"][-1] is None
    html = result._repr_html_()
    assert '<th style="text-align:left">rank</th>' in html
    assert '<td style="text-align:left">1–2</td>' in html
    table = result.frame()
    table["value"] = 9
    assert (result.frame()["value"] != 9).all()


def test_plot(result):
    axes = result.plot()
    assert axes.shape == (2,)
    labels = [label.get_text() for label in axes[0].get_yticklabels()]
    assert labels[0] == "x0 (rank 1–2)"
    assert all("(rank " in label for label in labels)
    widths = [bar.get_width() for bar in axes[0].patches]
    wanted = part(result, "importance")["value"].sort_values(ascending=False)
    np.testing.assert_allclose(widths, wanted)
    assert result.plot(max_display=2)[0].get_title().endswith("2 of 4 columns")


def test_same_seed_same_bits_and_names_are_hostile(hostile):
    model, X, y = hostile
    first, second = (explain.summary(model, X, y, random_state=3) for _ in range(2))
    pd.testing.assert_frame_equal(first.frame(), second.frame())
    assert "<script>" not in first._repr_html_()
    first.plot()[0].figure.canvas.draw()


@pytest.mark.parametrize(
    ("change", "message"),
    [({"y": [2] * 40}, "`y` must hold classes"), ({"features": "z"}, "columns of X")],
)
def test_errors(change, message):
    X, y = TRUTH.draw(40, 1)
    given = {"y": y} | change
    with pytest.raises(ValueError, match=message):
        explain.summary(TRUTH, X, **given)


@pytest.mark.slow
def test_intervals_of_importance_hold_that_of_the_limit():
    # of the truth itself, over rows without end
    many, y = TRUTH.draw(100_000, 77)
    limit = part(explain.summary(TRUTH, many, y, random_state=0), "importance")["value"]
    held = np.zeros(4)
    for seed in range(30):
        X, y = TRUTH.draw(300, seed + 10_000)
        result = part(explain.summary(fitted(seed), X, y, random_state=0), "importance")
        held += ((result["ci_low"] <= limit) & (limit <= result["ci_high"])).to_numpy()
    assert held[[0, 1, 3]].mean() / 30 >= 0.9


def test_effects_of_weighted_rows_are_those_of_repeated_rows():
    rng = np.random.default_rng(0)
    X = pd.DataFrame(
        {
            "kind": rng.choice(["a", "b", "c"], 90, p=[0.5, 0.3, 0.2]),
            "z": rng.normal(size=90),
        }
    )
    y = (X["kind"] == "a") ^ (X["z"] > 0)
    encoder = make_column_transformer(
        (OneHotEncoder(), ["kind"]), remainder="passthrough"
    )
    model = make_pipeline(encoder, RandomForestClassifier(20, random_state=0)).fit(X, y)
    times = rng.integers(1, 4, 90)
    weighted = explain.summary(model, X, y, sample_weight=times, random_state=0)
    many = X.loc[X.index.repeat(times)].reset_index(drop=True)
    repeated = explain.summary(model, many, np.repeat(y, times), random_state=0)
    keys = ["feature", "level", "class"]
    ours, theirs = (
        part(result, "effect").set_index(keys).loc["kind", "value"]
        for result in (weighted, repeated)
    )
    np.testing.assert_allclose(ours, theirs.loc[ours.index])
    # importance of the same population, drawn in other ways
    ours, theirs = (
        part(result, "importance").set_index("feature")
        for result in (weighted, repeated)
    )
    assert (abs(ours["value"] - theirs["value"]) < 4 * ours["std_error"]).all()
    # rows that count twice are not twice the rows
    assert (ours["data_error"] > theirs["data_error"]).all()


def test_several_labels():
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(120, 3)), columns=list("abc"))
    Y = pd.DataFrame({"oak": (X["a"] > 0).astype(int), "ash": (X["b"] > 0).astype(int)})
    network = DNNClassifier((8,), solver="lbfgs", alpha=5, max_iter=500, random_state=0)
    result = explain.summary(network.fit(X, Y), X, Y, random_state=0)
    effects = part(result, "effect").set_index(["feature", "class"])["value"]
    assert effects["a", "oak"] > 5 * abs(effects["a", "ash"])
    assert effects["b", "ash"] > 5 * abs(effects["b", "oak"])
    importance = part(result, "importance")
    assert importance.loc[importance["value"].idxmin(), "feature"] == "c"
    # two labels are not the two classes of a binary table
    assert result.n_effects == 6
    with pytest.raises(ValueError, match=r"rows of one class each.*'oak'"):
        explain.report(network, X, Y)
