import numpy as np
import pytest

from skdnn import explain
from skdnn.explain._model.probabilities import check_probabilities

GOOD = np.array([[0.25, 0.75], [1.0, 0.0]])


def test_probabilities_pass_unchanged():
    checked = check_probabilities(GOOD.astype(np.float32), 2, 2)
    assert checked.dtype == np.float64
    np.testing.assert_array_equal(checked, GOOD)


@pytest.mark.parametrize(
    ("proba", "match"),
    [
        (GOOD[:1], "Got 1 row for 2 rows"),
        (GOOD[:, :1], r"here \(2, 2\)\. Got shape \(2, 1\)"),
        ([GOOD, GOOD], r"Got shape \[\(2, 2\), \(2, 2\)\]"),
        (GOOD * np.nan, r"finite numbers\. Got NaN or infinity for 2 of 2 rows"),
        (GOOD * 4 - 2, r"from 0 to 1\. Got numbers from -2 to 2.*softmax"),
        (GOOD / 2, r"sum to 1\. Got sums from 0\.5 to 0\.5"),
    ],
)
def test_what_is_no_probability_is_refused(proba, match):
    with pytest.raises(ValueError, match=match):
        check_probabilities(proba, 2, 2)


def test_several_labels_need_no_sum():
    both = np.array([[0.9, 0.9]])
    np.testing.assert_array_equal(
        check_probabilities(both, 1, 2, sum_to_one=False), both
    )


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_is_normalised(dtype):
    ml_dtypes = pytest.importorskip("ml_dtypes")
    kind = np.float16 if dtype == "float16" else ml_dtypes.bfloat16
    exact = np.random.default_rng(0).dirichlet(np.ones(7), size=50)
    checked = check_probabilities(exact.astype(kind), 50, 7)
    assert np.abs(exact.astype(kind).astype(float).sum(axis=1) - 1).max() > 1e-4
    np.testing.assert_allclose(checked.sum(axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(checked, exact, atol=0.02)


@pytest.mark.parametrize("name", ["shap", "partial_dependence", "counterfactuals"])
def test_one_row_for_many_is_never_explained(name):
    class Short:
        classes_ = np.array([0, 1])

        def predict_proba(self, X):
            return GOOD[:1]

    X = np.random.default_rng(0).random((20, 2))
    with pytest.raises(ValueError, match="Got 1 row for 5 rows"):
        getattr(explain, name)(Short(), X)
