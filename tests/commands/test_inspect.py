import json


def test_a_table_for_people(run, trained):
    done = run("inspect", trained[0])
    assert done.exit_code == 0
    for text in ("DNNClassifier", "gesund, krank", "Patient-Nr", "k.A.", "80"):
        assert text in done.stdout
    assert all(len(line) <= 80 for line in done.stdout.splitlines())


def test_an_object_for_programs_without_the_rows(run, trained):
    result = json.loads(run("inspect", trained[0], "--json").stdout)
    notes = result["notes_of_table"]
    assert notes["reading"]["target"] == "Befund"
    assert notes["n_kept_rows"] == 80
    assert "kept" not in notes
    assert result["classes"] == ["gesund", "krank"]


def test_what_is_no_model(run, folder):
    for name in ("patienten.csv", "missing.skops"):
        done = run("inspect", folder / name)
        assert done.exit_code == 2
        assert done.stderr.startswith("skdnn inspect: ")
        assert done.stderr.count("\n") == 1
