import numpy as np
import pandas as pd
import pytest
from oracles import Formula, correlated
from sklearn.datasets import load_iris
from sklearn.inspection import permutation_importance
from sklearn.metrics import get_scorer, log_loss
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from skdnn import DNNClassifier, explain


def test_agrees_with_scikit_learn(iris_model):
    model, X, y = iris_model
    ours = explain.permutation_importance(model, X, y, n_repeats=60, random_state=0)
    theirs = permutation_importance(model, X, y, n_repeats=60, random_state=1)
    np.testing.assert_allclose(
        ours.frame()["importance"], theirs.importances_mean, atol=0.02
    )
    # the standard error is that of the mean over rows
    assert (ours.frame()["std_error"] > theirs.importances.std(axis=1) / 8).all()
    assert not ours.note


def test_errors_are_those_of_a_bootstrap_over_rows(formula):
    model = formula(lambda X: 1 / (1 + np.exp(-3 * X[:, 0] - X[:, 1])))
    rng = np.random.default_rng(0)
    X = rng.normal(size=(150, 3))
    y = rng.random(150) < model.predict_proba(X)[:, 1]
    table = explain.permutation_importance(model, X, y, random_state=0).frame()
    drawn = []
    for seed in range(150):
        rows = rng.integers(150, size=150)
        drawn.append(
            explain.permutation_importance(
                model, X[rows], y[rows], random_state=seed
            ).frame()["importance"]
        )
    errors = np.std(drawn, axis=0, ddof=1)
    np.testing.assert_allclose(table["std_error"], errors, rtol=0.25, atol=1e-12)
    half = (table["ci_high"] - table["ci_low"]).to_numpy()[:2] / 2
    np.testing.assert_allclose(half, 1.98 * table["std_error"][:2], rtol=0.01)
    # nothing changes in any row, which n rows cannot exclude of the next one
    unused = table.iloc[2]
    assert unused["ci_low"] < 0 == unused["importance"] < unused["ci_high"]
    assert unused["ci_high"] == pytest.approx(3.84 / (150 + 3.84), rel=0.01)


def test_intervals_of_other_scores_say_that_they_are_over_permutations(iris_model):
    model, X, y = iris_model
    result = explain.permutation_importance(
        model, X, y, scoring="neg_log_loss", random_state=0
    )
    assert "over permutations" in result.warning


def test_accuracy_by_name_is_the_score(iris_model):
    model, X, y = iris_model
    one, two = (
        explain.permutation_importance(model, X, y, scoring=s, random_state=0).frame()
        for s in (None, "accuracy")
    )
    pd.testing.assert_frame_equal(one, two)


def test_unused_column(formula):
    model = formula(lambda X: np.where(X[:, 0] > 0, 0.9, 0.1))
    X = np.random.default_rng(0).normal(size=(400, 2))
    y = X[:, 0] > 0
    table = explain.permutation_importance(
        model, X, y, n_repeats=30, random_state=0
    ).frame()
    used, unused = table.iloc[0], table.iloc[1]
    assert unused["importance"] == unused["std_error"] == 0
    assert unused["ratio"] == pytest.approx(1)
    # shuffled, half of the rows are predicted wrong
    assert used["importance"] == pytest.approx(0.5, abs=0.02)
    wrong = (np.log(0.9) + np.log(0.1)) / 2 / np.log(0.9)
    assert used["ratio"] == pytest.approx(wrong, rel=0.05)
    assert used["ci_low"] < used["importance"] < used["ci_high"]
    assert list(table.columns) == [
        "feature",
        "importance",
        "ratio",
        "std_error",
        "ci_low",
        "ci_high",
    ]


def test_any_scorer(people, people_model):
    frame, y = people
    table = explain.permutation_importance(
        people_model, frame, y, scoring="neg_log_loss", random_state=0
    ).frame()
    loss = log_loss(y, people_model.predict_proba(frame))
    # of the loss itself, drop and ratio are the same information
    np.testing.assert_allclose(table["importance"], loss * (table["ratio"] - 1))
    assert set(table["feature"]) == set(frame.columns)


