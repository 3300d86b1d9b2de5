import keras
import numpy as np
from networks import plain_network
from scipy.sparse import csr_matrix

from skdnn._network import keras_forward, numpy_forward, prediction
from skdnn._network.keras_models import build_model


def doubled(x):
    return keras.ops.relu(x) * 2


def test_a_function_of_the_user_is_evaluated_in_keras():
    spec, weights, X = plain_network(doubled, "float64")
    assert not numpy_forward.supports(spec)
    expected = keras.ops.convert_to_numpy(build_model(spec, weights)(X))
    logits = prediction.predict_logits(spec, weights, X)
    np.testing.assert_allclose(prediction.probabilities(spec, logits), expected)
    np.testing.assert_allclose(
        keras_forward.predict_logits(spec, weights, csr_matrix(X)), logits
    )


def test_both_forward_passes_agree(monkeypatch):
    spec, weights, X = plain_network("tanh", "float64", batch_norm=True)
    # private: blocks of the real size would need many rows
    monkeypatch.setattr(keras_forward, "_BLOCK_ROWS", 64)
    np.testing.assert_allclose(
        keras_forward.predict_logits(spec, weights, X),
        prediction.predict_logits(spec, weights, X),
        atol=1e-12,
    )
