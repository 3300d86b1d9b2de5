import skdnn
from skdnn import io


def test_the_model_is_the_recipe_on_all_rows(trained):
    path, result = trained
    network = io.load(path)
    assert isinstance(network, skdnn.DNNClassifier)
    assert network.get_params() == skdnn.DNNClassifier(random_state=0).get_params()
    assert network.classes_.tolist() == result["classes"] == ["gesund", "krank"]
    assert network.feature_names_in_.tolist() == ["Größe", "Ort", "Geschlecht"]
    assert result["positive"] == "krank"
    assert result["ids"] == ["Patient-Nr"]
    assert result["n_rows"] == 120
    assert result["output"] == str(path)


def test_what_was_read_is_stated(trained):
    notes = " ".join(trained[1]["notes"])
    for text in (
        "Windows-1252", "Separator: semicolon", "Decimal sign: comma",
        "Identifier: Patient-Nr", "'k.A.'", "gesund", "krank (the rarer one",
        "keeps 80 rows of the table, which anyone who has it can read",
    ):  # fmt: skip
        assert text in notes


def test_nothing_is_overwritten(run, trained, folder):
    path, _ = trained
    before = path.read_bytes()
    table = folder / "patienten.csv"
    done = run("train", table, "-t", "Befund", "-o", path)
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith("skdnn train: ")
    assert "--force" in done.stderr
    assert done.stderr.count("\n") == 1
    done = run("train", table, "-t", "Befund", "-o", table, "--force")
    assert done.exit_code == 2
    assert "another file than the input" in done.stderr
    assert path.read_bytes() == before


def test_bad_input_is_one_line_with_a_remedy(run, folder, tmp_path):
    for arguments, words in [
        (["-t", "Befnd"], "Did you mean 'Befund'"),
        ([], "--target must name the column"),
        (["-t", "Befund", "--decimal", "x"], "--decimal must be . or ,"),
        (["-t", "Befund", "--separator", "ab"], "--separator must be one character"),
        (["-t", "Befund", "--positive", "tot"], "--positive must name a class"),
        (["-t", "Größe"], "must hold classes"),
    ]:
        output = tmp_path / "m.skops"
        done = run("train", folder / "patienten.csv", "-o", output, *arguments)
        assert done.exit_code == 2, arguments
        assert done.stdout == ""
        assert words in done.stderr
        assert done.stderr.count("\n") == 1
        assert not output.exists()
