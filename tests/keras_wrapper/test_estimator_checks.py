"""The contract of scikit-learn, except two checks that scikeras's bases fail."""

import inspect
from collections import Counter

import keras
import pytest
from scikeras.wrappers import BaseWrapper
from scikeras.wrappers import KerasClassifier as Ancestor
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import check_estimator

from skdnn import KerasClassifier

# The fewest checks that any supported release of scikit-learn has for a classifier.
MIN_CHECKS = 55
EXCUSED = {
    "check_mixin_order": (
        "scikeras's class has BaseWrapper, a BaseEstimator, left of ClassifierMixin, "
        "and no order of bases puts the mixin first"
    ),
    "check_estimator_tags_renamed": (
        "scikeras's BaseWrapper has _more_tags and no __sklearn_tags__ of its own, "
        "which the check looks for class by class"
    ),
}
MAY_BE_SKIPPED = {
    # the array API of scipy is switched on before it is imported
    "check_array_api_input",
    "check_classifiers_multilabel_output_format_decision_function",  # there is none
}


@pytest.fixture
def double_precision():
    """Have Keras make networks of float64; the checks compare to seven digits."""
    before = keras.config.floatx(), keras.config.dtype_policy()
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    yield
    keras.config.set_floatx(before[0])
    keras.config.set_dtype_policy(before[1])


def build(meta):
    loss, activation = keras.losses.SparseCategoricalCrossentropy, "softmax"
    if meta["target_type_"] == "multilabel-indicator":
        loss, activation = keras.losses.BinaryCrossentropy, "sigmoid"
    network = keras.Sequential(
        [
            keras.Input(meta["X_shape_"][1:]),
            keras.layers.Dense(32, activation="relu"),
            keras.layers.Dense(meta["n_classes_"], activation=activation),
        ]
    )
    # a row of weight 2 counts as two rows, unlike in Keras's own mean over the batch
    network.compile(
        optimizer=keras.optimizers.Adam(0.02),
        loss=loss(reduction="mean_with_sample_weight"),
    )
    return network


@pytest.mark.slow
@pytest.mark.usefixtures("double_precision")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.DataConversionWarning")
# sparse matrices of the checks themselves
@pytest.mark.filterwarnings("ignore::DeprecationWarning:scipy")
@pytest.mark.filterwarnings("ignore::DeprecationWarning:sklearn")
@pytest.mark.filterwarnings("ignore::FutureWarning:sklearn")
def test_check_estimator():
    estimator = KerasClassifier(
        build, epochs=50, batch_size=-1, verbose=0, random_state=0
    )
    results = check_estimator(
        estimator, on_fail="raise", expected_failed_checks=EXCUSED
    )
    # an excused check that passes is a failure here: scikeras has changed
    status = {r["check_name"]: r["status"] for r in results}
    assert {name for name in status if status[name] == "xfail"} == set(EXCUSED)
    skipped = {name for name in status if status[name] == "skipped"}
    assert skipped <= MAY_BE_SKIPPED
    # fewer would mean that scikit-learn does not see a classifier
    assert len(results) >= MIN_CHECKS
    count = Counter(result["status"] for result in results)
    assert count["failed"] == 0
    assert count["passed"] >= 50


def test_scikeras_is_still_what_excuses_two_checks():
    # when one of these fails, scikeras has fixed it: remove it from EXCUSED
    order = inspect.getmro(Ancestor)
    assert order.index(BaseEstimator) < order.index(ClassifierMixin)
    assert "_more_tags" in vars(BaseWrapper)
    assert "__sklearn_tags__" not in vars(BaseWrapper)
    with pytest.raises(TypeError, match=r"method resolution\s+order"):
        type("First", (ClassifierMixin, Ancestor), {})


def test_tags_say_what_it_is():
    tags = get_tags(KerasClassifier())
    assert tags.estimator_type == "classifier"
    assert not tags.non_deterministic
    assert not tags.classifier_tags.poor_score
    assert tags.classifier_tags.multi_label
    assert tags.target_tags.required
    assert tags.input_tags.sparse
