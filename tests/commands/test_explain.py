import json

import pytest

from skdnn._commands.model_notes import read_notes


@pytest.mark.slow
def test_a_page_on_a_model_and_rows(run, trained, folder, tmp_path):
    lines = (folder / "patienten.csv").read_text("latin-1").splitlines()
    path = tmp_path / "spaeter.csv"
    path.write_text("\n".join([*lines[:31], "1999;171,0;Ulm;m;"]), "utf-8")
    done = run("explain", trained[0], path, "-o", tmp_path / "page.html", "--json")
    assert done.exit_code == 0, done.output
    result = json.loads(done.stdout)
    assert result["n_rows"] == 30
    notes = " ".join(result["notes"])
    for text in ("Rows without Befund, left out: 1", "80 rows that the file keeps"):
        assert text in notes
    assert (result["positive"], result["training_rows"]) == ("krank", "some")
    # the first 30 rows of the table, of which the file keeps 80 of 120
    kept = read_notes(trained[0]).kept_rows()["Größe"]
    sizes = [float(line.split(";")[1].replace(",", ".")) for line in lines[1:31]]
    n = len(set(sizes) & set(kept))
    assert f"At least {n}\xa0rows of these equal rows" in notes
    page = (tmp_path / "page.html").read_text("utf-8")
    assert result["verdict"] in page
    assert "Befund in spaeter.csv" in page
    assert f"At least {n}\xa0rows of these equal rows" in page
    assert "Thresholds: predict “krank”" in page
    assert "y_background" not in page
    assert "held-out" not in page


@pytest.mark.parametrize(
    ("header", "row", "words"),
    [
        ("Größe;Ort;Geschlecht", "171,0;Ulm;m", "must name a column"),
        ("Größe;Ort;Geschlecht;Befund", "171,0;Ulm;m;tot", "classes of the model"),
    ],
)
def test_tables_without_the_classes(header, row, words, run, trained, tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(f"{header}\n{row}\n", "utf-8")
    done = run("explain", trained[0], path, "-o", tmp_path / "page.html")
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
    assert words in done.stderr
