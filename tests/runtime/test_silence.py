import os
import sys

import pytest

from skdnn._runtime.silence import descriptor_silenced, only_errors_logged

LEVEL = "TF_CPP_MIN_LOG_LEVEL"


def test_output_is_held_back_unless_the_block_raises(capfd):
    def write():
        os.write(2, b"from below\n")

    with descriptor_silenced(2):
        write()
    assert capfd.readouterr().err == ""

    def fail():
        write()
        raise ImportError

    with pytest.raises(ImportError), descriptor_silenced(2):
        fail()
    assert capfd.readouterr().err == "from below\n"
    write()
    print("after", file=sys.stderr)  # noqa: T201
    assert capfd.readouterr().err == "from below\nafter\n"


@pytest.mark.parametrize(
    ("before", "inside"), [(None, "2"), ("1", "2"), ("0", "0"), ("3", "3")]
)
def test_log_level_is_set_and_restored(before, inside, monkeypatch):
    monkeypatch.setenv(LEVEL, before or "")
    if before is None:
        monkeypatch.delenv(LEVEL)
    with only_errors_logged():
        assert os.environ[LEVEL] == inside
    assert os.environ.get(LEVEL) == before
