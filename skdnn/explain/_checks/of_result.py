"""Checks that need the result alone."""

import numpy as np
import pandas as pd

from skdnn.explain._checks.check import Answer, Measurements, NotApplicableError
from skdnn.explain._results.attributions import LEAST_SCORE, Attributions
from skdnn.explain._results.counterfactuals import Counterfactuals
from skdnn.explain._results.profiles import Profiles
from skdnn.explain._results.tables import ResultTable
from skdnn.explain._text.formatting import count, join, percent, quote

_ADDITIVE = 1e-4  # of the largest output
_LARGE_ERROR = 0.2  # of the largest attribution of the row
_MANY_ROWS = 0.1
_FEW_BACKGROUND = 20
_NOTHING = 1e-12
_MAX_NAMED = 5


def additivity(result: Attributions, measured: Measurements) -> Answer:
    """Fire if base value and attributions miss the prediction."""
    if result.score is not None:
        raise NotApplicableError("Surrogates need not add up to the prediction.")
    gap = np.abs(result.residual).max()
    scale = max(1.0, np.abs(result.predictions).max())
    text = f"{gap:.1e}" if gap else "0"
    return bool(gap > _ADDITIVE * scale), f"The largest residual is {text}."


def sampling_error(result: Attributions, measured: Measurements) -> Answer:
    """Fire if errors are large beside the largest attribution, in the median row."""
    _require_errors(result)
    rows, classes = _predicted(result)
    half = 2 * result.std_errors[rows, :, classes].max(axis=1)
    size = np.abs(result.values[rows, :, classes]).max(axis=1)
    moved = size > _NOTHING
    if not moved.any():
        raise NotApplicableError("All attributions are 0.")
    ratio = float(np.median(half[moved] / size[moved]))
    errors = f"two standard errors are {percent(ratio)} of the largest attribution"
    return ratio > _LARGE_ERROR, f"In the median row, {errors}."


def surrogate_fit(result: Attributions, measured: Measurements) -> Answer:
    """Fire if the R² of a surrogate is below 0.5."""
    if result.score is None or result.poor_fit is None:
        raise NotApplicableError("There is no surrogate.")
    return (
        bool(result.poor_fit.any()),
        f"{result.poor_fit.sum()} of {result.poor_fit.size} surrogates have an R² "
        f"below {LEAST_SCORE}; the lowest is {result.score.min():.2f}.",
    )


def ranks_separated(
    result: Attributions | ResultTable, measured: Measurements
) -> Answer:
    """Fire if intervals do not separate the first column from the second."""
    if isinstance(result, ResultTable):
        return _importance_separated(result)
    if result.values.shape[1] < 2:
        raise NotApplicableError("There is only one column.")
    rows, classes = _predicted(result)
    sizes = np.abs(result.values[rows, :, classes])
    half = 2 * np.nan_to_num(result.std_errors[rows, :, classes])
    if result.refit_errors is None:
        _require_errors(result)
    else:
        half = np.hypot(half, 2 * result.refit_errors[rows, :, classes])
    first, second = np.argsort(-sizes, axis=1, kind="stable")[:, :2].T
    lead = sizes[rows, first] - sizes[rows, second]
    tied = lead <= np.hypot(half[rows, first], half[rows, second])
    return (
        bool(tied.mean() > _MANY_ROWS),
        f"In {tied.sum()} of {len(tied)} rows the errors do not separate the first "
        "column from the second.",
    )


def background_size(
    result: Attributions | Profiles | Counterfactuals, measured: Measurements
) -> Answer:
    """Fire if there are too few background rows for an average."""
    n, least = result.n_background, f"at least {_FEW_BACKGROUND} are recommended"
    return n < _FEW_BACKGROUND, f"The background has {count(n, 'row')}; {least}."


def constant_columns(result: Attributions, measured: Measurements) -> Answer:
    """Fire if a column has the same value in all rows, and so the attribution 0."""
    if measured.problem is not None:
        problem = measured.problem
        rows = np.vstack([problem.X, problem.background])
        varies = [pd.Series(cells).nunique(dropna=False) > 1 for cells in rows.T]
        names = problem.target.feature_names
    elif len(result) < 2:
        raise NotApplicableError("A single row has no constant columns.")
    else:
        moved = np.abs(result.values).max(axis=(0, 2)) > _NOTHING
        cells_vary = [not _is_constant(cells) for cells in result.data.T]
        varies = (moved | cells_vary).tolist()
        names = result.feature_names
    constant = [name for name, varied in zip(names, varies, strict=True) if not varied]
    if not constant:
        return False, "No column has the same value in all rows."
    named = join([quote(name) for name in constant[:_MAX_NAMED]])
    if len(constant) > _MAX_NAMED:
        named += f" and {len(constant) - _MAX_NAMED} more"
    return True, f"The same value in all rows, and no attribution: {named}."


def _is_constant(cells: np.ndarray) -> bool:
    return len({"" if pd.isna(cell) else (type(cell), cell) for cell in cells}) == 1


def _require_errors(result: Attributions) -> None:
    if np.isnan(result.std_errors).any():
        raise NotApplicableError("The method reports no standard errors.")
    if not result.std_errors.any():
        raise NotApplicableError("The values are exact: nothing was sampled.")


def _predicted(result: Attributions) -> tuple[np.ndarray, np.ndarray]:
    """Return positions of rows, and of the class predicted for each."""
    classes = [result.default_class(at) for at in range(len(result))]
    return np.arange(len(result)), np.array(classes)


def _importance_separated(result: ResultTable) -> Answer:
    if result.kind != "importance":
        raise NotApplicableError("The table does not hold importance.")
    ranked = result.table.sort_values("importance", ascending=False, kind="stable")
    if len(ranked) < 2:
        raise NotApplicableError("There is only one column.")
    first, second = ranked.iloc[0], ranked.iloc[1]
    if first["importance"] <= 0:
        raise NotApplicableError("No column has a positive importance.")
    overlap = not first["ci_low"] > second["ci_high"]
    verb = "overlap" if overlap else "do not overlap"
    names = f"{quote(first['feature'])} and {quote(second['feature'])}"
    return overlap, f"The intervals of the first two columns, {names}, {verb}."
