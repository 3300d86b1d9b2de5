"""Tensors of another backend, in a process of ``test_backends.py``."""

import numpy as np
from optional import with_backend
from sklearn.datasets import load_iris

from skdnn import DNNClassifier


@with_backend("jax")
def test_without_float64_trains_and_predicts_in_float32(capsys):
    import jax

    assert not jax.config.jax_enable_x64
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
    assert capsys.readouterr().out == ""
