"""Novelty: which rows, and which columns of a table, are unlike the training rows."""

from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils import check_random_state

from skdnn._runtime.seeds import as_seed
from skdnn.explain._methods.drift import drift_table
from skdnn.explain._methods.novelty_facts import find_pairs, n_as_extreme
from skdnn.explain._methods.novelty_scores import NoveltyScore
from skdnn.explain._model.columns import Column
from skdnn.explain._model.opening import open_problem
from skdnn.explain._model.options import RandomState
from skdnn.explain._model.target import Problem
from skdnn.explain._results.frames import frame_of
from skdnn.explain._results.novelty import UNUSUAL, Novelty

# With fewer background rows no p-value could be 0.05.
LEAST_BACKGROUND = 40
_MAX_BACKGROUND = 20_000
# Rows whose pairs of columns are compared with training rows, the most unusual first.
_MAX_COMPARED = 1000
# Scores that differ less are equal: rows of the same cells may differ by rounding.
_EQUAL = 1e-9
_DAY = 86_400 * 10**9  # in nanoseconds


def novelty(
    estimator: Any, X: Any, *, background: Any, random_state: RandomState = None
) -> Novelty:
    """Find rows that are unlike the training rows, and columns that have moved.

    Parameters
    ----------
    estimator : object
        A fitted classifier with `predict_proba` and `classes_`. Rows must be such that
        it predicts them; novelty does not depend on its predictions.
    X : {array-like, DataFrame} of shape (n_samples, n_features)
        Rows to compare with the training rows. They must not be among them.
    background : like X
        The training rows, at least 40; of more than 20,000, the scores are of a
        random sample of 20,000.
    random_state : int, RandomState or None, default=None
        Splits the background.

    Returns
    -------
    Novelty
        `frame()` has one row per row and column of X: sample, p_value (of the row),
        feature, value, contribution, n_training; the largest contribution of each row
        first. `drift` is a table of the columns that have moved.

    Raises
    ------
    ValueError
        If rows or background are invalid, or the background has fewer than 40 rows.

    Notes
    -----
    Half of the background is the reference that the score is learned from. The other
    half is scored like the rows of X: the p-value of a row is one plus the number of
    these calibration rows with a score at least as high, divided by one plus their
    number. If a row is exchangeable with the training rows, the probability of a
    p-value of at most a is at most a, whatever the distribution and the score [1]_.
    That holds on average over draws of the background. Of several rows, p-values
    share the calibration rows and depend on each other.

    The score of a row is the sum of its contributions; none is negative. That of a
    column is the power 1.5 of the sum of

    - its squared residual r given all other columns, by the inverse of a covariance
      matrix that is shrunk [2]_. Of categories, that of the indicators of the frequent
      ones (at least 1% of the rows), and of missing cells: 2 log(1 + r), which is -2
      log of the probability of a category if r is (1 - p) / p;
    - what the cell is by itself: 10 times the square of its distance to the nearest
      reference number, in standard deviations; -2 log of the share of reference rows
      with a category at most as frequent, where new ones have the share of those
      that occur once (Good, 1953); the same for missing cells;
    - for up to 200 pairs of columns that depend on each other, by how much rarer the
      two bins or categories are together than by chance (log of the ratio, half of it
      for each column).

    Single cells and pairs are recognised, also where the dependence is not linear.
    A combination of three or more columns is not, if all its pairs occur.

    `drift` compares all rows of X with all rows of the background, column by column:
    numbers by the Kolmogorov-Smirnov test, categories by the chi-square test (those
    with fewer than 5 expected rows together; Fisher's exact test of two), the share of
    missing numbers by Fisher's exact test. `p_holm` is adjusted for all tests. Of many
    rows also small differences are clear: read the statistic, too.

    Dates count as numbers, in days.

    References
    ----------
    .. [1] Bates, Candès, Lei, Romano and Sesia (2023), Testing for outliers with
       conformal p-values.
    .. [2] Ledoit and Wolf (2004), A well-conditioned estimator for large-dimensional
       covariance matrices.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skdnn import explain
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> model = LogisticRegression(max_iter=1000).fit(X[::2], y[::2])
    >>> new = X[1::2].copy()
    >>> new.iloc[0, 3] = 7.1
    >>> result = explain.novelty(model, new, background=X[::2], random_state=0)
    >>> unlike, cell = result.describe(0).split(": ")
    >>> print(cell)
    petal width (cm) is 7.1, never above 2.5 in training.
    >>> print(result.n_unusual, "of", len(new))
    1 of 75
    """
    if background is None:
        raise ValueError(
            "`background` must be the training rows. Got None; novelty compares the "
            "rows of X with them."
        )
    problem = open_problem(estimator, X, background=background)
    return compute_novelty(problem, random_state=random_state)


