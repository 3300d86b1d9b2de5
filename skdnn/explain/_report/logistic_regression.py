"""Logistic regression as the simple model that the classifier is compared with."""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

_N_FOLDS = 5
# Rows that a fold is fitted to: more hardly change its few coefficients.
MAX_FITTED = 10_000
_MAX_REASON = 200  # characters


def out_of_fold_probabilities(
    columns: Sequence[np.ndarray],
    codes: np.ndarray,
    n_classes: int,
    seed: int = 0,
    weight: np.ndarray | None = None,
) -> tuple[np.ndarray | None, str]:
    """Predict each row with a weighted logistic regression fitted on the other folds.

    Labels are known of the scored rows only. The probabilities, zero for a class
    without rows, are None if there can be none; the text is how they were made, or why
    there are none.
    """
    counts = np.bincount(codes, minlength=n_classes)
    n_single = int((counts == 1).sum())
    if (counts > 0).sum() < 2:
        return None, "the rows contain only one class"
    if n_single:
        noun = "one class has" if n_single == 1 else f"{n_single} classes have"
        return None, f"{noun} a single row, too few for cross-validation"
    n_folds = min(_N_FOLDS, len(codes))
    cv = _splits(codes, n_folds, seed)
    model = _pipeline(columns)
    probabilities = np.zeros((len(codes), n_classes))

    def table_of(rows: np.ndarray) -> np.ndarray:
        return _as_table([column[rows] for column in columns])

    try:
        with warnings.catch_warnings():
            # a regression that has not converged is still a fair simple model
            warnings.simplefilter("ignore")
            for fitted, own in cv:
                known = None if weight is None else weight[fitted]
                model.fit(
                    table_of(fitted), codes[fitted],
                    logisticregression__sample_weight=known,
                )  # fmt: skip
                predicted = model.predict_proba(table_of(own))
                probabilities[np.ix_(own, model.classes_)] = predicted
    except (TypeError, ValueError) as error:
        reason = [*str(error).strip().splitlines(), "no reason given"][0]
        return None, f"it could not be fitted to these columns ({reason[:_MAX_REASON]})"
    note = f"out-of-fold predictions of {n_folds} folds of these rows"
    fitted, own = cv[0]
    if len(fitted) + len(own) < len(codes):
        note += f", each fitted to {len(fitted):,} other rows, drawn at random"
    return probabilities, note


def _splits(
    codes: np.ndarray, n_folds: int, seed: int
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the rows that each fold is fitted to, at most some, and its own rows."""
    fold = _deal(codes, n_folds, seed)
    order = np.random.default_rng(seed).permutation(len(codes))
    parts = []
    for k in range(n_folds):
        others = order[fold[order] != k]
        # a row of each class, else the columns of the probabilities would differ
        first = np.unique(codes[others], return_index=True)[1]
        taken = np.union1d(others[first], others[:MAX_FITTED])
        parts.append((taken, np.flatnonzero(fold == k)))
    return parts


def _deal(codes: np.ndarray, n_folds: int, seed: int) -> np.ndarray:
    """Return the fold of each row: shuffled rows of each class are dealt in turn.

    StratifiedKFold warns about classes with fewer rows than folds; this needs two.
    """
    shuffled = np.random.default_rng(seed).permutation(len(codes))
    by_class = shuffled[np.argsort(codes[shuffled], kind="stable")]
    folds = np.empty(len(codes), dtype=int)
    folds[by_class] = np.arange(len(codes)) % n_folds
    return folds


def _as_table(columns: Sequence[np.ndarray]) -> np.ndarray:
    """Return columns side by side; in text columns "missing" is a category."""
    if all(column.dtype == float for column in columns):
        return np.column_stack(columns)
    table = np.column_stack([column.astype(object) for column in columns])
    for j, column in enumerate(columns):
        if column.dtype != float:
            table[:, j] = ["missing" if cell is None else str(cell) for cell in column]
    return table


def _pipeline(columns: Sequence[np.ndarray]) -> Any:
    """Impute and scale numeric columns, one-hot encode the others, then regress."""
    from sklearn.compose import make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    numeric = [j for j, column in enumerate(columns) if column.dtype == float]
    others = [j for j in range(len(columns)) if j not in numeric]
    scaler = make_pipeline(
        SimpleImputer(strategy="median", keep_empty_features=True), StandardScaler()
    )
    encoder = OneHotEncoder(handle_unknown="ignore", max_categories=50)
    transformer = make_column_transformer((scaler, numeric), (encoder, others))
    return make_pipeline(transformer, LogisticRegression(max_iter=1000))
