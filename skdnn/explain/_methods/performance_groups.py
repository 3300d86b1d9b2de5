"""Scores by group of rows, and how each group differs from all others."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype

from skdnn.explain._methods.performance_classes import auc_score, rank, share_score
from skdnn.explain._methods.performance_decisions import Predictions
from skdnn.explain._methods.performance_intervals import (
    auc_probability,
    mean_interval,
    share_difference,
    share_probability,
)
from skdnn.explain._methods.performance_scores import Score
from skdnn.explain._model.labels import effective_rows
from skdnn.explain._model.names import position_of
from skdnn.explain._model.target import Problem
from skdnn.explain._results.frames import frame_of, series_of
from skdnn.explain._results.intervals import holm, t_probability, t_quantile
from skdnn.explain._results.performance import FEWEST_TESTED, MISSING, SMALL_GROUP

# Numbers of more distinct values are cut at quartiles.
_MAX_NUMBERS = 8
_MAX_GROUPS = 50


@dataclass(frozen=True)
class Groups:
    """The group of each row, and the names of the groups in order."""

    name: str
    labels: list[Any]
    codes: np.ndarray
    note: str = ""


def find_groups(by: Any, problem: Problem) -> Groups:
    """Return the groups by a column of X or by values beside it.

    ValueError for unknown columns, values of another number, or less than two groups.
    """
    n = len(problem.X)
    names = problem.target.feature_names
    if isinstance(by, str | int | np.integer):
        j = position_of("by", by, names)
        name, values = names[j], series_of(problem.table[j])
    else:
        name, values = str(getattr(by, "name", None) or "group"), _as_series(by, n)
    values = values.reset_index(drop=True)
    note = ""
    if _is_numeric(values) and values.nunique() > _MAX_NUMBERS:
        n_values = values.nunique()
        values = _quartiles(values.astype(float))
        note = f"{name} has {n_values:,} values and was cut at its quartiles."
    labels = _sorted(values)
    if len(labels) > _MAX_GROUPS:
        raise ValueError(
            f"`by` must have at most {_MAX_GROUPS} groups. Got {len(labels)} of {name}."
            " Combine its values, for example with pandas.cut."
        )
    position = {label: code for code, label in enumerate(labels)}
    missing = values.isna().to_numpy()
    codes = np.array(
        [
            len(labels) if is_missing else position[cell]
            for cell, is_missing in zip(values, missing, strict=True)
        ],
        dtype=np.intp,
    )
    if missing.any():
        labels = [*labels, _missing_label(labels)]
    if len(labels) < 2:
        raise ValueError(
            f"`by` must have at least two groups to compare. Got {labels} of {name}."
        )
    return Groups(name, labels, codes, note)


def _as_series(by: Any, n: int) -> pd.Series:
    if hasattr(by, "to_pandas"):
        by = by.to_pandas()
    if not isinstance(by, pd.Series):
        by = series_of(by if isinstance(by, pd.Categorical) else _cells(by))
    if len(by) != n:
        raise ValueError(
            f"`by` must have one value for each of the {n} rows of X, or name a column "
            f"of X. Got {len(by)} values."
        )
    return by


def _cells(by: Any) -> Any:
    """Return one-dimensional values; ValueError for others."""
    if isinstance(by, np.ndarray) and by.ndim == 1:
        return by
    if np.ndim(by) != 1 or isinstance(by, dict):
        raise ValueError(
            "`by` must be the name of a column of X, or one value for each row: shape "
            f"(n_samples,). Got {type(by).__name__} of shape {np.shape(by)}."
        )
    cells = np.empty(len(by), dtype=object)
    cells[:] = list(by)
    return cells


def _is_numeric(values: pd.Series) -> bool:
    if values.dtype == object:
        known = values[values.notna()]
        return bool(len(known)) and all(
            isinstance(cell, int | float | np.number) and not isinstance(cell, bool)
            for cell in known
        )
    return is_numeric_dtype(values.dtype) and not is_bool_dtype(values.dtype)


def _quartiles(values: pd.Series) -> pd.Series:
    """Return the names of the quarters of numbers, in order; missing ones stay."""
    known = values.dropna().to_numpy()
    edges = np.unique(np.quantile(known, [0.25, 0.5, 0.75], method="inverted_cdf"))
    edges = edges[edges < known.max()]
    texts = [f"{edge:.4g}" for edge in edges]
    if len(set(texts)) < len(texts):
        texts = [repr(edge) for edge in edges.tolist()]
    names = [f"up to {texts[0]}"]
    names += [f"above {low} to {high}" for low, high in pairwise(texts)]
    names.append(f"above {texts[-1]}")
    place = np.searchsorted(edges, values.to_numpy())
    place = np.where(values.isna(), -1, place)
    return pd.Series(pd.Categorical.from_codes(place, names, ordered=True))


def _sorted(values: pd.Series) -> list[Any]:
    """Return the distinct values in order: of categories, or sorted."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        held = set(values.dropna())
        return [label for label in values.cat.categories.tolist() if label in held]
    labels = list(dict.fromkeys(values[values.notna()].tolist()))
    try:
        return sorted(labels)
    except TypeError:
        return sorted(labels, key=str)


