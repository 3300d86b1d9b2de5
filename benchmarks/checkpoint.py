"""Compare the time to fit with a checkpoint, and without one.

Both take turns after a warm-up. Printed are the median of the CPU time of the process
without a checkpoint, the ratio with one, and the bytes and writes of the file. The
interval between states is the default of ten seconds, and one of a second.

usage: python benchmarks/checkpoint.py [REPEATS]
"""

import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
from sklearn.base import clone
from sklearn.datasets import load_iris, make_classification

from skdnn import DNNClassifier
from skdnn._checkpoint import checkpoint as store
from skdnn.model_selection import GridSearchCV


def cases():
    """Return name, estimator, rows and classes of each case."""
    X, y = make_classification(50_000, 30, n_informative=10, random_state=0)
    settings = {"n_iter_no_change": np.inf, "random_state": 0}
    plain = DNNClassifier((64, 64), max_iter=20, batch_size=256, **settings)
    yield "plain, 50 000 × 30, 20 epochs", plain, X.astype(np.float32), y
    yield "recipe, 7 500 × 10", DNNClassifier(random_state=0), X[:7500, :10], y[:7500]
    grid = {"alpha": [1e-4, 0.01, 1.0], "learning_rate_init": [0.001, 0.01]}
    network = DNNClassifier((20,), max_iter=100, **settings)
    search = GridSearchCV(network, grid, cv=5)
    yield "grid of 6 × 5 fits, iris", search, *load_iris(return_X_y=True)


def seconds(estimator, X, y):
    """Return the CPU time of a fit in this process, its threads included."""
    began = time.process_time()
    estimator.fit(X, y)
    return time.process_time() - began


def main():
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    warnings.simplefilter("ignore")
    write, n_writes = store.to_bytes, []

    def counted(parts):
        n_writes.append(1)
        return write(parts)

    store.to_bytes = counted
    for name, estimator, X, y in cases():
        clone(estimator).fit(X, y)
        without, kept = [], {10.0: [], 1.0: []}
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "training.checkpoint"
            for _ in range(repeats):
                without.append(seconds(clone(estimator), X, y))
                for interval, times in kept.items():
                    store.INTERVAL = interval
                    path.unlink(missing_ok=True)
                    n_writes.clear()
                    own = clone(estimator).set_params(checkpoint=path)
                    times.append(seconds(own, X, y))
            size = path.stat().st_size
        ratios = [np.median(times) / np.median(without) for times in kept.values()]
        print(
            f"{name}: {np.median(without):.1f} s without; {ratios[0]:.3f} with a state "
            f"every 10 s, {ratios[1]:.3f} every 1 s; {size / 1e6:.2f} MB, "
            f"{len(n_writes)} writes",
            flush=True,
        )


if __name__ == "__main__":
    main()
