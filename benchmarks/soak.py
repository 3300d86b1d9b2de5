"""Does memory stay flat in a process that runs for long?

One process fits networks, explains rows, and predicts from several threads, over and
over, and reads its resident memory after each tenth of the work. Caches fill in the
first tenths; from the middle on, memory must not grow by more than a limit that is well
below what keeping the results would take. Exits with 1 if it does.

    python benchmarks/soak.py                 # 1,000 fits, 1,000 explanations, 10,000
                                              # predictions from 16 threads
    python benchmarks/soak.py --share 0.03    # a part of it
"""

import argparse
import ctypes
import gc
import sys
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import minmax_scale

from skdnn import DNNClassifier, explain
from skdnn.exceptions import BaselineWarning

PARTS = 10
LIMIT = 16.0  # MiB, from the middle of the work to its end
THREADS = 16
# Shapes that recur, as in a search; one in ten is new, and compiled.
N_SHAPES = 6


def resident() -> float:
    """Return the resident memory of this process in MiB, what is free given back."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    lines = Path("/proc/self/status").read_text().splitlines()
    line = next(line for line in lines if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def soak(name: str, work: Callable[[int], object], n: int) -> bool:
    """Do the work n times; print the memory after each part, and whether it is flat."""
    start, levels = time.perf_counter(), [resident()]
    for part in np.array_split(np.arange(n), min(PARTS, n)):
        for i in part:
            work(int(i))
        levels.append(resident())
    growth = levels[-1] - max(levels[: len(levels) // 2 + 1])
    shown = " ".join(f"{level:.0f}" for level in levels)
    print(f"{name}: {n} times in {time.perf_counter() - start:.0f} s")
    print(f"  MiB: {shown}; growth from the middle on: {growth:+.1f}", flush=True)
    return growth <= LIMIT


def fits(X: np.ndarray, y: np.ndarray) -> Callable[[int], object]:
    """Return work that fits a plain network, now and then the recipe."""

    def work(i: int) -> object:
        if i % 50 == 49:
            return DNNClassifier(max_iter=8, random_state=i).fit(X[::2], y[::2])
        hidden = 4 + (i % N_SHAPES if i % 10 else i // 10)
        network = DNNClassifier(hidden, max_iter=5, random_state=i)
        return network.fit(X, y).predict(X)

    return work


def explanations(X: np.ndarray, y: np.ndarray) -> Callable[[int], object]:
    """Return work that explains a row by each method in turn."""
    network = DNNClassifier(8, max_iter=40, random_state=0).fit(X, y)
    methods = [
        lambda row: explain.shap(network, row, background=X),
        lambda row: explain.lime(network, row, background=X, random_state=0),
        lambda row: explain.break_down(network, row, background=X),
        lambda row: explain.ceteris_paribus(network, row, background=X),
        lambda row: explain.counterfactuals(network, row, background=X),
        lambda row: explain.novelty(network, row, background=X),
    ]
    return lambda i: methods[i % len(methods)](X[[i % len(X)]])


def predictions(X: np.ndarray, y: np.ndarray) -> Callable[[int], object]:
    """Return work of 16 predictions at a time, of the recipe, each in its thread."""
    network = DNNClassifier(random_state=0).fit(X, y)
    rows = [slice(start, start + 50) for start in range(100)]
    expected = [network.predict_proba(X[part]) for part in rows]
    pool = ThreadPoolExecutor(THREADS)

    def predict(start: int) -> None:
        part, known = rows[start % 100], expected[start % 100]
        if not np.array_equal(network.predict_proba(X[part]), known):
            raise AssertionError("Predictions depend on the thread.")

    def work(i: int) -> None:
        list(pool.map(predict, range(i * THREADS, (i + 1) * THREADS)))

    return work


def main() -> None:
    """Run the three kinds of work, and exit with 1 if memory grew in one of them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--share", type=float, default=1.0, help="of the full work")
    share = parser.parse_args().share
    for category in (ConvergenceWarning, BaselineWarning):  # of five epochs
        warnings.simplefilter("ignore", category)
    X, y = load_iris(return_X_y=True)
    X = minmax_scale(X)
    is_flat = [
        soak("fits", fits(X, y), max(PARTS, int(1000 * share))),
        soak("explanations", explanations(X, y), max(PARTS, int(1000 * share))),
        soak(
            f"{THREADS} predictions",
            predictions(X, y),
            max(PARTS, int(10_000 * share / THREADS)),
        ),
    ]
    if not all(is_flat):
        sys.exit(f"Memory grew by more than {LIMIT} MiB.")


if __name__ == "__main__":
    main()
