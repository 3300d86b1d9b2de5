"""Synthetic results of the explain functions, so that no model is needed."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from jsonschema import Draft202012Validator

from skdnn import explain
from skdnn.explain._checks import Measurements, run_checks
from skdnn.explain._methods import performance_scores as _performance
from skdnn.explain._methods.paired_accuracy import accuracy_difference
from skdnn.explain._report.cells import as_column
from skdnn.explain._report.evidence import Evidence
from skdnn.explain._report.fitted_record import FittedRecord
from skdnn.explain._report.picked_explanations import PickedRows
from skdnn.explain._report.rivals import CLASS_SHARES, LOGISTIC_REGRESSION, Rival
from skdnn.explain._results.attributions import Attributions, BreakDown
from skdnn.explain._results.counterfactuals import Counterfactuals
from skdnn.explain._results.profiles import Profiles
from skdnn.explain._results.tables import DeletionCurves, ResultTable

SVG = (
    '<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9">'
    '<circle cx="4" cy="4" r="3"/></svg>'
)


class _Result(SimpleNamespace):
    def frame(self):
        return self.table


def _attributions(rng, X, classes, kind=Attributions, **more):
    """Return attributions that are noise, but add up."""
    shape = (*X.shape, len(classes))
    values, base = rng.normal(0, 0.1, shape), np.full(len(classes), 1 / len(classes))
    return kind(
        values=values,
        std_errors=np.zeros(shape),
        base_values=base,
        predictions=base + values.sum(axis=1),
        feature_names=list(X),
        class_names=classes,
        data=X.to_numpy(dtype=object),
        **{"method": "exact"} | more,
        output="probability",
        n_background=30,
        random_state=0,
    )


def _of_rows(rng, X, classes):
    """Return break-down, ceteris paribus and counterfactuals of some rows."""
    n, d = X.shape
    orders = np.stack([rng.permutation(d) for _ in range(n)])
    some = {name: [*X[name].dropna()[:5].sort_values()] for name in X}
    curves = [
        (i, name, label, x, rng.random())
        for i in range(n)
        for name in X
        for grid in [dict.fromkeys([*some[name], X[name].iloc[i]])]
        for label in classes
        for x in grid
    ]
    changed = X.copy()
    changed.iloc[:, 0] = X.iloc[:, 0].to_numpy()[::-1]
    table = pd.DataFrame({"sample": range(n), "found": True, "target": classes[0]})
    cells = [(i, i, X.columns[0], X.iloc[i, 0], changed.iloc[i, 0]) for i in range(n)]
    return {
        "break_down": _attributions(
            rng, X, classes, BreakDown, method="by size", orders=orders
        ),
        "ceteris_paribus": Profiles(
            pd.DataFrame(curves, columns=["sample", "feature", "class", "x", "value"]),
            "Ceteris paribus",
            30,
            {},
            own={name: X[name].to_numpy() for name in X},
        ),
        "counterfactuals": Counterfactuals(
            pd.concat([table, changed.reset_index(drop=True)], axis=1),
            pd.DataFrame(cells, columns=["row", "sample", "feature", "old", "new"]),
            np.ones(n, dtype=bool),
            30,
        ),
    }


def _picked(rng, X, classes, shap, rows):
    """Return explanations of rows to pick from."""
    if not rows:
        return None
    some = X.iloc[rows]
    score = rng.uniform(0.2, 1, (len(rows), len(classes)))
    lime = _attributions(rng, some, classes, method="lime", score=score)
    of_rows = _of_rows(rng, some, classes)
    single = range(len(rows))
    return PickedRows(
        rows,
        [shap[[row]] for row in rows],
        [lime[[i]] for i in single],
        [of_rows["break_down"][[i]] for i in single],
        of_rows["ceteris_paribus"],
        of_rows["counterfactuals"],
    )


def _trust(results, importance, n_rows):
    """Return checks, deletion curves and reruns."""
    removed = np.linspace(0, 1, 5)
    table = pd.DataFrame({"removed": removed, "attribution": 0.9 - removed / 2})
    table = table.assign(random=0.9 - removed / 3, low=0.4, high=0.9)
    curves = DeletionCurves(table, np.full(39, 0.7), 0.6, n_rows, "probability")
    reruns = pd.DataFrame(
        {"seed": [1, 2], "rank": 0.9, "sign": 0.98, "moved": 0.1, "n_rows": 3}
    )
    names = dict(zip(("SHAP", "LIME"), results, strict=True))
    return {
        "checks": [
            *(
                run_checks(r, Measurements(deletion=curves, off_data=0.6))
                for r in results
            ),
            run_checks(importance),
        ],
        "deletion": dict.fromkeys(names, curves),
        "reruns": dict.fromkeys(names, reruns),
    }


def _decisions(rng, X, classes, codes, proba, own):
    """Return the performance of these probabilities."""
    rows = np.arange(len(codes), dtype=float)[:, None]
    model = SimpleNamespace(
        classes_=classes,
        predict_proba=lambda A: proba[np.asarray(A, dtype=float)[:, 0].astype(int)],
        fit=None,
    )
    return explain.performance(model, rows, classes[codes], random_state=0)


def _rivals(rng, codes, own, predicted, n_classes):
    rivals = []
    for name, strength in ((CLASS_SHARES, 0), (LOGISTIC_REGRESSION, 0.5)):
        proba = rng.dirichlet(np.ones(n_classes), len(codes))
        proba = proba * (1 - strength) + strength * np.eye(n_classes)[codes]
        scored = _performance.measure(codes, proba)
        their = proba.argmax(axis=1)
        differences = {
            "accuracy": accuracy_difference(
                predicted == codes, their == codes, np.ones(len(codes))
            ),
            "log_loss": _performance.difference(own, scored, "log_loss"),
        }
        rivals.append(Rival(name, 112, scored, their, differences))
    return rivals


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


def column_of(series):
    """Return a column as the report holds it."""
    if series.dtype.kind in "iufb":
        return series.to_numpy(float)
    return as_column(series.tolist())


def build_evidence(
    X=None, classes=("setosa", "versicolor", "virginica"), *, n_rows=40, **changes
):
    """Return evidence whose numbers are noise."""
    rng = np.random.default_rng(0)
    if X is None:
        X = pd.DataFrame(
            rng.normal(3, 2, (n_rows, 4)),
            columns=["sepal length", "sepal width", "petal length", "petal width"],
        )
    X = X.rename(columns=str)  # results name columns with strings
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
    columns = [column_of(X.iloc[:, j]) for j in range(X.shape[1])]
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
    importance = ResultTable(importance, "Permutation importance", "importance")
    some = X.iloc[[row for row, _ in changes.get("chosen", chosen)]]
    shap = _attributions(rng, X, classes)
    lime = _attributions(
        rng, some, classes, method="lime",
        score=rng.uniform(0.2, 1, (len(some), n_classes)),
    )  # fmt: skip
    agreement = pd.DataFrame(
        {
            "method_a": ["SHAP", "SHAP"],
            "method_b": ["LIME", "permutation importance"],
            "rank": [0.8, 0.9],
            "sign": [0.95, np.nan],
        }
    )
    agreement = ResultTable(agreement, "Agreement between methods", "agreement")
    evidence = {
        "title": None,
        "record": FittedRecord("LogisticRegression", ()),
        "columns": columns,
        "row_labels": [str(label) for label in X.index],
        "feature_names": names,
        "class_names": classes,
        "positive": 1 if n_classes == 2 else None,
        "codes": codes,
        "probabilities": proba,
        "predicted": predicted,
        "performance": performance,
        "decisions": _decisions(rng, X, classes, codes, proba, performance),
        "nested": None,
        "rivals": _rivals(rng, codes, performance, predicted, n_classes),
        "without_rivals": [],
        "has_labels": True,
        "depth": None,
        "similar": None,
        "row_groups": None,
        "base": _performance.measure(
            codes, _performance.baseline(codes, n_classes, np.ones(len(codes)))
        ),
        "importance": importance,
        "n_averaged": n_rows,
        "n_repeats": 10,
        "scoring": "accuracy",
        "profiles": _profiles(names, classes, X, rng),
        "accumulated": _profiles(names, classes, X, rng),
        "shap": shap,
        "shap_rows": list(range(n_rows)),
        "lime": lime,
        **_of_rows(rng, some, classes),
        **_trust([shap, lime], importance, len(some)),
        "chosen": chosen,
        "agreement": agreement,
        "is_weighted": False,
        "n_background": 112,
        "random_state": 0,
    }
    merged = {**evidence, **changes}
    kept = {row for row, _ in merged["chosen"]}
    left = [row for row in range(n_rows) if row not in kept]
    merged["readable"] = list(range(n_rows))
    merged["picked"] = _picked(rng, X, classes, merged["shap"], left)
    return Evidence(**merged)


def network_record(n_epochs=60):
    """Return the record of a trained network."""
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
def schema():
    """Return a validator of the schema of `Report.to_dict`, kept with the documents."""
    path = Path(__file__).parents[3] / "docs" / "report.schema.json"
    return Draft202012Validator(json.loads(path.read_text("utf-8")))


@pytest.fixture(scope="session")
def evidence():
    """Return evidence of a network on three classes."""
    return build_evidence(record=network_record())


@pytest.fixture(scope="session")
def make_evidence():
    """Return the function that builds evidence."""
    return build_evidence
