"""Fits that end at some moment of a write to their checkpoint, as a killed process."""

import contextlib
import os
from pathlib import Path

import numpy as np
import pytest

from skdnn._checkpoint import checkpoint as store


class Stopped(BaseException):
    """Ends a fit as no error does: nothing catches it."""


def write_every_epoch(monkeypatch):
    """Have all states written, without pauses, and not waiting for the disk."""
    monkeypatch.setattr(store, "INTERVAL", 0.0)
    monkeypatch.setattr(store, "SHARE", np.inf)
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


@contextlib.contextmanager
def stopped_after(n_steps):
    """End what runs at a step of a write: content, two synchronizations, renaming.

    With 0 steps, it is not ended.
    """
    left = [n_steps or np.inf]

    def counted(call):
        def step(*args, **kwargs):
            left[0] -= 1
            if left[0] <= 0:  # in all threads
                raise Stopped
            return call(*args, **kwargs)

        return step

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store, "to_bytes", counted(store.to_bytes))
        patch.setattr(os, "fsync", counted(os.fsync))
        patch.setattr(Path, "replace", counted(Path.replace))
        yield


def fits_stopped(fit, path, *, n_stops, longest):
    """Return the results of fits that were stopped `n_stops` times, all together.

    `fit` is called again after each stop, which comes after up to `longest` steps.
    """
    rng, results, n = np.random.default_rng(0), [], 0
    while n < n_stops or path.exists():
        try:
            n_steps = rng.integers(1, longest, endpoint=True) if n < n_stops else 0
            with stopped_after(n_steps):
                results.append(fit())
        except Stopped:
            n += 1
        else:
            path.unlink()
        assert list(path.parent.glob("*.tmp")) == []
    return results


def fitted_arrays(estimator):
    """Return what a fit leaves, without times."""
    results = getattr(estimator, "cv_results_", {})
    scores = [results[name] for name in sorted(results) if name.endswith("test_score")]
    best = getattr(estimator, "best_estimator_", estimator)
    best = best.steps[-1][1] if hasattr(best, "steps") else best
    members = getattr(best, "estimators_", [best])
    for member in (one for one in members if hasattr(one, "history_")):
        history = member.history_.drop(columns="seconds")
        scores += [history.to_numpy(), *member.__getstate__()["_weights"]]
    return scores


def assert_same_bits(one, other):
    assert len(one) == len(other)
    for ours, theirs in zip(one, other, strict=True):
        np.testing.assert_array_equal(ours, theirs)
