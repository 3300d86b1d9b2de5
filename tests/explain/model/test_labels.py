import numpy as np
import pandas as pd
import pytest

from skdnn.explain._model.labels import class_codes


def test_strings_numbers_and_booleans():
    assert class_codes(["b", "a"], np.array(["a", "b"])).tolist() == [1, 0]
    assert class_codes(pd.Series([3, 1]), np.array([1, 3])).tolist() == [1, 0]
    assert class_codes([True, False], np.array([False, True])).tolist() == [1, 0]


def test_unknown_class_is_named():
    with pytest.raises(ValueError, match=r"\['c'\] instead"):
        class_codes(["a", "c"], np.array(["a", "b"]))


def test_labels_of_another_shape():
    classes = np.array(["a", "b"])
    with pytest.raises(ValueError, match=r"shape \(n_samples,\)\. Got \(1, 2\)"):
        class_codes([["a", "b"]], classes)
    with pytest.raises(ValueError, match=r"shape \(3,\)\. Got \(2,\)"):
        class_codes(["a", "b"], classes, 3)
