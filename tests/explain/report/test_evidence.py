import numpy as np


def test_shown_classes_are_the_most_frequent_in_their_own_order(make_evidence):
    codes = np.repeat(np.arange(8), [1, 9, 2, 8, 7, 6, 5, 4])
    evidence = make_evidence(classes=range(8), n_rows=42, codes=codes)
    assert evidence.shown == [1, 3, 4, 5, 6, 7]
    assert evidence.classes == [str(k) for k in range(8)]
