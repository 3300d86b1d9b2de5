"""What a model file cannot keep is named, with its parameter and a remedy."""

import inspect
import re
import warnings

import numpy as np
import pytest
from scipy.sparse import issparse
from scipy.stats import loguniform
from sklearn.ensemble import RandomForestClassifier, VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler
from sklearn.utils import all_estimators

from skdnn import DNNClassifier, io
from skdnn._model_files.contents import unkept
from skdnn.model_selection import GridSearchCV, RandomizedSearchCV

# Compiled code follows indices of these: trees and search trees, splines, sparse
# matrices; FeatureAgglomeration keeps a function, PatchExtractor is for images.
REFUSED = {
    "Birch", "BisectingKMeans", "FeatureAgglomeration", "Isomap",
    "KNeighborsTransformer", "LocallyLinearEmbedding", "PatchExtractor",
    "RadiusNeighborsTransformer", "RandomTreesEmbedding",
    "SparseRandomProjection", "SplineTransformer", "TSNE",
}  # fmt: skip
# Not steps of a Pipeline for a table of numbers.
LEFT_OUT = {
    "CountVectorizer", "DictVectorizer", "FeatureHasher", "HashingVectorizer",
    "IsotonicRegression", "KernelCenterer", "LabelBinarizer", "LabelEncoder",
    "MultiLabelBinarizer", "SparseCoder", "StackingClassifier", "StackingRegressor",
    "TfidfTransformer", "TfidfVectorizer", "VotingClassifier", "VotingRegressor",
}  # fmt: skip
TRANSFORMERS = {
    name: cls for name, cls in all_estimators("transformer") if name not in LEFT_OUT
}
ARGUMENTS = {
    "ColumnTransformer": {"transformers": [("scale", MinMaxScaler(), [0, 2])]},
    "FeatureUnion": {"transformer_list": [("scale", MinMaxScaler())]},
    "RFE": {"estimator": LogisticRegression()},
    "RFECV": {"estimator": LogisticRegression()},
    "SelectFromModel": {"estimator": LogisticRegression()},
    "SequentialFeatureSelector": {"estimator": LogisticRegression()},
}


def own_function(x):
    return x


def unkept_text(estimator):
    return "; ".join(map(str, unkept(estimator)))


@pytest.mark.parametrize(
    "estimator",
    [
        DNNClassifier(random_state=np.random.RandomState(0)),
        DNNClassifier(class_weight={"a": 1.0, "b": 2}, categorical_features=[0, 1]),
        make_pipeline(FunctionTransformer(np.log1p), DNNClassifier()),
        GridSearchCV(DNNClassifier(), {"alpha": np.logspace(-3, 0, 4)}, cv=3),
        DNNClassifier().set_params(dropout=np.float64(0.1)),
    ],
)
def test_nothing_is_wrong_with_data(estimator):
    assert unkept(estimator) == []


@pytest.mark.parametrize(
    ("estimator", "text"),
    [
        (
            make_pipeline(FunctionTransformer(own_function), DNNClassifier()),
            r"function \S*own_function in `func` of FunctionTransformer",
        ),
        (
            RandomizedSearchCV(DNNClassifier(), {"alpha": loguniform(0.1, 1)}),
            r"rv_continuous_frozen in `param_distributions` of RandomizedSearchCV",
        ),
        (
            VotingClassifier([("f", RandomForestClassifier())]),
            r"RandomForestClassifier in `estimators` of VotingClassifier",
        ),
        (
            DNNClassifier(class_weight={True: 1, False: 2}),
            r"dict with the key True, of type bool, in `class_weight`",
        ),
        (
            DNNClassifier(class_weight={1: 1, "1": 2}),
            r"dict whose keys are equal as text in `class_weight`",
        ),
        (
            DNNClassifier(activation=own_function),
            r"own_function in `activation` of DNNClassifier$",
        ),
        (RandomForestClassifier(), r"RandomForestClassifier in `itself`"),
    ],
)
def test_what_cannot_be_kept_is_named(estimator, text):
    assert re.search(text, unkept_text(estimator))


def test_objects_for_fit_have_a_remedy():
    import keras

    network = DNNClassifier(
        callbacks=[keras.callbacks.TerminateOnNaN()],
        learning_rate=keras.optimizers.schedules.CosineDecay(0.01, 100),
        solver=keras.optimizers.Adam(),
    )
    text = unkept_text(make_pipeline(network))
    assert "TerminateOnNaN in `callbacks` of DNNClassifier" in text
    assert "set_params(callbacks=None)" in text
    assert "set_params(learning_rate=None)" in text
    assert "set_params(solver='adam')" in text
    network.set_params(callbacks=None, learning_rate=None, solver="adam")
    assert unkept(network) == []


def test_keras_classifiers_are_named_with_what_keeps_their_network():
    from skdnn import KerasClassifier

    text = unkept_text(make_pipeline(KerasClassifier(own_function)))
    assert "KerasClassifier, which holds a Keras model: keep model_" in text


def fitted(name, X, y):
    """Return a Pipeline of one transformer, fitted."""
    arguments = dict(ARGUMENTS.get(name, {}))
    parameters = inspect.signature(TRANSFORMERS[name]).parameters
    if "n_components" in parameters:
        arguments["n_components"] = 1  # the most for one column of y
    if "random_state" in parameters:
        arguments["random_state"] = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of few iterations
        return make_pipeline(TRANSFORMERS[name](**arguments)).fit(X, y)


@pytest.mark.parametrize("name", TRANSFORMERS)
def test_a_transformer_comes_back_or_is_refused(name, iris, tmp_path):
    X, y = iris[0][::3], iris[1][::3]
    pipeline, path = fitted(name, X, y), tmp_path / "a.skops"
    if name in REFUSED:
        first = re.escape(unkept(pipeline)[0].what)
        with pytest.raises(ValueError, match=first):
            io.dump(pipeline, path)
        assert not path.exists()
        return
    io.dump(pipeline, path)
    loaded = io.load(path)
    results = [one.transform(X) for one in (pipeline, loaded)]
    one, other = (r.toarray() if issparse(r) else r for r in results)
    # equal values in another order in memory are multiplied with another rounding
    np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-14)
