import numpy as np
import pandas as pd
import pytest

from skdnn.explain._methods.performance_costs import check_costs

CLASSES = np.array(["healthy", "ill"])


def test_pairs_frames_and_arrays_agree():
    expected = np.array([[0, 1], [20, -2]])
    pairs = {("ill", "healthy"): 20, ("healthy", "ill"): 1, ("ill", "ill"): -2}
    frame = pd.DataFrame(expected, index=CLASSES, columns=CLASSES)
    for costs in (pairs, frame, frame.iloc[::-1, ::-1], expected, expected.tolist()):
        assert (check_costs(costs, CLASSES) == expected).all()


def test_labels_are_compared_by_value():
    costs = {(0, 1): 1, (1, 0): 2}
    assert check_costs(costs, np.array([0, 1])).tolist() == [[0, 1], [2, 0]]
    assert check_costs(costs, np.array([False, True])).tolist() == [[0, 1], [2, 0]]


@pytest.mark.parametrize(
    ("costs", "match"),
    [
        ({("il", "healthy"): 1}, r"Got 'il'\. Did you mean 'ill'"),
        ({("ill", "healthy"): 1}, r"Got none for \('healthy', 'ill'\)\. Give 0"),
        ({"ill": 1}, "must be pairs"),
        ({("ill", "healthy"): [1], ("healthy", "ill"): 1}, "one number for each pair"),
        ({("ill", "healthy"): "x", ("healthy", "ill"): 1}, "must be numbers"),
        (
            {("ill", "healthy"): np.inf, ("healthy", "ill"): 1},
            "must be finite. Got inf where 'ill' is predicted as 'healthy'",
        ),
        ([[0, 1], [np.nan, 0]], "must be finite"),
        (np.ones((3, 3)), r"shape \(2, 2\)\. Got \(3, 3\)"),
        (5.0, r"shape \(2, 2\)\. Got \(\)"),
        ("cheap", "must be numbers"),
        (pd.DataFrame(np.ones((2, 2))), "must name classes.*Got 0"),
        (
            pd.DataFrame(np.ones((2, 1)), index=CLASSES, columns=CLASSES[:1]),
            "The columns of `costs` must be the classes, each once",
        ),
        (
            pd.DataFrame(np.ones((2, 2)), index=["ill", "ill"], columns=CLASSES),
            "The rows of `costs` must be the classes, each once",
        ),
    ],
)
def test_bad_costs(costs, match):
    with pytest.raises(ValueError, match=match):
        check_costs(costs, CLASSES)


def test_many_missing_pairs_are_cut():
    with pytest.raises(ValueError, match=r", …\. Give 0"):
        check_costs({("a", "b"): 1}, np.array(list("abcde")))
