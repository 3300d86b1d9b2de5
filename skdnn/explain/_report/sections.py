"""The sections of the summary that tell of data, training and explanations."""

from typing import Any

import numpy as np

from skdnn._runtime.names import shorten
from skdnn.explain._report import words as _words
from skdnn.explain._report.fitted_record import FittedRecord
from skdnn.explain._report.simple_model import columns_of, is_missing
from skdnn.explain._text import formatting

N_COLUMNS = 60  # rows of the table of the data
N_BARS = 15  # columns of X in a picture
N_TABLE = 40  # columns of X in a table under a picture
N_LEVELS = 15  # words along a curve
N_STRIPS = 3  # classes whose attributions are shown row by row
_MAX_CELL = 60  # characters


def data(
    X: Any, names: list[str], codes: np.ndarray, classes: list[str]
) -> dict[str, Any]:
    """Describe the columns and the classes."""
    columns = columns_of(X)
    counts = np.bincount(codes, minlength=len(classes))
    order = np.argsort(-counts, kind="stable")[:20]
    described = [
        _describe(name, column)
        for name, column in zip(names[:N_COLUMNS], columns, strict=False)
    ]
    n_missing = sum(_n_missing(column) for column in columns)
    n_numbers = sum(column.dtype == float for column in columns)
    words = _words.data(len(codes), len(names), n_numbers, n_missing)
    return {
        "columns": described,
        "n_left_out": max(0, len(names) - N_COLUMNS),
        "classes": [
            {"class": classes[k], "n": int(counts[k]), "share": counts[k] / len(codes)}
            for k in order
        ],
        "n_classes_left_out": len(classes) - len(order),
        "words": words,
    }


def _n_missing(column: np.ndarray) -> int:
    if column.dtype == float:
        return int(np.isnan(column).sum())
    return sum(cell is None for cell in column)


def _describe(name: str, column: np.ndarray) -> dict[str, Any]:
    row: dict[str, Any] = {"name": name, "n_missing": _n_missing(column)}
    if column.dtype != float:
        given = np.array(
            [str(cell) for cell in column if cell is not None], dtype=object
        )
        values, counts = np.unique(given.astype(str), return_counts=True)
        order = np.argsort(-counts, kind="stable")[:3]
        common = [
            {"value": shorten(str(values[i]), _MAX_CELL), "n": int(counts[i])}
            for i in order
        ]
        return {**row, "kind": "words", "n_distinct": len(values), "common": common}
    finite = column[np.isfinite(column)]
    row |= {"kind": "numbers", "n_distinct": len(np.unique(finite))}
    if not finite.size:
        return {**row, "low": None, "median": None, "high": None, "histogram": []}
    with np.errstate(over="ignore", invalid="ignore"):
        low, median, high = np.quantile(finite, [0, 0.5, 1]).tolist()
    # A constant, or one whose range overflows, has no steps to count in.
    spread = high - low
    steps = np.histogram(finite, bins=12)[0] if 0 < spread < np.inf else np.array([])
    return {**row, "low": low, "median": median, "high": high, "histogram": steps}


def network(record: FittedRecord) -> dict[str, Any] | None:
    """Give the drawing and the estimator's own account of itself."""
    if record.network is None and record.summary is None:
        return None
    return {
        "drawing": record.network,
        "text": record.summary,
        "words": _words.network(record.name, record.network is not None),
    }


def training(record: FittedRecord) -> dict[str, Any] | None:
    """Give the curves of training beside the baseline loss."""
    history = record.history
    if history is None or "loss" not in history or not len(history):
        return None

    def curve(name: str) -> list[float | None] | None:
        if name not in history:
            return None
        values = np.asarray(history[name], dtype=float)
        if not np.isfinite(values).any():
            return None
        return [float(v) if np.isfinite(v) else None for v in values]

    val_loss = curve("val_loss")
    best = None
    if val_loss is not None:
        best = int(np.nanargmin(np.asarray(history["val_loss"], dtype=float))) + 1
    section = {
        "n_epochs": len(history),
        "loss": curve("loss") or [None],
        "val_loss": val_loss,
        "accuracy": curve("accuracy"),
        "val_accuracy": curve("val_accuracy"),
        "baseline_loss": record.baseline_loss,
        "best_epoch": best,
    }
    return {**section, "words": _words.training(section)}


def importance(result: Any, names: list[str], scoring: str) -> dict[str, Any]:
    """Order the columns by how much shuffling them costs."""
    frame = result.frame()
    optional = {c: frame[c] for c in ("ci_low", "ci_high", "ratio") if c in frame}
    rows: list[dict[str, Any]] = [
        {
            "feature": str(feature),
            "value": float(value),
            "low": _finite(optional, "ci_low", i),
            "high": _finite(optional, "ci_high", i),
            "ratio": _finite(optional, "ratio", i),
        }
        for i, (feature, value) in enumerate(
            zip(frame["feature"], frame["importance"], strict=True)
        )
    ]
    rows.sort(key=lambda row: -row["value"])
    section = {
        "rows": rows[:N_TABLE],
        "n_left_out": max(0, len(rows) - N_TABLE),
        "scoring": scoring,
    }
    return {**section, "words": _words.importance({**section, "rows": rows})}


def _finite(columns: dict[str, Any], name: str, i: int) -> float | None:
    if name not in columns:
        return None
    value = columns[name].iloc[i]
    return None if value is None or not np.isfinite(value) else float(value)


