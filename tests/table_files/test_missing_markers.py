import numpy as np
import pytest

from skdnn._table_files.missing_markers import (
    find_markers,
    find_sentinels,
    is_word_for_missing,
)


@pytest.mark.parametrize(
    ("values", "among_numbers", "markers"),
    [
        (["a", "NA", "?", ""], False, {"NA", "?", ""}),
        (["a", "none", "unknown"], False, set()),
        (["1", "none", "Unknown", "k.A."], True, {"none", "Unknown", "k.A."}),
        (["+", "-"], False, set()),
        (["a", "-"], False, {"-"}),
        (["DE", "FR", "IT", "ES", "PL", "NA"], False, set()),
        (["DE", "FR", "NA"], False, {"NA"}),
    ],
)
def test_markers(values, among_numbers, markers):
    assert find_markers(values, None, among_numbers=among_numbers) == markers


def test_markers_that_are_given_are_the_only_ones():
    assert find_markers(["a", "NA", "x", ""], ["x"], among_numbers=False) == {"x", ""}


@pytest.mark.parametrize(
    ("numbers", "sentinels"),
    [
        ([20, 30, 90, -999], [-999]),
        ([20, 30, 90, -99, -999], [-99, -999]),
        ([-50, 50, -999], [-999]),
        ([-998, 5, -999], []),
        ([1, 2, 3], []),
        ([-999, 5], []),
    ],
)
def test_sentinels(numbers, sentinels):
    assert find_sentinels(np.array(numbers, float), None) == sentinels


def test_sentinels_that_are_given():
    assert find_sentinels(np.array([1.0, 2.0, -999.0]), ["2", "NA"]) == [2]


def test_words():
    assert is_word_for_missing("Keine Angabe")
    assert not is_word_for_missing("5")
