"""A card has the figures of its estimator and of the scores that it is given."""

import re

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

import skdnn
from skdnn import DNNClassifier, explain

pytestmark = pytest.mark.filterwarnings(
    "ignore::skdnn.exceptions.BaselineWarning", "ignore::skdnn.exceptions.ColumnWarning"
)


@pytest.fixture(scope="module")
def fitted():
    rng = np.random.default_rng(0)
    X = pd.DataFrame(
        {
            "size": np.where(np.arange(160) % 5, rng.normal(size=160), np.nan),
            "colour_": rng.choice(["red", "a|b", "<i>"], 160),
            "ripe": np.arange(160) % 2 == 0,
        }
    )
    y = np.where(X["ripe"], "plum", "fig")
    return DNNClassifier(max_iter=4, random_state=0).fit(X[:120], y[:120]), X, y


def test_card_of_a_table_with_scores(fitted):
    network, X, y = fitted
    scores = explain.performance(network, X[120:], y[120:], by="colour_")
    card = skdnn.io.model_card(network, scores, title="Fruit")
    assert card.startswith("# Fruit\n")
    heads = re.findall("^#+ (.*)$", card, flags=re.M)
    expected = ["Data", "Training", "Scores", r"Groups of colour\_", "Limits"]
    assert heads[1:] == expected
    median = np.nanmedian(X["size"][:120])
    assert f"| size | number | median {median:g}, some missing |" in card
    assert r"| colour\_ | category | 3 categories: \<i\>, a\|b, red |" in card
    assert "| ripe | boolean |" in card
    assert "120 rows to train on" in card
    row = scores.table.iloc[0]
    interval = f"{row['ci_low']:.3f} to {row['ci_high']:.3f}"
    assert f"| accuracy | {row['value']:.3f} | {interval} | 40 |" in card
    assert "Scores are of 40 rows" in card
    assert "Prediction sets rest on 120 rows" in card
    # times differ between equal fits
    assert " s to find" not in card


def test_card_without_scores_states_so(fitted):
    card = skdnn.io.model_card(fitted[0])
    assert "No rows with known classes were scored." in card
    assert "is not known from this card" in card


def test_card_of_a_pipeline(iris):
    X, y = iris
    network = DNNClassifier((4,), max_iter=3, n_iter_no_change=9, random_state=0)
    card = skdnn.io.model_card(make_pipeline(MinMaxScaler(), network).fit(X, y))
    assert "Columns: x0, x1, x2, x3." in card
    assert "No rows were left out in training: no prediction sets." in card


def test_what_a_card_refuses(fitted, iris):
    network, X, y = fitted
    with pytest.raises(TypeError, match=r"must be a result.*Got float"):
        skdnn.io.model_card(network, 0.9)
    other = explain.performance(network, X[120:], y[120:])
    third = DNNClassifier((4,), max_iter=3, n_iter_no_change=9, random_state=0)
    third.fit(*iris)
    with pytest.raises(ValueError, match="classes of the estimator"):
        skdnn.io.model_card(third, other)
    with pytest.raises(NotFittedError):
        skdnn.io.model_card(DNNClassifier())