def profiles(
    result: Any, classes: list[str], shown: list[int], ranking: dict[str, Any], say: Any
) -> dict[str, Any]:
    """Give one set of curves for each column, the most important one first.

    `say` makes the sentence of a curve.
    """
    frame = result.frame()
    frame = frame.assign(
        feature=frame["feature"].astype(str), **{"class": frame["class"].astype(str)}
    )
    rank = {row["feature"]: i for i, row in enumerate(ranking["rows"])}
    names = dict.fromkeys(frame["feature"])
    curves = []
    for name in sorted(names, key=lambda name: rank.get(name, len(rank))):
        drawn = curve(frame[frame["feature"] == name], name, classes, shown)
        curves.append({**drawn, "sentence": say(drawn)})
    return {"curves": curves}


def curve(
    rows: Any, name: str, classes: list[str], shown: list[int], own: Any = None
) -> dict[str, Any]:
    """Give the curves of one column: places, and a line for each shown class.

    Parameters
    ----------
    rows : DataFrame
        Of this column: class (as text), x, value.
    own : object, default=None
        The explained row's cell, which is never left out.
    """
    x = rows["x"][rows["class"] == rows["class"].iloc[0]]
    x = columns_of(np.asarray(x.tolist(), dtype=object)[:, None])[0]
    values = np.array(
        [rows["value"][rows["class"] == classes[k]].to_numpy(float) for k in shown]
    )
    words = x.dtype != float
    kept = np.arange(len(x))
    if words and len(x) > N_LEVELS:
        # levels that are like all others say least
        apart = np.abs(values - values.mean(axis=1, keepdims=True)).max(axis=0)
        own = None if is_missing(own) else own
        apart[[cell == own for cell in x]] = np.inf
        kept = np.sort(np.argsort(-apart, kind="stable")[:N_LEVELS])
    return {
        "feature": name,
        "words": words,
        "x": [cell_text(x[i]) for i in kept] if words else x.tolist(),
        "n_left_out": len(x) - len(kept),
        "lines": [
            {
                "class": classes[k],
                "values": line[kept].tolist(),
                "range": float(np.ptp(line)),
            }
            for k, line in zip(shown, values, strict=True)
        ],
    }


def cell_text(cell: Any) -> str:
    """Write one cell as people read it."""
    if isinstance(cell, float | np.floating):
        return "missing" if np.isnan(cell) else formatting.number(float(cell), 4)
    return "missing" if cell is None else shorten(str(cell), _MAX_CELL)


def shap(
    evidence: Any, names: list[str], classes: list[str], shown: list[int]
) -> dict[str, Any]:
    """Summarise the attributions of all rows: how much, which way, row by row."""
    result = evidence.shap
    values = np.asarray(result.values)
    mean = np.abs(values).mean(axis=0)
    order = np.argsort(-mean.sum(axis=1), kind="stable")
    columns = [column[list(evidence.shap_rows)] for column in columns_of(evidence.X)]
    rest = [k for k in range(len(classes)) if k not in shown]
    rows = []
    for j in order[:N_TABLE]:
        by_class = [
            {
                "class": classes[k],
                "value": mean[j, k],
                "direction": direction(columns[j], values[:, j, k]),
            }
            for k in shown
        ]
        row = {"feature": names[j], "by_class": by_class, "total": mean[j].sum()}
        rows.append({**row, "others": mean[j, rest].sum()})
    section = {
        "rows": rows,
        "n_left_out": max(0, len(names) - N_TABLE),
        "strips": _strips(values, columns, order[:N_BARS], names, classes, shown),
        "method": str(result.method),
        "output": str(result.output),
        "n_background": int(result.n_background),
        "n_rows": len(values),
        "max_residual": float(np.abs(result.residual).max()),
        "max_std_error": float(np.max(result.std_errors, initial=0.0)),
    }
    return {**section, "words": _words.shap_overall(section)}


def _strips(values, columns, order, names, classes, shown):
    """Give every attribution of some classes with the size of the cell behind it."""
    # In a table of two classes one is the mirror image of the other.
    chosen = [1] if len(classes) == 2 else shown[:N_STRIPS]
    levels = {j: _levels(columns[j]) for j in order}
    return [
        {
            "class": classes[k],
            "rows": [
                {
                    "feature": names[j],
                    "values": np.round(values[:, j, k], 5),
                    "levels": levels[j],
                }
                for j in order
            ],
        }
        for k in chosen
    ]


def _levels(column: np.ndarray) -> list[int | None]:
    """Sort numbers into five steps from low to high; None for words."""
    if column.dtype != float or not np.isfinite(column).any():
        return [None] * len(column)
    ranks = np.unique(column[np.isfinite(column)], return_inverse=True)[1]
    step = np.full(len(column), -1)
    n_values = ranks.max() + 1
    # A constant is neither high nor low.
    step[np.isfinite(column)] = ranks * 5 // n_values if n_values > 1 else 2
    return [None if s < 0 else int(s) for s in step]


def direction(column: np.ndarray, attribution: np.ndarray) -> str:
    """Tell whether high cells go with high attributions: raises, lowers, or mixed.

    >>> direction(np.array([1.0, 2.0, 3.0]), np.array([0.3, 0.1, -0.2]))
    'lowers'
    """
    if column.dtype != float or not np.any(np.abs(attribution) > 1e-9):
        return ""
    given = np.isfinite(column)
    if given.sum() < 3:
        return ""
    a = np.unique(column[given], return_inverse=True)[1].astype(float)
    b = np.unique(attribution[given], return_inverse=True)[1].astype(float)
    if not a.std() or not b.std():
        return ""
    correlation = np.corrcoef(a, b)[0, 1]
    if abs(correlation) < 0.5:
        return "mixed"
    return "raises" if correlation > 0 else "lowers"
