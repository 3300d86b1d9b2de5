"""Measure how time and memory grow with rows, columns, classes, members and processes.

Each measurement runs in a process of its own, after importing Keras and training on a
few rows of the same shape. Printed are the seconds of a fit, the increase of peak
resident memory over that before the fit (without imports and X), and seconds and memory
of predicting all rows. MLPClassifier trains the same layers for the same epochs and
batches of float32 rows beside the plain network.

A power law is fitted to the seconds of 100,000 rows and more, and continued to a
billion, with a 95% prediction interval; and, as a check, it is fitted without the
largest size, which it then predicts.

    python benchmarks/scale.py                        # everything
    python benchmarks/scale.py rows --largest 1e6     # one kind of growth, a part of it
"""

import argparse
import json
import subprocess
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats
from sklearn.datasets import make_blobs
from sklearn.neural_network import MLPClassifier

from skdnn import DNNClassifier
from skdnn.model_selection import GridSearchCV

BATCH = 256
EPOCHS = 3
LAW_FROM = 100_000  # rows; below, what does not depend on rows takes much of the time
# Of each kind of growth: its sizes, what is fitted, and what stays the same.
GROWTHS: dict[str, tuple[tuple[int, ...], tuple[str, ...], dict[str, int]]] = {
    "rows": (
        (10_000, 30_000, 100_000, 300_000, 1_000_000, 3_000_000, 10_000_000),
        ("plain", "MLPClassifier", "recipe"),
        {"columns": 10, "classes": 2},
    ),
    "columns": ((10, 100, 1000), ("plain", "recipe"), {"rows": 10_000, "classes": 2}),
    "classes": ((2, 10, 100, 1000), ("plain", "recipe"), {"rows": 20_000}),
    "members": ((1, 2, 4, 8, 16), ("plain",), {"rows": 20_000}),
    "processes": ((1, 2), ("search",), {"rows": 5_000}),
}
MOST_ROWS_OF_THE_RECIPE = 1_000_000
PREDICTED = 1e9


