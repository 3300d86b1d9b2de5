"""Sentences on uncertain rows, of results whose numbers are given."""

import numpy as np
import pytest

from skdnn.explain._results.uncertainty import Uncertainty
from skdnn.explain._text.uncertainty import headline

NAMES = np.array(["setosa", "versicolor", "virginica"])


def result(n=1, **changes):
    defaults = {
        "class_names": NAMES, "predicted": np.ones(n, dtype=int),
        "reasons": np.full(n, "", dtype=object),
    }  # fmt: skip
    return Uncertainty(**defaults | changes)


def described(*args, **changes):
    return result(*args, **changes).describe(0).replace("\xa0", " ")


@pytest.mark.parametrize(
    ("held", "text"),
    [
        ([0, 0, 0], "The 90% set is empty."),
        ([0, 1, 0], "The 90% set has versicolor only."),
        ([0, 1, 1], "This row could be versicolor or virginica (90% set)."),
        ([1, 1, 1], "This row could be setosa, versicolor or virginica (90% set)."),
    ],
)
def test_sets(held, text):
    sets = np.array([held], dtype=bool)
    assert described(sets=sets, confidence_level=0.9) == text


def test_sets_of_many_classes_and_of_numbers():
    sets, names = np.ones((1, 9), dtype=bool), np.arange(9)
    assert described(sets=sets, confidence_level=0.95, class_names=names) == (
        "This row could be class 0, class 1, class 2 or class 3, or 5 other classes "
        "(95% set)."
    )


@pytest.mark.parametrize(
    ("votes", "text"),
    [
        ([0, 8, 0], "All 8 networks agree."),
        ([0, 7, 1], "1 of the 8 networks disagrees: virginica."),
        ([0, 5, 3], "3 of the 8 networks disagree: virginica."),
        ([1, 5, 2], "3 of the 8 networks disagree: virginica (2) and setosa (1)."),
    ],
)
def test_votes(votes, text):
    assert described(votes=np.array([votes]), member="network") == text


def test_unusual_rows_and_everything_together():
    reasons = np.array(
        ["unlike all 37 rows: a is 7, never above 2 in training"], object
    )
    assert described(
        sets=np.array([[False, True, True]]),
        confidence_level=0.9,
        votes=np.array([[0, 2, 2]]),
        reasons=reasons,
        p_values=np.array([1 / 38]),
        n_calibration=37,
    ) == (
        "This row could be versicolor or virginica (90% set). 2 of the 4 members "
        "disagree: virginica. This row is unlike all 37 rows: a is 7, never above 2 in "
        "training."
    )
    assert described() == ""


def many(**changes):
    sets = np.zeros((20, 3), dtype=bool)
    sets[:, 1] = True
    sets[:6, 2] = True
    votes = np.zeros((20, 3), dtype=int)
    votes[:, 1] = 8
    votes[3:5] = [0, 6, 2]
    votes[5:9] = [0, 7, 1]
    known = {
        "sets": sets, "confidence_level": 0.9, "votes": votes, "member": "network",
        "p_values": np.linspace(0.04, 0.99, 20), "n_calibration": 98,
    }  # fmt: skip
    return result(20, **known | changes)


def test_counts():
    one = many()
    assert one.describe().replace("\xa0", " ") == (
        "6 of 20 rows could belong to more than one class (90% sets). For 2 rows, a "
        "quarter or more of the 8 networks disagree with the prediction. 1 row is "
        "unusual beside the training rows (p ≤ 0.05); 0.81 would be by chance."
    )
    assert headline(one).replace("\xa0", " ") == (
        "6 of 20 rows could belong to more than one class (90% sets); 1 is unusual "
        "beside the training rows (0.81 would be by chance)."
    )


def test_counts_of_what_is_known():
    only = many(sets=None, confidence_level=None, votes=None)
    assert only.describe().replace("\xa0", " ") == (
        "1 of 20 rows is unusual beside the training rows (p ≤ 0.05); 0.81 would be "
        "by chance."
    )
    assert headline(only).startswith("1 of 20\xa0rows is unusual beside")
    votes = many(sets=None, confidence_level=None, p_values=None)
    assert votes.describe().startswith("For 2 of 20\xa0rows, a quarter or more")
    assert headline(votes) == ""
    assert headline(many(p_values=None)).endswith("(90% sets).")
