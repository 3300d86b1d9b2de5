"""The input of every explanation: a classifier as a function of coded rows.

Rows are a matrix of floats with one column for each column of the user's, so that any
mixture of rows can be made by indexing. They are turned back into the user's container,
column order and dtypes before the classifier predicts them.
"""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from skdnn.explain._model.columns import Column
from skdnn.explain._model.containers import Container, PandasFrame
from skdnn.explain._model.labels import class_codes, label_indicators
from skdnn.explain._model.members import Members
from skdnn.explain._model.names import positions_of
from skdnn.explain._model.options import Features
from skdnn.explain._model.probabilities import check_probabilities
from skdnn.explain._model.tables import Table

# Values given to the classifier at once: memory does not grow with the rows.
_BLOCK_CELLS = 2**20
_MAX_BLOCK_ROWS = 50_000
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
    container
        What rows are given to the estimator in.
    output
        "probability" or "log_odds".
    contrast
        Positions of two classes, if the output is the first less the second.
    sum_to_one
        Whether each row is of one class; else it may have several labels.
    members
        The members of an ensemble, if there are any.
    is_stacked
        Whether the output of each member follows that of the ensemble.
    predicts_most_probable
        Whether `predict` is known to name the most probable class, and `score` to be
        the accuracy, so that both follow from probabilities.
    positive
        Position of the positive one of two classes, by default the second, as in
        scikit-learn; None for more classes, or several labels.
    """

    estimator: Any
    columns: tuple[Column, ...]
    class_names: np.ndarray
    container: Container
    output: str = "probability"
    contrast: tuple[int, int] | None = None
    sum_to_one: bool = True
    members: Members | None = None
    is_stacked: bool = False
    predicts_most_probable: bool = False
    positive: int | None = None

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
        return self.container.rows(self.columns, codes, copy=copy)

    def frame(self, codes: np.ndarray) -> pd.DataFrame:
        """Return coded rows as a pandas frame, whatever the user's container."""
        if isinstance(self.container, PandasFrame):
            return PandasFrame(self.container.labels).rows(self.columns, codes)
        return PandasFrame(pd.Index(self.feature_names)).rows(self.columns, codes)

    def classes_of(self, codes: np.ndarray) -> np.ndarray:
        """Return the positions of the classes that the estimator's `predict` names.

        These are not always the most probable classes: a threshold may be tuned.
        """
        parts = [np.empty(0, dtype=np.intp)]
        for start in range(0, len(codes), self.block_rows):
            part = codes[start : start + self.block_rows]
            parts.append(self._classes_of(part))
        return np.concatenate(parts)

    def classes_given(self, proba: np.ndarray, codes: np.ndarray) -> np.ndarray:
        """Return `classes_of` rows whose probabilities are known already."""
        if self.predicts_most_probable:
            return proba.argmax(axis=1)
        return self.classes_of(codes)

    def _classes_of(self, codes: np.ndarray) -> Any:
        if hasattr(self.estimator, "predict"):
            labels = np.asarray(self.estimator.predict(self.decode(codes)))
            if labels.size == len(codes):  # else several labels per row
                return class_codes(labels.ravel(), self.class_names)
        proba = self.estimator.predict_proba(self.decode(codes))
        return np.asarray(self.check(proba, len(codes)).argmax(axis=1))

    def codes_of(self, y: Any, n_samples: int) -> np.ndarray:
        """Return the position of each row's class, or zeros and ones for labels."""
        if not self.sum_to_one:
            return label_indicators(y, self.class_names, n_samples)
        return np.asarray(class_codes(y, self.class_names, n_samples))

    def default_classes(self, codes: np.ndarray) -> np.ndarray | None:
        """Return the classes that rows are described for; None for a contrast."""
        return None if self.contrast is not None else self.classes_of(codes)

    def check(self, proba: Any, n_rows: int) -> np.ndarray:
        """Return probabilities as floats; ValueError if they are none."""
        return check_probabilities(
            proba, n_rows, self.n_classes, sum_to_one=self.sum_to_one
        )

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
        n = len(rows)
        if self.members is None or not self.is_stacked:
            return self.check(self.estimator.predict_proba(rows), n)
        if self.members.is_mean:
            each = self.members.predict(rows)
            own = each.mean(axis=0)
        else:  # steps may change the rows they are given
            proba = self.estimator.predict_proba(deepcopy(rows))
            own = self.check(proba, n)
            each = self.members.predict(rows)
        return np.concatenate([own[None], each]).swapaxes(0, 1).reshape(n, -1)

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

    `X` and `background` have one column for each feature. X are the `rows` of the
    `table` that the user gave.
    """

    target: Target
    X: np.ndarray
    background: np.ndarray
    table: Table
    rows: np.ndarray

    @property
    def data(self) -> np.ndarray:
        """The values of X as the user gave them, as objects."""
        return self.table.objects(self.rows)

    def take(self, positions: Sequence[int] | np.ndarray) -> "Problem":
        """Return the problem for some of its rows; the background stays."""
        rows = np.asarray(positions, dtype=np.intp)
        return replace(self, X=self.X[rows], rows=self.rows[rows])

    def with_background(self, background: np.ndarray) -> "Problem":
        """Return the problem with other background rows."""
        return replace(self, background=background)

    def with_target(self, **changes: Any) -> "Problem":
        """Return the problem with other facts of the target."""
        return replace(self, target=replace(self.target, **changes))

    def with_output(self, output: str) -> "Problem":
        """Return the problem for "probability" or "log_odds"."""
        return self.with_target(output=output)

    def stacked(self) -> "Problem":
        """Return the problem with the outputs of the members, if there are any."""
        return replace(self, target=self.target.stacked())