def _missing_label(labels: Sequence[Any]) -> str:
    label = MISSING
    while label in labels:
        label = f"({label})"
    return label


@dataclass(frozen=True)
class _Part:
    """A score of some rows, with what its difference to another one needs.

    `sizes` are of a share the hits and the rows, of a mean its variance and degrees of
    freedom, and of an area the rows of the class and the others.
    """

    kind: str
    score: Score
    n_rows: int
    sizes: tuple[float, float]


def group_tables(
    given: Predictions, groups: Groups, class_names: np.ndarray
) -> tuple[pd.DataFrame, pd.DataFrame, int]:
    """Return scores of groups, differences to all other rows, how many were tested."""
    scores: list[dict[str, Any]] = []
    differences: list[dict[str, Any]] = []
    shown = given.ranked
    for code, label in enumerate(groups.labels):
        own = _measure(given, groups.codes == code, shown)
        others = _measure(given, groups.codes != code, shown)
        for (k, name), part in own.items():
            row = {
                "group": label, "class": None if k is None else class_names[k],
                "score": name,
            }  # fmt: skip
            scores.append(row | _facts(part))
            rest = others[k, name]
            differences.append(row | _difference(part, rest))
    table = _frame(differences)
    p = table["p_value"].to_numpy()
    # of two groups, each less the other is the same test
    n_mirrored = 2 if len(groups.labels) == 2 else 1
    adjusted, n_tested = _adjust(p[: len(p) // n_mirrored])
    table["p_holm"] = np.tile(adjusted, n_mirrored)
    return _frame(scores), table, n_tested


def _adjust(p: np.ndarray) -> tuple[np.ndarray, int]:
    """Return adjusted p-values, and how many are known."""
    adjusted = np.full(len(p), np.nan)
    known = np.isfinite(p)
    adjusted[known] = holm(p[known])
    return adjusted, int(known.sum())


def _frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    columns: dict[str, Any] = {name: [row[name] for row in rows] for name in rows[0]}
    for name in ("group", "class"):
        cells = np.empty(len(rows), dtype=object)
        cells[:] = columns[name]
        columns[name] = cells
    for name in set(columns) - {"group", "class", "score", "n_rows", "is_small"}:
        columns[name] = np.array(columns[name], dtype=float)
    return frame_of(columns)


def _facts(part: _Part) -> dict[str, Any]:
    return {
        "value": part.score.value,
        "ci_low": part.score.low,
        "ci_high": part.score.high,
        "n_rows": part.n_rows,
        "is_small": part.n_rows < SMALL_GROUP,
    }


def _measure(
    given: Predictions, rows: np.ndarray, shown: Sequence[int]
) -> dict[tuple[int | None, str], _Part]:
    """Return the scores of some rows, by class (None: of all) and name."""
    rows = rows & (given.weight > 0)
    codes, weight = given.codes[rows], given.weight[rows]
    predicted, probabilities = given.predicted[rows], given.probabilities[rows]
    everything = np.ones(len(codes), dtype=bool)
    own = probabilities[np.arange(len(codes)), codes] / probabilities.sum(axis=1)
    loss = -np.log(np.clip(own, np.finfo(float).eps, 1))
    parts: dict[tuple[int | None, str], _Part] = {
        (None, "accuracy"): _share(codes == predicted, everything, weight),
        (None, "log_loss"): _mean(loss, weight),
    }
    if given.sets is not None:
        sets = given.sets[rows]
        held = sets[np.arange(len(codes)), codes]
        parts[None, "coverage"] = _share(held, everything, weight)
        parts[None, "one_class"] = _share(sets.sum(axis=1) == 1, everything, weight)
    for k in shown:
        is_in, named = codes == k, predicted == k
        gap = probabilities[:, k] - is_in
        parts |= {
            (k, "prevalence"): _share(is_in, everything, weight),
            (k, "predicted_share"): _share(named, everything, weight),
            (k, "precision"): _share(is_in, named, weight),
            (k, "false_positive_rate"): _share(named, ~is_in, weight),
            (k, "false_negative_rate"): _share(~named, is_in, weight),
            (k, "roc_auc"): _area(probabilities[:, k], is_in, weight),
            (k, "predicted_minus_observed"): _mean(gap, weight),
        }
    return parts


def _share(hit: np.ndarray, rows: np.ndarray, weight: np.ndarray) -> _Part:
    score = share_score(hit[rows], weight[rows])
    n = effective_rows(weight[rows]) if score.value is not None else 0.0
    hits = n * (score.value or 0.0)
    return _Part("share", score, int(rows.sum()), (hits, n))


def _mean(values: np.ndarray, weight: np.ndarray) -> _Part:
    if not len(values):
        return _Part("mean", Score(None), 0, (np.nan, np.nan))
    score, *sizes = mean_interval(values, weight)
    return _Part("mean", score, len(values), (sizes[0], sizes[1]))


def _area(probability: np.ndarray, is_in: np.ndarray, weight: np.ndarray) -> _Part:
    n_rows = len(is_in)
    if not is_in.any() or is_in.all():
        return _Part("area", Score(None), n_rows, (0.0, 0.0))
    score = auc_score(rank(probability, is_in, weight), is_in, weight)
    sizes = effective_rows(weight[is_in]), effective_rows(weight[~is_in])
    return _Part("area", score, n_rows, sizes)


def _difference(own: _Part, others: _Part) -> dict[str, Any]:
    """Return how a score differs from that of all other rows, and the p-value."""
    a, b = own.score, others.score
    row = {"value": a.value, "others": b.value, "n_rows": own.n_rows}
    row["is_small"] = min(own.n_rows, others.n_rows) < SMALL_GROUP
    nothing = dict.fromkeys(("difference", "ci_low", "ci_high", "p_value"), np.nan)
    if a.value is None or b.value is None:
        return row | nothing
    p, (low, high) = np.nan, (np.nan, np.nan)
    if own.kind == "mean":
        variance = own.sizes[0] + others.sizes[0]
        if np.isfinite(variance):
            df = _welch(own, others)
            reach = float(t_quantile(0.95, df)) * variance**0.5
            low, high = a.value - b.value - reach, a.value - b.value + reach
            gap, error = np.array(a.value - b.value), np.array(variance**0.5)
            if min(own.n_rows, others.n_rows) >= FEWEST_TESTED:
                p = float(t_probability(gap, error, df))
    else:
        low, high = share_difference(a, b)
        if own.kind == "share":
            p = share_probability(*own.sizes, *others.sizes)
        elif min(*own.sizes, *others.sizes) >= FEWEST_TESTED:
            p = auc_probability(a.value, own.sizes, b.value, others.sizes)
    known = {"difference": a.value - b.value, "ci_low": low, "ci_high": high}
    return row | known | {"p_value": p}


def _welch(own: _Part, others: _Part) -> float:
    """Return the degrees of freedom of a difference of means (Welch, 1947)."""
    (v, df), (w, other_df) = own.sizes, others.sizes
    if v + w == 0:
        return min(df, other_df)
    return (v + w) ** 2 / (v**2 / df + w**2 / other_df)
