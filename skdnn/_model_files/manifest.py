"""The description of a model file, which is read without the model."""

import importlib.metadata
import json
import platform
from collections.abc import Mapping
from typing import Any

import numpy as np

from skdnn._model_files.container import MANIFEST, checksum, damaged
from skdnn._runtime.version import __version__

# Raised when an earlier release could no longer read the files.
FORMAT = 1
_PACKAGES = ("scikit-learn", "numpy", "skops")
_LONGEST_TEXT = 200


def make_manifest(
    estimator: Any, members: Mapping[str, bytes], notes: dict[str, Any] | None
) -> bytes:
    """Return the description of an estimator and of the members that hold it."""
    kind = type(estimator)
    parameters = estimator.get_params(deep=True)
    names = getattr(estimator, "feature_names_in_", None)
    manifest = {
        "format": FORMAT,
        "versions": {
            "skdnn": __version__,
            "python": platform.python_version(),
            **{name: importlib.metadata.version(name) for name in _PACKAGES},
        },
        "class": f"{kind.__module__}.{kind.__qualname__}",
        "estimator": _short(estimator, 10 * _LONGEST_TEXT),
        "parameters": {name: _short(value) for name, value in parameters.items()},
        "classes": _classes(estimator),
        "n_features": getattr(estimator, "n_features_in_", None),
        "feature_names": None if names is None else [str(name) for name in names],
        "checksum": {"sha256": checksum(members)},
        "notes": notes or {},
    }
    try:
        return json.dumps(manifest, indent=1, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise TypeError(
            "`notes` must hold what JSON has: dicts, lists, strings, finite numbers, "
            f"booleans and None. Got {error}."
        ) from error


def check_manifest(members: Mapping[str, bytes]) -> dict[str, Any] | None:
    """Return the description in a model file, None if it has none.

    Raises ``ValueError`` if it does not describe the other members.
    """
    if MANIFEST not in members:
        return None
    try:
        manifest = json.loads(members[MANIFEST])
        written, known = int(manifest["format"]), manifest["checksum"]["sha256"]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise damaged(f"{MANIFEST} cannot be read ({error})") from error
    if written > FORMAT:
        raise ValueError(
            f"The format of a model file must be {FORMAT} or earlier. Got {written}, "
            f"written by skdnn {manifest.get('versions', {}).get('skdnn')}. Install "
            "that version or a later one."
        )
    if known != checksum(members):
        raise damaged("its checksum is not that of its contents")
    return manifest


def _short(value: Any, longest: int = _LONGEST_TEXT) -> str:
    text = " ".join(repr(value).split())
    return text if len(text) <= longest else f"{text[:longest]}…"


def _classes(estimator: Any) -> list[Any] | None:
    """Return the classes as JSON has them; lists of them for several outputs."""
    try:
        classes = estimator.classes_
    except AttributeError:  # not fitted
        return None
    if isinstance(classes, list):
        return [_plain(of_output) for of_output in classes]
    return None if classes is None else _plain(classes)


def _plain(classes: Any) -> list[Any]:
    values = np.asarray(classes).tolist()
    return [v if isinstance(v, bool | int | str) else str(v) for v in values]
