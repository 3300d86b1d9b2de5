"""Packages and programs that a test needs: skipped where missing, an error in CI.

`require("skorch")` imports a package in a test; `needs("jax")` marks a test or module.
With ``CI=true`` nothing is skipped because a package is missing, so CI runs every test.
Tests `with_backend("torch")` run in the processes that ``test_backends.py`` starts.
"""

import importlib
import importlib.util
import os
from types import ModuleType

import pytest

IN_CI = os.environ.get("CI") == "true"


def require(package: str) -> ModuleType:
    """Import a package; without it, skip the test, or fail in CI."""
    if IN_CI:
        return importlib.import_module(package)
    return pytest.importorskip(package)


def needs(package: str) -> pytest.MarkDecorator:
    """Return a mark that skips tests without a package, except in CI."""
    return skip_unless(
        importlib.util.find_spec(package) is not None, f"{package} is not installed"
    )


def skip_unless(available: bool, reason: str) -> pytest.MarkDecorator:
    """Return a mark that skips tests if something is unavailable, except in CI."""
    return pytest.mark.skipif(not available and not IN_CI, reason=reason)


def with_backend(name: str) -> pytest.MarkDecorator:
    """Return a mark that skips tests unless Keras computes with this backend."""
    import keras

    return pytest.mark.skipif(
        keras.backend.backend() != name, reason=f"needs KERAS_BACKEND={name}"
    )
