"""Results as the explain functions give them, made up, so that no model is needed."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from skdnn.explain import _performance, _simple_model
from skdnn.explain._fitted import FittedRecord
from skdnn.explain._report import Evidence

SVG = (
    '<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9">'
    '<circle cx="4" cy="4" r="3"/></svg>'
)


class _Result(SimpleNamespace):
    def frame(self):
        return self.table


def _attributions(rng, n_rows, n_features, n_classes, **more):
    shape = (n_rows, n_features, n_classes)
    return SimpleNamespace(
        values=rng.normal(0, 0.1, shape),
        std_errors=np.zeros(shape),
        base_values=np.full(n_classes, 1 / n_classes),
        residual=rng.normal(0, 1e-16, (n_rows, n_classes)),
        n_background=30,
        output="probability",
        **more,
    )


def _profiles(names, classes, X, rng):
    rows = []
    for j, name in enumerate(names[:6]):
        column = X.iloc[:, j].dropna()
        numeric = column.dtype.kind in "if"
        grid = (
            np.linspace(column.min(), column.max(), 20) if numeric else column.unique()
        )
        for label in classes:
            curve = 0.5 + 0.4 * np.sin(np.linspace(0, 3 * rng.random(), len(grid)))
            rows += [(name, label, x, v) for x, v in zip(grid, curve, strict=True)]
    frame = pd.DataFrame(rows, columns=["feature", "class", "x", "value"])
    return _Result(table=frame)


def build_evidence(
    X=None, classes=("setosa", "versicolor", "virginica"), *, n_rows=40, **changes
):
    """Give evidence whose numbers are noise, of the shape that is asked for."""
    rng = np.random.default_rng(0)
    if X is None:
        X = pd.DataFrame(
            rng.normal(3, 2, (n_rows, 4)),
            columns=["sepal length", "sepal width", "petal length", "petal width"],
        )
    classes = np.asarray(classes)
    names, n_rows, n_classes = list(X.columns), len(X), len(classes)
    codes = rng.integers(0, n_classes, n_rows)
    proba = 0.3 * rng.dirichlet(np.ones(n_classes), n_rows)
    proba += 0.7 * rng.dirichlet(np.ones(n_classes), n_rows).round() + 1e-3
    proba += np.eye(n_classes)[codes]
    proba /= proba.sum(1, keepdims=True)
    predicted = proba.argmax(1)
    performance = _performance.measure(codes, proba)
    chosen = _performance.choose_rows(codes, proba, predicted)
    simple, note = _simple_model.simple_model(X, codes, n_classes)
    effect = np.sort(rng.random(len(names)))[::-1] / 2
    importance = pd.DataFrame(
        {
            "feature": names,
            "importance": effect,
            "ratio": 1 + effect,
            "std_error": 0.02,
            "ci_low": effect - 0.04,
            "ci_high": effect + 0.04,
        }
    )
    agreement = pd.DataFrame(
        {
            "method_a": ["SHAP", "SHAP"],
            "method_b": ["LIME", "permutation importance"],
            "rank": [0.8, 0.9],
            "sign": [0.95, np.nan],
        }
    )
    evidence = {
        "title": None,
        "record": FittedRecord("LogisticRegression", ()),
        "X": X,
        "feature_names": names,
        "classes": classes,
        "codes": codes,
        "probabilities": proba,
        "predicted": predicted,
        "performance": performance,
        "simple": None if simple is None else _performance.measure(codes, simple),
        "simple_note": note,
        "base": _performance.measure(codes, _performance.baseline(codes, n_classes)),
        "importance": _Result(table=importance),
        "scoring": "accuracy",
        "profiles": _profiles(names, classes, X, rng),
        "shap": _attributions(rng, n_rows, len(names), n_classes, method="exact"),
        "shap_rows": list(range(n_rows)),
        "lime": _attributions(
            rng,
            len(chosen),
            len(names),
            n_classes,
            method="lime",
            score=rng.uniform(0.2, 1, (len(chosen), n_classes)),
        ),
        "chosen": chosen,
        "agreement": agreement,
        "n_background": 112,
        "random_state": 0,
    }
    return Evidence(**{**evidence, **changes})


def network_record(n_epochs=60):
    """Give a record as a trained network leaves it."""
    epochs = np.arange(n_epochs)
    history = pd.DataFrame(
        {
            "loss": 1.1 * np.exp(-epochs / 15) + 0.05,
            "accuracy": 1 - 0.66 * np.exp(-epochs / 10),
            "val_loss": 1.1 * np.exp(-epochs / 15) + 0.1 + epochs / 900,
            "val_accuracy": 0.95 - 0.6 * np.exp(-epochs / 10),
            "learning_rate": 0.001,
            "seconds": 0.01,
        }
    )
    return FittedRecord(
        name="DNNClassifier",
        steps=("MinMaxScaler", "DNNClassifier"),
        history=history,
        baseline_loss=float(np.log(3)),
        summary="DNNClassifier: 4 -> 20 -> 20 -> 3",
        network=SVG,
    )


@pytest.fixture(scope="session")
def evidence():
    """Give evidence of a network on three classes."""
    return build_evidence(record=network_record())


@pytest.fixture(scope="session")
def make_evidence():
    """Give the function that makes up evidence."""
    return build_evidence
