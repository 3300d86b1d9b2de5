import json

import numpy as np
import pandas as pd
import pytest

from skdnn import explain, io
from skdnn._network.numpy_forward import NumpyForward
from skdnn._table_files.table_reader import read_table


@pytest.fixture(scope="module")
def predicted(run, trained, folder):
    path = folder / "out.csv"
    done = run("predict", trained[0], folder / "neue.csv", "-o", path)
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines()[-1] == str(path)
    return pd.read_csv(path, sep=";", decimal=",", encoding="utf-8-sig")


def test_the_columns_are_those_of_the_network(predicted, trained, folder):
    network = io.load(trained[0])
    X = pd.read_csv(
        folder / "neue.csv", sep=";", decimal=",", encoding="latin-1", na_values="k.A."
    ).drop(columns="Patient-Nr")
    assert list(predicted) == [
        "Patient-Nr", "prediction", "probability_gesund", "probability_krank", "set",
        "n_disagree", "novelty_p_value", "remark",
    ]  # fmt: skip
    assert predicted["Patient-Nr"].tolist() == list(range(1000, 1008))
    assert predicted["prediction"].tolist() == network.predict(X).tolist()
    np.testing.assert_allclose(
        predicted[["probability_gesund", "probability_krank"]],
        network.predict_proba(X),
        atol=1e-6,
    )
    sets = network.predict_set(X, 0.9)
    words = [" or ".join(network.classes_[one]) for one in sets]
    assert predicted["set"].tolist() == words
    members = network.predict_members(X).argmax(axis=2)
    others = members != network.predict_proba(X).argmax(axis=1)
    assert predicted["n_disagree"].tolist() == others.sum(axis=0).tolist()
    assert predicted["novelty_p_value"].between(0, 1).all()


def test_remarks_are_of_rows_in_doubt(run, trained, folder):
    done = run("predict", trained[0], folder / "patienten.csv", "--json")
    rows = json.loads(done.stdout)["predictions"]
    kinds = {"several": 0, "networks": 0, "none": 0}
    for row in rows:
        several = " or " in row["set"]
        doubtful = several or row["n_disagree"] or row["novelty_p_value"] <= 0.05
        assert bool(row["remark"]) == bool(doubtful)
        assert ("could be" in row["remark"]) == several
        counted = f"{row['n_disagree']} of the 8 networks disagree"
        assert (counted in row["remark"]) == bool(row["n_disagree"])
        kinds["several"] += several
        kinds["networks"] += bool(row["n_disagree"])
        kinds["none"] += not doubtful
    assert all(kinds.values())


def test_all_is_made_of_one_forward_pass(run, trained, folder, monkeypatch):
    passes = []

    def counted(method):
        def predict(self, X, output):
            passes.append(len(X))
            return method(self, X, output)

        return predict

    for name in ("predict", "predict_members"):
        method = counted(getattr(NumpyForward, name))
        monkeypatch.setattr(NumpyForward, name, method)
    done = run("predict", trained[0], folder / "patienten.csv", "--json")
    assert done.exit_code == 0
    n_rows = len(json.loads(done.stdout)["predictions"])
    assert n_rows > 100
    # others are of a few rows, by which novelty checks what it is given
    assert [n for n in passes if n > 20] == [n_rows]


def test_rows_unlike_those_of_the_training_have_low_p_values(run, trained, folder):
    path = folder / "odd.csv"
    path.write_text("Größe;Ort;Geschlecht\n171,0;Ulm;m\n999,0;Ulm;m\n", "utf-8")
    done = run("predict", trained[0], path, "--json")
    rows = json.loads(done.stdout)["predictions"]
    assert rows[0]["novelty_p_value"] > 0.1
    assert rows[1]["novelty_p_value"] <= 0.05
    assert "Größe is 999, never above" in rows[1]["remark"]
    assert [row["row"] for row in rows] == [1, 2]


def test_tables_of_other_kinds_from_the_standard_input(run, trained):
    text = b"Patient-Nr,Gr\xc3\xb6\xc3\x9fe,Ort,Geschlecht,extra\n=1+1,171.5,Ulm,w,x\n"
    done = run("predict", trained[0], "-", input=text)
    assert done.exit_code == 0
    header, row = done.stdout.splitlines()
    assert header.startswith("Patient-Nr,prediction,")
    assert row.startswith("'=1+1,")
    for words in ("begin like a formula", "not used: extra", "the standard input"):
        assert words in done.stderr


