"""`explain.report` from end to end, on classifiers that fit in a moment."""

import io
import json
import subprocess
import sys
import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.datasets import load_iris, make_classification
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder

from skdnn import explain
from skdnn.explain._model.opening import open_problem
from skdnn.explain._report.request import as_positions

HOSTILE = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def iris():
    X, y = load_iris(return_X_y=True, as_frame=True)
    labels = load_iris().target_names[y]
    return train_test_split(X, labels, stratify=labels, random_state=0)


@pytest.fixture(scope="module")
def fitted(iris):
    X_train, _, y_train, _ = iris
    return LogisticRegression(max_iter=1000).fit(X_train, y_train)


@pytest.fixture(scope="module")
def made(iris, fitted):
    X_train, X_test, _, y_test = iris
    return explain.report(fitted, X_test, y_test, background=X_train)


def test_scores_are_those_of_the_estimator(made, iris, fitted):
    _, X_test, _, y_test = iris
    summary = made.to_dict()
    assert summary["n_rows"] == len(X_test)
    assert summary["n_background"] == len(iris[0])
    accuracy = summary["scores"]["rows"][0]["model"]["value"]
    assert accuracy == fitted.score(X_test, y_test)
    assert summary["subject"] == "model"
    assert summary["network"] is summary["training"] is None


def test_explanations_are_those_of_the_functions(made, iris, fitted):
    X_train, X_test, _, _ = iris
    row = made.to_dict()["rows"][0]
    cells = X_test.iloc[[row["position"]]]
    settings = {"background": X_train, "random_state": 0}
    again = explain.shap(fitted, cells, **settings)
    lime = explain.lime(fitted, cells, output="log_odds", **settings)
    assert row["lime_scale"] == lime.scales[0]
    k = fitted.classes_.tolist().index(row["predicted"])
    for item in row["features"]:
        j = list(again.feature_names).index(item["feature"])
        assert item["shap"] == pytest.approx(again.values[0, j, k], abs=1e-9)
        assert item["lime"] == pytest.approx(lime.values[0, j, k])
    assert row["probability"] == fitted.predict_proba(cells)[0, k]


def test_the_problem_is_opened_once(iris, fitted, monkeypatch):
    from skdnn.explain._report import collect

    opened = []

    def open_counted(*args, **kwargs):
        opened.append(args)
        return open_problem(*args, **kwargs)

    for name, module in list(sys.modules.items()):
        if name.startswith("skdnn.") and hasattr(module, "open_problem"):
            monkeypatch.setattr(module, "open_problem", open_counted)
    assert collect.open_problem is open_counted
    X_train, X_test, _, y_test = iris
    explain.report(fitted, X_test, y_test, background=X_train, samples=0)
    assert len(opened) == 1


def test_equal_seeds_give_equal_bytes(made, iris, fitted):
    X_train, X_test, _, y_test = iris
    again = explain.report(fitted, X_test, y_test, background=X_train, random_state=0)
    assert again.html() == made.html()


def test_without_a_seed_one_is_drawn_and_reported(iris, fitted):
    X_train, X_test, _, y_test = iris
    first = explain.report(
        fitted, X_test, y_test, background=X_train, samples=0, random_state=None
    )
    seed = first.to_dict()["random_state"]
    again = explain.report(
        fitted, X_test, y_test, background=X_train, samples=0, random_state=seed
    )
    assert again.html() == first.html()


@pytest.mark.parametrize(("samples", "rows"), [(3, [3]), ([5, -1, 5], [5, 37])])
def test_requested_rows(iris, fitted, samples, rows):
    X_train, X_test, _, y_test = iris
    made = explain.report(
        fitted, X_test, y_test, background=X_train, samples=samples, title=HOSTILE
    )
    assert [row["position"] for row in made.to_dict()["rows"]] == rows
    assert "requested" in made.html()
    assert HOSTILE not in made.html()


