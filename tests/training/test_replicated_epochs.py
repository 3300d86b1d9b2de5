"""TensorFlow trains by strategies of several devices as it does on one."""

import json
import os
import socket
import subprocess
import sys

import numpy as np
import pytest

COMMON = """
import json
import os
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np
import tensorflow as tf
import keras
from sklearn.datasets import load_iris
from skdnn import DNNClassifier

X, y = load_iris(return_X_y=True)
X = (X - X.mean(axis=0)) / X.std(axis=0)
weight = np.linspace(0, 2, 150)
settings = {"random_state": 0, "max_iter": 4, "batch_size": 35, "n_iter_no_change": 9}


class Rates(keras.callbacks.LearningRateScheduler):
    n = 0

    def on_train_batch_end(self, batch, logs=None):
        type(self).n += 1


def fitted(**own):
    return DNNClassifier((16, 8), **settings | own).fit(X, y, weight)


def curves(**own):
    net = fitted(**own)
    curve = np.asarray(net.loss_curve_).tolist()
    return [curve, net.history_["accuracy"].tolist(), net.predict_proba(X[:3]).tolist()]


# with sgd a gradient that is counted twice shows, adam divides it by its size
SGD = {"solver": "sgd", "learning_rate_init": 0.3, "alpha": 1.0}
"""

MIRRORED = """
cpu = tf.config.list_physical_devices("CPU")[0]
two = [tf.config.LogicalDeviceConfiguration()] * 2
tf.config.set_logical_device_configuration(cpu, two)


def all_curves():
    rates = Rates(lambda epoch, rate: rate / 2)
    return [
        curves(**SGD),
        curves(early_stopping=True, learning_rate_init=0.02),
        curves(callbacks=[rates], learning_rate_init=0.1),
    ]


result = {"one": all_curves()}
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
steps = []
run = strategy.run
strategy.run = lambda *args, **options: steps.append(1) or run(*args, **options)
with strategy.scope():
    result["two"] = all_curves()
    try:
        fitted(batch_norm=True)
    except ValueError as error:
        result["error"] = str(error)
    result["members"] = DNNClassifier(random_state=0, max_iter=1).fit(X, y).score(X, y)
result["is_used"] = bool(steps)
result["batches"] = Rates.n
print(json.dumps(result))
"""

WORKERS = """
def all_curves():
    return [
        curves(**SGD),
        curves(early_stopping=True, learning_rate_init=0.02),
        curves(callbacks=[Rates(lambda epoch, rate: rate / 2)], learning_rate_init=0.1),
    ]


strategy = tf.distribute.MultiWorkerMirroredStrategy()
result = {"n": strategy.num_replicas_in_sync}
with strategy.scope():
    result["two"] = all_curves()
    result["members"] = DNNClassifier(random_state=0, max_iter=1).fit(X, y).score(X, y)
result["batches"] = Rates.n
print(json.dumps(result))
"""


def start(script, **environment):
    return subprocess.Popen(
        [sys.executable, "-c", COMMON + script],
        env=os.environ | {"KERAS_BACKEND": "tensorflow"} | environment,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def result_of(process):
    try:
        out, err = process.communicate(timeout=240)
    finally:
        process.kill()
    assert process.returncode == 0, err
    return json.loads(out.splitlines()[-1])


def free_ports(n):
    sockets = [socket.create_server(("localhost", 0)) for _ in range(n)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def assert_same_curves(result):
    for one, two in zip(result["one"], result["two"], strict=True):
        for ours, theirs in zip(one, two, strict=True):
            np.testing.assert_allclose(theirs, ours, rtol=1e-5)


pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def mirrored():
    return result_of(start(MIRRORED))


def test_losses_are_those_of_one_device(mirrored):
    assert mirrored["is_used"]
    assert_same_curves(mirrored)
    assert mirrored["batches"] == 2 * 4 * 5


def test_statistics_of_batches_are_an_error(mirrored):
    assert "batch_norm=True needs all rows of a batch" in mirrored["error"]
    assert "a strategy of 2 devices" in mirrored["error"]


def test_the_recipe_trains_as_without_a_strategy(mirrored):
    assert mirrored["members"] > 0.5


def test_losses_of_several_processes_are_those_of_one(mirrored):
    addresses = [f"localhost:{port}" for port in free_ports(2)]
    processes = [
        start(
            WORKERS,
            TF_CONFIG=json.dumps(
                {
                    "cluster": {"worker": addresses},
                    "task": {"type": "worker", "index": index},
                }
            ),
        )
        for index in range(2)
    ]
    for result in map(result_of, processes):
        assert result["n"] == 2
        assert result["batches"] == 4 * 5
        assert result["members"] > 0.5
        assert_same_curves(result | {"one": mirrored["one"]})
