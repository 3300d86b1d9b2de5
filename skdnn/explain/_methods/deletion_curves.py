"""Deletion curves: how the prediction falls as columns are taken away.

An attribution that says something about the classifier names columns whose loss is
felt. Cells are replaced by those of background rows, in the order of the attribution,
and beside that in orders drawn at random.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from skdnn.explain._model.target import Problem
from skdnn.explain._results.attributions import Attributions
from skdnn.explain._results.deletion import DeletionCurves

# 1 in 40 is the smallest share of chance that so many orders can tell.
N_ORDERS = 39
_MAX_STEPS = 10
_MAX_ROWS = 20
_N_BACKGROUND = 10


def compute_deletion_curves(
    problem: Problem,
    results: Mapping[str, Attributions],
    random_state: np.random.RandomState,
) -> dict[str, DeletionCurves]:
    """Return deletion curves of the first rows, for the class predicted.

    Parameters
    ----------
    problem : Problem
        The rows that all results explain, and background rows.
    results : dict of str to Attributions
        By name; a player for each column, a class for each of the classifier's. They
        are compared with the same random orders.
    random_state : RandomState
        Draws background rows and orders.

    References
    ----------
    .. [1] Petsiuk, Das and Saenko (2018), RISE: randomized input sampling for
       explanation of black-box models, section 4.3.
    """
    n, d = min(_MAX_ROWS, len(problem.X)), problem.target.n_features
    rows, back = problem.X[:n], problem.background
    back = back[random_state.permutation(len(back))[:_N_BACKGROUND]]
    drawn = np.argsort(random_state.random_sample((N_ORDERS, n, d)), axis=2)
    classes = problem.target.predict(rows).argmax(axis=1)
    own = [
        np.argsort(-result.values[np.arange(n), :, classes], axis=1, kind="stable")
        for result in results.values()
    ]
    steps = np.unique(np.linspace(0, d, min(d, _MAX_STEPS) + 1).round().astype(int))
    curves = _curves(problem, rows, back, np.stack([*own, *drawn]), classes, steps)
    # the ends are the same for all orders
    areas = curves[:, 1:-1].mean(axis=1) if d > 1 else np.zeros(len(curves))
    chance = curves[len(own) :]
    low, high = np.quantile(chance, [0.025, 0.975], axis=0)
    return {
        name: DeletionCurves(
            pd.DataFrame(
                {
                    "removed": steps / d,
                    "attribution": curves[place],
                    "random": chance.mean(axis=0),
                    "low": low,
                    "high": high,
                }
            ),
            areas[len(own) :],
            float(areas[place]),
            n,
            problem.target.unit,
        )
        for place, name in enumerate(results)
    }


def _curves(problem, rows, back, orders, classes, steps) -> np.ndarray:
    """Return the mean output at each step of each order, (n_orders, n_steps)."""
    n, d = rows.shape
    turns = np.argsort(orders, axis=2)  # when each column goes
    means = np.empty((len(orders), len(steps)))
    for i, step in enumerate(steps):
        gone = (turns < step)[:, :, None, :]
        mixed = np.where(gone, back, rows[:, None, :]).reshape(-1, d)
        output = problem.target.predict(mixed, copy=False)
        output = output.reshape(len(orders), n, len(back), -1).mean(axis=2)
        means[:, i] = output[:, np.arange(n), classes].mean(axis=1)
    return means
