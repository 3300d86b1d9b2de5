"""The public functions of skdnn.io."""

import subprocess
import sys

import numpy as np
import pytest

import skdnn


def fitted(X, y):
    network = skdnn.DNNClassifier((5,), learning_rate_init=0.05, max_iter=20)
    return network.set_params(n_iter_no_change=np.inf).fit(X, y)


def test_dump_and_load(iris, tmp_path):
    X, y = iris
    network = fitted(X, y)
    for path in (tmp_path / "model.skops", str(tmp_path / "again.skops")):
        assert skdnn.io.dump(network, path) is None
        again = skdnn.io.load(path)
        assert np.array_equal(again.predict_proba(X), network.predict_proba(X))
    with pytest.raises(IsADirectoryError, match=r"dump needs the name.*model\.skops"):
        skdnn.io.dump(network, tmp_path)


def test_reading_and_predicting_load_no_keras(iris, tmp_path):
    X, y = iris
    skdnn.io.dump(fitted(X, y), tmp_path / "model.skops")
    code = f"""
import sys, skdnn
network = skdnn.io.load({str(tmp_path / "model.skops")!r})
network.predict([[0, 0, 0, 0]])
print([m for m in ("keras", "tensorflow", "matplotlib") if m in sys.modules])
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
    assert done.stderr == ""
