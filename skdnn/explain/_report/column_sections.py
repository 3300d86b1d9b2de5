"""Sections on the effect of columns over many rows."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from skdnn.explain._model.columns import OTHERS_NAME
from skdnn.explain._report import sentences
from skdnn.explain._report.cells import as_column, cell_text, is_missing, plain
from skdnn.explain._report.evidence import Evidence
from skdnn.explain._results.frames import rows_by
from skdnn.explain._results.profiles import Profiles

N_BARS = 15  # columns in a picture
N_TABLE = 40  # columns in a table below a picture
N_CATEGORIES = 15  # along a curve
N_SWARMS = 3  # classes whose attributions are shown row by row
_N_LEVELS = 5  # from low to high values
_STRONG = 0.5  # rank correlation of values and attributions
_Z_99 = 2.5758  # the 99.5% quantile of the normal distribution
_NO_ATTRIBUTION = 1e-9


def importance(evidence: Evidence) -> dict[str, Any]:
    """Order the columns by permutation importance."""
    frame = evidence.importance.frame()
    ranked = frame.sort_values("importance", ascending=False, kind="stable")
    names = {"importance": "value", "ci_low": "low", "ci_high": "high"}
    shown = ranked.rename(columns=names)[["feature", "value", "low", "high", "ratio"]]
    rows = plain(shown.to_dict("records"))
    section = {
        "rows": rows[:N_TABLE],
        "n_left_out": max(0, len(rows) - N_TABLE),
        "scoring": evidence.scoring,
        "n_rows": evidence.n_averaged,
        "n_repeats": evidence.n_repeats,
        "over_rows": not evidence.importance.note,
        "sample": sentences.sample(evidence.n_averaged, len(evidence.codes)),
    }
    return {**section, "words": sentences.importance({**section, "rows": rows})}


def profiles(
    result: Profiles,
    evidence: Evidence,
    ranking: dict[str, Any],
    describe: Callable[[dict[str, Any], str | None], str],
) -> dict[str, Any]:
    """Return the curves of each column, the most important one first.

    `ranking` is the section of `importance`; `describe` writes the sentence of a curve,
    of two classes about the positive one.
    """
    rows_of = rows_by(result.table["feature"])
    by_name = {name: result.table.iloc[rows] for (name,), rows in rows_of.items()}
    rank = {row["feature"]: i for i, row in enumerate(ranking["rows"])}
    names = sorted(by_name, key=lambda name: rank.get(name, len(rank)))
    curves = [curve(by_name[name], name, evidence) for name in names]
    return {
        "curves": [
            {**one, "sentence": describe(one, evidence.positive_class)}
            for one in curves
        ],
        "n_rows": evidence.n_averaged,
        "sample": sentences.sample(evidence.n_averaged, len(evidence.codes)),
    }


def curve(
    rows: pd.DataFrame, name: str, evidence: Evidence, own: Any = None
) -> dict[str, Any]:
    """Return the grid points of one column, and one line per shown class.

    `rows` has the columns class, x and value. `own` is the value of the explained row,
    which is never left out.
    """
    classes = evidence.classes
    label = np.array([str(one) for one in rows["class"]], dtype=object)
    x = as_column(rows["x"][label == label[0]].tolist())
    value = rows["value"].to_numpy(float)
    values = np.array([value[label == classes[k]] for k in evidence.shown])
    is_text = x.dtype != float
    kept = np.arange(len(x))
    if is_text and len(x) > N_CATEGORIES:
        # categories close to the mean show least
        apart = np.abs(values - values.mean(axis=1, keepdims=True)).max(axis=0)
        own = None if is_missing(own) else own
        apart[[cell == own for cell in x]] = np.inf
        if str(x[-1]).rstrip("_") == OTHERS_NAME:  # what it gathers is not left out
            apart[-1] = np.inf
        kept = np.sort(np.argsort(-apart, kind="stable")[:N_CATEGORIES])
    return {
        "feature": name,
        "words": is_text,
        "x": [cell_text(x[i]) for i in kept] if is_text else x.tolist(),
        "n_left_out": len(x) - len(kept),
        "lines": [
            {"class": classes[k], "values": line[kept].tolist(), "range": np.ptp(line)}
            for k, line in zip(evidence.shown, values, strict=True)
        ],
    }


def shap(evidence: Evidence) -> dict[str, Any]:
    """Summarise the SHAP values of all rows: size, direction, and row by row."""
    result, names, classes = evidence.shap, evidence.feature_names, evidence.classes
    values = np.asarray(result.values)
    mean = np.abs(values).mean(axis=0)
    order = np.argsort(-mean.sum(axis=1), kind="stable")
    columns = [column[list(evidence.shap_rows)] for column in evidence.columns]
    shown = evidence.distinct
    # of two classes one mirrors the other
    others = [] if len(classes) == 2 else sorted(set(range(len(classes))) - set(shown))

    def effect(j: int, k: int) -> dict[str, Any]:
        towards = direction(columns[j], values[:, j, k])
        return {"class": classes[k], "value": mean[j, k], "direction": towards}

    section = {
        "rows": [
            {
                "feature": names[j],
                "by_class": [effect(j, k) for k in shown],
                "total": mean[j, shown].sum() + mean[j, others].sum(),
                "others": mean[j, others].sum(),
            }
            for j in order[:N_TABLE]
        ],
        "n_left_out": max(0, len(names) - N_TABLE),
        "strips": _swarms(evidence, columns, order[:N_BARS]),
        "method": result.method,
        "output": result.output,
        "n_background": result.n_background,
        "n_rows": len(values),
        "positions": list(evidence.shap_rows),
        "sample": sentences.sample(len(values), len(evidence.codes)),
        "max_residual": np.abs(result.residual).max(),
        "max_std_error": np.max(result.std_errors, initial=0.0),
    }
    return {**section, "words": sentences.shap_overall(section)}


def _swarms(
    evidence: Evidence, columns: Sequence[np.ndarray], order: np.ndarray
) -> list[dict[str, Any]]:
    """Return every attribution to some classes with the level of the value behind."""
    rows = [(evidence.feature_names[j], j, _levels(columns[j])) for j in order]
    values = np.round(evidence.shap.values, 5)
    return [
        {
            "class": evidence.classes[k],
            "rows": [
                {"feature": name, "values": values[:, j, k], "levels": levels}
                for name, j, levels in rows
            ],
        }
        for k in evidence.distinct[:N_SWARMS]
    ]


def _levels(column: np.ndarray) -> list[int | None]:
    """Return a level from low to high for each number, None for other values."""
    if column.dtype != float or not np.isfinite(column).any():
        return [None] * len(column)
    finite = np.isfinite(column)
    ranks = _ranks(column[finite])
    n_values = ranks.max() + 1
    level = np.full(len(column), -1)
    # a constant is neither high nor low
    level[finite] = ranks * _N_LEVELS // n_values if n_values > 1 else _N_LEVELS // 2
    return [None if one < 0 else int(one) for one in level]


def _ranks(values: np.ndarray) -> np.ndarray:
    return np.unique(values, return_inverse=True)[1]


def direction(column: np.ndarray, attribution: np.ndarray) -> str:
    """Return whether high values have high attributions, by their rank correlation.

    "raises" and "lowers" if it is strong, "tends to raise" and "tends to lower" if it
    is weak but clear at the 1% level (Fisher's z), else "mixed".
    """
    if column.dtype != float or not np.any(np.abs(attribution) > _NO_ATTRIBUTION):
        return ""
    finite = np.isfinite(column)
    n = int(finite.sum())
    if n < 3:
        return ""
    a, b = rankdata(column[finite]), rankdata(attribution[finite])
    if not a.std() or not b.std():
        return ""
    correlation = float(np.corrcoef(a, b)[0, 1])
    if abs(correlation) >= _STRONG:
        return "raises" if correlation > 0 else "lowers"
    # the standard error of Fisher's z of a rank correlation
    if n > 3 and abs(np.arctanh(correlation)) > _Z_99 * np.sqrt(1.06 / (n - 3)):
        return "tends to raise" if correlation > 0 else "tends to lower"
    return "mixed"
