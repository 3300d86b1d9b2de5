"""JAX trains on eight devices as it does on one."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from optional import needs

SCRIPT = """
import json
import sys

import keras
import numpy as np
from sklearn.datasets import load_iris

from skdnn import DNNClassifier, KerasClassifier
from skdnn._training import program

X, y = load_iris(return_X_y=True)
X = (X - X.mean(axis=0)) / X.std(axis=0)
order = np.random.default_rng(0).permutation(150)
X, y = X[order], y[order]
settings = {"random_state": 0, "max_iter": 5, "n_iter_no_change": 10}
settings["learning_rate_init"] = 0.02


class Batches(keras.callbacks.Callback):
    n = 0

    def on_train_batch_end(self, batch, logs=None):
        type(self).n += 1


def fitted(rows=150, **own):
    return DNNClassifier((32, 16), **settings | own).fit(X[:rows], y[:rows])


def build(meta):
    model = keras.Sequential([
        keras.layers.Input((4,)),
        keras.layers.Dense(16, "relu"),
        keras.layers.Dense(3, "softmax"),
    ])
    model.compile("adam", "sparse_categorical_crossentropy")
    return model


def keras_fitted(rows=144, size=16):
    net = KerasClassifier(build, epochs=4, batch_size=size, random_state=0, verbose=0)
    return net.fit(X[:rows], y[:rows])


def losses():
    def of(net):
        return np.asarray(net.loss_curve_).tolist()

    networks = [
        # 150 rows in batches of 60: none of the numbers is a multiple of eight
        fitted(batch_size=60),
        fitted(batch_size=7, alpha=0.1, early_stopping=True),
        fitted(batch_size=60, batch_norm=True),
        fitted(rows=144, batch_size=16, callbacks=[Batches()]),
        DNNClassifier(random_state=0, max_iter=4).fit(X, y),
    ]
    model = keras_fitted()
    proba = model.predict_proba(X[:5]).tolist()
    return [*map(of, networks), model.history_["loss"], proba]


def error(function, **own):
    try:
        function(**own)
    except ValueError as error:
        return str(error)


result = {"one": losses()}
keras.distribution.set_distribution(keras.distribution.DataParallel())
result["eight"] = losses()
used = {key[3].sharding for key in program.programs._by_key}
result["devices"] = sorted(1 if s is None else s.num_devices for s in used)
result["batches"] = Batches.n
result["errors"] = [
    error(keras_fitted, rows=150),
    error(keras_fitted, size=20),
    error(fitted, batch_size=60, callbacks=[Batches()]),
]
print(json.dumps(result))
"""


@pytest.fixture(scope="module")
def result():
    flags = {"XLA_FLAGS": "--xla_force_host_platform_device_count=8"}
    run = subprocess.run(
        [sys.executable, "-W", "error::UserWarning", "-c", SCRIPT],
        env=os.environ | flags | {"KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout.splitlines()[-1])


pytestmark = [pytest.mark.slow, needs("jax")]


def test_losses_are_those_of_one_device(result):
    for one, eight in zip(result["one"], result["eight"], strict=True):
        assert np.isfinite(one).all()
        np.testing.assert_allclose(eight, one, rtol=2e-5)


def test_rows_are_spread_over_all_devices(result):
    assert result["devices"] == [1, 8]
    assert result["batches"] == 2 * 5 * 9


def test_batches_that_cannot_be_spread_are_an_error(result):
    for text in result["errors"]:
        assert "must be multiples of the number of devices" in text
        assert "trains on 8" in text
    assert "Got 150 rows in batches of 16" in result["errors"][0]
    assert "leave 6 rows out" in result["errors"][0]
