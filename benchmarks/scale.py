"""Compare time and memory of skdnn and MLPClassifier for growing numbers of rows.

Each measurement runs in its own process, after importing keras and training on a few
rows. Both train the same layers for the same epochs and batches on float32 data with
Adam. Printed are the seconds per million rows and epoch, the increase of peak resident
memory over that before the fit (without imports and X), also as a multiple of X, and
the final loss.

usage: python benchmarks/scale.py [EPOCHS]
"""

import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np
from sklearn.neural_network import MLPClassifier

from skdnn import DNNClassifier

SYSTEMS = {"skdnn": DNNClassifier, "MLPClassifier": MLPClassifier}
ROWS = (10_000, 100_000, 1_000_000)
N_FEATURES = 30
HIDDEN = (64, 64)
BATCH = 256


def table(n):
    """Return rows and two learnable classes, without copying."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, N_FEATURES), dtype=np.float32)
    noise = rng.standard_normal(n, dtype=np.float32)
    return X, (X[:, :5].sum(axis=1) + noise > 0).astype(np.int32)


def network(name, epochs):
    """Return an estimator that trains for the given number of epochs."""
    return SYSTEMS[name](
        HIDDEN,
        batch_size=BATCH,
        max_iter=epochs,
        n_iter_no_change=np.inf,
        random_state=0,
    )


def memory(kind):
    """Return a value of /proc/self/status in MiB: VmRSS is current, VmHWM the peak."""
    with Path("/proc/self/status").open() as file:
        return next(int(line.split()[1]) / 1024 for line in file if kind in line)


def measured(work):
    """Return seconds, increase of peak memory, and the result of a function."""
    before = memory("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # resets the peak
    started = time.perf_counter()
    result = work()
    return time.perf_counter() - started, memory("VmHWM") - before, result


def measure(name, n, epochs):
    """Print one line for a system and table."""
    X, y = table(2 * BATCH)
    # whether XLA is used depends on the number of steps; from 2000 on it always is
    steps = min(-(-n // BATCH) * epochs, 2000)
    network(name, -(-steps // 2)).fit(X, y).predict_proba(X)
    X, y = table(n)
    seconds, fit_peak, net = measured(lambda: network(name, epochs).fit(X, y))
    answer_seconds, answer_peak, _ = measured(lambda: net.predict_proba(X))
    size = X.nbytes / 2**20
    print(
        f"  {name:<14} fit {1e6 * seconds / n / epochs:6.3f} s per million row-epochs, "
        f"{fit_peak:6.0f} MiB = {fit_peak / size:5.2f} × X   predict "
        f"{1e6 * answer_seconds / n:6.3f} s per million rows, {answer_peak:6.0f} MiB   "
        f"loss {net.loss_:.4f}"
    )


def main(epochs: int) -> None:
    """Measure every system and table in separate processes."""
    for n in ROWS:
        size = n * N_FEATURES * 4 / 2**20
        print(
            f"\n{n} × {N_FEATURES}, X {size:.0f} MiB, {HIDDEN}, "
            f"{epochs} epochs of {BATCH}",
            flush=True,
        )
        for name in SYSTEMS:
            command = [sys.executable, __file__, name, str(n), str(epochs)]
            subprocess.run(command, check=True)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    if len(sys.argv) > 2:
        measure(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
