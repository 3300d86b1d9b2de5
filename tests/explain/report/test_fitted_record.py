import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdnn.explain._report.fitted_record import final_estimator, inspect_fitted

NAMES = ["$a$", "<b>"]


class Drawn(LogisticRegression):
    """A classifier with the attributes of a network."""

    baseline_loss_ = np.float32(0.5)

    @property
    def history_(self):
        return pd.DataFrame({"loss": [0.7, 0.4]})

    def summary(self):
        return "two columns"

    def plot_network(self, ax=None, feature_names=None):
        ax.plot([0, 1], [0, 1])
        ax.set_title(" ".join(feature_names or ["unnamed"]))
        return ax


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    return pd.DataFrame(rng.normal(size=(40, 2)), columns=NAMES), np.arange(40) % 2


def test_a_plain_classifier_has_only_a_name(table):
    record = inspect_fitted(LogisticRegression().fit(*table))
    assert record.name == "LogisticRegression"
    assert record.steps == ()
    assert (record.history, record.baseline_loss) == (None, None)
    assert (record.summary, record.network) == (None, None)


@pytest.mark.parametrize("searched", [False, True])
def test_looks_through_pipeline_and_search(table, searched):
    estimator = make_pipeline(StandardScaler(), Drawn())
    if searched:
        estimator = GridSearchCV(estimator, {"drawn__C": [1.0]}, cv=2)
    estimator.fit(*table)
    assert type(final_estimator(estimator)) is Drawn
    record = inspect_fitted(estimator)
    assert record.steps == ("StandardScaler", "Drawn")
    assert record.history["loss"].tolist() == [0.7, 0.4]
    assert record.baseline_loss == 0.5
    assert record.summary == "two columns"
    assert "<svg" in record.network


def test_drawing_is_the_same_each_time_and_touches_nothing(table):
    estimator = Drawn().fit(*table)
    before = dict(mpl.rcParams)
    first, again = inspect_fitted(estimator), inspect_fitted(estimator)
    assert first.network == again.network
    assert "<dc:date>" not in first.network
    assert dict(mpl.rcParams) == before


def test_names_are_not_read_as_formulas(table):
    X, y = table
    record = inspect_fitted(make_pipeline(StandardScaler(), Drawn()).fit(X, y))
    assert "$a$" in record.network  # matplotlib notes the text beside the outlines
    X = X.set_axis(["$\\frac{$", "$"], axis=1)
    inspect_fitted(make_pipeline(StandardScaler(), Drawn()).fit(X, y))


def test_steps_without_names(table):
    from sklearn.preprocessing import FunctionTransformer

    X, y = table
    estimator = make_pipeline(FunctionTransformer(np.asarray), Drawn()).fit(X, y)
    assert "unnamed" in inspect_fitted(estimator).network


def test_histories_of_other_wrappers():
    lists = {"loss": [2.0, 1.0], "val_loss": [3.0, 2.0]}

    class Keeps:
        def __init__(self, history):
            self.history_ = history

    class History:  # as Keras's own wrapper keeps it
        history = lists

    for history in (lists, History()):
        record = inspect_fitted(Keeps(history))
        assert record.history.to_dict("list") == lists
    for history in ({}, {"loss": [1.0], "accuracy": []}, [1.0], 3):
        assert inspect_fitted(Keeps(history)).history is None
