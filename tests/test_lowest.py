"""The lowest versions that are tested are those that are declared."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
# Needed by the dependencies only.
INDIRECT = {"click", "pyparsing", "scipy"}


def release(version):
    """Return a version as numbers, without zeros at its end."""
    return tuple(int(part) for part in re.sub(r"(\.0)+$", "", version).split("."))


def test_constraints_are_the_declared_floors():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    declared = dict(
        # constraints name no extras
        re.sub(r"\[.*\]", "", requirement.partition(";")[0]).split(">=")
        for requirement in (
            *project["dependencies"],
            *project["optional-dependencies"]["test"],
        )
    )
    text = (ROOT / ".ci/lowest.txt").read_text("utf-8")
    tested = dict(re.findall(r"^([\w.-]+)==([\d.]+)", text, flags=re.MULTILINE))
    assert tested.keys() - declared.keys() == INDIRECT
    assert {name: release(tested[name]) for name in declared} == {
        name: release(version) for name, version in declared.items()
    }
