"""Compare the time to fit with Keras's backends, next to keras.Model.fit and skorch.

Each backend has a process of its own. After a warm-up they take turns, so that other
load affects all of them. Printed are medians, ratios to skdnn with TensorFlow, and
final losses to show that the training is equivalent.

usage: python benchmarks/backends.py [REPEATS]
"""

import importlib.util
import os
import subprocess
import sys
import time
import warnings

import numpy as np
from fit import HIDDEN, fit_keras, fit_skdnn, fit_skorch, keras_model, tables

from skdnn import DNNClassifier, KerasClassifier

BACKENDS = ("tensorflow", "jax", "torch")


def fit_recipe(X, y, epochs, batch):
    """Return the final loss of the default recipe, of few epochs if rows are many."""
    max_iter = 2 if len(X) > 10_000 else None
    return DNNClassifier(max_iter=max_iter, random_state=0).fit(X, y).loss_


def fit_keras_classifier(X, y, epochs, batch):
    """Return the final loss of a KerasClassifier of the same layers."""
    net = KerasClassifier(
        lambda meta: keras_model(meta["n_features_in_"], meta["n_classes_"]),
        epochs=epochs,
        batch_size=batch,
        verbose=0,
        random_state=0,
    )
    return net.fit(X, y).history_["loss"][-1]


SYSTEMS = {
    "DNNClassifier(layers)": fit_skdnn,
    "DNNClassifier()": fit_recipe,
    "KerasClassifier": fit_keras_classifier,
    "keras.Model.fit": fit_keras,
    "skorch": fit_skorch,
}


def serve():
    """Fit what the lines of the standard input name; print seconds and final loss."""
    warnings.simplefilter("ignore")
    data = {
        title: (X.astype(np.float32), y.astype(np.int32), *rest)
        for title, X, y, *rest in tables()
    }
    for line in sys.stdin:
        title, system = line.strip().split("|")
        started = time.perf_counter()
        loss = SYSTEMS[system](*data[title])
        print("seconds", time.perf_counter() - started, float(loss), flush=True)


def ask(process, title, system):
    """Return seconds and final loss of a fit in another process."""
    process.stdin.write(f"{title}|{system}\n")
    process.stdin.flush()
    for line in process.stdout:
        if line.startswith("seconds"):
            return tuple(map(float, line.split()[1:]))
    raise RuntimeError(f"The process that should fit {system} has ended.")


def main(repeats: int) -> None:
    """Print a table of medians, ratios and losses for each data set."""
    processes = {
        name: subprocess.Popen(
            [sys.executable, __file__, "serve"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=os.environ | {"KERAS_BACKEND": name},
        )
        for name in BACKENDS
        if importlib.util.find_spec(name)
    }
    with_skorch = importlib.util.find_spec("skorch") and "torch" in processes
    for title, _, _, epochs, batch in tables():
        print(f"\n{title}, {HIDDEN}, {epochs} epochs of {batch}")
        for system in SYSTEMS:
            names = ["torch"] * bool(with_skorch) if system == "skorch" else processes
            times = {name: [] for name in names}
            # model.fit gains nothing from a warm-up worth its time
            for turn in range(1 if system == "keras.Model.fit" else repeats + 1):
                for name in names:
                    seconds, loss = ask(processes[name], title, system)
                    times[name].append((seconds, loss))
                    if turn == 1:
                        del times[name][0]  # the warm-up
            medians = {name: np.median([s for s, _ in t]) for name, t in times.items()}
            for name, median in medians.items():
                ratio = median / medians.get("tensorflow", np.nan)
                print(
                    f"  {system:<22} {name:<11} {median:8.3f} s   "
                    f"{ratio:6.2f} × tensorflow   loss {times[name][-1][1]:.4f}",
                    flush=True,
                )
    for process in processes.values():
        process.stdin.close()
        process.wait()


if __name__ == "__main__":
    if sys.argv[1:] == ["serve"]:
        serve()
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
