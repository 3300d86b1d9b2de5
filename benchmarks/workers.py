"""Time of a recipe, a search and SHAP values against the number of Dask workers.

Run ``python benchmarks/workers.py``. Workers have one thread each, on this machine. The
first run on new workers, which import TensorFlow and compile, is not counted.
"""

import time
from collections.abc import Callable

import joblib
from distributed import Client, LocalCluster
from sklearn.datasets import make_classification

from skdnn import DNNClassifier, explain
from skdnn.model_selection import GridSearchCV

X, y = make_classification(4000, 10, n_informative=6, random_state=0)
RECIPE = DNNClassifier(random_state=0)
LAYERS = DNNClassifier((64, 64), max_iter=20, n_iter_no_change=20, random_state=0)
SEARCH = GridSearchCV(LAYERS, {"learning_rate_init": [1e-3, 3e-3, 1e-2, 3e-2]}, cv=5)
FITTED = DNNClassifier((64, 64), max_iter=20, n_iter_no_change=20).fit(X, y)
TASKS: dict[str, Callable[[], object]] = {
    "recipe": lambda: RECIPE.fit(X, y),
    "search": lambda: SEARCH.fit(X, y),
    "SHAP": lambda: explain.shap(FITTED, X[:300], background=X, random_state=0),
}


def measure(task: Callable[[], object]) -> float:
    """Return the seconds of the second run."""
    task()
    started = time.perf_counter()
    task()
    return time.perf_counter() - started


def main() -> None:
    """Print a row for each number of workers."""
    cores = joblib.cpu_count()
    print(f"seconds; {cores} cores", *TASKS, sep="\t")
    print("no cluster", *(f"{measure(t):.2f}" for t in TASKS.values()), sep="\t")
    for n in (1, 2):
        with (
            LocalCluster(
                n_workers=n, threads_per_worker=1, dashboard_address=":0"
            ) as cluster,
            Client(cluster),
            joblib.parallel_config("dask"),
        ):
            times = [f"{measure(task):.2f}" for task in TASKS.values()]
            print(f"{n} workers", *times, sep="\t")


if __name__ == "__main__":
    main()
