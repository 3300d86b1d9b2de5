"""Train on a table on disk that is larger than memory should be, beside one in memory.

The table, of float32 numbers and two classes, is sorted by class: the worst case for
training block by block. It is made once as a folder of Parquet files and once as a
memory-mapped array, in a temporary folder (TMPDIR) that is removed. Each measurement
runs in its own process, after training on a few rows. Printed are the peak of resident
memory of the whole process, imports included, by how much that is more than before the
fit (most of it is TensorFlow's), rows and epochs per second of the fit,
the same per second of processor time, which other processes disturb less, and the log
loss on rows that nothing was trained on. Of the recipe a row counts once for each of
its eight networks.

usage: python benchmarks/larger_than_memory.py [GIGABYTES] [EPOCHS]
"""

import json
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet
from sklearn.metrics import log_loss

import skdnn
from skdnn import DNNClassifier

N_FEATURES, RECIPE_FEATURES = 100, 20
CHUNK = 2**18  # rows that are made at once
IN_MEMORY_ROWS = 1_000_000
RECIPE_ROWS = 1_000_000


def rows(n, seed, n_features):
    """Return rows and their classes."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, n_features), dtype=np.float32)
    signal = X[:, :10].sum(axis=1) + 2 * X[:, 10] * X[:, 11]
    y = (signal + rng.standard_normal(n, dtype=np.float32) > 0).astype(np.int64)
    return X, y


def make(folder, n, n_features):
    """Write the tables, sorted by class: Parquet files, and arrays."""
    files = folder / "parquet"
    files.mkdir()
    shape = (n, n_features)
    names = [f"x{j}" for j in range(n_features)]
    X_file = np.lib.format.open_memmap(folder / "X.npy", "w+", np.float32, shape)
    first, last = 0, n  # class 0 is written from the first row, class 1 from the last
    for chunk, start in enumerate(range(0, n, CHUNK)):
        X, y = rows(min(CHUNK, n - start), chunk, n_features)
        for label in (0, 1):
            own = X[y == label]
            columns = dict(zip(names, np.ascontiguousarray(own.T), strict=True))
            table = pa.table(columns | {"target": np.full(len(own), label)})
            name = files / f"{label}-{chunk:05}.parquet"
            pa.parquet.write_table(table, name, use_dictionary=False)
            if label == 0:
                X_file[first : first + len(own)] = own
                first += len(own)
            else:
                X_file[last - len(own) : last] = own
                last -= len(own)
    X_file.flush()
    np.save(folder / "y.npy", np.arange(n) >= first)


def status(kind):
    """Return a value of /proc/self/status in MiB: VmRSS is current, VmHWM the peak."""
    with Path("/proc/self/status").open() as file:
        return next(int(line.split()[1]) / 1024 for line in file if kind in line)


def estimator(kind, epochs):
    if kind == "recipe":
        return DNNClassifier(max_iter=epochs, random_state=0)
    return DNNClassifier(
        (64, 64), batch_size=256, max_iter=epochs, n_iter_no_change=np.inf,
        random_state=0,
    )  # fmt: skip


def table(source, folder):
    if source == "parquet":
        return pa.dataset.dataset(folder / "parquet"), "target"
    X = np.load(folder / "X.npy", mmap_mode="r")
    y = np.load(folder / "y.npy")
    return (X, y) if source == "memmap" else (np.array(X), y)


def measure(source, kind, folder, epochs):
    """Print what one fit takes, and how well it predicts."""
    n_features = RECIPE_FEATURES if kind == "recipe" else N_FEATURES
    X, y = rows(1000, 10**6, n_features)
    estimator(kind, 2000 if kind == "plain" else 1).fit(X, y)  # long enough for XLA
    X, y = table(source, Path(folder))
    n = X.count_rows() if source == "parquet" else len(X)
    network = estimator(kind, epochs)
    Path("/proc/self/clear_refs").write_text("5")  # resets the peak
    resident = status("VmRSS")
    started, before = time.perf_counter(), time.process_time()
    network.fit(X, y)
    seconds = time.perf_counter() - started
    cpu_seconds = time.process_time() - before
    X_test, y_test = rows(50_000, 10**6 + 1, n_features)
    if source == "parquet":
        X_test = pd.DataFrame(X_test, columns=network.feature_names_in_)
    n_trained = n * epochs * (8 if kind == "recipe" else 1)
    figures = {
        "peak_mib": round(status("VmHWM")),
        "more_than_before_mib": round(status("VmHWM") - resident),
        "rows_per_second": round(n_trained / seconds),
        "rows_per_cpu_second": round(n_trained / cpu_seconds),
        "seconds": round(seconds, 1),
        "log_loss": round(log_loss(y_test, network.predict_proba(X_test)), 4),
    }
    if source == "parquet":
        started = time.perf_counter()
        Path("/proc/self/clear_refs").write_text("5")
        skdnn.io.write_predictions(network, X, Path(folder, "out.parquet"))
        taken = time.perf_counter() - started
        figures["predicted_per_second"] = round(n / taken)
        figures["predict_peak_mib"] = round(status("VmHWM"))
    print(json.dumps(figures), flush=True)


def run(source, kind, folder, epochs):
    command = [sys.executable, __file__, source, kind, str(folder), str(epochs)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    print(f"  {kind:<7} {source:<8} {done.stdout.strip()}", flush=True)


def main(gigabytes: float, epochs: int) -> None:
    """Make the tables and measure."""
    n = round(gigabytes * 1e9 / 4 / N_FEATURES)
    sizes = {
        RECIPE_ROWS: [("recipe", s, 2) for s in ("memory", "memmap")],
        IN_MEMORY_ROWS: [("plain", s, epochs) for s in ("memory", "memmap", "parquet")],
        n: [("plain", s, epochs) for s in ("memmap", "parquet")],
    }
    for n_rows, fits in sizes.items():
        with tempfile.TemporaryDirectory(prefix="skdnn-benchmark-") as folder:
            is_recipe = fits[0][0] == "recipe"
            n_features = RECIPE_FEATURES if is_recipe else N_FEATURES
            make(Path(folder), n_rows, n_features)
            size = n_rows * n_features * 4 / 1e9
            print(f"\n{n_rows} rows × {n_features}, {size:.2f} GB", flush=True)
            for kind, source, n_epochs in fits:
                run(source, kind, folder, n_epochs)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    if len(sys.argv) > 3:
        measure(*sys.argv[1:4], int(sys.argv[4]))
    else:
        size = float(sys.argv[1]) if len(sys.argv) > 1 else 10
        main(size, int(sys.argv[2]) if len(sys.argv) > 2 else 2)
