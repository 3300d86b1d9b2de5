import subprocess
import sys

import numpy as np
import pytest
from networks import ENCODINGS, encoding_network

from skdnn._network import prediction
from skdnn._network.keras_encoding_model import build_encoding_model


@pytest.mark.slow
def test_a_saved_model_needs_nothing_of_this_package(tmp_path):
    spec, weights, X = encoding_network(ENCODINGS["all"], "float32")
    build_encoding_model(spec, weights).save(tmp_path / "model.keras")
    np.save(tmp_path / "X.npy", X)
    script = (
        "import sys, keras, numpy as np\n"
        "model = keras.models.load_model('model.keras')\n"
        "np.save('proba.npy', model.predict(np.load('X.npy'), verbose=0))\n"
        "assert 'skdnn' not in sys.modules\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    np.testing.assert_allclose(
        np.load(tmp_path / "proba.npy"),
        prediction.Predictor(spec, weights).proba(X),
        atol=1e-5,
    )
