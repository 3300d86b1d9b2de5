"""From what the user hands over to rows of numbers, checked before any work."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.model_selection import train_test_split
from sklearn.utils import check_array, check_X_y
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import column_or_1d, validate_data

from skdnn._runtime.compat import check_sample_weight
from skdnn._tabular.columns import as_table, read_columns
from skdnn._tabular.dataset import Dataset
from skdnn._tabular.encoder import TableEncoder

# Of every X: missing cells are allowed, infinity never is.
_RULES = {
    "accept_sparse": "csr",
    "dtype": (np.float64, np.float32),
    "ensure_all_finite": "allow-nan",
}


@contextmanager
def unchanged_on_error(estimator) -> Iterator[None]:
    """Leave the estimator as it was if the block raises."""
    before = vars(estimator).copy()
    try:
        yield
    except BaseException:
        vars(estimator).clear()
        vars(estimator).update(before)
        raise


def take_rows(estimator, X, y, sample_weight, *, resume: bool, classes=None) -> Dataset:
    """Check what `fit` was given, set ``classes_``, and return it as numbers.

    Categories are codes, and what is missing is NaN, as `Columns.matrix` gives them.

    Parameters
    ----------
    estimator : DNNClassifier
        Gets ``classes_``, ``n_features_in_``, ``feature_names_in_`` and ``_columns``.
    X, y, sample_weight
        As given to `fit`.
    goes_on : bool
        Whether the columns and classes are those of an earlier fit.
    classes : array-like or None
        All classes there are, if the caller named them.
    """
    X = as_table(X)
    if not resume:
        estimator._columns = read_columns(X, estimator.categorical_features)
    X, y = check_rows(estimator, X, y, reset=not resume)
    if y.ndim == 2:
        return _take_labels(estimator, X, y, sample_weight, resume=resume)
    if not resume:
        labels = y if classes is None else np.asarray(classes)
        estimator.classes_ = find_classes(labels, len(y))
    elif estimator.warm_start and classes is None:
        _check_same_labels(y, estimator.classes_)
    codes = encode(y, estimator.classes_)
    weight = row_weights(
        sample_weight, estimator.class_weight, X, codes, estimator.classes_
    )
    return Dataset(X, codes, weight)


def _take_labels(estimator, X, y, sample_weight, *, resume: bool) -> Dataset:
    """Return rows that may have several labels, and set ``classes_``."""
    if estimator.class_weight is not None:
        raise ValueError(
            "`class_weight` is for rows of one class each. Got "
            f"{estimator.class_weight!r} and y of shape {y.shape}; use sample_weight."
        )
    if resume and len(estimator.classes_) != y.shape[1]:
        raise ValueError(
            f"y must have the labels of the first fit: {len(estimator.classes_)} "
            f"columns. Got {y.shape[1]}."
        )
    estimator.classes_ = np.arange(y.shape[1])
    weight = row_weights(sample_weight, None, X, y, estimator.classes_)
    return Dataset(X, y.astype(np.int32), weight)


def take_validation(estimator, X_val, y_val) -> Dataset | None:
    """Check the validation rows given to `fit` and return them as numbers."""
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
    X, y = check_rows(estimator, X_val, y_val, reset=False)
    if y.ndim == 2:
        return _take_labels(estimator, X, y, None, resume=True)
    codes = encode(y, estimator.classes_, name="y_val")
    weight = row_weights(None, estimator.class_weight, X, codes, estimator.classes_)
    return Dataset(X, codes, weight)


def check_rows(estimator, X, y, *, reset: bool) -> tuple[Any, np.ndarray]:
    """Return X as numbers, and y as one label a row or as zeros and ones.

    Raises
    ------
    ValueError
        If X holds infinity, has no row or no column, or has other columns than in
        `fit` (`reset` false); if a column is not of the kind it was; if y is of
        another length, continuous, or has several labels a row.
    """
    X = as_table(X)
    rules = {**_RULES, "multi_output": True}
    if estimator._columns.take_as_it_is(X):
        X, y = validate_data(estimator, X, y, reset=reset, **rules)
    else:
        validate_data(estimator, X, y, reset=reset, skip_check_array=True)
        X = estimator._columns.matrix(X)
        X, y = check_X_y(X, y, estimator=estimator, **rules)
    if issparse(y):
        y = y.toarray()
    if y.ndim == 2 and y.shape[1] == 1:
        y = column_or_1d(y, warn=True)
    if y.ndim == 1:
        _sorted_labels(y)
    check_classification_targets(y)
    if y.ndim == 2 and not np.isin(y, (0, 1)).all():
        raise ValueError(
            "y must be one class a row, of shape (n_samples,), or zeros and ones, a "
            f"column a label. Got {type_of_target(y)} of shape {y.shape}. Use "
            "sklearn.multioutput.MultiOutputClassifier."
        )
    return X, y


def matrix(estimator, X):
    """Return rows to predict as numbers, and codes of categories.

    Raises
    ------
    ValueError
        As `check_rows` does.
    """
    X, columns, table = as_table(X), estimator._columns, estimator._table
    # numbers that go in as they are must fit the dtype of the network
    rules = _RULES if table.scale else {**_RULES, "dtype": table.dtype}
    with np.errstate(over="ignore"):  # the rules say so
        if columns.take_as_it_is(X):
            return validate_data(estimator, X, reset=False, **rules)
        validate_data(estimator, X, reset=False, skip_check_array=True)
        return check_array(columns.matrix(X), estimator=estimator, **rules)


def encoded(table: TableEncoder, rows: Dataset) -> Dataset:
    """Return rows as the network receives them, all in its dtype."""
    weight = rows.weight.astype(table.dtype, copy=False)
    return Dataset(table.encode(rows.X), rows.y, weight)


def find_classes(labels: np.ndarray, n_samples: int) -> np.ndarray:
    """Return the classes among the labels, sorted, at least two."""
    classes = _sorted_labels(labels)
    if len(classes) < 2:
        raise ValueError(
            "DNNClassifier needs rows of at least 2 classes. Got 1 class: "
            f"{classes[0]!r} (n_samples={n_samples})."
        )
    return classes


def _sorted_labels(labels: np.ndarray) -> np.ndarray:
    try:
        return np.unique(labels)
    except TypeError as error:
        kinds = sorted({type(label).__name__ for label in labels.ravel()})
        raise ValueError(
            "Classes must be of one kind, without missing ones. Got labels of the "
            f"kinds {kinds}. Turn them into strings, and leave rows without one out."
        ) from error


def encode(y: np.ndarray, classes: np.ndarray, name: str = "y") -> np.ndarray:
    """Return the position in `classes` of each label, int32."""
    found = np.unique(y)
    unknown = np.setdiff1d(found, classes)
    if len(unknown):
        raise ValueError(
            f"`{name}` must hold classes that the network knows: {list(classes)}. Got "
            f"{list(unknown)} besides. Name all classes in the first fit, with "
            "`classes=` in partial_fit."
        )
    return np.searchsorted(classes, y).astype(np.int32)


def row_weights(
    sample_weight, class_weight, X, codes: np.ndarray, classes: np.ndarray
) -> np.ndarray:
    """Return the weight of each row, in the dtype of X.

    Parameters
    ----------
    sample_weight : array-like of shape (n_samples,), float or None
        The caller's, not changed.
    class_weight : dict, "balanced" or None
        Factor of each class; balanced: each class weighs the same in all.
    X : {ndarray, sparse matrix} of shape (n_samples, n_features)
        Gives the length and the dtype.
    codes : ndarray of shape (n_samples,)
        Positions in `classes`.
    classes : ndarray of shape (n_classes,)
        The classes.

    Returns
    -------
    ndarray of shape (n_samples,)
    """
    weight = check_sample_weight(sample_weight, X, dtype=X.dtype)
    if np.any(weight < 0):
        raise ValueError(
            f"`sample_weight` must not be negative. Got {weight.min()} at position "
            f"{int(weight.argmin())}; leave rows out with weight 0."
        )
    if not np.any(weight > 0):
        raise ValueError(
            "`sample_weight` must be positive for at least one row. Got only zeros."
        )
    factors = _class_factors(class_weight, weight, codes, classes)
    return weight if factors is None else weight * factors[codes].astype(X.dtype)


def cut(
    estimator, rows: Dataset, *, is_validated: bool, random_state: np.random.RandomState
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return positions of the training rows, and of those that are cut off them.

    The cut is stratified and shuffled; a class of one row stays in training. There is
    none if the network `is_validated` on other rows, or not at all.
    """
    fraction = estimator.validation_fraction
    if fraction is None and estimator.early_stopping:
        fraction = 0.1
    positions = np.arange(len(rows))
    if is_validated or fraction is None:
        return positions, None
    if rows.y.ndim == 2:  # labels overlap: there is nothing to stratify by
        lone, strata = np.zeros(len(rows), dtype=bool), None
    else:
        lone = np.bincount(rows.y)[rows.y] < 2
        strata = rows.y[~lone]
    try:
        kept, held_out = train_test_split(
            positions[~lone],
            test_size=fraction,
            random_state=random_state,
            stratify=strata,
        )
    except ValueError as error:
        raise ValueError(
            f"Validation rows must be at least one a class. Got {len(rows)} rows "
            f"of {len(estimator.classes_)} classes, validation_fraction={fraction}. "
            "Raise validation_fraction, hand over X_val and y_val, or train without "
            "early_stopping."
        ) from error
    kept = np.concatenate([kept, positions[lone]])
    if not np.any(rows.weight[kept] > 0) or not np.any(rows.weight[held_out] > 0):
        raise ValueError(
            "`sample_weight` must be positive for a row of the training and of the "
            f"validation part; validation_fraction={fraction} left only zeros in one."
        )
    return kept, held_out


