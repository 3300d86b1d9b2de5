import os
import sys

import pytest

from skdnn._runtime import keras_backend


def test_what_an_import_writes_comes_back_if_it_fails(capfd):
    def write():
        os.write(2, b"from below\n")

    with keras_backend._descriptor_silenced(2):
        write()
    assert capfd.readouterr().err == ""

    def fail():
        write()
        raise ImportError

    with pytest.raises(ImportError), keras_backend._descriptor_silenced(2):
        fail()
    assert capfd.readouterr().err == "from below\n"
    write()
    print("after", file=sys.stderr)  # noqa: T201
    assert capfd.readouterr().err == "from below\nafter\n"


def test_threads_of_a_worker(monkeypatch):
    for name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.delenv("LOKY_WORKER_NUMBER", raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    keras_backend._limit_threads_of_worker()
    assert "TF_NUM_INTRAOP_THREADS" not in os.environ
    monkeypatch.setenv("LOKY_WORKER_NUMBER", "1")
    keras_backend._limit_threads_of_worker()
    assert os.environ["TF_NUM_INTRAOP_THREADS"] == "3"
    assert os.environ["TF_NUM_INTEROP_THREADS"] == "3"