def compute_novelty(problem: Problem, *, random_state: RandomState = None) -> Novelty:
    """Return the novelty of the rows of X among the background rows."""
    n_all = len(problem.background)
    if n_all < LEAST_BACKGROUND:
        raise ValueError(
            f"`background` must have at least {LEAST_BACKGROUND} rows, or no p-value "
            f"could be {UNUSUAL}. Got {n_all}; use all training rows."
        )
    columns = problem.target.columns
    is_numeric = [column.is_numeric or _is_date(column) for column in columns]
    rows, training = (_numbers(columns, X) for X in (problem.X, problem.background))
    drawn = check_random_state(as_seed(random_state)).permutation(n_all)
    drawn = drawn[:_MAX_BACKGROUND]
    n_calibration = len(drawn) // 2
    calibration, reference = drawn[:n_calibration], drawn[n_calibration:]
    score = NoveltyScore(training[reference], is_numeric)
    contributions = score.contributions(rows)
    p_values = conformal_p_values(
        contributions.sum(axis=1),
        score.contributions(training[calibration]).sum(axis=1),
    )
    n_training = [
        n_as_extreme(rows[:, j], training[:, j], is_number)
        for j, is_number in enumerate(is_numeric)
    ]
    names = problem.target.feature_names
    return Novelty(
        p_values=p_values,
        contributions=contributions,
        feature_names=np.array(names, dtype=object),
        data=_displayed(problem),
        n_training=np.column_stack(n_training),
        training=_ranges(columns, training, is_numeric),
        pairs=_pair_table(columns, rows, contributions, p_values, training[reference]),
        drift=drift_table(names, _compared_cells(columns, rows, training)),
        n_calibration=n_calibration,
        n_reference=len(reference),
        n_background=n_all,
        p_unusual=p_of_unusual(p_values, n_calibration),
    )


def conformal_p_values(scores: np.ndarray, calibration: np.ndarray) -> np.ndarray:
    """Return (1 + number of calibration scores at least as high) / (1 + number)."""
    at_least = np.searchsorted(np.sort(calibration), scores * (1 - _EQUAL))
    return (1 + len(calibration) - at_least) / (1 + len(calibration))


def p_of_unusual(p_values: np.ndarray, n_calibration: int) -> float:
    """Return the p-value of as many unusual rows, if all are exchangeable.

    The k-th highest of n calibration scores is exceeded by a share of new scores with
    the distribution Beta(k, n + 1 - k), so their number is beta-binomial.
    """
    from scipy.stats import betabinom

    n_unusual = int((p_values <= UNUSUAL).sum())
    k = int(UNUSUAL * (n_calibration + 1) * (1 + _EQUAL))
    number = betabinom(len(p_values), k, n_calibration + 1 - k)
    return float(np.clip(number.sf(n_unusual - 1), 0, 1))


def _is_date(column: Column) -> bool:
    return bool(pd.api.types.is_datetime64_any_dtype(column.dtype))


