"""The zip archive of a model file: members in, members out, sizes checked first."""

import hashlib
import io
import math
import re
import zipfile
import zlib
from collections.abc import Mapping

import numpy as np

SCHEMA = "schema.json"
MANIFEST = "skdnn.json"
# What skops and skdnn call members; no name leads out of a folder.
_NAME = re.compile(r"(?:schema\.json|skdnn\.json|[\w-]{1,64}\.(?:npy|bin))")
# Bytes that the members of a file may declare: at least, and for each of its bytes.
_FREE_BYTES = 2**26
_BYTES_PER_BYTE = 20
# Text is parsed into objects of many times its size.
_MOST_TEXT_BYTES = 2**26
_MOST_MEMBERS = 2**16
_ZIP = b"PK\x03\x04"
# Beginnings of what pickle, joblib and compressed joblib write.
_PICKLES = (b"\x80", b"\x78", b"\x1f\x8b", b"BZh", b"\xfd7zX", b"\x04\x22\x4d\x18")
# Other methods raise errors of their own kinds, and need more memory.
_COMPRESSIONS = frozenset((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))
# The same time in all files: equal models give equal bytes.
_TIME = (1980, 1, 1, 0, 0, 0)


def pack(members: Mapping[str, bytes]) -> bytes:
    """Return a zip archive of the members; texts are compressed, arrays are not."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            info = zipfile.ZipInfo(name, _TIME)
            is_text = name in (SCHEMA, MANIFEST)
            kind = zipfile.ZIP_DEFLATED if is_text else zipfile.ZIP_STORED
            archive.writestr(info, content, kind)
    return buffer.getvalue()


def unpack(data: bytes) -> dict[str, bytes]:
    """Return the members of a zip archive by name.

    Raises ``ValueError`` if it is none, is damaged, or declares more than its size
    allows; sizes are compared before anything is decompressed.
    """
    check_start(data[: len(_ZIP)])
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _check_members(archive.infolist(), len(data))
            members = {name: archive.read(name) for name in archive.namelist()}
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        NotImplementedError,  # compressed or encrypted in ways that are not known
        RuntimeError,
        UnicodeDecodeError,
    ) as error:
        raise damaged(error) from error
    for name, content in members.items():
        if name.endswith(".npy"):
            _check_array(name, content)
    return members


def check_start(start: bytes) -> None:
    """Raise ``ValueError`` if the first bytes of a file are not those of a zip."""
    if start.startswith(_ZIP):
        return
    if start.startswith(_PICKLES):
        raise ValueError(
            "A model file must be a zip archive, as skdnn.io.dump writes it. Got a "
            "pickle, or a compressed file. A pickle runs the code that is in it; if "
            "you trust its author, use pickle.load or joblib.load."
        )
    raise ValueError(
        "A model file must be a zip archive, as skdnn.io.dump writes it. Got a file "
        f"that begins with {start!r}."
    )


def damaged(reason: object) -> ValueError:
    """Return the error for a file whose parts do not fit each other."""
    return ValueError(
        f"The model file is damaged: {str(reason).rstrip('.')}. Copy it again, or "
        "write it again with skdnn.io.dump."
    )


def checksum(members: Mapping[str, bytes]) -> str:
    """Return the SHA-256 of names and contents of the members without the manifest."""
    digest = hashlib.sha256()
    for name in sorted(set(members) - {MANIFEST}):
        digest.update(f"{name}:{len(members[name])}:".encode())
        digest.update(members[name])
    return digest.hexdigest()


def _check_members(infos: list[zipfile.ZipInfo], n_bytes: int) -> None:
    names = [info.filename for info in infos]
    wrong = [name for name in names if not _NAME.fullmatch(name)]
    if wrong:
        raise ValueError(
            f"A model file must hold {SCHEMA}, {MANIFEST} and arrays only. Got "
            f"{wrong[0]!r}."
        )
    if len(set(names)) < len(names) or len(names) > _MOST_MEMBERS:
        raise ValueError(
            f"A model file must hold each member once, at most {_MOST_MEMBERS}. Got "
            f"{len(names)} members of {len(set(names))} names."
        )
    ways = {info.compress_type for info in infos} - _COMPRESSIONS
    if ways:
        raise damaged(f"its members must be stored or deflated, got method {min(ways)}")
    declared = sum(info.file_size for info in infos)
    most = _FREE_BYTES + _BYTES_PER_BYTE * n_bytes
    texts = [info.file_size for info in infos if info.filename.endswith(".json")]
    if declared > most or max(texts, default=0) > _MOST_TEXT_BYTES:
        raise ValueError(
            f"A model file of {n_bytes} bytes must hold at most {most} bytes, and at "
            f"most {_MOST_TEXT_BYTES} in each text. It declares {declared}."
        )


def _check_array(name: str, content: bytes) -> None:
    """Raise ``ValueError`` unless an array is as long as it declares."""
    stream = io.BytesIO(content)
    try:
        version = np.lib.format.read_magic(stream)
        read = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }[version]
        shape, _, dtype = read(stream)
    except (KeyError, ValueError, SyntaxError, RecursionError, MemoryError) as error:
        raise damaged(f"{name} is not an array of NumPy ({error})") from error
    size = dtype.itemsize * math.prod(shape)
    rest = len(stream.read())
    if dtype.hasobject or min(shape, default=0) < 0 or size != rest:
        raise damaged(f"{name} declares {size} bytes of {dtype} and has {rest}")
