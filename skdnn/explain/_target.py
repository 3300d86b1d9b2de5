"""The one front door of every explanation: a classifier seen as a function of rows.

Rows are held as a matrix of floats, one column for each column of the user's, so that
any mix of rows can be made by indexing. Before the classifier sees rows they are
turned back into the user's container, column order and dtypes.
"""

import difflib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import issparse
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from skdnn.explain._columns import Column, code_column, is_number, shared_dtype
from skdnn.explain._foreign import as_classifier
from skdnn.explain._images import OfShape, as_table, cell_names
from skdnn.explain._names import check_option, positions_of

# Told of every piece of work that is done, to show progress.
Step = Callable[[], None]

MAX_BACKGROUND = 100
# Cells handed to the classifier at once: the memory it takes does not grow with rows.
_BLOCK_CELLS = 2**20
_MAX_BLOCK_ROWS = 50_000
# Rows of a long background that are looked at to tell which class they are of.
_MAX_STRATIFIED = 10_000
# Levels of a column that the classifier is asked about beforehand.
_MAX_ASKED = 100
# Probabilities are kept this far from 0 and 1 before log odds are taken.
_SMALLEST = 1e-12


@dataclass(frozen=True)
class Target:
    """A fitted classifier as a function from coded rows to a number for each class.

    Parameters
    ----------
    estimator : object
        With `predict_proba` and `classes_`.
    columns : tuple of Column
        The user's columns.
    class_names : ndarray of shape (n_classes,)
        ``estimator.classes_``.
    frame_columns : pandas.Index or None
        Column labels, if rows are a frame; None for an array.
    array_dtype : dtype or None
        Of the array.
    output : {"probability", "log_odds"}
        What `predict` returns.
    contrast : tuple of int or None
        Positions of two classes, if `predict` returns the first less the second.
    """

    estimator: Any
    columns: tuple[Column, ...]
    class_names: np.ndarray
    frame_columns: pd.Index | None
    array_dtype: Any
    output: str = "probability"
    contrast: tuple[int, int] | None = None

    @property
    def feature_names(self) -> list[str]:
        """Names of the columns."""
        return [column.name for column in self.columns]

    @property
    def n_features(self) -> int:
        """Count of the columns."""
        return len(self.columns)

    @property
    def n_classes(self) -> int:
        """Count of the classes."""
        return len(self.class_names)

    @property
    def unit(self) -> str:
        """What the output is measured in, in words."""
        return self.output.replace("_", " ")

    @property
    def output_names(self) -> np.ndarray:
        """What each column of `predict` is called: a class, or the contrast of two."""
        if self.contrast is None:
            return self.class_names
        first, second = (self.class_names[place] for place in self.contrast)
        return np.array([f"{first} - {second}"])

    @property
    def block_rows(self) -> int:
        """Rows that the classifier is given at once, at most."""
        return min(_MAX_BLOCK_ROWS, max(256, _BLOCK_CELLS // self.n_features))

    def decode(self, codes: np.ndarray, *, copy: bool = True):
        """Return coded rows in the user's container, column order and dtypes.

        A copy, as some classifiers scale the rows they get in place, unless the
        caller has no more use for the codes.
        """
        if self.frame_columns is None:
            if is_number(self.array_dtype):
                return codes.astype(self.array_dtype, copy=copy)
            rows = np.empty(codes.shape, dtype=self.array_dtype)
            for j, column in enumerate(self.columns):
                rows[:, j] = column.decode(codes[:, j])
            return rows
        dtypes = {column.dtype for column in self.columns}
        if len(dtypes) == 1 and all(
            c.is_numeric and isinstance(c.dtype, np.dtype) for c in self.columns
        ):
            # one block: a hundred times quicker than a column at a time
            block = codes.astype(self.columns[0].dtype, copy=copy)
            return pd.DataFrame(block, columns=self.frame_columns, copy=False)
        series = [
            pd.Series(column.decode(codes[:, j]), dtype=column.dtype)
            for j, column in enumerate(self.columns)
        ]
        frame = pd.concat(series, axis=1)
        frame.columns = self.frame_columns
        return frame

    def predict(self, codes: np.ndarray, *, copy: bool = True) -> np.ndarray:
        """Return the classifier's output for coded rows.

        Parameters
        ----------
        codes : ndarray of shape (n_rows, n_features)
            Coded rows.
        copy : bool, default=True
            Whether the codes must stay as they are.

        Returns
        -------
        ndarray of shape (n_rows, n_classes)
            Probabilities or log odds; of shape (n_rows, 1) with `contrast`.
        """
        out = np.empty((len(codes), self.n_classes))
        for start in range(0, len(codes), self.block_rows):
            part = slice(start, start + self.block_rows)
            rows = self.decode(codes[part], copy=copy)
            out[part] = _checked(self.estimator.predict_proba(rows), self.n_classes)
        if self.output == "log_odds":
            out = np.clip(out, _SMALLEST, 1 - _SMALLEST)
            out = np.log(out) - np.log1p(-out)
        if self.contrast is not None:
            first, second = self.contrast
            out = out[:, [first]] - out[:, [second]]
        return out

    def positions(self, features) -> list[int]:
        """Return the positions of columns given by name or position; None is all.

        Raises
        ------
        ValueError
            For a name or a position that is not there, or a column given twice.
        """
        if features is None:
            return list(range(self.n_features))
        return positions_of("features", features, self.feature_names)


@dataclass(frozen=True)
class Problem:
    """A target, coded rows to explain, and coded background rows.

    Parameters
    ----------
    target : Target
        The classifier.
    X : ndarray of shape (n_samples, n_features)
        Coded rows.
    background : ndarray of shape (n_background, n_features)
        Coded rows that stand for "a column is not known".
    data : ndarray of shape (n_samples, n_features), object
        The cells of X as the user gave them.
    """

    target: Target
    X: np.ndarray
    background: np.ndarray
    data: np.ndarray

    def with_background(self, background: np.ndarray) -> "Problem":
        """Return the problem with other background rows."""
        return replace(self, background=background)


def open_problem(
    estimator, X, *, background=None, output: str = "probability"
) -> Problem:
    """Check what an explain function was given, and code it.

    Parameters
    ----------
    estimator : object
        A fitted classifier, Pipeline or search.
    X : {array-like, DataFrame} of shape (n_samples, n_features)
        Rows to explain; or images or sequences, whose cells are the columns.
    background : like X, or None
        None takes X itself.
    output : {"probability", "log_odds"}
        What is to be explained.

    Raises
    ------
    ValueError
        If the estimator has no `predict_proba`, X or the background cannot be, or the
        classifier refuses the rows.
    sklearn.exceptions.NotFittedError
        If the estimator is not fitted.
    """
    check_option("output", output, ("probability", "log_odds"))
    estimator = as_classifier(estimator, X)
    class_names = _check_estimator(estimator)
    estimator, X, background = as_table(estimator, X, background)
    rows, labels = _check_rows(X, "X", estimator)
    if background is None:
        back = rows
    else:
        back, back_labels = _check_rows(background, "background", estimator)
        _check_same_columns(rows, back, labels, back_labels)
    if len(back) < 2:
        raise ValueError(
            f"`background` must have at least 2 rows to compare with. Got {len(back)}. "
            "Hand over rows of the training data."
        )
    is_frame = isinstance(X, pd.DataFrame)
    parts = [
        code_column(str(label), rows[j], None if back is rows else back[j])
        for j, label in enumerate(labels)
    ]
    columns, coded, coded_back = zip(*parts, strict=True)
    target = Target(
        estimator=estimator,
        columns=columns,
        class_names=class_names,
        frame_columns=X.columns if is_frame else None,
        array_dtype=None if is_frame else _array_dtype(rows.table, back.table),
        output=output,
    )
    # the classifier's own words, if it does not know these columns
    first = X.iloc[:1] if is_frame else rows.table[:1]
    _checked(estimator.predict_proba(first.copy()), len(class_names))
    problem = Problem(
        target, np.column_stack(coded), np.column_stack(coded_back), rows.objects()
    )
    if back is not rows:
        _check_background_is_taken(problem)
    return problem


def _array_dtype(X: np.ndarray, background: np.ndarray) -> np.dtype:
    """Return the dtype that holds the cells of both arrays unchanged."""
    if not is_number(X.dtype):
        return np.result_type(X, background)  # the longer words
    if X.dtype == background.dtype:
        return X.dtype
    return shared_dtype(X[0], background[0], background.astype(np.float64).ravel())


def _check_background_is_taken(problem: Problem) -> None:
    """Ask the classifier about background rows that have what no row of X has."""
    X, background = problem.X, problem.background
    asked: set[int] = set()
    for j, column in enumerate(problem.target.columns):
        if column.is_numeric:
            odd = np.flatnonzero(~np.isfinite(background[:, j]))[:1]
        else:
            odd = np.unique(background[:, j], return_index=True)[1]
            odd = odd[background[odd, j] > X[:, j].max()][:_MAX_ASKED]
        asked.update(odd.tolist())
    if not asked:
        return
    try:
        problem.target.predict(background[sorted(asked)])
    except ValueError as error:
        raise ValueError(
            "`background` must hold rows that the classifier takes. Got this of one "
            f"that has a missing, infinite or new value: {error}"
        ) from error


def draw_background(
    problem: Problem, random_state: np.random.RandomState, most: int = MAX_BACKGROUND
) -> np.ndarray:
    """Return at most 100 background rows, every predicted class in its share.

    Parameters
    ----------
    most : int, default=100
        How many at most.

    Returns
    -------
    ndarray of shape (n_background, n_features)
    """
    rows = problem.background
    if len(rows) <= most:
        return rows
    shuffled = random_state.permutation(len(rows))[: max(_MAX_STRATIFIED, most)]
    predicted = problem.target.predict(rows[shuffled]).argmax(axis=1)
    ordered = shuffled[np.argsort(predicted, kind="stable")]
    step = len(ordered) / most
    places = (random_state.uniform() + np.arange(most)) * step
    return rows[np.sort(ordered[places.astype(np.intp)])]


def class_position(
    class_names: np.ndarray, target_class, name: str = "target_class"
) -> int:
    """Return the position of a class; `name` is what the caller calls it.

    Raises
    ------
    ValueError
        If there is no such class.
    """
    labels = class_names.tolist()
    if target_class not in labels:
        names = [str(label) for label in labels]
        near = difflib.get_close_matches(str(target_class), names, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ValueError(
            f"`{name}` must be one of the classes {labels}. Got {target_class!r}.{hint}"
        )
    return labels.index(target_class)


def _check_estimator(estimator) -> np.ndarray:
    if isinstance(estimator, type):
        raise ValueError(
            f"`estimator` must be a fitted classifier. Got the class "
            f"{estimator.__name__}; make one and call fit."
        )
    if isinstance(estimator, BaseEstimator):
        check_is_fitted(estimator)
    if not hasattr(estimator, "predict_proba"):
        raise ValueError(
            "`estimator` must have predict_proba. Got "
            f"{type(estimator).__name__}, which has not; wrap it in "
            "sklearn.calibration.CalibratedClassifierCV, or set probability=True where "
            "it has that."
        )
    if not hasattr(estimator, "classes_"):
        raise ValueError(
            "`estimator` must have classes_, the names of the columns of "
            f"predict_proba. Got {type(estimator).__name__}, which has not."
        )
    return np.asarray(estimator.classes_)


@dataclass(frozen=True)
class _Cells:
    """The columns of a table, whatever holds them."""

    table: Any

    def __len__(self) -> int:
        return len(self.table)

    def __getitem__(self, j: int):
        if isinstance(self.table, pd.DataFrame):
            column = self.table.iloc[:, j]
            is_plain = (
                isinstance(column.dtype, np.dtype) and column.dtype.kind in "Obiuf"
            )
            return column.to_numpy() if is_plain else column.array
        return self.table[:, j]

    def objects(self) -> np.ndarray:
        """Return the cells as they are, in one array."""
        cells = np.empty(self.table.shape, dtype=object)
        for j in range(self.table.shape[1]):
            cells[:, j] = list(self[j])
        return cells


def _check_rows(X, name: str, estimator) -> tuple[_Cells, list]:
    if issparse(X):
        raise ValueError(
            f"`{name}` must be a frame or a dense array: cells of a sparse matrix "
            "cannot be exchanged one by one. Use .toarray()."
        )
    if isinstance(X, pd.DataFrame):
        labels = list(X.columns)
        counts = Counter(str(label) for label in labels)
        twice = sorted(name for name, n in counts.items() if n > 1)
        if twice:
            raise ValueError(
                f"Column names of `{name}` must be different. Got twice: {twice}."
            )
        sparse = [str(c) for c in labels if isinstance(X[c].dtype, pd.SparseDtype)]
        if sparse:
            raise ValueError(
                f"`{name}` must have dense columns. Got sparse ones: {sparse}. Use "
                ".sparse.to_dense()."
            )
    else:
        X = np.asarray(X)
        if X.ndim != 2:
            raise ValueError(
                f"`{name}` must be a table: (n_samples, n_features). Got shape "
                f"{X.shape}; one row is X[[0]]."
            )
        names = getattr(estimator, "feature_names_in_", None)
        if isinstance(estimator, OfShape):
            names = cell_names(estimator.row_shape)
        if names is None or len(names) != X.shape[1]:
            names = [f"x{j}" for j in range(X.shape[1])]
        labels = list(names)
    if X.shape[0] == 0 or X.shape[1] == 0:
        raise ValueError(
            f"`{name}` must have rows and columns. Got shape {tuple(X.shape)}."
        )
    return _Cells(X), labels


def _check_same_columns(rows, back, labels, back_labels) -> None:
    both_frames = isinstance(rows.table, pd.DataFrame) and isinstance(
        back.table, pd.DataFrame
    )
    if type(rows.table) is not type(back.table):
        raise ValueError(
            "`background` must be of the kind of X. Got a "
            f"{type(back.table).__name__} beside a {type(rows.table).__name__}."
        )
    if both_frames and labels != back_labels:
        missing = [str(c) for c in labels if c not in back_labels]
        other = [str(c) for c in back_labels if c not in labels]
        found = (
            f"missing {missing}, unknown {other}"
            if missing or other
            else "another order"
        )
        raise ValueError(
            f"`background` must have the columns of X, in their order. Got {found}."
        )
    if len(labels) != len(back_labels):
        raise ValueError(
            f"`background` must have the {len(labels)} columns of X. Got "
            f"{len(back_labels)}."
        )


def _checked(proba, n_classes: int) -> np.ndarray:
    if isinstance(proba, list) or np.ndim(proba) != 2 or proba.shape[1] != n_classes:
        shape = (
            [np.shape(p) for p in proba] if isinstance(proba, list) else np.shape(proba)
        )
        raise ValueError(
            "predict_proba must return one array of shape (n_samples, n_classes), here "
            f"(…, {n_classes}). Got shape {shape}."
        )
    proba = np.asarray(proba, dtype=np.float64)
    if not np.isfinite(proba).all():
        n_bad = int((~np.isfinite(proba)).any(axis=1).sum())
        raise ValueError(
            "predict_proba must return finite numbers. Got NaN or infinity for "
            f"{n_bad} of {len(proba)} rows made of cells of X and of `background`."
        )
    return proba
