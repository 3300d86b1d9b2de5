"""The input of every explanation: a classifier as a function of coded rows.

Rows are a matrix of floats with one column for each column of the user's, so that any
mixture of rows can be made by indexing. They are turned back into the user's container,
column order and dtypes before the classifier predicts them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from skdnn.explain._model.adapters import as_classifier
from skdnn.explain._model.columns import Column, code_column, is_number, shared_dtype
from skdnn.explain._model.images import as_table
from skdnn.explain._model.members import Members, check_probabilities, find_members
from skdnn.explain._model.names import positions_of
from skdnn.explain._model.options import Features, RandomState, check_option
from skdnn.explain._model.tables import TableView, check_same_columns, check_table

MAX_BACKGROUND = 100
# Values given to the classifier at once: memory does not grow with the rows.
_BLOCK_CELLS = 2**20
_MAX_BLOCK_ROWS = 50_000
# Rows of a long background that are predicted to draw a stratified sample.
_MAX_STRATIFIED = 10_000
# Categories of a column whose acceptance by the classifier is checked beforehand.
_MAX_CHECKED = 100
# Log odds are taken of probabilities at least so far from 0 and 1.
_SMALLEST = 1e-12


@dataclass(frozen=True)
class Target:
    """A fitted classifier as a function from coded rows to one number for each class.

    Parameters
    ----------
    estimator
        With `predict_proba` and `classes_`.
    columns
        The user's columns.
    class_names
        ``estimator.classes_``.
    frame_columns
        Column labels if rows are a DataFrame, None for an array.
    array_dtype
        Of the array.
    output
        "probability" or "log_odds".
    contrast
        Positions of two classes, if the output is the first less the second.
    members
        The members of an ensemble, if there are any.
    is_stacked
        Whether the output of each member follows that of the ensemble.
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
        """Number of columns."""
        return len(self.columns)

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return len(self.class_names)

    @property
    def unit(self) -> str:
        """The unit of the output: "probability" or "log odds"."""
        return self.output.replace("_", " ")

    @property
    def output_names(self) -> np.ndarray:
        """Names of the columns of `predict`: the classes, or the contrast of two."""
        if self.contrast is None:
            return self.class_names
        first, second = (self.class_names[position] for position in self.contrast)
        return np.array([f"{first} - {second}"])

    @property
    def n_outputs(self) -> int:
        """Number of columns of `predict`, with those of the members if stacked."""
        return len(self.output_names) * (1 + self.n_refits)

    @property
    def n_refits(self) -> int:
        """Number of members whose output `predict` returns."""
        return self.members.n if self.members is not None and self.is_stacked else 0

    @property
    def block_rows(self) -> int:
        """Maximum number of rows that the classifier is given at once."""
        widest = max(self.n_features, self.n_outputs)
        return min(_MAX_BLOCK_ROWS, max(256, _BLOCK_CELLS // widest))

    def stacked(self) -> "Target":
        """Return the target with the outputs of the members, if there are any.

        A method then explains ensemble and members in one pass, as more classes, and
        `split` turns the members' part into errors.
        """
        return replace(self, is_stacked=self.members is not None)

    def split(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """Return the ensemble's values, and their standard deviation over members.

        Shape (..., n_outputs) becomes (..., n_classes) twice; the errors are None
        without members.
        """
        if not self.n_refits:
            return values, None
        k = len(self.output_names)
        each = values[..., k:].reshape(*values.shape[:-1], self.n_refits, k)
        return values[..., :k], each.std(axis=-2, ddof=1)

    def decode(self, codes: np.ndarray, *, copy: bool = True) -> Any:
        """Return coded rows in the user's container, column order and dtypes.

        Some classifiers scale rows in place: without `copy` the codes may change.
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
            # one block: a hundred times faster than column by column
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
        """Return the output for coded rows, of shape (n_rows, n_outputs).

        Without `copy` the codes may change.
        """
        k = self.n_classes
        out = np.empty((len(codes), (1 + self.n_refits) * k))
        for start in range(0, len(codes), self.block_rows):
            part = slice(start, start + self.block_rows)
            out[part] = self._probabilities(self.decode(codes[part], copy=copy))
        if self.output == "log_odds":
            out = np.clip(out, _SMALLEST, 1 - _SMALLEST)
            out = np.log(out) - np.log1p(-out)
        if self.contrast is not None:
            first, second = self.contrast
            out = out[:, first::k] - out[:, second::k]
        return out

    def _probabilities(self, rows: Any) -> np.ndarray:
        """Return the probabilities of the classifier, then those of each member."""
        k = self.n_classes
        if self.members is None or not self.is_stacked:
            return check_probabilities(self.estimator.predict_proba(rows), k)
        if self.members.is_mean:
            each = self.members.predict(rows, k)
            own = each.mean(axis=0)
        else:  # steps may change the rows they are given
            own = check_probabilities(self.estimator.predict_proba(rows.copy()), k)
            each = self.members.predict(rows, k)
        return np.concatenate([own[None], each]).swapaxes(0, 1).reshape(len(rows), -1)

    def positions(self, features: Features) -> list[int]:
        """Return the positions of columns given by name or position; None is all.

        ValueError for an unknown column or one given twice.
        """
        if features is None:
            return list(range(self.n_features))
        return positions_of("features", features, self.feature_names)


@dataclass(frozen=True)
class Problem:
    """A target, coded rows to explain, and coded background rows.

    `X` and `background` have one column for each feature. `data` holds the values of X
    as the user gave them, as objects.
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

    def with_output(self, output: str) -> "Problem":
        """Return the problem for "probability" or "log_odds"."""
        return replace(self, target=replace(self.target, output=output))

    def stacked(self) -> "Problem":
        """Return the problem with the outputs of the members, if there are any."""
        return replace(self, target=self.target.stacked())


def open_problem(
    estimator: Any, X: Any, *, background: Any = None, output: str = "probability"
) -> Problem:
    """Check and code what an explain function was given; no background is X itself.

    Raises
    ------
    ValueError
        If the estimator has no `predict_proba`, X or the background are invalid, or the
        classifier refuses their rows.
    sklearn.exceptions.NotFittedError
        If the estimator is not fitted.
    """
    check_option("output", output, ("probability", "log_odds"))
    estimator = as_classifier(estimator, X)
    class_names = _check_estimator(estimator)
    estimator, X, background = as_table(estimator, X, background)
    rows, labels = check_table(X, "X", estimator)
    back = rows
    if background is not None:
        back, back_labels = check_table(background, "background", estimator)
        check_same_columns(rows, back, labels, back_labels)
    if len(back) < 2:
        raise ValueError(
            f"`background` must have at least 2 rows to compare with. Got {len(back)}. "
            "Use rows of the training data."
        )
    coded = [
        code_column(str(label), rows[j], None if back is rows else back[j])
        for j, label in enumerate(labels)
    ]
    columns, codes, back_codes = zip(*coded, strict=True)
    is_frame = isinstance(X, pd.DataFrame)
    # raises the classifier's own message if it does not know these columns
    first = X.iloc[:1] if is_frame else rows.table[:1]
    check_probabilities(estimator.predict_proba(first.copy()), len(class_names))
    target = Target(
        estimator=estimator,
        columns=columns,
        class_names=class_names,
        frame_columns=X.columns if is_frame else None,
        array_dtype=None if is_frame else _array_dtype(rows, back),
        output=output,
        members=find_members(estimator, first, len(class_names)),
    )
    problem = Problem(
        target, np.column_stack(codes), np.column_stack(back_codes), rows.objects()
    )
    if back is not rows:
        _check_background_is_accepted(problem)
    return problem


def open_averaging_problem(
    estimator: Any, X: Any, background: Any, output: str, random_state: RandomState
) -> Problem:
    """Open the problem of a method that averages over its background.

    That is all of X, or a sample of at most 100 rows of the background if it is given.
    """
    problem = open_problem(estimator, X, background=background, output=output)
    if background is None:
        return problem
    drawn = draw_background(problem, check_random_state(random_state))
    return problem.with_background(drawn)


def _array_dtype(rows: TableView, back: TableView) -> np.dtype:
    """Return the dtype that holds the values of both arrays unchanged."""
    X, background = rows.table, back.table
    dtype: np.dtype = X.dtype
    if not is_number(dtype):
        return np.result_type(X, background)  # that of the longer strings
    if dtype != background.dtype:
        values = background.astype(np.float64).ravel()
        dtype = shared_dtype(X[0], background[0], values)
    return dtype


def _check_background_is_accepted(problem: Problem) -> None:
    """Predict background rows with values that no row of X has."""
    X, background = problem.X, problem.background
    rows: set[int] = set()
    for j, column in enumerate(problem.target.columns):
        if column.is_numeric:
            new = np.flatnonzero(~np.isfinite(background[:, j]))[:1]
        else:
            new = np.unique(background[:, j], return_index=True)[1]
            new = new[background[new, j] > X[:, j].max()][:_MAX_CHECKED]
        rows.update(new.tolist())
    if not rows:
        return
    try:
        problem.target.predict(background[sorted(rows)])
    except ValueError as error:
        raise ValueError(
            "`background` must hold rows that the classifier takes. Got this of one "
            f"that has a missing, infinite or new value: {error}"
        ) from error


def draw_background(
    problem: Problem, random_state: np.random.RandomState, size: int = MAX_BACKGROUND
) -> np.ndarray:
    """Return at most `size` background rows, stratified by predicted class."""
    rows = problem.background
    if len(rows) <= size:
        return rows
    shuffled = random_state.permutation(len(rows))[: max(_MAX_STRATIFIED, size)]
    predicted = problem.target.predict(rows[shuffled]).argmax(axis=1)
    ordered = shuffled[np.argsort(predicted, kind="stable")]
    every = len(ordered) / size
    drawn = (random_state.uniform() + np.arange(size)) * every
    return rows[np.sort(ordered[drawn.astype(np.intp)])]


def _check_estimator(estimator: Any) -> np.ndarray:
    """Return the classes of a fitted classifier; ValueError if it is not one."""
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
            f"{type(estimator).__name__}, which does not; wrap it in "
            "sklearn.calibration.CalibratedClassifierCV, or set probability=True where "
            "it has that."
        )
    if not hasattr(estimator, "classes_"):
        raise ValueError(
            "`estimator` must have classes_, the names of the columns of "
            f"predict_proba. Got {type(estimator).__name__}, which does not."
        )
    return np.asarray(estimator.classes_)
