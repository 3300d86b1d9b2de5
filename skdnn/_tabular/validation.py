"""Data that the user passes to `fit` and `predict`, checked before any work."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import issparse
from sklearn.utils import check_array, check_X_y
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import column_or_1d, validate_data

from skdnn._runtime.compat import check_sample_weight
from skdnn._tabular.columns import Columns, as_table, read_columns
from skdnn._tabular.dataset import Dataset
from skdnn._tabular.encoder import TableEncoder
from skdnn._tabular.labels import (
    check_no_label_missing,
    check_same_classes,
    class_weights,
    encode,
    find_classes,
    label_names,
    sorted_classes,
)

# Of every X: missing values are allowed, infinity never is.
_RULES = {
    "accept_sparse": "csr",
    "dtype": (np.float64, np.float32),
    "ensure_all_finite": "allow-nan",
}
# Weights are scaled if the largest is further than this power of two from 1.
_LARGEST_EXPONENT = 40


@contextmanager
def unchanged_on_error(estimator: Any) -> Iterator[None]:
    """Restore the attributes of the estimator if the block raises."""
    before = vars(estimator).copy()
    try:
        yield
    except BaseException:
        vars(estimator).clear()
        vars(estimator).update(before)
        raise


@dataclass(frozen=True)
class TrainingData:
    """The checked data of a fit: kinds of columns, classes, and rows.

    `rows` and `validation` hold numbers, category codes and NaN where a value is
    missing, as `Columns.matrix` returns them. The weight of each of the `rows` includes
    the factor of its class, if there is a `class_weight`. Where `n_streamed` is not
    None, it is the number of rows to train on, which are read block by block, and
    `rows` are a sample of them.
    """

    columns: Columns
    classes: np.ndarray
    rows: Dataset
    validation: Dataset | None = None
    class_factors: np.ndarray | None = None
    n_streamed: int | None = None

    @property
    def is_sample(self) -> bool:
        """Whether `rows` are a sample of the training rows."""
        return self.n_streamed is not None


def check_training_rows(
    estimator: Any,
    X: Any,
    y: Any,
    sample_weight: ArrayLike | None,
    *,
    known: tuple[Columns, np.ndarray] | None,
    classes: np.ndarray | None,
) -> TrainingData:
    """Return what `fit` was given, checked.

    scikit-learn's `validate_data` sets ``n_features_in_`` and ``feature_names_in_`` of
    the estimator; these are its only attributes that are set before training ends.
    `known` holds the columns and classes of the fit that training resumes from.
    `classes` are those that the caller named.
    """
    X = as_table(X)
    columns = known[0] if known else read_columns(X, estimator.categorical_features)
    names = label_names(y)
    X, y = _check_X_y(estimator, columns, X, y, reset=known is None)
    if y.ndim == 2:
        n_labels = None if known is None else len(known[1])
        rows = _label_rows(estimator, X, y, sample_weight, n_labels)
        named = np.arange(y.shape[1]) if names is None else names
        return TrainingData(columns, named if known is None else known[1], rows)
    if known is None:
        all_classes = find_classes(y if classes is None else classes, len(y))
    else:
        all_classes = known[1]
        if estimator.warm_start and classes is None:
            check_same_classes(y, all_classes)
    codes = encode(y, all_classes)
    weight, factors = row_weights(
        sample_weight, estimator.class_weight, X, codes, all_classes
    )
    rows = Dataset(X, codes, weight)
    return TrainingData(columns, all_classes, rows, class_factors=factors)


def check_validation_rows(
    estimator: Any, data: TrainingData, X_val: Any, y_val: Any
) -> Dataset | None:
    """Return the validation rows given to `fit`, checked; None if there are none."""
    if X_val is None and y_val is None:
        return None
    if X_val is None or y_val is None:
        raise ValueError(
            "X_val and y_val must be given together. Got "
            f"{'y_val' if X_val is None else 'X_val'} alone."
        )
    if estimator.validation_fraction is not None:
        raise ValueError(
            "Validation rows must come from X_val and y_val or from "
            f"validation_fraction={estimator.validation_fraction}, not from both. "
            "Set validation_fraction=None."
        )
    X, y = _check_X_y(estimator, data.columns, X_val, y_val, reset=False)
    if y.ndim == 2:
        return _label_rows(estimator, X, y, None, len(data.classes))
    codes = encode(y, data.classes, name="y_val")
    weight, _ = row_weights(None, estimator.class_weight, X, codes, data.classes)
    return Dataset(X, codes, weight)


def _check_X_y(
    estimator: Any, columns: Columns, X: Any, y: Any, *, reset: bool
) -> tuple[Any, np.ndarray]:
    """Return X as numbers, and y of shape (n_samples,) or as zeros and ones.

    X must have no infinity, at least one row and column, and, unless `reset`, the
    columns of the first fit; y must hold classes, one per row, or labels.
    """
    X = as_table(X)
    check_no_label_missing(y)
    rules = {**_RULES, "multi_output": True}
    if columns.is_numeric(X):
        with _remedy_for_words():
            X, y = validate_data(estimator, X, y, reset=reset, **rules)
    else:
        validate_data(estimator, X, y, reset=reset, skip_check_array=True)
        X, y = check_X_y(columns.matrix(X), y, estimator=estimator, **rules)
    if issparse(y):
        y = y.toarray()
    if y.ndim == 2 and y.shape[1] == 1:
        y = column_or_1d(y, warn=True)
    if y.ndim == 1:
        sorted_classes(y)
    check_classification_targets(y)
    if y.ndim == 2 and not np.isin(y, (0, 1)).all():
        raise ValueError(
            "y must hold one class per row, of shape (n_samples,), or zeros and ones, "
            f"one column per label. Got {type_of_target(y)} of shape {y.shape}. Use "
            "sklearn.multioutput.MultiOutputClassifier."
        )
    return X, y


@contextmanager
def _remedy_for_words() -> Iterator[None]:
    """Add the remedy to NumPy's errors for cells of an array that are not numbers."""
    try:
        yield
    except (TypeError, ValueError) as error:
        if not str(error).startswith(("could not convert string", "float() argument")):
            raise
        raise type(error)(
            f"{error}. The cells of arrays and lists must be numbers, NaN where they "
            "are missing. Give a DataFrame, whose text columns become categories, or "
            "name these columns in categorical_features."
        ) from error


