import json

import numpy as np
import pytest
from typer.testing import CliRunner

from skdnn.cli import app


@pytest.fixture(scope="session")
def run():
    """Run a command in this process; its result has exit_code, stdout and stderr."""

    def run_command(*arguments, **options):
        return CliRunner().invoke(app, [str(a) for a in arguments], **options)

    return run_command


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """Two tables as people write them: to train on, and of new rows."""
    folder = tmp_path_factory.mktemp("tables")
    rng = np.random.default_rng(0)
    lines = ["Patient-Nr;Größe;Ort;Geschlecht;Befund"]
    for i in range(120):
        size = rng.normal(170, 10)
        label = "krank" if size + rng.normal(0, 3) < 165 else "gesund"
        place = ["Köln", "Ulm", "k.A."][rng.integers(3)]
        number = f"{size:.1f}".replace(".", ",")
        lines.append(f"{i + 1000};{number};{place};{'mw'[i % 2]};{label}")
    write(folder / "patienten.csv", lines)
    write(folder / "neue.csv", [line.rpartition(";")[0] for line in lines[:9]])
    return folder


def write(path, lines):
    path.write_bytes("\r\n".join([*lines, ""]).encode("latin-1"))


@pytest.fixture(scope="session")
def trained(run, folder):
    """A model file, trained once, and what the command printed as JSON."""
    path = folder / "befund.skops"
    done = run(
        "train", folder / "patienten.csv", "-t", "Befund", "-o", path,
        "--keep-rows", 80, "--json",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    return path, json.loads(done.stdout)