def _days(column: Column) -> np.ndarray:
    """Return the dates of a column in days, NaN where missing."""
    dates = pd.Series(column.categories)
    if dates.dt.tz is not None:
        dates = dates.dt.tz_convert(None)
    days = dates.to_numpy(dtype="datetime64[ns]").astype(np.int64) / _DAY
    return np.where(dates.isna(), np.nan, days)


def _numbers(columns: tuple[Column, ...], codes: np.ndarray) -> np.ndarray:
    """Return cells with dates in days; other codes are unchanged."""
    cells = codes.astype(float)
    for j, column in enumerate(columns):
        if _is_date(column):
            cells[:, j] = _days(column)[codes[:, j].astype(np.intp)]
    return cells


def _compared_cells(
    columns: tuple[Column, ...], rows: np.ndarray, training: np.ndarray
) -> list[tuple[Any, np.ndarray, np.ndarray]]:
    return [
        (
            None if column.is_numeric or _is_date(column) else column.categories,
            rows[:, j],
            training[:, j],
        )
        for j, column in enumerate(columns)
    ]


def _displayed(problem: Problem) -> pd.DataFrame:
    """Return the cells of X as results show them."""
    columns = problem.target.columns
    cells = {str(j): _cells(c, problem.X[:, j]) for j, c in enumerate(columns)}
    # objects: names need not be valid Unicode
    names = pd.Index([c.name for c in columns], dtype=object)
    return frame_of(cells).set_axis(names, axis=1)


def _cells(column: Column, codes: np.ndarray) -> np.ndarray:
    if column.is_numeric:
        return column.displayed(codes)
    every = column.displayed(np.arange(len(column.categories), dtype=float))
    return every[codes.astype(np.intp)]


def _shown(column: Column, number: float) -> Any:
    """Return a number, or a date that is given in days."""
    if not _is_date(column) or np.isnan(number):
        return number
    return pd.Timestamp(round(number * _DAY), unit="ns")


def _objects(values: list[Any]) -> np.ndarray:
    cells = np.empty(len(values), dtype=object)
    cells[:] = values
    return cells


def _ranges(
    columns: tuple[Column, ...], training: np.ndarray, is_numeric: list[bool]
) -> pd.DataFrame:
    """Return the range of each numeric column in the training rows."""
    lows, highs = [], []
    for j, column in enumerate(columns):
        known = training[:, j] if is_numeric[j] else training[:0, j]
        known = known[~np.isnan(known)]
        ends = (known.min(), known.max()) if len(known) else (np.nan, np.nan)
        lows.append(_shown(column, float(ends[0])))
        highs.append(_shown(column, float(ends[1])))
    return frame_of(
        {
            "feature": [column.name for column in columns],
            "low": _objects(lows),
            "high": _objects(highs),
        }
    )


def _pair_table(
    columns: tuple[Column, ...],
    rows: np.ndarray,
    contributions: np.ndarray,
    p_values: np.ndarray,
    training: np.ndarray,
) -> pd.DataFrame:
    """Return the pairs of cells of unusual rows that similar training rows lack."""
    is_numeric = [column.is_numeric or _is_date(column) for column in columns]
    order = np.lexsort((-contributions.sum(axis=1), p_values))[:_MAX_COMPARED]
    unusual = np.sort(order[p_values[order] <= UNUSUAL])
    pairs = find_pairs(rows[unusual], contributions[unusual], training, is_numeric)
    kept = np.flatnonzero(pairs.column >= 0)
    of = [columns[j] for j in pairs.column[kept]]
    return frame_of(
        {
            "sample": unusual[kept],
            "feature": _objects([column.name for column in of]),
            "other": _objects([columns[j].name for j in pairs.other[kept]]),
            "low": _objects(list(map(_shown, of, pairs.low[kept]))),
            "high": _objects(list(map(_shown, of, pairs.high[kept]))),
            "n_similar": pairs.n_similar[kept],
        }
    )
