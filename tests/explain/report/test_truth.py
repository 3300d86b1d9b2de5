"""Every sentence of eight reports, computed again from the rows and the classifier."""

import re

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, confusion_matrix
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skdnn import DNNClassifier, explain


def encoded(model):
    return make_pipeline(
        make_column_transformer(
            (
                make_pipeline(SimpleImputer(strategy="median"), StandardScaler()),
                make_column_selector(dtype_include=np.number),
            ),
            (
                OneHotEncoder(handle_unknown="ignore"),
                make_column_selector(dtype_exclude=np.number),
            ),
        ),
        model,
    )


def blobs(n_classes, n=400, seed=0, n_columns=5):
    rng = np.random.default_rng(seed)
    y = rng.integers(n_classes, size=n)
    centres = rng.normal(scale=1.5, size=(n_classes, n_columns))
    X = pd.DataFrame(centres[y] + rng.normal(size=(n, n_columns)))
    return X.set_axis([f"x{j}" for j in range(n_columns)], axis=1), y


def mixed(seed=0):
    rng = np.random.default_rng(seed)
    n = 300
    X = pd.DataFrame(
        {
            "size": np.where(rng.random(n) < 0.15, np.nan, rng.normal(size=n)),
            "town": rng.choice(np.array(["Ulm", "Bonn", "Jena", None], object), n),
            "grade": rng.choice(["low", "mid", "high"], n),
        }
    )
    score = X["size"].fillna(0.3) + (X["town"] == "Ulm") - (X["grade"] == "low")
    return X, np.where(score + rng.normal(0, 0.5, n) > 0, "yes", "no")


def harmful(seed=0):
    """Return rows of which the held-out ones reverse the effect of a column."""
    X, y = blobs(2, seed=seed)
    X["trap"] = np.where(np.arange(len(X)) < 200, y, 1 - y) * 3.0
    return X, y


def ties():
    X, y = blobs(3)
    return X.round(0).clip(-1, 1), y


def noise():
    X, _ = blobs(2)
    return X, np.random.default_rng(1).integers(2, size=len(X))


def iris():
    X, y = load_iris(return_X_y=True, as_frame=True)
    order = np.random.default_rng(0).permutation(len(X))
    return X.iloc[order].reset_index(drop=True), np.array(list("abc"))[y.iloc[order]]


# Trained for a fixed number of epochs.
network = DNNClassifier(
    (8,), learning_rate_init=0.02, max_iter=80, n_iter_no_change=np.inf, random_state=0
)
CASES = {
    "binary": (lambda: blobs(2), encoded(LogisticRegression(max_iter=1000))),
    "three classes, a network": (
        iris,
        network,
    ),
    "26 classes": (lambda: blobs(26, 800), encoded(LogisticRegression(max_iter=1000))),
    "strings and missing values": (mixed, encoded(LogisticRegression())),
    "harmful column": (harmful, encoded(LogisticRegression())),
    "ties": (ties, encoded(LogisticRegression())),
    "noise": (noise, encoded(RandomForestClassifier(50, random_state=0))),
    "the recipe": (mixed, DNNClassifier(max_iter=6, random_state=0)),
}


class Case:
    def __init__(self, name):
        make, model = CASES[name]
        X, y = make()
        half = len(X) // 2
        self.X_train, self.X = X[:half], X[half:].reset_index(drop=True)
        self.y_train, self.y = y[:half], y[half:]
        self.model = model.fit(self.X_train, self.y_train)
        self.report = explain.report(
            self.model, self.X, self.y, background=self.X_train,
            y_background=self.y_train,
        )  # fmt: skip
        self.summary = self.report.to_dict()
        self.proba = self.model.predict_proba(self.X)
        self.predicted = self.model.predict(self.X)
        self.classes = [str(c) for c in self.model.classes_.tolist()]

    def line_of_sentence(self, curve):
        """Return the line of the positive one of two classes, else the widest."""
        if len(self.classes) == 2:
            return next(x for x in curve["lines"] if x["class"] == self.classes[1])
        return max(curve["lines"], key=lambda line: line["range"])


@pytest.fixture(scope="module", params=CASES)
def case(request):
    return Case(request.param)


def numbers(text):
    """Return the numbers of a text, percentages as shares."""
    text = text.replace("\N{MINUS SIGN}", "-").replace("\xa0", " ").replace(",", "")
    parts = re.findall(r"([<>] )?([-+]?\d*\.?\d+(?:e-?\d+)?)(%?)", text)
    return [float(n) / (100 if percent else 1) for _, n, percent in parts]


