"""Compare the time of a grid search: skdnn, MLPClassifier in processes, scikeras.

24 candidates × 5 folds on iris: the same layers, epochs, batches, folds and float32
data for all, with Adam. After a warm-up they take turns, so that other load affects all
of them. Printed are medians, ratios to skdnn, and the mean test loss over all
candidates to show that the training is equivalent.

scikeras would take most of an hour: it searches a single candidate, whose loss is
printed, and its time is multiplied by the number of candidates.

usage: python benchmarks/search.py [REPEATS]
"""

import sys
import time
import warnings

import numpy as np
import sklearn.model_selection
from fit import HIDDEN, keras_model, minmax_scale
from sklearn.datasets import load_iris
from sklearn.neural_network import MLPClassifier

import skdnn.model_selection
from skdnn import DNNClassifier

GRID = {
    "learning_rate_init": [3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1],
    "alpha": [1e-5, 1e-4, 1e-3, 1e-2],
}
N_CANDIDATES = 24
EPOCHS = 200
SETTINGS = {"cv": 5, "scoring": "neg_log_loss", "refit": False}


def plain(network, epochs):
    """Return a network with the common settings."""
    return network(
        HIDDEN,
        max_iter=epochs,
        batch_size=32,
        n_iter_no_change=np.inf if network is DNNClassifier else epochs,
        random_state=0,
    )


def search_skdnn(X, y, epochs):
    """Return the mean test loss of skdnn's search, and the factor of its time."""
    search = skdnn.model_selection.GridSearchCV(
        plain(DNNClassifier, epochs), GRID, **SETTINGS
    ).fit(X, y)
    return -search.cv_results_["mean_test_score"].mean(), 1


def search_mlp(X, y, epochs):
    """Return the same for scikit-learn's search over MLPClassifier, in processes."""
    search = sklearn.model_selection.GridSearchCV(
        plain(MLPClassifier, epochs), GRID, n_jobs=-1, **SETTINGS
    ).fit(X, y)
    return -search.cv_results_["mean_test_score"].mean(), 1


def search_one_by_one(X, y, epochs):
    """Return the same for scikit-learn's search over skdnn's networks."""
    search = sklearn.model_selection.GridSearchCV(
        plain(DNNClassifier, epochs), GRID, **SETTINGS
    ).fit(X, y)
    return -search.cv_results_["mean_test_score"].mean(), 1


def search_scikeras(X, y, epochs):
    """Return the same for scikit-learn's search over one network of scikeras."""
    from scikeras.wrappers import KerasClassifier

    network = KerasClassifier(
        keras_model,
        model__n_features=X.shape[1],
        model__n_classes=int(y.max()) + 1,
        epochs=epochs,
        batch_size=32,
        verbose=0,
    )
    # scikit-learn does not recognise a classifier, and would not stratify
    folds = sklearn.model_selection.StratifiedKFold(5)
    search = sklearn.model_selection.GridSearchCV(
        network, {"epochs": [epochs]}, **SETTINGS | {"cv": folds}
    ).fit(X, y)
    return -search.cv_results_["mean_test_score"].mean(), N_CANDIDATES


SYSTEMS = {
    "skdnn": search_skdnn,
    "MLPClassifier": search_mlp,
    "skdnn one by one": search_one_by_one,
    "scikeras": search_scikeras,
}


def main(repeats: int) -> None:
    """Print a table of medians, ratios and losses."""
    warnings.simplefilter("ignore")
    X, y = load_iris(return_X_y=True)
    X, y = minmax_scale(X).astype(np.float32), y.astype(np.int32)
    seconds = {name: [] for name in SYSTEMS}
    losses = {}
    for search in SYSTEMS.values():
        search(X, y, EPOCHS)
    for _ in range(repeats):
        for name, search in SYSTEMS.items():
            started = time.perf_counter()
            losses[name], factor = search(X, y, EPOCHS)
            seconds[name].append((time.perf_counter() - started) * factor)
    print(f"iris, {HIDDEN}, {EPOCHS} epochs of 32, {N_CANDIDATES} candidates × 5 folds")
    ours = np.median(seconds["skdnn"])
    for name, values in seconds.items():
        median = np.median(values)
        print(
            f"  {name:<16} {median:8.1f} s   {median / ours:6.2f} × skdnn   "
            f"mean test loss {losses[name]:.4f}"
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
