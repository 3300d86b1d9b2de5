"""What the pages and examples show, runs."""

import ast
import inspect
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from skdnn import DNNClassifier, explain
from skdnn._estimator.plain import DEFAULTS

ROOT = Path(__file__).parent.parent
PAGES = ["README.md", "docs/index.md", "docs/coming_from.md"]


@pytest.mark.parametrize("page", PAGES)
def test_python_blocks_run(page, tmp_path, monkeypatch, capsys):
    text = (ROOT / page).read_text("utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", text, flags=re.M | re.S)
    assert blocks
    monkeypatch.chdir(tmp_path)
    namespace = {}
    for block in blocks:
        exec(compile(block, page, "exec"), namespace)
    if "report.html" in text:
        assert (tmp_path / "report.html").stat().st_size > 10_000


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    path = ROOT / page
    links = re.findall(r"\]\(([^)#]+)\)", path.read_text("utf-8"))
    for link in links:
        if not link.startswith("https://"):
            assert (path.parent / link).exists(), link


def test_reference_lists_every_function():
    listed = re.findall(
        r"^::: skdnn\.explain\.(\w+)$",
        (ROOT / "docs" / "reference.md").read_text("utf-8"),
        flags=re.M,
    )
    assert sorted(listed) == sorted(explain.__all__)
    assert all(getattr(explain, name).__doc__ for name in listed)


@pytest.mark.slow
@pytest.mark.parametrize("script", sorted((ROOT / "examples").glob("*.py")), ids=str)
def test_examples_run(script, tmp_path):
    done = subprocess.run(
        [sys.executable, "-W", "error::UserWarning", script],
        cwd=tmp_path,
        env=os.environ | {"MPLBACKEND": "Agg"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert any(file.suffix in (".html", ".png") for file in tmp_path.iterdir())
    accuracy = re.search(r"held-out accuracy ([\d.]+)", done.stdout)
    assert accuracy is None or float(accuracy[1]) > 0.98


def test_readme_commands_are_those_of_ci():
    commands = (ROOT / "README.md").read_text("utf-8")
    script = (ROOT / ".ci" / "run").read_text("utf-8")
    for pattern in re.findall(r"grep -m1 '([^']+)' README.md", script):
        assert len(re.findall(pattern, commands, flags=re.M)) == 1


def test_documented_defaults_are_those_of_the_signature():
    parameters = inspect.signature(DNNClassifier).parameters
    documented = {}
    text = re.sub(r" \\\n\s+", " ", inspect.getdoc(DNNClassifier))
    section = text.split("Parameters\n-")[1].split("Attributes\n-")[0]
    for names, defaults in re.findall(
        r"^(\w[\w, ]*) : .*default=(.*)$", section, flags=re.M
    ):
        names = names.split(", ")
        values = defaults.split(", ")
        documented |= dict(zip(names, values, strict=True))
    assert set(documented) == set(parameters)
    for name, value in documented.items():
        assert ast.literal_eval(value) == parameters[name].default, name


def test_what_none_means_is_told_for_every_parameter():
    for name in DEFAULTS:
        text = inspect.getdoc(DNNClassifier).split("Attributes\n-")[0]
        told = re.search(
            rf"^(?:\w+, )*{name}(?:, \w+)* : .*\n((?:    .*\n)+)", text, flags=re.M
        )
        assert re.search(r"None\s+is", told[1]), name
        assert "recipe" in told[1], name
        assert "plain" in told[1], name
