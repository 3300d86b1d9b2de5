import io
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from skdnn._runtime.progress import Progress


def test_nothing_is_shown_unless_enabled(capfd):
    with Progress(3, "networks", enabled=False) as progress:
        progress.step({"loss": 0.5})
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("is_terminal", [True, False])
def test_shown_by_default_in_a_terminal_only(is_terminal, capfd, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: is_terminal)
    with Progress(1, "rows", enabled=None) as progress:
        progress.step()
    assert ("rows 1/1" in capfd.readouterr().err) == is_terminal


def test_shown_by_default_in_a_notebook(monkeypatch):
    kernel = type("OutStream", (io.StringIO,), {"__module__": "ipykernel.iostream"})()
    monkeypatch.setattr(sys, "stderr", kernel)
    with Progress(1, "rows", enabled=None) as progress:
        progress.step()
    assert "rows 1/1" in kernel.getvalue()


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