def test_every_key_is_in_the_schema(case, schema):
    schema.validate(case.summary)


def test_verdict(case):
    words = case.summary["verdict"]
    first = numbers(words)
    assert first[0] == pytest.approx(accuracy_score(case.y, case.predicted), abs=0.0101)
    assert first[3] == len(case.X)
    share = pd.Series(case.y).value_counts(normalize=True).max()
    assert first[4] == pytest.approx(share, abs=0.0101)
    assert first[1] <= first[0] + 0.01
    assert first[0] <= first[2] + 0.01


def test_rivals(case):
    section = case.summary["scores"]
    # not log_loss, which warns of 26 classes in scikit-learn 1.7
    codes = np.searchsorted(case.model.classes_, case.y)
    own = -np.log(case.proba[np.arange(len(codes)), codes]).mean()
    hit = accuracy_score(case.y, case.predicted)
    words = section["words"].lower()
    better_simple = []
    for rival in section["rivals"]:
        loss, accuracy = (rival["differences"][k] for k in ("log_loss", "accuracy"))
        scores = rival["scores"]
        assert loss["value"] == pytest.approx(
            own - scores["log_loss"]["value"], abs=1e-6
        )
        assert accuracy["value"] == pytest.approx(hit - scores["accuracy"]["value"])
        sentence = next(s for s in words.split(". ") if s.startswith(rival["name"]))
        is_lower, is_higher = loss["high"] < 0, loss["low"] > 0
        won = is_lower or accuracy["low"] > 0
        lost = is_higher or accuracy["high"] < 0
        assert (" worse by" in sentence) == won
        assert ("better by" in sentence) == lost
        assert ("not differ clearly" in sentence) == (not won and not lost)
        if rival["name"] != "gradient boosting" and not won:
            better_simple.append(rival["name"])
    expected = better_simple[0] if better_simple else None
    assert section["recommended"] == expected
    verdict = case.summary["verdict"]
    advised = "Use logistic regression" in verdict or "Do not use the" in verdict
    assert advised == (expected is not None)


def test_confusion(case):
    words = case.summary["confusion"]["words"]
    matrix = confusion_matrix(case.y, case.predicted, labels=case.model.classes_)
    assert case.summary["confusion"]["matrix"] == matrix.tolist()
    if np.trace(matrix) == len(case.y):
        assert words.startswith("All")
        return
    np.fill_diagonal(off := matrix.copy(), 0)
    i, j = np.unravel_index(off.argmax(), off.shape)
    n_right, n, worst = numbers(words)[:3]
    assert (n_right, n, worst) == (np.trace(matrix), len(case.y), off.max())
    largest = case.summary["confusion"]["largest"][0]
    assert off[
        case.classes.index(largest["actual"]), case.classes.index(largest["predicted"])
    ] == off[i, j]  # fmt: skip


def test_calibration(case):
    words = case.summary["calibration"]["words"]
    codes = [case.classes.index(str(c)) for c in case.predicted.tolist()]
    confidence = case.proba[np.arange(len(codes)), codes].mean()
    accuracy = (case.predicted == case.y).mean()
    shown = numbers(words)
    assert shown[0] == pytest.approx(confidence, abs=0.00101)
    assert shown[1] == pytest.approx(accuracy, abs=0.00101)
    # Wilson's interval solves a quadratic equation in the true share
    n, z = len(codes), 1.959964
    for end in (
        case.summary["calibration"][k] for k in ("accuracy_low", "accuracy_high")
    ):
        if 0 < end < 1:
            distance = abs(accuracy - end) / np.sqrt(end * (1 - end) / n)
            assert distance == pytest.approx(z, rel=1e-4)
    low, high = shown[3:5]
    assert ("is overconfident" in words) == (confidence > high + 1e-3) or (
        abs(confidence - high) < 2e-3
    )
    assert ("is underconfident" in words) == (confidence < low - 1e-3) or (
        abs(confidence - low) < 2e-3
    )


def test_data(case):
    words = case.summary["data"]["words"]
    shown = numbers(words)
    assert shown[:2] == [len(case.X), case.X.shape[1]]
    n_missing = int(case.X.isna().sum().sum())
    if not n_missing:
        assert words.endswith("No values are missing.")
    else:
        assert n_missing in shown


