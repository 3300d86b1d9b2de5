"""Checks that look at a result alone: they cost nothing."""

import numpy as np
import pandas as pd

from skdnn.explain._checks.base import Check, CheckInput, NotApplicableError
from skdnn.explain._results.attributions import LEAST_SCORE, Attributions
from skdnn.explain._results.counterfactuals import Counterfactuals
from skdnn.explain._results.profiles import Profiles
from skdnn.explain._results.tables import ResultTable
from skdnn.explain._text import formatting

_ADDITIVE = 1e-4  # of the largest output
_LARGE_ERROR = 0.2  # of the largest attribution of the row
_MANY_ROWS = 0.1
_FEW_BACKGROUND = 20
_NOTHING = 1e-12


class Additivity(Check):
    """Whether base value and attributions add up to the prediction."""

    code = "SKD101"
    title = "Attributions add up"
    severity = "high"
    remedy = (
        "Check that the classifier gives the same output for the same row each time; "
        "if it does, use method='auto'."
    )

    def look(self, seen: CheckInput) -> tuple[bool, str]:
        """Fire if something is left over."""
        result = seen.attributions
        if result.score is not None:
            raise NotApplicableError("A surrogate need not add up to the prediction.")
        gap = np.abs(result.residual).max()
        scale = max(1.0, np.abs(result.predictions).max())
        text = f"{gap:.1e}" if gap else "0"
        return (
            bool(gap > _ADDITIVE * scale),
            f"Base value and attributions miss the prediction by {text} at most.",
        )


class SamplingError(Check):
    """Whether attributions are known well enough to be read."""

    code = "SKD102"
    title = "Sampling errors are small"
    severity = "medium"
    remedy = "Ask for less error: explain.shap(…, tolerance=0.01) or more max_evals."

    def look(self, seen: CheckInput) -> tuple[bool, str]:
        """Fire if they are large beside the largest attribution, as a rule."""
        result = seen.attributions
        _need_errors(result)
        rows, classes = _predicted(result)
        half = 2 * result.std_errors[rows, :, classes].max(axis=1)
        size = np.abs(result.values[rows, :, classes]).max(axis=1)
        moved = size > _NOTHING
        if not moved.any():
            raise NotApplicableError("No column has an attribution.")
        ratio = float(np.median(half[moved] / size[moved]))
        return (
            ratio > _LARGE_ERROR,
            f"In the middle row two standard errors are {formatting.percent(ratio)} of "
            "the largest attribution.",
        )


class SurrogateFit(Check):
    """Whether linear surrogates are pictures of the classifier."""

    code = "SKD103"
    title = "Surrogates fit"
    severity = "high"
    remedy = "Read explain.shap instead: it does not rest on a linear picture."

    def look(self, seen: CheckInput) -> tuple[bool, str]:
        """Fire if an R² is below 0.5."""
        result = seen.attributions
        if result.score is None or result.poor_fit is None:
            raise NotApplicableError("There is no surrogate.")
        return (
            bool(result.poor_fit.any()),
            f"{result.poor_fit.sum()} of {result.poor_fit.size} surrogates have an R² "
            f"below {LEAST_SCORE}; the lowest is {result.score.min():.2f}.",
        )


class RanksSeparated(Check):
    """Whether the first column is certain to be the first."""

    code = "SKD105"
    title = "The first rank is separated from the second"
    severity = "low"
    remedy = (
        "Read the first columns as equals, or lower the error: more n_repeats or "
        "rows for importance, a tolerance for SHAP."
    )

    def look(self, seen: CheckInput) -> tuple[bool, str]:
        """Fire if intervals do not tell the first two columns apart."""
        result = seen.result
        if isinstance(result, ResultTable) and result.kind == "importance":
            return _first_importance(result.table)
        result = seen.attributions
        if result.values.shape[1] < 2:
            raise NotApplicableError("There is one column only.")
        if result.refit_errors is None:
            _need_errors(result)
        rows, classes = _predicted(result)
        sizes = np.abs(result.values[rows, :, classes])
        half = 2 * np.nan_to_num(result.std_errors[rows, :, classes])
        if result.refit_errors is not None:
            half = np.hypot(half, 2 * result.refit_errors[rows, :, classes])
        first, second = np.argsort(-sizes, axis=1, kind="stable")[:, :2].T
        lead = sizes[rows, first] - sizes[rows, second]
        open_ = lead <= np.hypot(half[rows, first], half[rows, second])
        return (
            bool(open_.mean() > _MANY_ROWS),
            f"In {open_.sum()} of {len(open_)} rows the errors do not tell the first "
            "column from the second.",
        )


