"""The compiled epoch on Keras's other backends, against the same reference."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from optional import needs, require

pytestmark = pytest.mark.slow
HERE = Path(__file__).parent
CASES = (
    "plain-float64-False or plain-float32-False or dropout-float64-False "
    "or norm-float64-False or nadam-float64-False or schedule"
)


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_equals_keras_fit_in_a_process_with(backend):
    require(backend)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider",
         str(HERE / "test_keras_fallback.py"), "-k", CASES],
        capture_output=True,
        text=True,
        env=os.environ | {"KERAS_BACKEND": backend, "JAX_ENABLE_X64": "1"},
        cwd=HERE.parent.parent,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]
    assert "6 passed" in done.stdout


@needs("jax")
def test_without_float64_trains_and_predicts_in_float32():
    code = """
import numpy as np
from sklearn.datasets import load_iris
from skdnn import DNNClassifier
X, y = load_iris(return_X_y=True)
net = DNNClassifier((8,), solver="sgd", learning_rate_init=0.01, random_state=0)
net.set_params(max_iter=30, n_iter_no_change=np.inf).fit(X, y)
assert net.coefs_[0].dtype == net.predict_proba(X).dtype == np.float32
assert "float32" in net.summary()
np.testing.assert_allclose(
    net.model_.predict(X, verbose=0), net.predict_proba(X), atol=1e-5
)
quasi = DNNClassifier((8,), solver="lbfgs", random_state=0, max_iter=400).fit(X, y)
assert quasi.score(X, y) > 0.95
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-W", "ignore:__array__", "-c", code],
        capture_output=True,
        text=True,
        env=os.environ | {"KERAS_BACKEND": "jax"},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
