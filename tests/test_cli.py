import subprocess
import sys

import pytest
from typer.testing import CliRunner

import skdnn
from skdnn.cli import app


def run(*arguments):
    return CliRunner().invoke(app, arguments)


def test_help_and_version():
    assert "demo" in run("--help").stdout
    assert run("--version").stdout == f"skdnn {skdnn.__version__}\n"
    module = subprocess.run(
        [sys.executable, "-m", "skdnn", "--version"], capture_output=True, text=True
    )
    assert module.stdout == f"skdnn {skdnn.__version__}\n"


@pytest.mark.slow
def test_demo(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "skdnn", "demo"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0
    assert done.stderr == ""
    report = tmp_path / "skdnn-demo-report.html"
    assert done.stdout.splitlines()[-1] == str(report)
    text = report.read_text("utf-8")
    for word in ("SHAP", "LIME", "baseline", "virginica", "petal width (cm)"):
        assert word in text
    for word in ("fold 4", "Nested accuracy", "verdict", "\x1b"):
        assert (word in done.stdout) == (word != "\x1b")


@pytest.mark.parametrize("place", ["missing/report.html", "."])
def test_demo_into_a_file_that_cannot_be(place, tmp_path):
    done = run("demo", "--output", str(tmp_path / place))
    assert done.exit_code == 1
    assert "--output" in done.stderr
    assert done.stdout == ""
