import os

import pytest

from skdnn._runtime import fork_guard, keras_backend
from skdnn.exceptions import ForkError


def test_this_process_may_use_keras():
    keras_backend.load()
    assert fork_guard.is_used_here()
    fork_guard.check_process()


def test_a_child_of_a_process_that_used_keras_is_refused(monkeypatch):
    keras_backend.load()
    parent = os.getpid()
    monkeypatch.setattr(os, "getpid", lambda: parent + 1)
    assert not fork_guard.is_used_here()
    with pytest.raises(ForkError, match=f"forked from {parent}.*'loky' backend"):
        keras_backend.load()
