import json

import numpy as np
import pytest

from skdnn import explain
from skdnn.explain._results.performance import part_of, scores_of


@pytest.fixture(scope="module")
def result(iris_model):
    model, X, y = iris_model
    by = np.array(["<b>", "other"])[np.arange(150) % 2]
    return explain.performance(model, X, y, by=by, costs=1 - np.eye(3), random_state=0)


def test_curves_by_name(result):
    for name in ("roc", "precision_recall", "gains", "calibration"):
        table = result.curves(name)
        assert next(iter(table)) == "class"
        table["class"] = None
        assert result.curves(name)["class"].notna().any()
    with pytest.raises(ValueError, match=r"Got 'rock'\. Did you mean 'roc'"):
        result.curves("rock")


def test_plain_data_holds_all_tables(result):
    data = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    assert data["confusion"]["setosa"] == [50, 0, 0]
    assert data["thresholds"] is None
    assert data["decisions"]["decision"][0] == "predict"
    assert len(data["differences"]["group"]) == len(result.differences)
    assert set(data["curves"]) == {"roc", "precision_recall", "gains", "calibration"}
    assert data["multiplicity"] == result.multiplicity


def test_html_has_scores_matrix_and_groups(result):
    html = result._repr_html_()
    for text in ("Performance on 150 rows", "Confusion matrix", "Decisions", "p_holm"):
        assert text in html
    assert "&lt;b&gt;" in html
    assert "<b>" not in html


def test_parts_by_class(result):
    assert set(scores_of(result, None)["score"]) >= {"accuracy", "log_loss"}
    assert set(scores_of(result, "setosa")["score"]) >= {"precision", "recall"}
    assert len(part_of(result.table, "nothing")) == 0


def test_without_groups_there_is_no_multiplicity(iris_model):
    model, X, y = iris_model
    result = explain.performance(model, X, y, random_state=0)
    assert result.multiplicity == ""
    assert (result.groups, result.differences, result.n_tested) == (None, None, 0)
    assert "Differences" not in result._repr_html_()
