"""Write the models of this release to tests/kept, where later releases read them.

    python tests/keep_models.py

Run once for a release. Weights are rounded, so that the file is small.
"""

import io
import pickle
import tempfile
import warnings
import zipfile
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

import skdnn
from skdnn import DNNClassifier

KEPT = Path(__file__).parent / "kept"


def table():
    """Return a table with strings, booleans and missing cells, and its classes."""
    n = 120
    frame = pd.DataFrame(
        {
            "colour": ["red", "blue", None, "green", "red", "blue"] * (n // 6),
            "size": [1.5, np.nan, 2.0, 3.0, 2.5] * (n // 5),
            "ripe": [True, False, True] * (n // 3),
        }
    )
    return frame, np.where(np.arange(n) % 4 < 2, "plum", "cherry")


def _rounded(network):
    """Round the weights of a fitted classifier in place."""
    for array in network._weights:  # private: nothing public changes weights
        array[...] = np.round(4 * array) / 4
    return network


def models():
    """Return fitted estimators by name, with their rows."""
    X, y = table()
    numbers = np.column_stack([X["size"].fillna(0), X["ripe"]])
    plain = DNNClassifier((3,), max_iter=4, n_iter_no_change=9, random_state=0)
    pipe = make_pipeline(
        FunctionTransformer(), DNNClassifier(max_iter=1, random_state=0)
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # so short a training learns nothing
        plain.fit(numbers, y)
        pipe.fit(X, y)
    _rounded(plain)
    _rounded(pipe[-1])
    return {"plain": (plain, numbers), "recipe": (pipe, X)}


def _bytes(write):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model")
        write(path)
        return path.read_bytes()


def keep(path):
    """Write all models in all formats, and what they predict, to a zip archive."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
        for name, (model, X) in models().items():
            archive.writestr(f"{name}.pickle", pickle.dumps(model))
            with_joblib = _bytes(lambda path, model=model: joblib.dump(model, path))
            archive.writestr(f"{name}.joblib", with_joblib)
            with_skops = _bytes(lambda path, model=model: skdnn.io.dump(model, path))
            archive.writestr(f"{name}.skops", with_skops)
            buffer = io.BytesIO()
            np.save(buffer, model.predict_proba(X))
            archive.writestr(f"{name}.npy", buffer.getvalue())


if __name__ == "__main__":
    keep(KEPT / f"{skdnn.__version__}.zip")
