"""Ceteris paribus: the output for a row as one of its cells moves."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from skdnn._runtime.progress import Progress
from skdnn.explain._model.grid import (
    outputs_at,
    places_of,
    profile_table,
    shown,
    take_refits,
    ticks_of,
)
from skdnn.explain._model.names import check_count
from skdnn.explain._model.target import Problem, Step, no_step, open_problem
from skdnn.explain._results.profiles import Profiles


def ceteris_paribus(
    estimator,
    X,
    *,
    background=None,
    features=None,
    grid_resolution=50,
    output="probability",
    random_state=None,
    verbose=False,
):
    """Show how the prediction for each row moves with each of its cells.

    Parameters
    ----------
    estimator : object
        A fitted classifier with `predict_proba` and `classes_`.
    X : {array-like, DataFrame} of shape (n_samples, n_features)
        Rows to explain.
    background : like X, default=None
        Rows that tell which values a column may have: the training data, as a rule.
        All of them are looked at. None takes X.
    features : str, int or list of these, default=None
        Columns to move, by name or position. None is all.
    grid_resolution : int, default=50
        Places at which a column of numbers is looked at, at most, beside the row's own
        cell; a column of words is looked at at every level.
    output : {"probability", "log_odds"}, default="probability"
        What is shown.
    random_state : object, default=None
        Takes no part, as nothing is drawn; it is here so that all explain functions
        can be called alike.
    verbose : bool, default=False
        Whether one live line on stderr shows progress.

    Returns
    -------
    Profiles
        `frame()` has a row for each explained row, column, class and place: sample,
        feature, class, x, value (in units of `output`). The row's own cell is among
        the places of each curve, and its value there is the prediction.

    Raises
    ------
    ValueError
        If rows or options cannot be.

    Notes
    -----
    The mean of such curves over many rows is `partial_dependence`.

    References
    ----------
    .. [1] Biecek and Burzykowski (2021), Explanatory Model Analysis, chapter 10.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skdnn import explain
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> model = LogisticRegression(max_iter=1000).fit(X, y)
    >>> profile = explain.ceteris_paribus(model, X[:1], background=X, features=3)
    >>> profile.frame().columns.tolist()
    ['sample', 'feature', 'class', 'x', 'value']
    """
    check_count("grid_resolution", grid_resolution, 2)
    del random_state
    problem = open_problem(estimator, X, background=background, output=output)
    positions = problem.target.positions(features)
    with Progress(len(positions), "column", verbose) as progress:
        return compute_ceteris_paribus(
            problem, positions, grid_resolution, progress.step
        )


def compute_ceteris_paribus(
    problem: Problem,
    positions: Sequence[int] | None = None,
    resolution: int = 50,
    step: Step = no_step,
) -> Profiles:
    """Return a curve for each row along each column; None is all columns."""
    positions = range(problem.target.n_features) if positions is None else positions
    target = problem.target.stacked()
    predictions = target.split(target.predict(problem.X))
    tables, ticks, own = [], {}, {}
    for j in positions:
        column, cells = target.columns[j], problem.background[:, j]
        places = places_of(column, cells, resolution)
        curves = np.empty((len(problem.X), len(places), target.n_classes))
        errors = np.empty_like(curves) if target.n_refits else None
        for part, output in outputs_at(target, problem.X, [j], places[:, None]):
            curves[:, part], apart = target.split(output.transpose(1, 0, 2))
            if errors is not None:
                errors[:, part] = apart
        x = shown(column, places)
        table = profile_table(column.name, target.class_names, x, curves, errors)
        tables.append(_with_own(table, problem, j, places, predictions))
        ticks[column.name] = ticks_of(column, cells)
        own[column.name] = shown(column, problem.X[:, j])
        step()
    table = pd.concat(tables, ignore_index=True)
    refits = take_refits(table, target)
    return Profiles(
        table,
        "Ceteris paribus",
        len(problem.background),
        ticks,
        target.unit,
        own,
        **refits,
    )


def _with_own(
    table: pd.DataFrame,
    problem: Problem,
    j: int,
    places: np.ndarray,
    predictions: tuple[np.ndarray, np.ndarray | None],
) -> pd.DataFrame:
    """Return the curves with each row's own cell among the places.

    Parameters
    ----------
    table : DataFrame
        The curves, a row for each sample, class and place.
    problem : Problem
        Its X holds the rows.
    j : int
        Position of the column.
    places : ndarray of shape (n_places,)
        Coded cells that every row has been given.
    predictions : tuple of ndarray of shape (n_samples, n_classes), or None
        Output for the rows as they are, and its standard deviation over refits.
    """
    column, own = problem.target.columns[j], problem.X[:, j]
    missing = np.isnan(own)
    lacking = np.flatnonzero(
        ~(np.isin(own, places) | (missing & np.isnan(places).any()))
    )
    n, k = len(own), problem.target.n_classes
    # where each place stands in its curve; what is missing or new comes last
    at = np.searchsorted(places, own[lacking]) - 0.5
    if not column.is_numeric:
        at[:] = len(places)
    extra = pd.DataFrame(
        {
            "sample": np.repeat(lacking, k),
            "feature": column.name,
            "class": np.tile(problem.target.class_names, len(lacking)),
            "x": np.repeat(shown(column, own[lacking]), k),
            "value": predictions[0][lacking].ravel(),
        }
    )
    if predictions[1] is not None:
        extra["refit_error"] = predictions[1][lacking].ravel()
    everything = pd.concat([table, extra], ignore_index=True) if len(extra) else table
    order = np.lexsort(
        (
            np.append(np.tile(np.arange(len(places)), n * k), np.repeat(at, k)),
            np.append(
                np.tile(np.repeat(np.arange(k), len(places)), n),
                np.tile(np.arange(k), len(lacking)),
            ),
            everything["sample"],
        )
    )
    return everything.iloc[order]