def _label_rows(
    estimator: Any,
    X: Any,
    y: np.ndarray,
    sample_weight: ArrayLike | None,
    n_labels: int | None,
) -> Dataset:
    """Return rows that may have several labels; `n_labels` if it is known."""
    if estimator.class_weight is not None:
        raise ValueError(
            "`class_weight` is for rows of one class each. Got "
            f"{estimator.class_weight!r} and y of shape {y.shape}; use sample_weight."
        )
    if n_labels is not None and n_labels != y.shape[1]:
        raise ValueError(
            f"y must have the labels of the first fit: {n_labels} columns. Got "
            f"{y.shape[1]}."
        )
    weight, _ = row_weights(sample_weight, None, X, y, np.arange(y.shape[1]))
    return Dataset(X, y.astype(np.int32), weight)


def check_rows(estimator: Any, columns: Columns, encoder: TableEncoder, X: Any) -> Any:
    """Return rows to predict as numbers and category codes, checked as in `fit`."""
    X = as_table(X)
    # numbers that are not scaled must fit the dtype of the network
    rules = _RULES if encoder.scale else {**_RULES, "dtype": encoder.dtype}
    with np.errstate(over="ignore"):  # the rules reject infinity
        if columns.is_numeric(X):
            with _remedy_for_words():
                return validate_data(estimator, X, reset=False, **rules)
        validate_data(estimator, X, reset=False, skip_check_array=True)
        return check_array(columns.matrix(X), estimator=estimator, **rules)


def row_weights(
    sample_weight: ArrayLike | None,
    class_weight: Any,
    X: Any,
    codes: np.ndarray,
    classes: np.ndarray,
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the weight of each row times that of its class, and those of the classes.

    The weights of rows are in the dtype of X; those of classes None if there are none.
    """
    weight: np.ndarray = check_sample_weight(sample_weight, X, dtype=X.dtype)
    if np.any(weight < 0):
        raise ValueError(
            f"`sample_weight` must not be negative. Got {weight.min()} at position "
            f"{int(weight.argmin())}; leave rows out with weight 0."
        )
    if not np.any(weight > 0):
        raise ValueError(
            "`sample_weight` must be positive for at least one row. Got only zeros."
        )
    factors = class_weights(class_weight, weight, codes, classes)
    if factors is not None:
        weight = weight * factors[codes].astype(X.dtype)
    return _moderate(weight), factors


def _moderate(weight: np.ndarray) -> np.ndarray:
    """Return extreme weights times a power of two, so that sums and squares are finite.

    Weights count relative to each other.
    """
    exponent = moderating_exponent(weight.max())
    return np.ldexp(weight, exponent) if exponent else weight


def moderating_exponent(largest: float) -> int:
    """Return by which power of two weights are scaled, 0 if they are not extreme."""
    exponent = int(np.frexp(largest)[1])
    return 0 if abs(exponent) <= _LARGEST_EXPONENT else -exponent