def test_confidence_changes_the_sets(run, trained, folder):
    tables = [
        pd.DataFrame(
            json.loads(
                run(
                    "predict", trained[0], folder / "patienten.csv", "--json",
                    "--confidence", level,
                ).stdout
            )["predictions"]
        )
        for level in (0.5, 0.99)
    ]  # fmt: skip
    sizes = [table["set"].str.contains(" or ").sum() for table in tables]
    assert sizes[0] < sizes[1]
    assert tables[0]["prediction"].equals(tables[1]["prediction"])


@pytest.mark.parametrize(
    ("text", "arguments", "words"),
    [
        ("Größe;Ort\n1;a\n", [], "lacks Geschlecht"),
        ("Größe;Ort;Geschlecht\nx1;Ulm;m\n", [], "in line 2"),
        ("Größe;Ort;Geschlecht\n1;Ulm;m\n", ["--confidence", 1], "between 0 and 1"),
        ("Größe;Ort;Geschlecht\n1;Ulm;m\n", ["-o", "x.docx"], "must end in"),
    ],
)
def test_bad_input_is_one_line(text, arguments, words, run, trained, tmp_path):
    path = tmp_path / "new.csv"
    path.write_text(text, "utf-8")
    done = run("predict", trained[0], path, *arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    assert words in done.stderr.splitlines()[-1]


def test_models_that_are_not_of_the_command_line(run, tmp_path, folder):
    from sklearn.linear_model import LogisticRegression

    io.dump(LogisticRegression().fit([[0.0], [1.0]], [0, 1]), tmp_path / "a.skops")
    (tmp_path / "b.skops").write_bytes(b"no model")
    for name, words in [("a", "train again"), ("b", "skops|model"), ("c", "no model")]:
        done = run("predict", tmp_path / f"{name}.skops", folder / "neue.csv")
        assert done.exit_code == 2
        assert any(word in done.stderr for word in words.split("|"))


def test_the_novelty_is_that_of_the_library(predicted, trained, folder):
    from skdnn._commands.model_notes import read_notes

    notes = read_notes(trained[0])
    kept = notes.kept_rows()
    table = read_table(str(folder / "neue.csv"), usual_decimal=notes.reading.decimal)
    result = explain.novelty(
        io.load(trained[0]),
        notes.reading.features(table),
        background=kept,
        random_state=0,
    )
    assert len(kept) == 80
    np.testing.assert_allclose(predicted["novelty_p_value"], result.p_values, atol=1e-6)


def test_dates_are_read_in_the_order_of_the_training(run, tmp_path):
    rows = [
        f"{1 + i % 12}/{1 + i % 11}/2024,{['no', 'yes'][i % 12 > 5]}" for i in range(66)
    ]
    path, model = tmp_path / "visits.csv", tmp_path / "visits.skops"
    path.write_text("\n".join(["visit,ill", *rows, ""]), "utf-8")
    wrong = run("train", path, "-t", "ill", "--dates", "us")
    assert (wrong.exit_code, wrong.stdout) == (2, "")
    assert "--dates must be day-first or month-first. Got 'us'" in wrong.stderr
    unclear = run("train", path, "-t", "ill", "-o", model)
    assert unclear.exit_code == 2  # nothing is left to learn from
    assert not model.exists()
    done = run("train", path, "-t", "ill", "-o", model, "--dates", "month-first")
    assert done.exit_code == 0, done.output
    assert "month/day/year" in done.stdout
    assert "visit (month/day/year)" in run("inspect", model).stdout
    results = {}
    for order in ("month-first", "day-first", None):
        options = [] if order is None else ["--dates", order]
        result = json.loads(run("predict", model, path, "--json", *options).stdout)
        results[order] = [row["prediction"] for row in result["predictions"]]
        read = "day/month/year" if order == "day-first" else "month/day/year"
        assert f"Dates: visit is read as {read}." in result["notes"]
    truth = [row.rpartition(",")[2] for row in rows]
    assert results[None] == results["month-first"] == truth
    assert results["day-first"] != truth
