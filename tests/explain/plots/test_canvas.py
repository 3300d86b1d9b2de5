import numpy as np
import pandas as pd
from drawn import labels
from sklearn.linear_model import LogisticRegression

from skdnn import explain


def test_characters_that_the_font_does_not_have():
    names = ["größe", "年齢", "a\nb", "x"]
    X = pd.DataFrame(np.random.default_rng(0).normal(size=(30, 4)), columns=names)
    model = LogisticRegression().fit(X, np.arange(30) % 2)
    ax = explain.shap(model, X[:3], background=X).plot()
    ax.figure.canvas.draw()
    assert set(labels(ax)) == {"größe", r"\u5e74\u9f62", r"a\nb", "x"}


def test_legend_names_every_class_and_hides_nothing():
    class Many:
        classes_ = np.arange(20)

        def predict_proba(self, X):
            p = np.exp(np.outer(X[:, 0], np.arange(20)) / 10)
            return p / p.sum(axis=1, keepdims=True)

    X = np.random.default_rng(0).normal(size=(20, 2))
    for ax in (
        explain.shap(Many(), X).plot(),
        explain.partial_dependence(Many(), X).plot("x0"),
    ):
        ax.figure.canvas.draw()
        legend = ax.get_legend()
        assert [text.get_text() for text in legend.get_texts()] == [
            str(label) for label in range(20)
        ]
        assert legend.get_window_extent().x0 >= ax.get_window_extent().x1
