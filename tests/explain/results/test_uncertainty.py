"""Uncertainty as data."""

import json

import numpy as np
import pytest

from skdnn.explain import Uncertainty


@pytest.fixture
def result():
    return Uncertainty(
        class_names=np.array(["a", "b"]),
        predicted=np.array([0, 1, 1]),
        reasons=np.array(["", "", "unusual"], dtype=object),
        sets=np.array([[True, False], [True, True], [False, True]]),
        confidence_level=0.9,
        votes=np.array([[4, 0], [1, 3], [0, 4]]),
        p_values=np.array([0.5, 0.051, 0.05]),
        n_calibration=99,
        p_unusual=0.14,
    )


def test_what_follows_from_the_numbers(result):
    assert result.title == "Uncertainty of 3 rows"
    assert result.n_members == 4
    assert result.several.tolist() == [False, True, False]
    assert result.n_disagree.tolist() == [0, 1, 0]
    assert result.disagree.tolist() == [False, True, False]  # 1 of 4 is a quarter
    assert result.unusual.tolist() == [False, False, True]


def test_few_of_many_members_do_not_count():
    votes = np.array([[19, 1], [15, 5], [16, 4]])
    many = Uncertainty(
        np.array(["a", "b"]), np.zeros(3, int), np.full(3, "", object), votes=votes
    )
    assert many.disagree.tolist() == [False, True, False]


def test_frame_plain_data_and_html(result):
    table = result.frame()
    assert table["classes"].tolist() == [["a"], ["a", "b"], ["b"]]
    assert table["predicted"].tolist() == ["a", "b", "b"]
    data = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    assert data["n_members"] == 4
    assert data["columns"]["p_value"] == [0.5, 0.051, 0.05]
    assert "could belong to more than one class" in result._repr_html_()


def test_some_rows(result):
    part = result[[2, 0]]
    assert part.p_values.tolist() == [0.05, 0.5]
    assert part.reasons.tolist() == ["unusual", ""]
    assert part.p_unusual is None
    assert len(result[-1]) == 1
    with pytest.raises(ValueError, match="one of the 3"):
        result.describe(3)


def test_nothing_is_known():
    none = Uncertainty(np.array(["a"]), np.zeros(2, int), np.full(2, "", object))
    assert none.n_members == 0
    assert not (none.several | none.disagree | none.unusual).any()
    assert none.frame()["classes"].tolist() == [None, None]
    assert none.describe() == ""
