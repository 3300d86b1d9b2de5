"""Which transformers of scikit-learn a model file keeps, and that they come back."""

import inspect
import re
import warnings

import numpy as np
import pytest
from scipy.sparse import issparse
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler
from sklearn.utils import all_estimators

from skdnn import io
from skdnn._model_files.contents import unkept

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
