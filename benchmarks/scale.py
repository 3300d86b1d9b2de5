"""Time and memory as rows grow, side by side: skdnn and MLPClassifier.

Each table has a process of its own, where keras is imported and the network has been
trained on a few rows first. Both train the same layers for the same epochs and batches
on float32 rows with Adam. Printed are the seconds that a million rows take in an
epoch, the peak of resident memory above what there was before the fit (imports and
the caller's X are not in it), also as a multiple of X, and the final loss.

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
    """Return rows and two classes that a network can learn, without a copy of them."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, N_FEATURES), dtype=np.float32)
    noise = rng.standard_normal(n, dtype=np.float32)
    return X, (X[:, :5].sum(axis=1) + noise > 0).astype(np.int32)


def network(name, epochs):
    """Return an estimator that trains for so many epochs."""
    return SYSTEMS[name](
        HIDDEN,
        batch_size=BATCH,
        max_iter=epochs,
        n_iter_no_change=np.inf,
        random_state=0,
    )


def memory(kind):
    """Return a figure of /proc/self/status, in MiB: VmRSS now, VmHWM the peak."""
    with Path("/proc/self/status").open() as file:
        return next(int(line.split()[1]) / 1024 for line in file if kind in line)


def measured(work):
    """Return seconds, peak of memory above the start, and what the work returns."""
    before = memory("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
    started = time.perf_counter()
    result = work()
    return time.perf_counter() - started, memory("VmHWM") - before, result


def measure(name, n, epochs):
    """Print a line for one system and table."""
    X, y = table(2 * BATCH)
    # the road hangs on the steps of a fit; 2000 of them are as good as any more
    steps = min(-(-n // BATCH) * epochs, 2000)
    network(name, -(-steps // 2)).fit(X, y).predict_proba(X)
    X, y = table(n)
    seconds, fit_peak, net = measured(lambda: network(name, epochs).fit(X, y))
    answer_seconds, answer_peak, _ = measured(lambda: net.predict_proba(X))
    size = X.nbytes / 2**20
    print(
        f"  {name:<14} fit {1e6 * seconds / n / epochs:6.3f} s a million row-epochs, "
        f"{fit_peak:6.0f} MiB = {fit_peak / size:5.2f} × X   predict "
        f"{1e6 * answer_seconds / n:6.3f} s a million rows, {answer_peak:6.0f} MiB   "
        f"loss {net.loss_:.4f}"
    )


def main(epochs: int) -> None:
    """Measure every system and table, each in a process of its own."""
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
