"""The contract of scikit-learn, in full."""

from collections import Counter

import numpy as np
import pytest
from sklearn.base import is_classifier
from sklearn.model_selection import StratifiedKFold, check_cv
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import check_estimator

from skdnn import DNNClassifier

# The fewest checks that any supported release of scikit-learn has for a classifier.
MIN_CHECKS = 55
MAY_BE_SKIPPED = {
    # scipy must know of the array API before it is imported
    "check_array_api_input",
    "check_classifiers_multilabel_output_format_decision_function",  # there is none
}


@pytest.mark.slow
# networks of the checks are trained on noise and for a few epochs
@pytest.mark.filterwarnings("ignore::skdnn.exceptions.BaselineWarning")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.DataConversionWarning")
# sparse matrices of the checks themselves
@pytest.mark.filterwarnings("ignore::DeprecationWarning:scipy")
@pytest.mark.filterwarnings("ignore::DeprecationWarning:sklearn")
@pytest.mark.filterwarnings("ignore::FutureWarning:sklearn")
def test_check_estimator():
    results = check_estimator(DNNClassifier(), on_fail="raise")
    count = Counter(result["status"] for result in results)
    skipped = {r["check_name"] for r in results if r["status"] == "skipped"}
    assert skipped <= MAY_BE_SKIPPED
    assert count["failed"] == count["xfail"] == 0
    # fewer would mean that scikit-learn does not see a classifier
    assert len(results) >= MIN_CHECKS
    assert count["passed"] == len(results) - count["skipped"]


def test_is_a_classifier():
    assert is_classifier(DNNClassifier())
    tags = get_tags(DNNClassifier())
    assert tags.estimator_type == "classifier"
    assert not tags.non_deterministic
    assert not tags.classifier_tags.poor_score
    assert tags.input_tags.sparse
    assert tags.input_tags.allow_nan
    cv = check_cv(3, np.repeat([0, 1], 9), classifier=is_classifier(DNNClassifier()))
    assert isinstance(cv, StratifiedKFold)
