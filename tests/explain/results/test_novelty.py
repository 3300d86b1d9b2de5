import json

import numpy as np
import pytest

from skdnn import explain


@pytest.fixture(scope="module")
def result(hostile):
    model, X, _ = hostile
    new = X[:9].copy()
    new.iloc[3, 1] = 50.0
    return explain.novelty(model, new, background=X[9:], random_state=0)


def test_numbers_of_unusual_rows(result):
    # 25 rows are left out: at most one of 26 ranks is below 0.05
    assert result.n_calibration == 25
    assert result.expected_unusual == 1 / 26
    assert result.n_unusual == (result.p_values <= 0.05).sum() >= 1
    assert result.most_unusual(5)[0] == 3
    assert len(result.most_unusual(9)) == result.n_unusual


def test_plain_data_holds_all_tables(result):
    data = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    assert data["p_values"] == result.p_values.tolist()
    assert data["n_unusual"] == result.n_unusual
    assert data["drift"]["p_holm"] == result.drift["p_holm"].tolist()
    assert data["training"]["feature"] == result.feature_names.tolist()
    assert set(data["pairs"]) == set(result.pairs)
    np.testing.assert_allclose(
        np.sum(data["columns"]["contribution"]), result.scores.sum()
    )


def test_html_has_sentences_and_columns(result):
    html = result._repr_html_()
    for text in ("Novelty of 9 rows", "Row 3 is unlike all", "p_holm", "&lt;script"):
        assert text in html
    assert "<script" not in html
