import numpy as np
import pandas as pd
import pytest
from optional import require
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import FixedThresholdClassifier

import skdnn
from skdnn import DNNClassifier

require("pyarrow")


def test_the_file_holds_what_is_predicted(network, passengers, tmp_path):
    pl = require("polars")
    X = passengers[0]
    for name, table in {"pandas": X, "lazy": pl.from_pandas(X).lazy()}.items():
        skdnn.io.write_predictions(network, table, tmp_path / name)
        frame = pd.read_parquet(tmp_path / name)
        assert list(frame) == ["prediction", "probability_died", "probability_lived"]
        np.testing.assert_array_equal(frame["prediction"], network.predict(X))
        np.testing.assert_array_equal(frame.iloc[:, 1:], network.predict_proba(X))


def test_the_prediction_is_that_of_predict(iris, tmp_path):
    X, y = iris[0], iris[1] > 0
    model = FixedThresholdClassifier(LogisticRegression(), threshold=0.95).fit(X, y)
    skdnn.io.write_predictions(model, X, tmp_path / "a")
    frame = pd.read_parquet(tmp_path / "a")
    np.testing.assert_array_equal(frame["prediction"], model.predict(X))
    assert (frame["prediction"] != (frame["probability_True"] > 0.5)).any()


def test_several_labels_are_refused(iris, tmp_path):
    X, y = iris
    network = DNNClassifier(
        (9,), max_iter=50, n_iter_no_change=99, learning_rate_init=0.02, random_state=0
    )
    network.fit(X, np.column_stack([y > 0, y > 1]).astype(int))
    with pytest.raises(ValueError, match="one class per row"):
        skdnn.io.write_predictions(network, X, tmp_path / "a")
    assert not list(tmp_path.iterdir())
