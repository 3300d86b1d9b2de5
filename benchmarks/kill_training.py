"""Kill fits at random moments, start them again, and compare with fits never killed.

Each fit runs in a process of its own, which is ended by SIGKILL after a random time and
then started again with the same arguments, until it ends by itself; then the next one
begins, until there were that many kills. All states are written, after each epoch. It
fails unless all results have the same bits: weights, histories without seconds,
probabilities and scores. Not for Windows, which has no fork.

usage: python benchmarks/kill_training.py [KILLS [KIND ...]]
"""

import hashlib
import os
import signal
import sys
import tempfile
import time
import warnings
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras  # noqa: F401  # once, before processes are forked; nothing is started
import numpy as np
from sklearn.datasets import make_classification

from skdnn import DNNClassifier
from skdnn._checkpoint import checkpoint as store
from skdnn.model_selection import GridSearchCV, nested_cross_validate

X, Y = make_classification(160, 8, n_informative=6, n_classes=3, random_state=0)


def network(**parameters):
    """Return a plain network that trains for a while."""
    settings = {"max_iter": 100, "n_iter_no_change": np.inf, "random_state": 0}
    return DNNClassifier((16,), **settings | parameters)


def search(**parameters):
    """Return a grid search with networks in stacks, and one that stops early."""
    grid = {"alpha": [0.01, 1.0], "early_stopping": [False, True]}
    return GridSearchCV(network(), grid, cv=2, **parameters)


def fitted(estimator):
    """Return what a fit has left in an estimator, as arrays."""
    estimator.fit(X, Y)
    results = getattr(estimator, "cv_results_", {})
    scores = [results[name] for name in sorted(results) if name.endswith("test_score")]
    best = getattr(estimator, "best_estimator_", estimator)
    arrays = [*scores, best.predict_proba(X)]
    for member in getattr(best, "estimators_", [best]):
        history = member.history_.drop(columns="seconds")
        arrays += [history.to_numpy(), *member.model_.get_weights()]
    return arrays


def nested(path):
    """Return the scores of a nested cross-validation."""
    return [nested_cross_validate(search(checkpoint=path), X, Y, cv=2).scores]


KINDS = {
    "plain": lambda path: fitted(
        network(early_stopping=True, dropout=0.2, checkpoint=path)
    ),
    "recipe": lambda path: fitted(
        DNNClassifier(random_state=0, max_iter=10, checkpoint=path)
    ),
    "ensemble": lambda path: fitted(
        network(n_estimators=3, early_stopping=True, bootstrap=True, checkpoint=path)
    ),
    "search": lambda path: fitted(search(checkpoint=path)),
    "nested": nested,
}


def started(make, path, result):
    """Start a fit in a process, which writes a digest of what it gives."""
    process = os.fork()
    if process:
        return process
    try:
        warnings.simplefilter("ignore")
        if path is not None:  # after each epoch, and without pauses
            store.INTERVAL, store.SHARE = 0.0, np.inf
        digest = hashlib.sha256()
        for array in make(path):
            digest.update(np.ascontiguousarray(array).tobytes())
        whole = result.with_name("unfinished")
        whole.write_text(digest.hexdigest())
        whole.replace(result)
        os._exit(0)
    finally:
        os._exit(1)


def wait(process):
    """Raise unless a process ends well."""
    status = os.waitpid(process, 0)[1]
    if status:
        raise SystemExit(f"A fit has failed with status {status}.")


def wait_until_written(path, before):
    """Wait for a file that is newer, which a fit writes as it begins."""
    while not path.exists() or path.stat().st_mtime_ns == before:
        time.sleep(0.001)


def run(make, n_kills, rng, folder):
    """Return the numbers of fits compared, and of kills within a write."""
    path, result = folder / "training.checkpoint", folder / "result"
    wait(started(make, None, result))
    expected = result.read_text()
    process = started(make, path, result)
    wait_until_written(path, 0)
    began = time.monotonic()
    wait(process)
    seconds = time.monotonic() - began
    n_killed = n_compared = n_writing = 0
    while n_killed < n_kills or path.exists():
        if result.exists():
            if result.read_text() != expected:
                raise SystemExit("A fit that was killed has ended with other bits.")
            n_compared += 1
            result.unlink()
            path.unlink()
            continue
        before = path.stat().st_mtime_ns if path.exists() else 0
        process = started(make, path, result)
        if n_killed == n_kills:
            wait(process)
            continue
        if rng.random() < 0.9:  # else at any time, while the file is read, too
            wait_until_written(path, before)
        time.sleep(rng.uniform(0, seconds))
        if os.waitpid(process, os.WNOHANG) == (0, 0):
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)
            n_killed += 1
            n_writing += any(folder.glob("*.tmp"))
    return n_compared, n_writing


def main():
    n_kills = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    for name in sys.argv[2:] or KINDS:
        began = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            rng = np.random.default_rng(0)
            n, n_writing = run(KINDS[name], n_kills, rng, Path(folder))
        print(
            f"{name}: {n_kills} kills, {n_writing} of them within a write; "
            f"{n} fits compared, all equal ({time.monotonic() - began:.0f} s)",
            flush=True,
        )


if __name__ == "__main__":
    main()
