"""The Keras model of a fitted classifier, and what it receives."""

import keras
import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

from skdnn import DNNClassifier


@pytest.mark.filterwarnings("ignore::skdnn.exceptions.BaselineWarning")
@pytest.mark.parametrize("layers", [None, (5,)], ids=["recipe", "plain"])
def test_saved_and_exported_models_predict_what_the_classifier_does(
    layers, passengers, tmp_path
):
    import tensorflow as tf

    X, y = passengers
    network = DNNClassifier(layers, max_iter=2, n_iter_no_change=9, random_state=0)
    proba = network.fit(X, y).predict_proba(X)
    inputs = network.model_inputs(X)
    np.testing.assert_allclose(
        network.model_.predict(inputs, verbose=0), proba, atol=1e-6
    )
    network.model_.save(tmp_path / "model.keras")
    saved = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(saved.predict(inputs, verbose=0), proba, atol=1e-6)
    network.model_.export(tmp_path / "exported", verbose=False)
    exported = tf.saved_model.load(tmp_path / "exported")
    dtype = network.model_.input.dtype
    served = exported.serve(tf.constant(inputs, dtype=dtype)).numpy()
    np.testing.assert_allclose(served, proba, atol=1e-6)


def test_inputs_before_fit():
    with pytest.raises(NotFittedError):
        DNNClassifier().model_inputs([[0.0]])