def test_columns_by_name_and_background_alike(iris_model):
    model, X, y = iris_model
    table = explain.permutation_importance(
        model, X, y, background=X, features=["petal width (cm)"], random_state=0
    ).frame()
    assert table["feature"].tolist() == ["petal width (cm)"]


@pytest.mark.parametrize(
    ("y", "settings", "match"),
    [
        (lambda y: y[:3], {}, r"shape \(150,\). Got \(3,\)"),
        (lambda y: np.full(150, "rose"), {}, r"Got \['rose'\] instead"),
        (lambda y: y, {"n_repeats": 1}, "at least 2. Got 1"),
        (lambda y: y, {"n_repeats": 2.5}, "whole number"),
    ],
)
def test_bad_input(y, settings, match, iris_model):
    model, X, classes = iris_model
    with pytest.raises(ValueError, match=match):
        explain.permutation_importance(model, X, y(classes), **settings)


def test_a_loss_of_zero(iris_model):
    _, X, y = iris_model
    tree = DecisionTreeClassifier(random_state=0).fit(X, y)
    table = explain.permutation_importance(tree, X, y, random_state=0).frame()
    unused = table["importance"] == 0
    assert unused.any()
    assert (table["ratio"][unused] == 1).all()
    assert np.isinf(table["ratio"][~unused]).all()


def test_classes_in_any_order(formula):
    X = np.random.default_rng(0).normal(size=(300, 2))
    y = np.where(X[:, 0] > 0, "a", "z")
    tables = [
        explain.permutation_importance(
            formula(lambda X, s=sign: 1 / (1 + np.exp(-s * 3 * X[:, 0])), classes),
            X, y, random_state=0,
        ).frame()
        for sign, classes in ((1, ("z", "a")), (-1, ("a", "z")))
    ]  # fmt: skip
    assert tables[0]["ratio"].iloc[0] > 2
    np.testing.assert_allclose(tables[0]["ratio"], tables[1]["ratio"])


def test_bad_scoring(iris_model):
    model, X, y = iris_model
    with pytest.raises(ValueError, match=r"name of one scorer.*Got \['accuracy'"):
        explain.permutation_importance(model, X, y, scoring=["accuracy"])

    class Bare:
        classes_ = model.classes_
        predict_proba = staticmethod(model.predict_proba)

    with pytest.raises(ValueError, match=r"without score\. Got None for Bare"):
        explain.permutation_importance(Bare(), X, y)
    with pytest.raises(ValueError, match="Did you mean 'accuracy'"):
        explain.permutation_importance(model, X, y, scoring="acuracy")


def test_scorers_of_an_unrecognised_classifier(iris_model):
    model, X, y = iris_model

    class Bare:
        classes_ = model.classes_
        predict_proba = staticmethod(model.predict_proba)

    for scoring in ("accuracy", "neg_log_loss", get_scorer("roc_auc_ovr")):
        bare, known = (
            explain.permutation_importance(
                estimator, X, y, scoring=scoring, n_repeats=2, random_state=0
            ).frame()
            for estimator in (Bare(), model)
        )
        pd.testing.assert_frame_equal(bare, known)

    def own(estimator, X, y):
        assert isinstance(estimator, Bare)
        return -estimator.predict_proba(X)[:, 0].mean()

    explain.permutation_importance(Bare(), X, y, scoring=own, n_repeats=2)


def test_groups_are_shuffled_together():
    X = correlated(2000, rho=0.0)
    X = np.column_stack([X, X[:, 0] + X[:, 1]])
    # only the difference of the two counts, so that together they lose nothing new
    model = Formula(lambda X: np.where(X[:, 2] - X[:, 0] - X[:, 1] > -1e-9, 0.9, 0.1))
    y = np.ones(2000, dtype=bool)
    settings = {"n_repeats": 3, "random_state": 0}
    alone = explain.permutation_importance(model, X, y, **settings).frame()
    assert (alone["importance"] > 0.3).all()
    together = explain.permutation_importance(
        model, X, y, groups={"all": [0, "x1", 2]}, **settings
    ).frame()
    assert together["feature"].tolist() == ["all"]
    assert together["importance"].item() == 0
    assert together["ratio"].item() == pytest.approx(1)


