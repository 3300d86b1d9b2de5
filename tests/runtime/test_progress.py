import io
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from skdnn._runtime.progress import Progress, is_interactive


class _Terminal(io.StringIO):
    def isatty(self):
        return True


class _Notebook(io.StringIO):
    __module__ = "ipykernel.iostream"


@pytest.mark.parametrize(
    ("stderr", "expected"),
    [(_Terminal(), True), (_Notebook(), True), (io.StringIO(), False), (None, False)],
)
def test_a_person_reads_terminals_and_notebooks(monkeypatch, stderr, expected):
    monkeypatch.setattr(sys, "stderr", stderr)
    assert is_interactive() is expected


def test_nothing_is_shown_unless_enabled(capfd):
    with Progress(3, "networks", enabled=False) as progress:
        progress.step({"loss": 0.5})
    assert capfd.readouterr() == ("", "")


def test_steps_and_figures_on_one_line_of_stderr(capfd):
    with Progress(40, "networks", enabled=True) as progress:
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda _: progress.step(), range(39)))
        progress.step({"loss": 0.25})
    shown = capfd.readouterr()
    assert shown.out == ""
    last = shown.err.split("\r")[-1]
    assert last.startswith("networks 40/40")
    assert "loss=0.2500" in last
    assert "\n" not in shown.err.rstrip("\n")