def test_strings_missing_values_and_hostile_names():
    rng = np.random.default_rng(0)
    word = rng.choice([HOSTILE, "b", "c"], 90)
    X = pd.DataFrame({HOSTILE: word, "$x$": rng.normal(size=90), "{{7*7}}": 1.0})
    X.loc[::4, HOSTILE] = None
    X.loc[1::7, "$x$"] = np.nan
    y = np.where(X["$x$"].fillna(0) > 0, "</style>", HOSTILE)
    columns = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), [HOSTILE]),
        (SimpleImputer(), make_column_selector(dtype_include="number")),
    )
    estimator = make_pipeline(columns, LogisticRegression()).fit(X[:60], y[:60])
    made = explain.report(estimator, X[60:], y[60:], background=X[:60], samples=[0, 4])
    html = made.html()
    assert html.count("<script") == 1
    assert html.count("</style>") == 1
    assert "missing" in html
    json.dumps(made.to_dict(), allow_nan=False)


def test_names_with_half_of_a_surrogate_pair():
    names = pd.Index(["ümlaut \ud800", "b"], dtype=object)
    X = pd.DataFrame(np.random.default_rng(0).normal(size=(40, 2)), columns=names)
    y = np.array(["no", "yes \ud800"], dtype=object)[(X["b"] > 0).astype(int)]
    estimator = LogisticRegression().fit(X.to_numpy(), y)
    X_train, X_test = X[:20].to_numpy(), X[20:].to_numpy()
    made = explain.report(estimator, X_test, y[20:], background=X_train, samples=0)
    assert made.to_dict()["classes"] == ["no", "yes \ud800"]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="X has feature names")
        made = explain.report(estimator, X[20:], y[20:], background=X[:20], samples=0)
    assert made.to_dict()["rows"][0]["table"][0]["feature"] in names
    file = io.BytesIO()
    made.write_html(file)
    assert "ümlaut &#55296;" in file.getvalue().decode()


def test_array_of_two_classes_in_a_search():
    X, y = make_classification(80, 5, random_state=0)
    search = GridSearchCV(LogisticRegression(), {"C": [0.1, 1]}, cv=2).fit(
        X[:40], y[:40]
    )
    summary = explain.report(search, X[40:], y[40:]).to_dict()
    assert summary["estimator"] == "LogisticRegression"
    assert summary["n_background"] == 40
    assert len(summary["shap"]["strips"]) == 1


def test_a_class_without_rows_and_a_rare_one(iris, fitted):
    _, X_test, _, y_test = iris
    kept = np.flatnonzero(y_test != "virginica")
    rows = np.r_[kept, np.flatnonzero(y_test == "virginica")[:1]]
    made = explain.report(fitted, X_test.iloc[kept], y_test[kept], samples=0)
    assert made.to_dict()["confusion"]["matrix"][2] == [0, 0, 0]
    made = explain.report(fitted, X_test.iloc[rows], y_test[rows], samples=0)
    assert sum(made.to_dict()["confusion"]["matrix"][2]) == 1
    made.html()


def test_two_rows_are_enough(iris, fitted):
    X_train, X_test, _, y_test = iris
    made = explain.report(fitted, X_test[:2], y_test[:2], background=X_train)
    assert len(made.to_dict()["rows"]) == 2
    made.html()
    with pytest.raises(ValueError, match=r"at least two\. Got 1"):
        explain.report(fitted, X_test[:1], y_test[:1], background=X_train)


@pytest.mark.parametrize("samples", [[], [99], [0.5], [True], ["a"], -39])
def test_positions_outside_of_X(samples):
    with pytest.raises(ValueError, match="samples must be positions"):
        as_positions(samples, 38)


def test_labels_that_do_not_fit(iris, fitted):
    _, X_test, _, y_test = iris
    with pytest.raises(ValueError, match=r"\['daisy'\] instead"):
        explain.report(fitted, X_test, np.where(y_test == "setosa", "daisy", y_test))
    with pytest.raises(ValueError, match="38 rows of X and 37 of y"):
        explain.report(fitted, X_test, y_test[:-1])


def test_progress_is_on_stderr(iris, fitted, capsys):
    _, X_test, _, y_test = iris
    explain.report(fitted, X_test, y_test, samples=0)
    assert capsys.readouterr() == ("", "")
    explain.report(fitted, X_test, y_test, samples=0, verbose=True)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "report" in shown.err