def test_importance(case):
    section = case.summary["permutation_importance"]
    rows, words = section["rows"], section["words"]
    rng = np.random.default_rng(5)
    hit = (case.predicted == case.y).mean()
    for row in rows[:3]:
        drops = []
        for _ in range(20):
            moved = case.X.copy()
            values = moved[row["feature"]].to_numpy()
            moved[row["feature"]] = values[rng.permutation(len(values))]
            drops.append(hit - (case.model.predict(moved) == case.y).mean())
        error = np.std(drops, ddof=1) * np.sqrt(1 / 20 + 1 / section["n_repeats"])
        assert row["value"] == pytest.approx(np.mean(drops), abs=4 * error + 2e-3)
        # the interval holds the sampling of rows, not of permutations alone
        assert row["high"] - row["low"] >= 2 * np.std(drops) / np.sqrt(20)
    holds = sum(r["low"] <= 0 <= r["high"] for r in rows)
    below = [r["feature"] for r in rows if r["high"] < 0]
    if rows[0]["value"] <= 0:
        assert words.startswith("No column lowers")
        return
    assert (f"{holds} of {len(rows)}" in words.replace("\xa0", " ")) == (holds > 0)
    assert ("Shuffling raises" in words) == bool(below)
    apart = len(rows) < 2 or rows[0]["low"] > rows[1]["high"]
    assert ("not clearly ahead" in words) == (not apart)


def test_first_screen(case):
    screen, rows = (case.summary[k] for k in ("first_screen", "permutation_importance"))
    clear = [r for r in rows["rows"] if r["low"] > 0][:3]
    if clear:
        assert len(screen["columns"]) == len(clear)
        for row, text in zip(clear, screen["columns"], strict=True):
            assert f"“{row['feature']}”" in text
            assert numbers(text.split("falls by")[1])[0] == pytest.approx(
                row["value"], abs=6e-4
            )
    else:
        assert screen["columns"][0].startswith("No column clearly")
    fired = [c for c in case.summary["checks"]["fired"] if c["severity"] != "low"]
    assert (screen["cautions"] == ["No check of high or medium severity fires."]) == (
        not fired
    )


def test_partial_dependence(case):
    for curve in case.summary["partial_dependence"]["curves"]:
        line = case.line_of_sentence(curve)
        k = case.classes.index(line["class"])
        for at in (0, len(curve["x"]) - 1):
            cell = curve["x"][at]
            if curve["words"] and cell not in set(case.X[curve["feature"]]):
                continue
            moved = case.X.assign(**{curve["feature"]: cell})
            mean = case.model.predict_proba(moved)[:, k].mean()
            assert line["values"][at] == pytest.approx(mean, abs=1e-5)
        sentence, values = curve["sentence"], line["values"]
        if "hardly change" in sentence:
            assert np.ptp(values) < 0.005
        elif " rises from " in sentence:
            ends = numbers(sentence.split(" rises from ")[1])
            assert ends == pytest.approx([values[0], values[-1]], abs=0.0101)
            assert values[-1] > values[0]
        elif " falls from " in sentence:
            assert values[-1] < values[0]


def test_shap(case):
    section = case.summary["shap"]
    sizes = [row["total"] for row in section["rows"]]
    assert sizes == sorted(sizes, reverse=True)
    assert f"“{section['rows'][0]['feature']}”" in section["words"]
    X = case.X.iloc[section["positions"]]
    result = explain.shap(case.model, X, background=case.X_train, random_state=0)
    names = list(result.feature_names)
    shown = case.summary["shown_classes"]
    for row in section["rows"][:3]:
        j = names.index(row["feature"])
        mean = np.abs(result.values[:, j]).mean(axis=0)
        of_classes = {case.classes[k]: mean[k] for k in shown}
        for item in row["by_class"]:
            assert item["value"] == pytest.approx(
                of_classes[item["class"]], rel=1e-6, abs=1e-9
            )
            if item["direction"]:
                k = case.classes.index(item["class"])
                rho = spearmanr(
                    X[row["feature"]], result.values[:, j, k],
                    nan_policy="omit",
                ).statistic  # fmt: skip
                if item["direction"] in ("raises", "tends to raise"):
                    assert rho > 0.1
                elif item["direction"] in ("lowers", "tends to lower"):
                    assert rho < -0.1
                else:
                    assert abs(rho) < 0.55
    if len(case.classes) == 2:  # each column once, not |SHAP| of both classes
        row = section["rows"][0]
        assert row["total"] == pytest.approx(row["by_class"][0]["value"])