class BackgroundSize(Check):
    """Whether "on average" is an average."""

    code = "SKD109"
    title = "The background is large enough"
    severity = "medium"
    remedy = "Hand over the training rows: background=X_train; 100 are drawn from them."

    def look(self, seen: CheckInput) -> tuple[bool, str]:
        """Fire if there are fewer rows than tell what is usual."""
        result = seen.result
        if not isinstance(result, Attributions | Profiles | Counterfactuals):
            raise NotApplicableError("It has no background.")
        n = result.n_background
        return (
            n < _FEW_BACKGROUND,
            f"The background has {formatting.count(n, 'row')}; fewer than "
            f"{_FEW_BACKGROUND} do not tell what is usual.",
        )


class ConstantColumn(Check):
    """Whether there are columns that nothing can be said about."""

    code = "SKD110"
    title = "Every column varies"
    severity = "low"
    remedy = (
        "Nothing can be said about these columns with these rows: use a background "
        "in which they vary, or leave them out."
    )

    def look(self, seen: CheckInput) -> tuple[bool, str]:
        """Fire if a column has one value, and so the attribution 0."""
        result = seen.attributions
        if seen.problem is not None:
            rows = np.vstack([seen.problem.X, seen.problem.background])
            constant = [
                name
                for name, cells in zip(
                    seen.problem.target.feature_names, rows.T, strict=True
                )
                if pd.Series(cells).nunique(dropna=False) == 1
            ]
        elif len(result) < 2:
            raise NotApplicableError("One row alone does not tell what varies.")
        else:
            moved = np.abs(result.values).max(axis=(0, 2)) > _NOTHING
            constant = [
                name
                for j, name in enumerate(result.feature_names)
                if not moved[j] and _is_constant(result.data[:, j])
            ]
        names = formatting.join([formatting.quote(name) for name in constant[:5]])
        if len(constant) > 5:
            names += f" and {len(constant) - 5} more"
        said = "No column has the same value in all rows."
        if constant:
            said = f"One value in all rows, and no attribution: {names}."
        return bool(constant), said


def _is_constant(cells: np.ndarray) -> bool:
    return len({"" if pd.isna(cell) else (type(cell), cell) for cell in cells}) == 1


def _need_errors(result: Attributions) -> None:
    if np.isnan(result.std_errors).any():
        raise NotApplicableError("The method tells no errors.")
    if not result.std_errors.any():
        raise NotApplicableError("The values are exact: nothing was sampled.")


def _predicted(result: Attributions) -> tuple[np.ndarray, np.ndarray]:
    """Return positions of rows, and of the class predicted for each."""
    return np.arange(len(result)), result.predictions.argmax(axis=1)


def _first_importance(table: pd.DataFrame) -> tuple[bool, str]:
    ranked = table.sort_values("importance", ascending=False, kind="stable")
    if len(ranked) < 2:
        raise NotApplicableError("There is one column only.")
    first, second = ranked.iloc[0], ranked.iloc[1]
    if first["importance"] <= 0:
        raise NotApplicableError("No column has any importance.")
    apart = first["ci_low"] > second["ci_high"]
    names = formatting.quote(first["feature"]), formatting.quote(second["feature"])
    return (
        not apart,
        f"The intervals of {names[0]} and {names[1]}, the first two, "
        f"{'do not touch' if apart else 'touch'}.",
    )