def table(rows: int, columns: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Return float32 rows around the centres of the classes, which overlap."""
    if classes == 2:
        rng = np.random.default_rng(0)
        X = rng.standard_normal((rows, columns), dtype=np.float32)
        noise = rng.standard_normal(rows, dtype=np.float32)
        return X, (X[:, :5].sum(axis=1) + noise > 0).astype(np.int32)
    X, y = make_blobs(rows, columns, centers=classes, random_state=0)
    return X.astype(np.float32) / 10, y.astype(np.int32)


def estimator(name: str, size: dict[str, int]) -> Any:
    """Return what is fitted."""
    if name == "recipe":
        return DNNClassifier(random_state=0)
    settings = {
        "hidden_layer_sizes": (64, 64),
        "batch_size": BATCH,
        "max_iter": EPOCHS,
        "n_iter_no_change": np.inf,
        "random_state": 0,
    }
    if name == "MLPClassifier":
        return MLPClassifier(**settings)
    network = DNNClassifier(**settings, n_estimators=size.get("members", 1))
    if name == "plain":
        return network
    grid = {"activation": ["relu", "tanh", "elu", "selu"], "max_iter": [20]}
    return GridSearchCV(network, grid, n_jobs=size["processes"])


def memory(kind: str) -> float:
    """Return a value of /proc/self/status in MiB: VmRSS is current, VmHWM the peak."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(kind)).split()[1]) / 1024


def measured(work: Any) -> tuple[float, float, Any]:
    """Return seconds, the increase of peak memory in MiB, and what the work returns."""
    Path("/proc/self/clear_refs").write_text("5")
    before, started = memory("VmRSS"), time.perf_counter()
    result = work()
    return time.perf_counter() - started, memory("VmHWM") - before, result


def measure(name: str, size: dict[str, int]) -> dict[str, float]:
    """Return the measurements of one fit, and of predicting its rows."""
    warnings.simplefilter("ignore")
    shape = {"columns": 10, "classes": 2} | size
    X, y = table(shape["rows"], shape["columns"], shape["classes"])
    few = min(len(X), max(2 * BATCH, 4 * shape["classes"]))
    estimator(name, size).fit(X[:few], y[:few]).predict_proba(X[:few])
    seconds, peak, fitted = measured(lambda: estimator(name, size).fit(X, y))
    answer, answer_peak, _ = measured(lambda: fitted.predict_proba(X))
    return {
        "seconds": seconds,
        "MiB": peak,
        "X_MiB": X.nbytes / 2**20,
        "predict_seconds": answer,
        "predict_MiB": answer_peak,
    }


def law(rows: np.ndarray, seconds: np.ndarray, at: float) -> tuple[float, ...]:
    """Return exponent, prediction and its 95% interval of a power law of seconds."""
    x, y = np.log(rows), np.log(seconds)
    line = stats.linregress(x, y)
    left = y - line.intercept - line.slope * x
    free = len(x) - 2
    variance = (left**2).sum() / free
    spread = 1 + 1 / len(x) + (np.log(at) - x.mean()) ** 2 / ((x - x.mean()) ** 2).sum()
    half = stats.t.ppf(0.975, free) * np.sqrt(variance * spread)
    middle = line.intercept + line.slope * np.log(at)
    return line.slope, *np.exp([middle, middle - half, middle + half])


def show_law(name: str, rows: list[int], seconds: list[float]) -> None:
    """Print a power law, its prediction, and how well it predicts the largest size."""
    used = np.array(rows) >= LAW_FROM
    n, t = np.array(rows, dtype=float)[used], np.array(seconds)[used]
    if len(n) < 3:
        return
    slope, middle, low, high = law(n, t, PREDICTED)
    print(
        f"  {name}: seconds grow as rows ** {slope:.2f}; {PREDICTED:.0e} rows: "
        f"{middle / 3600:.1f} h (95% interval {low / 3600:.1f} to {high / 3600:.1f})"
    )
    if len(n) > 3:
        _, known, *_ = law(n[:-1], t[:-1], n[-1])
        print(f"    {n[-1]:.0e} rows from fewer: {known:.3g} s, measured {t[-1]:.3g}")


def run(name: str, size: dict[str, int]) -> dict[str, float]:
    """Return `measure` in a process of its own."""
    command = [sys.executable, __file__, "one", name, json.dumps(size)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def grow(kind: str, largest: float) -> None:
    """Measure one kind of growth, and print it."""
    sizes, names, fixed = GROWTHS[kind]
    print(f"\n{kind}, beside {fixed or 'nothing'}")
    for name in names:
        most = MOST_ROWS_OF_THE_RECIPE if name == "recipe" else np.inf
        kept = [n for n in sizes if kind != "rows" or n <= min(largest, most)]
        results = []
        for n in kept:
            row = run(name, {"rows": 10_000} | fixed | {kind: n})
            results.append(row)
            print(
                f"  {name:<13} {n:>10,}  fit {row['seconds']:8.2f} s, "
                f"{row['MiB']:6.0f} MiB (X {row['X_MiB']:.0f})  "
                f"predict {row['predict_seconds']:7.2f} s, "
                f"{row['predict_MiB']:5.0f} MiB",
                flush=True,
            )
        if kind == "rows":
            show_law(name, kept, [row["seconds"] for row in results])


def main() -> None:
    """Measure the kinds of growth that are named, or all."""
    if sys.argv[1:2] == ["one"]:
        print(json.dumps(measure(sys.argv[2], json.loads(sys.argv[3]))))
        return
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kinds", nargs="*", metavar="kind", help=", ".join(GROWTHS))
    parser.add_argument("--largest", type=float, default=np.inf, help="number of rows")
    arguments = parser.parse_args()
    for kind in arguments.kinds or GROWTHS:
        grow(kind, arguments.largest)


if __name__ == "__main__":
    main()