def test_rows(case):
    for row in case.summary["rows"] + case.summary["more_rows"]:
        at = row["position"]
        k = case.classes.index(str(case.predicted[at]))
        assert row["predicted"] == case.classes[k]
        assert row["probability"] == pytest.approx(case.proba[at, k], abs=1e-6)
        right = case.predicted[at] == case.y[at]
        assert row["headline"].endswith("which is correct.") == right
        if not right:
            assert f"the true class is “{case.y[at]}”" in row["headline"]


def test_attributions_of_rows(case):
    """What SHAP and LIME say of each row that can be read, and break-down's steps."""
    for row in case.summary["rows"] + case.summary["more_rows"]:
        k = case.classes.index(row["predicted"])
        proba = case.proba[row["position"], k]
        sizes = [abs(f["shap"]) for f in row["features"]]
        assert sizes == sorted(sizes, reverse=True)
        for name, verb in re.findall(r"(\w+) = [^ ]+ (raises|lowers)", row["words"]):
            value = next(f["shap"] for f in row["features"] if f["feature"] == name)
            assert (value > 0) == (verb == "raises")
        walk = row.get("break_down") or row
        base = walk["steps"][0]["start"]
        total = base + sum(step["value"] for step in walk["steps"])
        assert total == pytest.approx(proba, abs=1e-6)
        assert walk["steps"][-1]["end"] == pytest.approx(proba, abs=1e-6)
        if row["lime_words"]:
            largest = max(row["features"], key=lambda f: abs(f["lime"]))
            assert f"“{largest['feature']}” matters most" in row["lime_words"]
            assert ("it supports" in row["lime_words"]) == (largest["lime"] > 0)
            assert row["lime_r2"] >= case.summary["lime"]["threshold"]


def test_break_down_and_lime_of_picked_rows_are_those_of_the_functions(case):
    """The directions that matter are those of explanations of the same rows."""
    rows = [row for row in case.summary["more_rows"] if row["lime_r2"] is not None][:6]
    X = case.X.iloc[[row["position"] for row in rows]]
    shap = explain.shap(case.model, X, background=case.X_train, random_state=0)
    lime = explain.lime(
        case.model, X, background=case.X_train, output="log_odds", random_state=1
    )
    names = list(shap.feature_names)
    for i, row in enumerate(rows):
        k = case.classes.index(row["predicted"])
        first = row["features"][0]
        j = names.index(first["feature"])
        known = shap.values[i, j, k]
        assert first["shap"] == pytest.approx(known, abs=0.01 + 3 * first["shap_error"])
        if min(row["lime_r2"], lime.score[i, k]) > 0.9:
            assert first["lime"] == pytest.approx(
                lime.values[i, j, k], rel=0.25, abs=0.25 * np.ptp(lime.values[i])
            )


def test_counterfactuals_reach_the_class(case):
    """Cells that a sentence names are set, and the classifier predicts the row."""
    for row in case.summary["rows"]:
        changes, words = (
            row["counterfactual"]["changes"],
            row["counterfactual"]["words"],
        )
        if not changes:
            assert "No " in words or "no " in words
            continue
        changed = case.X.iloc[[row["position"]]].copy()
        for one in changes:
            kind = changed[one["feature"]].dtype
            new = one["new"].replace("\N{MINUS SIGN}", "-")
            changed[one["feature"]] = float(new) if kind.kind == "f" else new
            assert f"{one['feature']} were" in words
        reached = str(case.model.predict(changed)[0])
        assert reached != row["predicted"]
        assert f"would be {reached}" in words or f"would be class {reached}" in words
    for row in case.summary["more_rows"]:
        assert "would be" in row["counterfactual"] or "no " in row["counterfactual"]
        assert f"would be {row['predicted']} " not in row["counterfactual"]


def test_accumulated_local_effects(case):
    for curve in case.summary["accumulated_local_effects"]["curves"]:
        line = case.line_of_sentence(curve)
        values = [v for v in line["values"] if v is not None]
        if np.ptp(values) < 0.005:
            assert "hardly change" in curve["sentence"]
            continue
        assert f"probability of “{line['class']}”" in curve["sentence"]
        shown = numbers(curve["sentence"].split(" by up to ")[1])
        assert shown[0] == pytest.approx(np.ptp(values), abs=0.0051)
        if not curve["words"]:
            # the first of equal values: forests have plateaus
            first = curve["x"][int(np.argmin(values))]
            assert shown[2] == pytest.approx(first, rel=0.01, abs=0.01)
            assert shown[1] == pytest.approx(min(values), abs=0.0051)
            assert shown[3] == pytest.approx(max(values), abs=0.0051)


