"""Compare the time to fit: skdnn, MLPClassifier, keras.Model.fit, scikeras, skorch.

All train the same layers for the same epochs and batches on float32 data with Adam.
After a warm-up they take turns, so that other load affects all of them. Printed are
medians, ratios to skdnn, and final losses to show that the training is equivalent.

usage: python benchmarks/fit.py [REPEATS]
"""

import importlib.util
import sys
import time
import warnings
from itertools import pairwise

import numpy as np
from sklearn.datasets import load_digits, load_iris, make_classification
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import minmax_scale

from skdnn import DNNClassifier

HIDDEN = (64, 64)
RATE = 1e-3


def tables():
    """Return name, rows, classes, epochs and batch size of each table."""
    X, y = load_iris(return_X_y=True)
    yield "iris 150 × 4", minmax_scale(X), y, 200, 32
    X, y = load_digits(return_X_y=True)
    yield "digits 1797 × 64", X / 16, y, 50, 32
    X, y = make_classification(50_000, 30, n_informative=10, random_state=0)
    yield "synthetic 50 000 × 30", X, y, 10, 256


def fit_skdnn(X, y, epochs, batch):
    """Return the final loss of a DNNClassifier."""
    net = DNNClassifier(
        HIDDEN,
        learning_rate_init=RATE,
        max_iter=epochs,
        batch_size=batch,
        n_iter_no_change=np.inf,
        random_state=0,
    )
    return net.fit(X, y).loss_


def fit_mlp(X, y, epochs, batch):
    """Return the final loss of scikit-learn's MLPClassifier."""
    net = MLPClassifier(
        HIDDEN,
        learning_rate_init=RATE,
        max_iter=epochs,
        batch_size=batch,
        n_iter_no_change=np.inf,
        random_state=0,
    )
    return net.fit(X, y).loss_


def keras_model(n_features, n_classes):
    """Return a compiled Keras model of the same layers."""
    import keras

    model = keras.Sequential([keras.Input((n_features,))])
    for units in HIDDEN:
        model.add(keras.layers.Dense(units, activation="relu"))
    model.add(keras.layers.Dense(n_classes, activation="softmax"))
    model.compile(keras.optimizers.Adam(RATE), "sparse_categorical_crossentropy")
    return model


def fit_keras(X, y, epochs, batch):
    """Return the final loss of keras.Model.fit."""
    model = keras_model(X.shape[1], int(y.max()) + 1)
    return model.fit(X, y, batch_size=batch, epochs=epochs, verbose=0).history["loss"][
        -1
    ]


def fit_scikeras(X, y, epochs, batch):
    """Return the final loss of scikeras's KerasClassifier."""
    from scikeras.wrappers import KerasClassifier

    net = KerasClassifier(
        keras_model,
        model__n_features=X.shape[1],
        model__n_classes=int(y.max()) + 1,
        epochs=epochs,
        batch_size=batch,
        verbose=0,
    )
    return net.fit(X, y).history_["loss"][-1]


def fit_skorch(X, y, epochs, batch):
    """Return the final loss of skorch's NeuralNetClassifier."""
    import torch
    from skorch import NeuralNetClassifier

    widths = [X.shape[1], *HIDDEN]
    layers = []
    for before, after in pairwise(widths):
        layers += [torch.nn.Linear(before, after), torch.nn.ReLU()]
    layers.append(torch.nn.Linear(widths[-1], int(y.max()) + 1))
    net = NeuralNetClassifier(
        torch.nn.Sequential(*layers),
        criterion=torch.nn.CrossEntropyLoss,
        optimizer=torch.optim.Adam,
        lr=RATE,
        max_epochs=epochs,
        batch_size=batch,
        iterator_train__shuffle=True,
        train_split=None,
        verbose=0,
    )
    net.fit(X, y.astype(np.int64))
    return net.history[-1, "train_loss"]


SYSTEMS = {
    "skdnn": fit_skdnn,
    "MLPClassifier": fit_mlp,
    "keras.Model.fit": fit_keras,
    "scikeras": fit_scikeras,
    "skorch": fit_skorch,
}
NEEDS = {"skorch": "skorch"}


def main(repeats: int) -> None:
    """Print a table of medians, ratios and losses for each data set."""
    warnings.simplefilter("ignore")
    systems = {
        name: fit
        for name, fit in SYSTEMS.items()
        if importlib.util.find_spec(NEEDS.get(name, "skdnn"))
    }
    for title, rows, classes, epochs, batch in tables():
        X, y = rows.astype(np.float32), classes.astype(np.int32)
        seconds = {name: [] for name in systems}
        losses = {}
        for fit in systems.values():
            fit(X, y, epochs, batch)  # fewer epochs would compile another program
        for _ in range(repeats):
            for name, fit in systems.items():
                started = time.perf_counter()
                losses[name] = fit(X, y, epochs, batch)
                seconds[name].append(time.perf_counter() - started)
        print(f"\n{title}, {HIDDEN}, {epochs} epochs of {batch}")
        ours = np.median(seconds["skdnn"])
        for name, values in seconds.items():
            median = np.median(values)
            print(
                f"  {name:<16} {median:8.3f} s   {median / ours:6.2f} × skdnn   "
                f"loss {losses[name]:.4f}"
            )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
