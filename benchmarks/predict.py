"""Compare the time to predict of skdnn and MLPClassifier, from one row to many.

Both hold the same network (same seed, same epochs). They take turns; printed are
medians, ratios and the largest difference of their probabilities.

usage: python benchmarks/predict.py [REPEATS]
"""

import sys
import time
import warnings

import numpy as np
from sklearn.datasets import make_classification
from sklearn.neural_network import MLPClassifier

from skdnn import DNNClassifier

N_FEATURES = 30
ROWS = (1, 100, 10_000, 200_000)
SETTINGS = {"max_iter": 3, "batch_size": 256, "random_state": 0}


def main(repeats: int) -> None:
    """Print one line per number of rows."""
    warnings.simplefilter("ignore")
    X, y = make_classification(
        max(ROWS), N_FEATURES, n_informative=10, n_classes=3, random_state=0
    )
    for dtype in (np.float64, np.float32):
        rows = X.astype(dtype)
        systems = {
            cls.__name__: cls((64, 64), **SETTINGS).fit(rows[:5000], y[:5000])
            for cls in (DNNClassifier, MLPClassifier)
        }
        print(f"\n{np.dtype(dtype).name}, 64-64, {N_FEATURES} columns, 3 classes")
        for n in ROWS:
            seconds = {name: [] for name in systems}
            proba = {}
            for _ in range(repeats if n > 1000 else 50 * repeats):
                for name, net in systems.items():
                    started = time.perf_counter()
                    proba[name] = net.predict_proba(rows[:n])
                    seconds[name].append(time.perf_counter() - started)
            ours, theirs = (np.median(values) for values in seconds.values())
            difference = np.abs(np.subtract(*proba.values())).max()
            print(
                f"  {n:>7} rows   skdnn {1e3 * ours:9.3f} ms   MLPClassifier "
                f"{1e3 * theirs:9.3f} ms   {theirs / ours:5.2f} ×   "
                f"difference {difference:.0e}"
            )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 11)
