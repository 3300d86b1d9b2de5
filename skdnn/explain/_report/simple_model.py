"""Logistic regression as the simple model, and the cells of a table as arrays."""

import warnings
from typing import Any

import numpy as np


def simple_model(
    X: Any, codes: np.ndarray, n_classes: int, *, random_state: int = 0
) -> tuple[np.ndarray | None, str]:
    """Predict each row with a logistic regression fitted on the other rows.

    Only held-out rows come with labels, so the regression is cross-validated on them.

    Parameters
    ----------
    X : array-like or DataFrame of shape (n_samples, n_features)
        Rows as the user has them; words and missing cells are encoded here.
    codes : ndarray of shape (n_samples,)
        Position of the class of each row.
    n_classes : int
        Number of classes that the estimator knows.
    random_state : int, default=0
        Seed of the folds.

    Returns
    -------
    probabilities : ndarray of shape (n_samples, n_classes) or None
        Out-of-fold probabilities, zero for a class that has no row.
    note : str
        How they were made, or why there are none.
    """
    counts = np.bincount(codes, minlength=n_classes)
    present = counts > 0
    if present.sum() < 2:
        return None, "the rows hold one class only"
    if counts[present].min() < 2:
        rare = int((counts[present] < 2).sum())
        what = "one class has" if rare == 1 else f"{rare} classes have"
        return None, f"{what} a single row, so no fold can be left out"
    n_splits = min(5, len(codes))
    folds = _deal(codes, n_splits, random_state)
    probabilities = np.zeros((len(codes), n_classes))
    columns = columns_of(X)
    numeric = [i for i, column in enumerate(columns) if column.dtype == float]
    words = [i for i, column in enumerate(columns) if column.dtype != float]
    table = _as_table(columns, words)
    try:
        for fold in range(n_splits):
            test, train = folds == fold, folds != fold
            model = _logistic_regression(numeric, words)
            with warnings.catch_warnings():
                # A regression that has not converged is still a fair simple model.
                warnings.simplefilter("ignore")
                model.fit(table[train], codes[train])
                predicted = model.predict_proba(table[test])
            probabilities[np.ix_(np.flatnonzero(test), model.classes_)] = predicted
    except (TypeError, ValueError) as error:
        first = (
            str(error).strip().splitlines()[0] if str(error).strip() else "no reason"
        )
        return None, f"it could not be fitted to these columns ({first[:200]})"
    return probabilities, f"out-of-fold predictions of {n_splits} folds of these rows"


def _deal(codes: np.ndarray, n_splits: int, random_state: int) -> np.ndarray:
    """Deal the shuffled rows of each class over the folds, like cards.

    StratifiedKFold warns about classes with fewer rows than folds; dealing needs two.
    """
    shuffled = np.random.default_rng(random_state).permutation(len(codes))
    by_class = shuffled[np.argsort(codes[shuffled], kind="stable")]
    folds = np.empty(len(codes), dtype=int)
    folds[by_class] = np.arange(len(codes)) % n_splits
    return folds


def _as_table(columns: list[np.ndarray], words: list[int]) -> np.ndarray:
    """Put columns side by side; in columns of words a missing cell is a word."""
    if not words:
        return np.column_stack(columns)
    table = np.empty((len(columns[0]), len(columns)), dtype=object)
    for i, column in enumerate(columns):
        if i in words:
            table[:, i] = ["missing" if cell is None else str(cell) for cell in column]
        else:
            table[:, i] = column
    return table


def _logistic_regression(numeric: list[int], words: list[int]) -> Any:
    """Impute and scale columns of numbers, one-hot encode the others, regress."""
    from sklearn.compose import make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    numbers = make_pipeline(
        SimpleImputer(strategy="median", keep_empty_features=True), StandardScaler()
    )
    encoder = OneHotEncoder(handle_unknown="ignore", max_categories=50)
    columns = make_column_transformer((numbers, numeric), (encoder, words))
    return make_pipeline(columns, LogisticRegression(max_iter=1000))


def columns_of(X: Any) -> list[np.ndarray]:
    """Give each column as an array: of float where it holds numbers, else of object.

    Missing numbers are nan, other missing cells None.

    >>> columns_of(np.array([[1, "a"], [None, "b"]], dtype=object))
    [array([ 1., nan]), array(['a', 'b'], dtype=object)]
    """
    if hasattr(X, "iloc"):
        return [_column(X.iloc[:, i]) for i in range(X.shape[1])]
    table = np.asarray(X)
    return [_column(table[:, i]) for i in range(table.shape[1])]


def _column(column: Any) -> np.ndarray:
    kind = getattr(column.dtype, "kind", "O")
    if kind in "iufb":
        if hasattr(column, "to_numpy"):
            return column.to_numpy(dtype=float, na_value=np.nan)
        return column.astype(float)
    cells = np.empty(len(column), dtype=object)
    cells[:] = [None if is_missing(cell) else cell for cell in column]
    given = [cell for cell in cells if cell is not None]
    if given and all(isinstance(cell, float | int | np.number) for cell in given):
        return np.array([np.nan if cell is None else cell for cell in cells], float)
    return cells


def is_missing(cell: Any) -> bool:
    """Tell whether a cell is None, nan, pandas.NA or NaT."""
    if cell is None or type(cell).__name__ in ("NAType", "NaTType"):
        return True
    return bool(isinstance(cell, float | np.floating) and cell != cell)
