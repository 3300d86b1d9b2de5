"""README, guide, examples, workflows and metadata agree with the package and run."""

import ast
import importlib.util
import inspect
import os
import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
import yaml

import skdnn
from skdnn import DNNClassifier, exceptions, explain, io, model_selection
from skdnn._estimator.plain import DEFAULTS
from skdnn.explain._checks import CHECKS

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
# Pages of the site; tutorials run while it is built.
SITE = sorted(path.relative_to(ROOT).as_posix() for path in DOCS.rglob("*.md"))
TUTORIALS = [page for page in SITE if page.startswith("docs/tutorials/")]
TEXTS = ["README.md", "CONTRIBUTING.md", *SITE]
PAGES = [
    page
    for page in TEXTS
    if page not in TUTORIALS and "```python" in (ROOT / page).read_text("utf-8")
]
LARGEST_IMAGE = 60_000  # bytes
PACKAGE = ROOT / "skdnn"
# Warnings of other packages that skdnn catches or sets.
CAUGHT_WARNINGS = {
    "DeprecationWarning", "PendingDeprecationWarning", "InconsistentVersionWarning",
}  # fmt: skip
SOURCE = "https://github.com/skdnn/skdnn/blob/main/"
# What the examples write, and the score in the last line that begins so.
EXAMPLES = {
    "iris.py": ("iris-report.html", "test accuracy", 0.9),
    "digits_convolution.py": ("digits-explained.png", "held-out accuracy", 0.98),
}
FORMS = ["bug_report.yml", "feature_request.yml"]
WORKFLOWS = ["audit.yml", "documents.yml", "tests.yml"]


def python_blocks(text):
    """Return the Python blocks of a page whose optional packages are installed.

    The comment before a block, ``<!-- needs: fastapi -->``, names those packages.
    """
    pattern = r"^(?:<!-- needs: ([\w ]+) -->\n)?```python\n(.*?)^```"
    blocks = re.findall(pattern, text, flags=re.M | re.S)
    return [
        block
        for packages, block in blocks
        if all(importlib.util.find_spec(name) for name in packages.split())
    ]


@pytest.mark.parametrize("page", PAGES)
def test_python_blocks_run(page, tmp_path, monkeypatch, capsys):
    text = (ROOT / page).read_text("utf-8")
    blocks = python_blocks(text)
    assert blocks
    monkeypatch.chdir(tmp_path)
    namespace = {}
    for block in blocks:
        exec(compile(block, page, "exec"), namespace)
    written = re.findall(r'"([\w-]+\.(?:html|skops|onnx|csv))"', "".join(blocks))
    assert {file.name for file in tmp_path.iterdir()} == set(written)
    assert all(file.stat().st_size > 1_000 for file in tmp_path.iterdir())


