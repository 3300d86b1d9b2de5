"""The file of a checkpoint: when it is written, and who may write it."""

import numpy as np
import pytest

from skdnn._checkpoint import checkpoint as store
from skdnn._checkpoint.checkpoint import Checkpoint, Part
from skdnn.exceptions import CheckpointWarning


def test_parts_are_read_again(tmp_path):
    path = tmp_path / "file"
    first = Checkpoint(path)
    first.create()
    tree = {"a": [1, None, np.float32(2) * np.ones((2, 0, 3), np.float32)], "b": 0.1}
    Part(first).below("x").below("y").put(tree)
    first.flush()
    again = Part(Checkpoint(path)).below("x").below("y").load()
    assert again["a"][:2] == [1, None]
    assert again["b"] == 0.1
    assert again["a"][2].shape == (2, 0, 3)
    assert again["a"][2].dtype == np.float32
    assert Part(Checkpoint(path)).below("x").load() is None


def test_writing_takes_a_share_of_the_time(tmp_path, monkeypatch):
    checkpoint = Checkpoint(tmp_path / "file")
    checkpoint.create()
    monkeypatch.setattr(store, "SHARE", 1e-9)  # a pause of years
    checkpoint.put("a", 1)
    checkpoint.flush()
    checkpoint.put("a", 2)
    assert Checkpoint(tmp_path / "file").load("a") == 1
    checkpoint.flush()
    assert Checkpoint(tmp_path / "file").load("a") == 2


def test_a_state_is_due_after_the_interval(tmp_path, monkeypatch):
    part = Part(Checkpoint(tmp_path / "file"))
    assert not part.is_due
    monkeypatch.setattr(store, "INTERVAL", 0.0)
    assert part.is_due


def test_two_fits_do_not_share_a_file(tmp_path):
    path = tmp_path / "file"
    checkpoint = Checkpoint(path)
    checkpoint.create()
    path.unlink()
    path.write_bytes(b"of another fit")
    checkpoint.put("a", 1)
    with pytest.warns(CheckpointWarning, match="one fit at a time"):
        checkpoint.flush()
    assert path.read_bytes() == b"of another fit"
