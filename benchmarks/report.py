"""Time and memory of a report on the default classifier, at five sizes.

Each size runs in a process of its own: the classifier is fitted, predicts once, and is
explained with up to 500 training rows as the background. Memory is the growth of the
process's peak, over its memory before the report, in multiples of X.

Run it with ``python benchmarks/report.py``, or with the numbers of some sizes.
"""

import os
import resource
import subprocess
import sys
import time
from pathlib import Path

from sklearn.datasets import make_classification

from skdnn import DNNClassifier, explain

# held-out rows, columns, training rows, and the seconds that a report may take
SIZES = (
    (86, 6, 260, 5),
    (250, 20, 750, 5),
    (300, 30, 900, 10),
    (150, 200, 450, 30),
    (100_000, 50, 20_000, 60),
)


def memory():
    """Return the bytes that the process holds now."""
    with Path("/proc/self/statm").open() as file:
        return int(file.read().split()[1]) * resource.getpagesize()


def measure(n_rows, n_columns, n_train, limit):
    X, y = make_classification(
        n_rows + n_train, n_columns, n_informative=4, n_redundant=0, n_classes=3,
        random_state=0,
    )  # fmt: skip
    model = DNNClassifier(random_state=0).fit(X[:n_train], y[:n_train])
    model.predict_proba(X[:1000])
    before, wall, cpu = memory(), time.perf_counter(), time.process_time()
    made = explain.report(
        model, X[n_train:], y[n_train:], background=X[:n_train][:500], verbose=False
    )
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    size = f"{n_rows} x {n_columns}"
    grown = max(0, peak - before)
    print(
        f"{size:>12}: {wall:6.1f} s ({cpu:.1f} s of processors, limit {limit} s), page "
        f"{len(made.html()) / 1e6:.1f} MB, memory {grown / 2**20:.0f} MB, "
        f"{grown / X[n_train:].nbytes:.1f} times X",
        flush=True,
    )


if __name__ == "__main__":
    if os.environ.get("REPORT_SIZE"):
        measure(*SIZES[int(os.environ["REPORT_SIZE"])])
    else:
        for i in sys.argv[1:] or range(len(SIZES)):
            command = [sys.executable, __file__]
            subprocess.run(
                command, env=os.environ | {"REPORT_SIZE": str(i)}, check=True
            )
