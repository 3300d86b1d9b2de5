import json
import warnings

import pytest
import typer

from skdnn._commands.console import Output, errors_as_lines, summary_table
from skdnn.exceptions import ColumnWarning


def test_lines_for_people(capsys):
    output = Output(as_json=False)
    output.heading("a\x1b[31m")
    output.note("[bold]not markup[/bold]")
    output.show(summary_table("data        5 rows\n"))
    output.end({"n": 1})
    printed = capsys.readouterr()
    lines = [line.rstrip() for line in printed.out.splitlines()]
    assert lines == [
        "a\\x1b[31m", "  [bold]not markup[/bold]", "  data        5 rows",
    ]  # fmt: skip
    assert "\x1b[31m" not in printed.out
    assert printed.err == ""


def test_one_object_for_programs(capsys, tmp_path):
    output = Output(as_json=True)
    output.heading("not printed")
    output.note("a fact")
    output.end({"n": 1, "name": "\ud800"}, tmp_path / "a")
    result = json.loads(capsys.readouterr().out)
    assert result["notes"] == ["a fact"]
    assert result["output"] == str(tmp_path / "a")


def test_lines_make_way_for_data(capsys):
    Output(as_json=False, data_on_stdout=True).note("a fact")
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", "  a fact\n")


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (ValueError("x must be y.\nGot z."), 2, "skdnn train: x must be y. Got z.\n"),
        (OSError(28, "No space left on device", "a.csv"), 1, "skdnn train: a.csv: No"),
        (MemoryError(), 1, "skdnn train: the memory is not enough."),
    ],
)
def test_errors_are_lines(error, code, line, capsys):
    with pytest.raises(typer.Exit) as end, errors_as_lines("train"):
        raise error
    assert end.value.exit_code == code
    printed = capsys.readouterr().err
    assert printed.startswith(line)
    assert printed.count("\n") == 1


def test_errors_of_the_program_are_not_hidden():
    with pytest.raises(KeyError), errors_as_lines("train"):
        raise KeyError("a")


def test_warnings_are_lines(capsys):
    with errors_as_lines("predict"):
        warnings.warn("a\nb", ColumnWarning, stacklevel=1)
        warnings.warn("of a library", RuntimeWarning, stacklevel=1)
    assert capsys.readouterr().err == "skdnn predict: warning: a b\n"