def compared_rows(case):
    """Return the positions of the chosen rows, and then of those that SHAP explains."""
    chosen = [row["position"] for row in case.summary["rows"]]
    return list(dict.fromkeys([*chosen, *case.summary["shap"]["positions"]]))


def test_agreement(case):
    """Rank correlations of the absolute values, of rows explained again."""
    section = case.summary["agreement"]
    rank, n_rows = section["rows"][0]["rank"], section["n_rows"]
    X = case.X.iloc[compared_rows(case)[:n_rows]]
    options = {"background": case.X_train, "random_state": 0}
    shap = explain.shap(case.model, X, **options).values
    lime = explain.lime(case.model, X, output="log_odds", **options).values
    each = [
        spearmanr(np.abs(shap[i, :, k]), np.abs(lime[i, :, k])).statistic
        for i in range(len(X))
        for k in range(shap.shape[2])
        if np.ptp(np.abs(shap[i, :, k])) and np.ptp(np.abs(lime[i, :, k]))
    ]
    assert rank == pytest.approx(np.mean(each), abs=0.02)
    assert ("rank the columns similarly" in section["words"]) == (rank >= 0.7)
    assert ("partly agree" in section["words"]) == (0.4 <= rank < 0.7)
    assert numbers(section["words"])[:2] == pytest.approx([n_rows, rank], abs=0.0051)
    sign = section["rows"][0]["sign"]
    same = np.sign(shap) == np.sign(lime)
    weight = np.abs(shap) / np.abs(shap).sum() + np.abs(lime) / np.abs(lime).sum()
    assert sign == pytest.approx(weight[same].sum() / 2, abs=0.02)


def test_deletion(case):
    """Means of the curves between their ends, and their comparison."""
    for section in case.summary["deletion"]:
        inner = section["curve"][1:-1]
        area, random_area = (
            sum(point[name] for point in inner) / len(inner)
            for name in ("attribution", "random")
        )
        assert section["area"] == pytest.approx(area, abs=1e-6)
        assert section["random_area"] == pytest.approx(random_area, abs=1e-6)
        shown = numbers(section["words"])
        assert shown[-2:] == pytest.approx([area, random_area], abs=6e-4)
        better = "does not rank" not in section["words"]
        assert better == (section["chance"] <= 0.05)
        assert not better or area < random_area
        rows = compared_rows(case)[: section["n_rows"]]
        proba = case.proba[
            rows, [case.classes.index(str(c)) for c in case.predicted[rows]]
        ]
        first = section["curve"][0]
        assert first["removed"] == 0
        assert first["attribution"] == pytest.approx(proba.mean(), abs=1e-6)


def test_stability(case):
    section = case.summary["stability"]
    worst = max(section["rows"], key=lambda row: row["moved"])
    assert f"attributions by {worst['method']} change most" in section["words"]
    assert numbers(section["words"])[0] == pytest.approx(worst["moved"], abs=0.0051)
    for row in section["rows"]:
        assert f"{row['n_rows']} by {row['method']}" in section["words"]


def test_depth(case):
    """What the classifier does that logistic regression, trained again, does not."""
    section = case.summary["depth"]
    words = section["words"]
    for group in section["groups"]:
        assert f"{group['n_right']} of" in words or f" {group['n_right']}." in words
    for curve in section["curves"]:
        named = f"“{curve['feature']}” (by up to"
        assert (named in words) == (curve["largest"] >= 0.1)
    if isinstance(case.model, type(encoded(None))) and isinstance(
        case.model[-1], LogisticRegression
    ):
        # a linear model gains little over a linear model
        assert all(pair["value"] < 0.2 + pair["linear"] for pair in section["pairs"])
        assert not section["groups"]
    if "No gain over logistic regression" in words:
        assert not section["groups"]


def test_training(case):
    section = case.summary["training"]
    if section is None:
        return
    history = case.model.history_
    words = section["words"]
    assert numbers(words.split(".")[0])[-1] == len(history)
    assert f"{history['loss'].iloc[-1]:.3g}" in words
    assert (", below the baseline" in words) == (
        history["loss"].iloc[-1] < case.model.baseline_loss_
    )


def test_checks(case):
    section = case.summary["checks"]
    n_fired = len(section["fired"])
    shown = numbers(section["words"])
    assert shown[:1] == [n_fired or len(section["silent"])]