def test_groups_replace_their_columns(iris_model):
    model, X, y = iris_model
    petals = ["petal length (cm)", "petal width (cm)"]
    settings = {"groups": {"petal": petals}, "random_state": 0}
    table = explain.permutation_importance(model, X, y, **settings).frame()
    assert table["feature"].tolist() == [*X.columns[:2], "petal"]
    alone = explain.permutation_importance(model, X, y, random_state=0).frame()
    assert table["importance"].iloc[-1] > alone["importance"].max()
    # the same shuffles, whatever is measured beside it
    np.testing.assert_array_equal(
        table["importance"].iloc[:2], alone["importance"].iloc[:2]
    )
    chosen = explain.permutation_importance(
        model, X, y, features=["petal"], **settings
    ).frame()
    pd.testing.assert_frame_equal(chosen, table[2:].reset_index(drop=True))
    with pytest.raises(ValueError, match=r"`features` must name columns of X\. Got"):
        explain.permutation_importance(model, X, y, features=petals, **settings)
    with pytest.raises(ValueError, match="`groups` must name columns of X"):
        explain.permutation_importance(model, X, y, groups={"a": ["sepal"]})


def test_constant_column_has_none():
    X = pd.DataFrame({"a": np.linspace(-1, 1, 40), "one": 1.0, "word": "same"})
    model = Formula(lambda X: (X[:, 0] > 0) * 0.8 + 0.1)
    model.predict_proba = lambda X: Formula.predict_proba(model, X[["a", "one"]])
    table = explain.permutation_importance(model, X, X["a"] > 0).frame()
    assert table["importance"].tolist()[1:] == [0, 0]
    assert table["ratio"].tolist()[1:] == [1, 1]
    assert not table.isna().any(axis=None)


def test_losses_are_found_in_large_blocks(formula):
    calls = []

    def record(X):
        calls.append(len(X))
        return np.clip(X[:, 0], 0.1, 0.9)

    X = np.random.default_rng(0).random((50, 2))

    def score(estimator, X, y):
        return 0.0

    explain.permutation_importance(
        formula(record), X, X[:, 0] > 0.5, scoring=score, n_repeats=20
    )
    assert calls == [5, 5, 50, 2000]


def several_labels(n=150):
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(n, 3)), columns=list("abc"))
    Y = pd.DataFrame({"oak": (X["a"] > 0).astype(int), "ash": (X["b"] > 0).astype(int)})
    network = DNNClassifier((8,), solver="lbfgs", alpha=5, max_iter=500, random_state=0)
    return network.fit(X, Y), X, Y


def test_several_labels_per_row():
    network, X, Y = several_labels()
    result = explain.permutation_importance(network, X, Y, n_repeats=5, random_state=0)
    table = result.frame().set_index("feature")
    draw = np.random.RandomState(0)
    orders = [draw.permutation(len(X)) for _ in range(5)]

    def loss(rows):
        p, y = network.predict_proba(rows), Y.to_numpy()
        return -np.log(np.where(y == 1, p, 1 - p)).sum(axis=1).mean()

    for name in "abc":
        moved = [X.assign(**{name: X[name].to_numpy()[order]}) for order in orders]
        score = network.score(X, Y.to_numpy())
        drops = [score - network.score(rows, Y.to_numpy()) for rows in moved]
        assert table.loc[name, "importance"] == pytest.approx(np.mean(drops))
        ratio = np.mean([loss(rows) for rows in moved]) / loss(X)
        assert table.loc[name, "ratio"] == pytest.approx(ratio)
    assert table["importance"].idxmin() == "c"
    by_array = explain.permutation_importance(
        network, X, Y.to_numpy(), n_repeats=5, random_state=0
    )
    pd.testing.assert_frame_equal(by_array.frame(), result.frame())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda Y: Y[["ash", "oak"]], "columns of `y` must be the labels.*'oak'"),
        (lambda Y: Y["oak"], r"shape \(150, 2\). Got \(150,\)"),
        (lambda Y: Y + 1, "zero or one for each row"),
        (lambda Y: Y[:9], r"Got \(9, 2\)"),
    ],
)
def test_labels_that_do_not_fit(change, message):
    network, X, Y = several_labels()
    with pytest.raises(ValueError, match=message):
        explain.permutation_importance(network, X, change(Y))


