import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

import skdnn
from skdnn.cli import app

COMMANDS = ["report", "train", "predict", "explain", "tune", "inspect", "demo"]
PAGE = Path(__file__).parent.parent / "docs" / "command_line.md"
# Those that train little are run, the others are parsed.
RUN = ("train", "predict", "inspect")


def run(*arguments, **options):
    return CliRunner().invoke(app, [str(a) for a in arguments], **options)


def start(*arguments, **options):
    """Start a process of its own, as from a shell."""
    return subprocess.Popen(
        [sys.executable, "-m", "skdnn", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **options,
    )


@pytest.fixture(scope="module")
def patients(tmp_path_factory):
    folder = tmp_path_factory.mktemp("patients")
    rows = [
        f"{i},{20 + i * 7 % 50},{'mf'[i % 2]},{['healthy', 'ill'][i * 7 % 50 > 25]}"
        for i in range(40)
    ]
    text = "\n".join(["id,age,sex,outcome", *rows])
    (folder / "patients.csv").write_text(text, "utf-8")
    (folder / "new.csv").write_text(text, "utf-8")
    return folder


def test_help_and_version():
    assert all(command in run("--help").stdout for command in COMMANDS)
    assert "130" in run("--help").stdout
    assert run("--version").stdout == f"skdnn {skdnn.__version__}\n"
    module = start("--version", text=True)
    assert module.communicate() == (f"skdnn {skdnn.__version__}\n", "")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(command):
    text = run(command, "--help").stdout
    assert f"Example: skdnn {command} " in text
    assert all(len(line) <= 80 for line in text.splitlines())


def test_every_option_is_documented():
    page = PAGE.read_text("utf-8")
    for command in COMMANDS:
        for option in options_of(command):
            assert f"`{option}`" in page, option


def options_of(command):
    group = typer.main.get_command(app)
    return {
        name
        for parameter in group.commands[command].params
        for name in parameter.opts
        if name.startswith("--")
    }


def test_shells_can_complete():
    assert "--install-completion" in run("--help").stdout
    done = run(
        env={
            "_SKDNN_COMPLETE": "complete_bash",
            "COMP_WORDS": "skdnn tr",
            "COMP_CWORD": "1",
        }
    )
    assert done.stdout.split() == ["train"]


def examples():
    """Return the commands of the page and of the help of each command."""
    blocks = re.findall(
        r"^```sh\n(.*?)^```", PAGE.read_text("utf-8"), flags=re.M | re.S
    )
    lines = "".join(blocks).splitlines()
    group = typer.main.get_command(app)
    epilogs = [group.commands[name].epilog for name in COMMANDS]
    return lines + [text.removeprefix("Example: ") for text in epilogs]


def test_examples_run(patients, monkeypatch):
    monkeypatch.chdir(patients)
    group = typer.main.get_command(app)
    n_run = 0
    for line in examples():
        *_, command = line.split(" | ")
        name, *arguments = shlex.split(command)[1:]
        assert name in COMMANDS
        group.commands[name].make_context(name, list(arguments))  # else a UsageError
        if name in RUN and "iris" not in line:
            done = run(name, *arguments, input=(patients / "new.csv").read_text())
            assert done.exit_code == 0, done.output
            n_run += 1
    assert n_run == 4
    assert (patients / "predictions.csv").read_text().startswith("id,prediction,")


def test_wrong_use_is_two():
    for arguments in (["trayn"], ["train"], ["train", "a", "--folds", "x"], []):
        assert run(*arguments).exit_code == 2
    missing = run("train", "missing.csv", "-t", "y")
    assert missing.exit_code == 2
    assert missing.stderr.startswith("skdnn train: There is no file 'missing.csv'")


@pytest.mark.slow
def test_no_noise_from_the_standard_input_to_a_pipe(patients, tmp_path):
    text = (patients / "patients.csv").read_bytes()
    train = start("train", "-", "-t", "outcome", cwd=tmp_path, stdin=subprocess.PIPE)
    out, err = train.communicate(text)
    assert (train.returncode, err) == (0, b"")
    assert out.splitlines()[-1] == f"{tmp_path / 'table.skops'}".encode()
    assert b"\x1b" not in out
    predict = start("predict", "table.skops", "-", cwd=tmp_path, stdin=subprocess.PIPE)
    out, err = predict.communicate(text)
    assert predict.returncode == 0
    assert len(out.splitlines()) == 41
    assert err.splitlines()[0] == b"the standard input: 40 rows, 4 columns"
    assert [path.name for path in tmp_path.iterdir()] == ["table.skops"]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for others")
def test_an_interrupt_leaves_no_file(patients, tmp_path):
    process = start("report", patients / "patients.csv", "-t", "outcome", cwd=tmp_path)
    for line in process.stdout:  # until the long part begins
        if b"Training" in line:
            break
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate()
    assert process.returncode == 130
    assert b"Traceback" not in err
    assert b".html" not in out
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for others")
@pytest.mark.parametrize("module", ["typer", "pandas"])
def test_an_interrupt_while_modules_load_is_silent(module, patients, tmp_path):
    # one of the first that load, and one that a command loads
    slow = "import time\nprint('loading', flush=True)\ntime.sleep(60)\n"
    (tmp_path / f"{module}.py").write_text(slow, "utf-8")
    places = [str(tmp_path), os.environ.get("PYTHONPATH", "")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, places))}
    process = start(
        "train", patients / "patients.csv", "-t", "outcome", cwd=tmp_path,
        env=environment,
    )  # fmt: skip
    assert process.stdout.readline() == b"loading\n"
    process.send_signal(signal.SIGINT)
    assert process.communicate() == (b"", b"")
    assert process.returncode == 130


@pytest.mark.slow
def test_demo(tmp_path):
    process = start("demo", cwd=tmp_path, text=True)
    out, err = process.communicate()
    assert process.returncode == 0
    assert err == ""
    report = tmp_path / "skdnn-demo-report.html"
    assert out.splitlines()[-1] == str(report)
    text = report.read_text("utf-8")
    for word in ("SHAP", "LIME", "baseline", "virginica", "petal width (cm)"):
        assert word in text
    for word in ("fold 4", "Nested accuracy", "verdict", "\x1b"):
        assert (word in out) == (word != "\x1b")
    result = json.loads(run("demo", "--output", tmp_path / "b.html", "--json").stdout)
    assert result["output"] == str(tmp_path / "b.html")
    assert (tmp_path / "b.html").read_text("utf-8") == text
    assert " ".join(result["verdict"].split()) in " ".join(out.split())
    assert set(result["networks"]) == {"tuned", "dropout 0", "dropout 0.3"}
    assert f"Nested accuracy: {result['nested_accuracy']:.3f}" in out
    again = run("demo", "--output", report)
    assert (again.exit_code, again.stdout) == (2, "")
    assert "--force" in again.stderr


@pytest.mark.parametrize("place", ["missing/report.html", "."])
def test_demo_into_a_file_that_cannot_be(place, tmp_path):
    done = run("demo", "--output", tmp_path / place)
    assert done.exit_code == 1
    assert "--output" in done.stderr
    assert done.stdout == ""