def test_decisions(case):
    words = case.summary["decisions"]["words"]
    shown = numbers(words)
    assert shown[0] == len(case.y)
    assert shown[1] == pytest.approx((case.predicted == case.y).mean(), abs=0.0101)
    for row in case.summary["decisions"]["classes"]:
        label = case.model.classes_[case.classes.index(row["class"])]
        of_class = case.y == label
        recall = (case.predicted[of_class] == label).mean()
        assert row["recall"]["value"] == pytest.approx(recall)
        assert row["prevalence"]["value"] == pytest.approx(of_class.mean())


def test_uncertain_rows(case):
    section, n = case.summary["uncertainty"], len(case.X)
    rows = f"{n} rows"
    novelty = explain.novelty(
        case.model, case.X, background=case.X_train, random_state=0
    )
    p, left_out = novelty.p_values, novelty.n_calibration + 1
    by_chance = n * np.floor(0.05 * left_out + 1e-9) / left_out
    is_recipe = getattr(case.model, "hidden_layer_sizes", 0) is None
    assert (section["level"] is not None) == is_recipe
    assert (section["n_members"] == 8) == is_recipe
    words = section["words"].replace("\xa0", " ")
    headline = section["headline"].replace("\xa0", " ")
    unusual = numbers(words.split(". ")[-1])
    assert unusual[0] == section["n_unlike"] == (p <= 0.05).sum()
    assert unusual[-1] == pytest.approx(by_chance, rel=0.05)
    assert numbers(headline)[-1] == unusual[-1]
    listed = section["rows"]
    assert [row["p_value"] for row in listed] == pytest.approx(
        [p[row["position"]] for row in listed]
    )
    for row in listed:
        assert bool(row["reason"]) == (p[row["position"]] <= 0.05)
        for column in case.X.select_dtypes("number"):
            text = re.search(
                rf"{column} is (\S+), never above (\S+) in training", row["reason"]
            )
            if text:
                known = case.X_train[column].max()
                assert case.X[column].iloc[row["position"]] > known
                assert f"{known:.4g}" == text[2]
    if not is_recipe:
        assert headline.startswith(f"{(p <= 0.05).sum()} of {rows}")
        assert section["levels"] == []
        return
    level = section["level"]
    sets = case.model.predict_set(case.X, level)
    several = sets.sum(axis=1) > 1
    text = f"{several.sum()} of {rows} could belong to more than one class"
    assert words.startswith(text)
    assert headline.startswith(text)
    named = case.model.classes_[case.model.predict_members(case.X).argmax(axis=2)]
    others = (named != case.predicted).sum(axis=0)
    assert f"For {(others >= 2).sum()} row" in words
    assert section["n_uncertain"] == (several | (others >= 2) | (p <= 0.05)).sum()
    for row in listed:
        at = row["position"]
        assert row["classes"] == case.model.classes_[sets[at]].tolist()
        assert row["n_disagree"] == others[at]
    for position, sentence in section["by_row"].items():
        at = int(position)
        held = case.model.classes_[sets[at]]
        assert ("could be no or yes (" in sentence) == (len(held) == 2)
        assert (f"set has {held[0]} only." in sentence) == (len(held) == 1)
        if others[at]:
            assert f"{others[at]} of the 8 networks disagree" in sentence
        else:
            assert "All 8 networks agree." in sentence
        assert ("This row is un" in sentence) == (p[at] <= 0.05)
    codes = np.searchsorted(case.model.classes_, case.y)
    for row in section["levels"]:
        own = case.model.predict_set(case.X, row["confidence_level"])
        assert row["coverage"] == pytest.approx(own[np.arange(n), codes].mean())
        single = own.sum(axis=1) == 1
        assert row["answered"] == pytest.approx(single.mean())
        right = (case.predicted == case.y)[single].mean() if single.any() else None
        assert row["accuracy"] == pytest.approx(right)
    covered = numbers(section["coverage"])
    assert covered[:2] == pytest.approx(
        [level, sets[np.arange(n), codes].mean()], abs=0.0051
    )


def test_markdown_and_page_have_the_same_sentences(case):
    text, html = case.report.to_markdown(), case.report.html()
    for key in ("verdict",):
        assert case.summary[key].split("(")[0] in text.replace("\\", "")
        assert case.summary[key].split("(")[0][:60] in html
    assert text.count("### Row") == len(case.summary["rows"])
