"""The one front door of every explanation: a classifier seen as a function of rows.

Rows are held as a matrix of floats, one column for each column of the user's, so that
any mix of rows can be made by indexing. Before the classifier sees rows they are
turned back into the user's container, column order and dtypes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from skdnn.explain._model.adapters import as_classifier
from skdnn.explain._model.cells import check_rows, check_same_columns
from skdnn.explain._model.columns import Column, code_column, is_number, shared_dtype
from skdnn.explain._model.images import as_table
from skdnn.explain._model.members import Members, checked, find_members
from skdnn.explain._model.names import check_option, positions_of

# Told of every piece of work that is done, to show progress.
Step = Callable[[], None]


def no_step() -> None:
    """Show no progress."""


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
    members : Members or None
        The members of an ensemble; None if there are none.
    is_stacked : bool
        Whether `predict` returns the output of each member beside its own.
    """

    estimator: Any
    columns: tuple[Column, ...]
    class_names: np.ndarray
    frame_columns: pd.Index | None
    array_dtype: Any
    output: str = "probability"
    contrast: tuple[int, int] | None = None
    members: Members | None = None
    is_stacked: bool = False

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
    def n_outputs(self) -> int:
        """Count of the columns of `predict`: of all members, if it is stacked."""
        return len(self.output_names) * (1 + self.n_refits)

    @property
    def n_refits(self) -> int:
        """Count of the members whose output `predict` returns."""
        return self.members.n if self.members is not None and self.is_stacked else 0

    @property
    def block_rows(self) -> int:
        """Rows that the classifier is given at once, at most."""
        widest = max(self.n_features, self.n_outputs)
        return min(_MAX_BLOCK_ROWS, max(256, _BLOCK_CELLS // widest))

    def stacked(self) -> "Target":
        """Return the target that tells of each member as well, if there are any.

        One pass of an explainer then serves the ensemble and all members: it takes
        their outputs for so many more classes, and `split` makes errors of them.
        """
        return replace(self, is_stacked=self.members is not None)

    def split(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """Return the ensemble's numbers, and the standard deviation over members.

        Parameters
        ----------
        values : ndarray of shape (..., n_outputs)
            What an explainer made of each output.

        Returns
        -------
        values : ndarray of shape (..., n_classes)
        refit_errors : ndarray of shape (..., n_classes) or None
            None if there are no members.
        """
        if not self.n_refits:
            return values, None
        k = len(self.output_names)
        each = values[..., k:].reshape(*values.shape[:-1], self.n_refits, k)
        return values[..., :k], each.std(axis=-2, ddof=1)

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
            Probabilities or log odds; of shape (n_rows, 1) with `contrast`. If the
            target is stacked, those of each member follow: (n_rows, n_outputs).
        """
        k = self.n_classes
        out = np.empty((len(codes), (1 + self.n_refits) * k))
        for start in range(0, len(codes), self.block_rows):
            part = slice(start, start + self.block_rows)
            out[part] = self._ask(self.decode(codes[part], copy=copy))
        if self.output == "log_odds":
            out = np.clip(out, _SMALLEST, 1 - _SMALLEST)
            out = np.log(out) - np.log1p(-out)
        if self.contrast is not None:
            first, second = self.contrast
            out = out[:, first::k] - out[:, second::k]
        return out

    def _ask(self, rows) -> np.ndarray:
        """Return what the classifier, and each member after it, says of some rows."""
        k = self.n_classes
        if self.members is None or not self.is_stacked:
            return checked(self.estimator.predict_proba(rows), k)
        if self.members.is_mean:
            each = self.members.predict(rows, k)
            own = each.mean(axis=0)
        else:  # steps may change the rows they are given
            own = checked(self.estimator.predict_proba(rows.copy()), k)
            each = self.members.predict(rows, k)
        return np.concatenate([own[None], each]).swapaxes(0, 1).reshape(len(rows), -1)

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

    def take(self, positions: Sequence[int] | np.ndarray) -> "Problem":
        """Return the problem for some of its rows; the background stays."""
        rows = np.asarray(positions, dtype=np.intp)
        return replace(self, X=self.X[rows], data=self.data[rows])

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
    rows, labels = check_rows(X, "X", estimator)
    if background is None:
        back = rows
    else:
        back, back_labels = check_rows(background, "background", estimator)
        check_same_columns(rows, back, labels, back_labels)
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
    checked(estimator.predict_proba(first.copy()), len(class_names))
    target = replace(target, members=find_members(estimator, first, len(class_names)))
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
