"""The classifier within Pipelines and searches."""

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from skdnn.explain._model.last_step import last_step


def test_a_classifier_is_its_own_last_step():
    model = LogisticRegression()
    last = last_step(model)
    assert last.classifier is model
    assert last.before == ()
    rows = np.ones((2, 1))
    assert last.transform(rows) is rows


def test_pipelines_and_searches_are_opened():
    X = np.random.default_rng(0).normal(size=(40, 2))
    y = (X[:, 0] > 0).astype(int)
    inner = make_pipeline(MinMaxScaler(), "passthrough", LogisticRegression())
    pipe = make_pipeline(StandardScaler(), inner)
    search = GridSearchCV(pipe, {"pipeline__logisticregression__C": [1]}, cv=2)
    last = last_step(search.fit(X, y))
    best = search.best_estimator_
    assert last.classifier is best[-1][-1]
    np.testing.assert_array_equal(
        last.classifier.predict_proba(last.transform(X)), search.predict_proba(X)
    )