def test_several_labels_of_an_ensemble_and_any_scorer():
    _, X, Y = several_labels(80)
    network = DNNClassifier((8,), solver="lbfgs", alpha=5, max_iter=500, random_state=0)
    network.set_params(n_estimators=3).fit(X, Y)
    own = explain.permutation_importance(network, X, Y, random_state=0)
    named = explain.permutation_importance(
        network, X, Y, scoring="accuracy", random_state=0
    )
    np.testing.assert_allclose(own.refit_errors, named.refit_errors)
    members = network.predict_members(X)
    assert members.shape == (3, 80, 2)
    losses = explain.permutation_importance(
        network, X, Y, scoring="f1_macro", random_state=0
    )
    assert (losses.refit_errors >= 0).all()


def test_weights_reach_the_score_and_the_loss(iris_model):
    model, X, y = iris_model
    kept = np.asarray(y) != np.asarray(y)[0]
    weight = np.where(kept, 1.0, 0.0)
    ours = explain.permutation_importance(
        model, X, y, sample_weight=weight, n_repeats=200, random_state=0
    ).frame()
    # rows of weight 0 are as left out
    rest = explain.permutation_importance(
        model, X[kept], y[kept], n_repeats=200, random_state=0
    ).frame()
    for name in ("importance", "ratio"):
        np.testing.assert_allclose(ours[name], rest[name], rtol=0.1, atol=0.01)
    everyone = explain.permutation_importance(
        model, X, y, n_repeats=200, random_state=0
    ).frame()
    assert abs(everyone["importance"] - rest["importance"]).max() > 0.05
    equal = explain.permutation_importance(
        model, X, y, sample_weight=np.full(len(X), 7), n_repeats=200, random_state=0
    ).frame()
    pd.testing.assert_frame_equal(equal, everyone)


@pytest.mark.parametrize("weight", [[1.0], [-1.0] * 150, [0.0] * 150, [np.nan] * 150])
def test_weights_that_are_none(iris_model, weight):
    model, X, y = iris_model
    with pytest.raises(ValueError, match="`sample_weight` must"):
        explain.permutation_importance(model, X, y, sample_weight=weight)


@pytest.mark.parametrize("is_weighted", [False, True])
def test_the_score_of_a_network_follows_from_its_probabilities(is_weighted):
    X, y = load_iris(return_X_y=True)
    X, y = X[::2], load_iris().target_names[y[::2]]
    network = DNNClassifier((8,), solver="lbfgs", alpha=5, max_iter=500, random_state=0)
    fast = make_pipeline(StandardScaler(), network).fit(X, y)

    class Slow(DNNClassifier):
        def score(self, X, y, sample_weight=None):
            return super().score(X, y, sample_weight)

    slow = make_pipeline(fast[0], Slow())
    slow[1].__dict__.update(network.__dict__)
    weight = np.linspace(0.5, 2, len(y)) if is_weighted else None
    tables = [
        explain.permutation_importance(
            model, X, y, sample_weight=weight, random_state=0
        ).frame()
        for model in (fast, slow)
    ]
    pd.testing.assert_frame_equal(*tables, rtol=1e-12)
    assert tables[0]["importance"].max() > 0.1
