"""Deletion curves: the prediction as columns are removed in the order of attributions.

Values are replaced by those of background rows, in the order of the attribution, and in
random orders for comparison. The first columns should change the prediction most.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from skdnn.explain._model.target import Problem
from skdnn.explain._results.attributions import Attributions
from skdnn.explain._results.tables import DeletionCurves

# The number of random orders; the smallest p-value is 1 in 40.
N_ORDERS = 39
_MAX_STEPS = 10
_MAX_ROWS = 20
_N_BACKGROUND = 10


def compute_deletion_curves(
    problem: Problem,
    results: Mapping[str, Attributions],
    random_state: np.random.RandomState,
) -> dict[str, DeletionCurves]:
    """Return deletion curves of the first rows for the predicted class.

    Results, with a player for each column, are compared with the same random orders
    (Petsiuk, Das and Saenko, 2018, RISE: randomized input sampling for explanation of
    black-box models, section 4.3).
    """
    n, d = min(_MAX_ROWS, len(problem.X)), problem.target.n_features
    rows, back = problem.X[:n], problem.background
    back = back[random_state.permutation(len(back))[:_N_BACKGROUND]]
    drawn = np.argsort(random_state.random_sample((N_ORDERS, n, d)), axis=2)
    classes = problem.target.classes_of(rows)
    own = [
        np.argsort(-result.values[np.arange(n), :, classes], axis=1, kind="stable")
        for result in results.values()
    ]
    removed = np.unique(np.linspace(0, d, min(d, _MAX_STEPS) + 1).round().astype(int))
    orders = np.stack([*own, *drawn])
    curves = _curves(problem, rows, back, orders, classes, removed)
    # the ends are the same for all orders
    areas = curves[:, 1:-1].mean(axis=1) if d > 1 else np.zeros(len(curves))
    random = curves[len(own) :]
    low, high = np.quantile(random, [0.025, 0.975], axis=0)
    columns = {
        "removed": removed / d, "random": random.mean(axis=0), "low": low, "high": high,
    }  # fmt: skip
    by_name = {}
    for name, curve, area in zip(results, curves, areas.tolist(), strict=False):
        table = pd.DataFrame(columns)
        table.insert(1, "attribution", curve)
        unit = problem.target.unit
        by_name[name] = DeletionCurves(table, areas[len(own) :], area, n, unit)
    return by_name


def _curves(
    problem: Problem,
    rows: np.ndarray,
    back: np.ndarray,
    orders: np.ndarray,
    classes: np.ndarray,
    removed: np.ndarray,
) -> np.ndarray:
    """Return mean outputs (n_orders, len(removed)) with some columns removed."""
    n, d = rows.shape
    turns = np.argsort(orders, axis=2)  # when each column is removed
    means = np.empty((len(orders), len(removed)))
    for i, n_removed in enumerate(removed):
        # at both ends, all orders have removed the same columns
        is_removed = (turns[:1] if n_removed in (0, d) else turns) < n_removed
        is_removed = is_removed[:, :, None, :]
        mixed = np.where(is_removed, back, rows[:, None, :]).reshape(-1, d)
        output = problem.target.predict(mixed, copy=False)
        output = output.reshape(-1, n, len(back), output.shape[1]).mean(axis=2)
        means[:, i] = output[:, np.arange(n), classes].mean(axis=1)
    return means