def test_progress_is_shown_in_a_terminal_unless_silenced(iris, fitted, monkeypatch):
    _, X_test, _, y_test = iris
    shown = io.StringIO()
    monkeypatch.setattr(shown, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stderr", shown)
    explain.report(fitted, X_test, y_test, samples=0, verbose=False)
    assert shown.getvalue() == ""
    explain.report(fitted, X_test, y_test, samples=0)
    assert "report" in shown.getvalue()
    assert "\n" not in shown.getvalue().rstrip("\n")


@pytest.mark.slow
def test_network_has_its_sections(iris):
    from skdnn import DNNClassifier

    X_train, X_test, y_train, y_test = iris
    network = DNNClassifier((5,), max_iter=8, n_iter_no_change=np.inf, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # eight epochs are not meant to be enough
        estimator = make_pipeline(MinMaxScaler(), network).fit(X_train, y_train)
    made = explain.report(estimator, X_test, y_test, background=X_train, samples=0)
    summary = made.to_dict()
    assert summary["subject"] == "network"
    assert summary["steps"] == ["MinMaxScaler", "DNNClassifier"]
    assert summary["training"]["loss"] == estimator[-1].loss_curve_
    assert summary["training"]["baseline_loss"] == pytest.approx(np.log(3), abs=1e-3)
    # without the time, which differs between equal fits
    lines = estimator[-1].summary().splitlines()
    expected = [line for line in lines if not line.startswith("time ")]
    assert len(expected) == len(lines) - 1
    assert summary["network"]["text"].splitlines() == expected
    assert 'aria-label="Drawing of the network' in made.html()


def test_import_stays_light():
    code = (
        "import sys, skdnn.explain\n"
        "heavy = 'jinja2 matplotlib keras tensorflow lime shap sklearn.linear_model'\n"
        "print([name for name in heavy.split() if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_no_figure_stays_open(made):
    made.html()
    plt = sys.modules.get("matplotlib.pyplot")
    assert plt is None or not plt.get_fignums()


def test_columns_named_as_those_of_counterfactuals_are_served():
    X, y = make_classification(60, 4, random_state=0)
    X = pd.DataFrame(X, columns=["sample", "found", "b", "c"])
    estimator = LogisticRegression().fit(X[:40], y[:40])
    made = explain.report(estimator, X[40:], y[40:], background=X[:40], samples=0)
    counterfactual = made.to_dict()["rows"][0]["counterfactual"]
    nearest = explain.counterfactuals(estimator, X[40:41], background=X[:40])
    assert counterfactual["words"] == replace(nearest, actionable={}).describe()
    changed = [change["feature"] for change in counterfactual["changes"]]
    assert changed == nearest.changes()["feature"].tolist()


def test_trust_is_that_of_the_functions(made, iris, fitted):
    X_train, X_test, _, _ = iris
    summary = made.to_dict()
    row = summary["rows"][0]
    cells = X_test.iloc[[row["position"]]]
    steps = explain.break_down(fitted, cells, background=X_train, random_state=0)
    k = fitted.classes_.tolist().index(row["predicted"])
    by_name = {step["feature"]: step["value"] for step in row["steps"]}
    for j, name in enumerate(steps.feature_names):
        assert by_name[name] == pytest.approx(steps.values[0, j, k], abs=1e-9)
    change = explain.counterfactuals(fitted, cells, background=X_train)
    assert row["counterfactual"]["words"] == replace(change, actionable={}).describe(0)
    checked = {(f["of"], f["code"]) for f in summary["checks"]["fired"]}
    curves = explain.partial_dependence(fitted, X_test)
    fires = [f.code for f in curves.checks(fitted, X_test).fired]
    assert {code for of, code in checked if of == "Partial dependence"} == set(fires)
    assert [part["method"] for part in summary["deletion"]] == [
        "SHAP", "LIME", "break-down",
    ]  # fmt: skip
    assert len(summary["agreement"]["rows"]) == 6