def drawn(
    positions: np.ndarray, weight: np.ndarray, random_state: np.random.RandomState
) -> np.ndarray:
    """Return a bootstrap sample of positions: as many, drawn with replacement."""
    positions = random_state.choice(positions, len(positions))
    if not np.any(weight[positions] > 0):
        raise ValueError(
            "`sample_weight` must be positive for a row of every bootstrap sample. "
            "Got one of zeros only; leave the rows of weight 0 out."
        )
    return positions


def column_names(estimator, feature_names) -> list[str]:
    """Return a name for each input of the network: a column, or a level of one.

    Columns are called as given, as seen in `fit`, or x0 and so on.
    """
    n = estimator.n_features_in_
    if feature_names is not None:
        names = [str(name) for name in feature_names]
        if len(names) != n:
            raise ValueError(
                f"`feature_names` must name the {n} columns that the network "
                f"receives. Got {len(names)} names."
            )
    else:
        names = getattr(estimator, "feature_names_in_", [f"x{i}" for i in range(n)])
    return estimator._table.input_names([str(name) for name in names])


def check_named_classes(estimator, classes) -> None:
    """Check the `classes` of `partial_fit`: named at first, the same ever after."""
    if not hasattr(estimator, "classes_"):
        if classes is None:
            raise ValueError(
                "classes must be passed on the first call to partial_fit: all there "
                "are, also those that come later."
            )
    elif classes is not None:
        _check_same_labels(np.asarray(classes), estimator.classes_)


def _check_same_labels(labels: np.ndarray, classes: np.ndarray) -> None:
    found = np.unique(labels)
    if not np.array_equal(found, classes):
        raise ValueError(
            "Classes must be the same as in the first fit: "
            f"{classes.tolist()}. Got {found.tolist()}. Set warm_start=False, or "
            "clone the estimator, to begin anew."
        )


def _class_factors(class_weight, weight, codes, classes) -> np.ndarray | None:
    if class_weight is None:
        return None
    if isinstance(class_weight, str):  # "balanced"
        totals = np.bincount(codes, weights=weight, minlength=len(classes))
        present = totals > 0
        factors = np.zeros(len(classes))
        factors[present] = totals.sum() / (present.sum() * totals[present])
        return factors
    labels = classes.tolist()
    unknown = [label for label in class_weight if label not in labels]
    if unknown:
        raise ValueError(
            f"The keys of `class_weight` must be classes: {labels}. Got {unknown}."
        )
    factors = np.array([float(class_weight.get(label, 1)) for label in labels])
    if np.any(factors < 0) or not np.any(factors > 0):
        raise ValueError(
            "The values of `class_weight` must not be negative, nor all zero. Got "
            f"{class_weight!r}."
        )
    return factors
