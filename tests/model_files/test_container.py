"""Sizes, names and arrays of an archive are checked before it is decompressed."""

import io
import zipfile

import numpy as np
import pytest

from skdnn._model_files import container
from skdnn._model_files.container import SCHEMA


def archive(**contents):
    """Return a zip archive; underscores in names stand for dots."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in contents.items():
            file.writestr(name, content)
    return buffer.getvalue()


def array(values):
    buffer = io.BytesIO()
    np.save(buffer, values)
    return buffer.getvalue()


def test_members_are_read_as_they_were_written():
    parts = {SCHEMA: b"{}", "0.npy": array(np.arange(5)), "1.bin": b"\x00"}
    assert container.unpack(container.pack(parts)) == parts
    assert container.pack(parts) == container.pack(dict(parts))


def test_checksum_covers_names_and_contents():
    sums = [
        container.checksum(parts)
        for parts in (
            {"a": b"1", "b": b"2"},
            {"a": b"1", "b": b"3"},
            {"a": b"1", "c": b"2"},
            {"a": b"12", "b": b""},
        )
    ]
    assert len(set(sums)) == 4


@pytest.mark.parametrize(
    "name",
    ["../x.npy", "/etc/x.npy", "a/b.npy", "..\\x.npy", "x.py", "x.npy\n", "C:.npy"],
)
def test_names_that_lead_elsewhere(name):
    with pytest.raises(ValueError, match="arrays only"):
        container.unpack(archive(**{SCHEMA: b"{}", name: b""}))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_members_of_the_same_name():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr(SCHEMA, "{}")
        file.writestr(SCHEMA, "[]")
    with pytest.raises(ValueError, match="each member once"):
        container.unpack(buffer.getvalue())


@pytest.mark.parametrize("name", [SCHEMA, "0.npy"])
def test_zip_bombs_are_refused_before_they_are_decompressed(name, monkeypatch):
    data = archive(**{name: bytes(2**27)})
    assert len(data) < 2**18
    monkeypatch.setattr(zipfile.ZipFile, "read", lambda *_: pytest.fail("was read"))
    with pytest.raises(ValueError, match=r"must hold at most .* It declares 134217728"):
        container.unpack(data)


def test_a_member_that_is_longer_than_it_declares():
    data = archive(**{SCHEMA: b"1" * 1000})
    size = (1000).to_bytes(4, "little")
    start = data.rindex(size)  # in the directory
    data = data[:start] + (10).to_bytes(4, "little") + data[start + 4 :]
    with pytest.raises(ValueError, match="damaged"):
        container.unpack(data)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x93NUMPY\x01\x00",
        array(np.arange(9))[:-1],
        array(np.arange(9)) + b"0",
        array(np.arange(9)).replace(b"(9,)", b"(99999999999999999999,)"),
        array(np.arange(9)).replace(b"(9,), }", b"(-9,), }"),
        array(np.array([None])),
    ],
    ids=["empty", "magic only", "short", "long", "huge", "negative", "objects"],
)
def test_arrays_that_are_not_as_long_as_they_declare(content):
    with pytest.raises(ValueError, match=r"0\.npy"):
        container.unpack(archive(**{SCHEMA: b"{}", "0.npy": content}))
