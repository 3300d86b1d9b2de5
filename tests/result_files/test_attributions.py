import numpy as np
import pandas as pd
import pytest
from optional import require

import skdnn
from skdnn import explain
from skdnn._result_files import attributions

require("pyarrow")


@pytest.fixture
def written(network, passengers, tmp_path, monkeypatch):
    """SHAP values of 30 rows, 20 at once."""
    # private: a block of 1024 rows takes long
    monkeypatch.setattr(attributions, "_EXPLAINED_ROWS", 20)
    X = passengers[0]
    skdnn.io.write_attributions(
        network, X[:30], tmp_path / "a", background=X, max_evals=200, random_state=3
    )
    return pd.read_parquet(tmp_path / "a")


def test_values_are_those_of_explain(network, passengers, written):
    """Bit by bit for the rows of a block."""
    X = passengers[0]
    assert written["sample"].tolist() == [i for i in range(30) for _ in range(2)]
    for rows in (slice(0, 20), slice(20, 30)):
        result = explain.shap(
            network, X[rows], background=X, max_evals=200, random_state=3
        )
        own = written[written["sample"].between(rows.start, rows.stop - 1)]
        for j, name in enumerate(X):
            np.testing.assert_array_equal(
                own[f"value_{name}"], result.values[:, j].ravel()
            )
            np.testing.assert_array_equal(
                own[f"std_error_{name}"], result.std_errors[:, j].ravel()
            )
        np.testing.assert_array_equal(own["prediction"], result.predictions.ravel())


def test_values_sum_to_the_prediction(written):
    values = written.filter(like="value_").filter(regex="^value_").sum(axis=1)
    total = values + written["base_value"]
    np.testing.assert_allclose(total, written["prediction"], atol=1e-6)


def test_a_container_is_explained_as_its_rows(network, passengers, tmp_path):
    pl = require("polars")
    X = passengers[0][["age", "sex", "deck", "alone", "siblings", "port", "fare"]]
    lazy = pl.from_pandas(X).lazy()
    for name, rows, background in [
        ("lazy", lazy.head(5), lazy), ("drawn", lazy.head(5), None)
    ]:  # fmt: skip
        skdnn.io.write_attributions(
            network, rows, tmp_path / name, background=background, max_evals=200,
            random_state=0,
        )  # fmt: skip
    frame = pd.read_parquet(tmp_path / "lazy")
    result = explain.shap(network, X[:5], background=X, max_evals=200, random_state=0)
    np.testing.assert_allclose(
        frame["value_fare"], result.values[:, 6].ravel(), rtol=1e-5, atol=1e-7
    )
    assert len(pd.read_parquet(tmp_path / "drawn")) == 10