def anchors(path):
    """Return the anchors of the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", path.read_text("utf-8"), flags=re.M)
    return {
        re.sub(r"[^\w\- ]", "", h).strip().lower().replace(" ", "-") for h in headings
    }


@pytest.mark.parametrize("page", TEXTS)
def test_links_lead_somewhere(page):
    path = ROOT / page
    for link in re.findall(r"\]\(([^)]+)\)", path.read_text("utf-8")):
        if link.startswith(SOURCE):
            assert (ROOT / link.removeprefix(SOURCE)).exists(), link
        elif not link.startswith("https://"):
            file, _, anchor = link.partition("#")
            target = path.parent / file if file else path
            is_notebook = target.suffix == ".ipynb"  # made while the site is built
            assert (target.with_suffix(".md") if is_notebook else target).exists(), link
            # those of the reference are made of docstrings; MkDocs checks them
            is_picture = target.suffix == ".png"
            if anchor and not is_picture and target.name != "reference.md":
                assert anchor in anchors(target), link


def navigation(entries):
    """Yield the pages of a part of the navigation of the site."""
    for entry in entries:
        value = entry if isinstance(entry, str) else next(iter(entry.values()))
        if isinstance(value, str):
            yield f"docs/{value}"
        else:
            yield from navigation(value)


def mkdocs_settings():
    text = (ROOT / "mkdocs.yml").read_text("utf-8")
    return yaml.safe_load(re.sub(r"!!python/name:|!relative ", "", text))


def test_the_site_has_every_page():
    assert sorted(navigation(mkdocs_settings()["nav"])) == SITE


def test_the_site_runs_the_tutorials():
    settings = mkdocs_settings()
    assert settings["hooks"] == ["docs/run_tutorials.py"]
    assert len(TUTORIALS) == 8
    for page in TUTORIALS:
        blocks = re.findall(r"^```(\w*)$", (ROOT / page).read_text("utf-8"), flags=re.M)
        assert set(blocks) <= {"python", ""}, page
        # only what runs has results
        assert blocks or page == "docs/tutorials/index.md"


def test_images_are_small_and_used():
    texts = "".join((ROOT / page).read_text("utf-8") for page in TEXTS)
    for image in (DOCS / "images").rglob("*.png"):
        assert image.stat().st_size < LARGEST_IMAGE, image
        assert image.name in texts, image


def test_the_gallery_has_every_plot():
    text = (DOCS / "gallery.md").read_text("utf-8")
    for name in explain.__all__:
        if hasattr(getattr(explain, name), "plot"):
            assert f"(reference.md#skdnn.explain.{name})" in text, name
    plots = [name for name in dir(DNNClassifier) if name.startswith("plot_")]
    assert all(f"`DNNClassifier.{name}`" in text for name in plots)
    for image in re.findall(r"images/gallery/([\w-]+)\.png#only-light", text):
        assert f"images/gallery/{image}-dark.png#only-dark" in text


def entries_of_messages():
    """Return the text below each heading of the page of messages."""
    text = (DOCS / "guide" / "messages.md").read_text("utf-8")
    parts = re.split(r"^### (.+)$", text, flags=re.M)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_every_check_has_an_entry():
    entries = entries_of_messages()
    for check in CHECKS:
        assert f"*{check.title}* ({check.severity}" in entries[check.code], check.code
        assert ("needs the classifier" in entries[check.code]) == bool(check.needs)
        assert "**Cure:**" in entries[check.code]
    codes = [name for name in entries if name.startswith("SKD")]
    assert codes == [check.code for check in CHECKS]


def test_every_warning_has_an_entry():
    entries = entries_of_messages()
    for name in exceptions.__all__:
        assert "**Cure:**" in entries[name] or "| cure |" in entries[name], name
    source = "".join(path.read_text("utf-8") for path in PACKAGE.rglob("*.py"))
    raised = set(re.findall(r"\b(\w+Warning)\b", source))
    assert raised - set(entries) <= CAUGHT_WARNINGS


def test_every_kind_of_column_problem_has_an_entry():
    source = (PACKAGE / "_tabular" / "column_problems.py").read_text("utf-8")
    kinds = re.findall(
        r'(?:return|yield) \(?\s*"([a-z ]+)",|return "([a-z ]+)", ', source
    )
    kinds = {first or second for first, second in kinds}
    assert len(kinds) == 8
    table = entries_of_messages()["ColumnWarning"]
    assert all(f"\n| {kind} |" in table for kind in kinds)


def test_reference_lists_every_public_name():
    text = (ROOT / "docs" / "reference.md").read_text("utf-8")
    listed = re.findall(r"^::: skdnn\.([\w.]+)$", text, flags=re.M)
    public = set(skdnn.__all__) - {"explain", "io"}
    for module in (exceptions, explain, io, model_selection):
        name = module.__name__.removeprefix("skdnn.")
        public |= {f"{name}.{member}" for member in module.__all__}
    assert len(listed) == len(set(listed))
    assert set(listed) == public


@pytest.mark.slow
@pytest.mark.parametrize("script", sorted((ROOT / "examples").glob("*.py")), ids=str)
def test_examples_run(script, tmp_path):
    file, label, least = EXAMPLES[script.name]
    done = subprocess.run(
        [sys.executable, "-W", "error::UserWarning", script],
        cwd=tmp_path,
        env=os.environ | {"MPLBACKEND": "Agg"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert [path.name for path in tmp_path.iterdir()] == [file]
    assert (tmp_path / file).stat().st_size > 10_000
    score = re.search(rf"^{label} ([\d.]+)$", done.stdout, flags=re.M)
    assert float(score[1]) > least


def test_readme_commands_are_those_of_ci():
    commands = (ROOT / "README.md").read_text("utf-8")
    script = (ROOT / ".ci" / "run").read_text("utf-8")
    patterns = re.findall(r"grep -m1 '([^']+)' README.md", script)
    assert len(patterns) == 2
    for pattern in patterns:
        assert len(re.findall(pattern, commands, flags=re.M)) == 1


def shell_blocks(page):
    """Return the commands of a page, without their comments."""
    text = (ROOT / page).read_text("utf-8")
    blocks = re.findall(r"^ *```sh\n(.*?)^ *```", text, flags=re.M | re.S)
    lines = [line.partition("  #")[0].strip() for line in "".join(blocks).splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


def check_command(command):
    """Assert that the files, folders and extras of a command exist."""
    assert "http" not in command
    for path in re.findall(
        r"(?:^|\s)((?:tests|benchmarks|docs|\.ci)/[\w/.]+)", command
    ):
        assert (ROOT / path).exists(), command
    extras = metadata.metadata("skdnn").get_all("Provides-Extra")
    for names in re.findall(r"\.\[([\w,]+)\]", command):
        assert set(names.split(",")) <= set(extras), command


def test_commands_of_contributing_exist():
    commands = shell_blocks("CONTRIBUTING.md")
    assert len(commands) >= 25
    for command in commands:
        check_command(command)
    for script in (ROOT / "benchmarks").glob("*.py"):
        assert any(f"benchmarks/{script.name}" in command for command in commands)
    chosen = re.findall(r"pytest tests/(\S+)\.py -k (\w+)", "\n".join(commands))
    for file, word in chosen:
        assert word in (ROOT / "tests" / f"{file}.py").read_text("utf-8")


def test_workflows_and_forms_are_listed():
    folder = ROOT / ".github"
    assert sorted(path.name for path in (folder / "workflows").iterdir()) == WORKFLOWS
    forms = {path.name for path in (folder / "ISSUE_TEMPLATE").iterdir()}
    assert forms == {*FORMS, "config.yml"}
    assert (folder / "pull_request_template.md").exists()


@pytest.mark.parametrize("name", WORKFLOWS)
def test_workflows_run_what_exists(name):
    text = (ROOT / ".github" / "workflows" / name).read_text("utf-8")
    assert "secrets." not in text
    workflow = yaml.safe_load(text)
    # YAML 1.1 reads the key `on` as a boolean
    assert {"push", "pull_request"} <= set(workflow[True])
    assert workflow["permissions"] == {"contents": "read"}
    for job in workflow["jobs"].values():
        steps = job["steps"]
        assert steps[0]["uses"].startswith("actions/checkout@")
        assert all(("uses" in step) != ("run" in step) for step in steps)
        for step in steps:
            check_command(step.get("run", ""))


def test_workflows_cover_systems_versions_and_backends():
    text = (ROOT / ".github" / "workflows" / "tests.yml").read_text("utf-8")
    jobs = yaml.safe_load(text)["jobs"]
    newest = jobs["newest"]["strategy"]["matrix"]
    systems = {name.split("-")[0] for name in newest["os"]}
    assert systems == {"ubuntu", "macos", "windows"}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    versions = re.findall(r"Python :: (3\.\d+)", "\n".join(project["classifiers"]))
    assert newest["python"] == versions
    backends = jobs["backends"]["strategy"]["matrix"]["backend"]
    assert backends == ["tensorflow", "jax", "torch"]
    assert ".ci/lowest" in [step.get("run") for step in jobs["lowest"]["steps"]]


@pytest.mark.parametrize("name", FORMS)
def test_issue_forms_are_complete(name):
    text = (ROOT / ".github" / "ISSUE_TEMPLATE" / name).read_text("utf-8")
    form = yaml.safe_load(text)
    assert {"name", "description", "body"} <= set(form)
    ids = [field["id"] for field in form["body"]]
    assert len(ids) == len(set(ids)) >= 3
    assert all(field["attributes"]["label"] for field in form["body"])
    assert form["body"][0]["validations"] == {"required": True}


def test_urls_are_declared():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert set(project["urls"]) == {
        "Homepage", "Documentation", "Repository", "Issues", "Changelog",
    }  # fmt: skip
    assert project["urls"]["Changelog"].startswith(SOURCE)
    assert project["urls"]["Documentation"] in (ROOT / "mkdocs.yml").read_text("utf-8")


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


def test_the_meaning_of_none_is_documented_for_every_parameter():
    for name in DEFAULTS:
        text = inspect.getdoc(DNNClassifier).split("Attributes\n-")[0]
        entry = re.search(
            rf"^(?:\w+, )*{name}(?:, \w+)* : .*\n((?:    .*\n)+)", text, flags=re.M
        )
        assert re.search(r"None\s+is", entry[1]), name
        assert "recipe" in entry[1], name
        assert "plain" in entry[1], name
