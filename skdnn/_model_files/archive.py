"""Estimators into model files, and out of them."""

import os
import warnings
from pathlib import Path
from typing import Any

from sklearn.base import BaseEstimator

from skdnn._model_files.container import MANIFEST, check_start, damaged, pack, unpack
from skdnn._model_files.contents import unkept
from skdnn._model_files.manifest import check_manifest, make_manifest
from skdnn._model_files.schema import read_schema, regular, trusted_types
from skdnn._runtime.atomic_file import Writer

_WRITER = Writer("skdnn.io.dump", "model.skops")
_MOST_SHOWN = 3  # parts that cannot be kept
_REMEDY = (
    "Replace it, or use joblib.dump, whose files run code when they are read. Of a "
    "search, best_estimator_ may be enough."
)


def write_model(
    estimator: Any, path: str | os.PathLike[str], notes: dict[str, Any] | None = None
) -> None:
    """Write an estimator to a model file, complete or not at all.

    `notes`, a dict that JSON can hold, is part of the manifest. Raises ``TypeError``
    or ``ValueError`` for what cannot be kept; the path is left unchanged then.
    """
    if isinstance(estimator, type) or not isinstance(estimator, BaseEstimator):
        raise TypeError(
            "`estimator` must be an estimator, such as a DNNClassifier or a Pipeline. "
            f"Got {estimator!r}."
        )
    _WRITER.write(path, lambda: _to_bytes(estimator, notes))


def read_model(path: str | os.PathLike[str]) -> Any:
    """Return the estimator in a model file.

    Raises ``ValueError`` if the file is damaged, or names types that are not trusted.
    """
    return _from_bytes(_read(path))


def read_manifest(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return what is known of the estimator in a model file; the estimator is not read.

    Keys are "format", "versions", "class", "estimator" (as text), "parameters" (name to
    text, those of steps as ``step__name``), "classes", "n_features", "feature_names",
    "checksum" and "notes"; what an estimator does not have is None.
    """
    manifest = check_manifest(unpack(_read(path)))
    if manifest is None:
        raise ValueError(
            f"A model file must have a member {MANIFEST!r}. Got a file of skops "
            f"without it: {os.fspath(path)!r}. Write it with skdnn.io.dump."
        )
    return manifest


def _to_bytes(estimator: Any, notes: dict[str, Any] | None) -> bytes:
    """Return the model file, after it was read back and compared."""
    members = _members_of(estimator)
    data = pack({**members, MANIFEST: make_manifest(estimator, members, notes)})
    with warnings.catch_warnings():  # of other versions, for a part that was loaded
        warnings.simplefilter("ignore")
        again = _from_bytes(data)
    if _members_of(again) != members:
        raise ValueError(
            "A model file must keep all parts of an estimator unchanged. skops changes "
            f"some of {_short(estimator)}. {_REMEDY}"
        )
    return data


def _members_of(estimator: Any) -> dict[str, bytes]:
    """Return what skops keeps of an estimator, by regular names."""
    import skops.io

    parts = unkept(estimator)
    if parts:
        shown = "; ".join(map(str, parts[:_MOST_SHOWN]))
        raise ValueError(
            "A model file keeps data, and no code: skdnn, scikit-learn's transformers, "
            f"pipelines and searches, and arrays. Got {shown}. {_REMEDY}"
        )
    members = unpack(skops.io.dumps(estimator))
    trusted_types(read_schema(members))
    return regular(members)


def _short(estimator: Any) -> str:
    return " ".join(repr(estimator).split())[:100]


def _from_bytes(data: bytes) -> Any:
    """Return the estimator in the bytes of a model file."""
    import skops.io

    members = unpack(data)
    types = trusted_types(read_schema(members))
    check_manifest(members)
    try:
        return skops.io.loads(data, trusted=types)
    except Warning:
        raise  # of another version, where warnings are errors
    except Exception as error:  # whatever contents of known types can cause
        raise damaged(f"{type(error).__name__}: {error}") from error


def _read(path: str | os.PathLike[str]) -> bytes:
    path = Path(path)
    if path.is_dir():
        raise IsADirectoryError(
            f"A model file must be a file. Got the folder {str(path)!r}."
        )
    with path.open("rb") as file:
        start = file.read(4)
        check_start(start)
        return start + file.read()
