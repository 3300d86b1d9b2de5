import json

import numpy as np
import pandas as pd
import pytest

from skdnn import DNNClassifier, explain


@pytest.fixture(scope="module")
def reported(run, folder):
    path = folder / "page.html"
    done = run(
        "report", folder / "patienten.csv", "-t", "Befund", "-o", path, "--json",
        "--group", "Geschlecht", "--costs", "5:1", "--actionable", "Größe=no",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    return path, json.loads(done.stdout)


@pytest.mark.slow
def test_rows_are_held_out_and_the_page_is_that_of_the_library(reported, folder):
    path, result = reported
    table = pd.read_csv(
        folder / "patienten.csv", sep=";", decimal=",", encoding="latin-1",
        na_values="k.A.",
    )  # fmt: skip
    X, y = table[["Größe", "Ort", "Geschlecht"]], table["Befund"].to_numpy()
    from sklearn.model_selection import train_test_split

    train, test = map(
        np.sort,
        train_test_split(np.arange(120), test_size=0.25, stratify=y, random_state=0),
    )
    network = DNNClassifier(random_state=0).fit(X.iloc[train], y[train])
    page = path.read_text("utf-8")
    assert (result["n_train"], result["n_test"]) == (90, 30)
    assert result["accuracy"] == pytest.approx(network.score(X.iloc[test], y[test]))
    costs = {("krank", "gesund"): 5, ("gesund", "krank"): 1}
    measured = explain.performance(
        network, X.iloc[test], y[test], by=table["Geschlecht"].iloc[test], costs=costs
    )
    assert f"{measured.n_samples} " in page
    assert result["verdict"] in page
    for text in ("Befund in patienten.csv", "Größe", "krank", "SHAP"):
        assert text in page
    assert "The network was not trained on these rows." in page
    assert "The network was trained on these very rows." in page


@pytest.mark.slow
@pytest.mark.parametrize("positive", ["gesund", "krank"])
def test_the_page_is_about_the_positive_class(positive, run, folder, tmp_path):
    path = tmp_path / "page.html"
    done = run(
        "report", folder / "patienten.csv", "-t", "Befund", "-o", path, "--json",
        "--positive", positive, "--group", "Geschlecht",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["positive"] == positive
    page = path.read_text("utf-8")
    other = {"gesund": "krank", "krank": "gesund"}[positive]
    for text in (
        "Thresholds: predict “{}” from", "True “{}”", 'aria-label="ROC of {}"',
        "Row by row: what changes the probability of “{}”", "Reliability of {}:",
    ):  # fmt: skip
        assert text.format(positive) in page
        assert text.format(other) not in page


@pytest.mark.slow
def test_what_was_read_and_held_out_is_stated(reported):
    notes = " ".join(reported[1]["notes"])
    assert "Held out: 30 of the 120 rows" in notes
    assert "rows of krank" in notes


@pytest.mark.parametrize(
    ("rows", "arguments", "words"),
    [
        (["1,a"] * 9 + ["2,b"], [], "at least 2 rows"),
        (["1,a", "2,b"] * 9, ["--test-size", 1.5], "--test-size must be between"),
        (["1,a", "2,b", "3,c"] * 3, ["--test-size", 0.1], "at least one row each"),
        (["1,a", "2,b"] * 9, ["--group", "c"], "--group must name a column"),
        (["1,a", "2,b"] * 9, ["--costs", "x"], "--costs must be"),
        (["1,a", "2,b"] * 9, ["--actionable", "y=no"], "--actionable must name"),
        (["1,a"] * 9, [], "at least two classes"),
    ],
)
def test_bad_input_is_one_line_before_training(rows, arguments, words, run, tmp_path):
    path = tmp_path / "a.csv"
    rows = [f"{i * 7 % 5},{row}" for i, row in enumerate(rows)]
    path.write_text("\n".join(["x,z,y", *rows]), "utf-8")
    done = run("report", path, "-t", "y", "-o", tmp_path / "r.html", *arguments)
    assert done.exit_code == 2
    assert words in done.stderr
    assert done.stderr.count("\n") == 1
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.csv"]
