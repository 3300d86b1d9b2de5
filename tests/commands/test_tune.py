import json

import pytest

from skdnn import io


@pytest.mark.slow
def test_the_best_candidate_is_saved(run, folder, tmp_path):
    path = tmp_path / "tuned.skops"
    done = run(
        "tune", folder / "patienten.csv", "-t", "Befund", "-o", path, "--json",
        "--candidates", 2, "--folds", 2,
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    result = json.loads(done.stdout)
    tuning = result["tuning"]
    assert tuning["n_candidates"] == 2
    network = io.load(path)
    for name, value in tuning["chosen"].items():
        assert getattr(network, name) == pytest.approx(value, rel=0.01)
    assert bool(tuning["chosen"]) == (
        tuning["log_loss"] < tuning["log_loss_of_defaults"]
    )
    notes = " ".join(result["notes"])
    assert ("standard error" in notes) == bool(tuning["chosen"])
    assert "too low, as it was chosen by it" in notes
    kept = json.loads(run("inspect", path, "--json").stdout)["notes_of_table"]
    assert kept["tuning"] == tuning


def test_classes_with_too_few_rows(run, tmp_path):
    path = tmp_path / "a.csv"
    rows = [f"{i * 7 % 5},{'ab'[i > 2]}" for i in range(20)]
    path.write_text("\n".join(["x,y", *rows]), "utf-8")
    for arguments, words in [
        (["--folds", 5], "at least 5 rows for 5 folds. Got 3 of 'a'"),
        (["--folds", 3, "--nested"], "at least 4 rows for 3 folds in nested ones"),
    ]:
        done = run("tune", path, "-t", "y", "-o", tmp_path / "m.skops", *arguments)
        assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
        assert words in done.stderr
