"""The performance of a classifier in plain sentences made of its numbers."""

from typing import Any

import numpy as np
import pandas as pd

from skdnn.explain._results.performance import (
    LEAST_COST,
    PREDICT,
    SMALL_GROUP,
    THRESHOLD,
    Performance,
    scores_of,
)
from skdnn.explain._results.registry import register
from skdnn.explain._text.formatting import (
    count,
    fixed,
    interval,
    join,
    number,
    percent,
    signed,
)
from skdnn.explain._text.sentences import class_text, name_text

_MAX_MISTAKES, _MAX_DIFFERENCES = 2, 3
_ANSWERED = 0.8
_SURE = 0.05
_NAMES = {
    "accuracy": "accuracy",
    "log_loss": "log loss",
    "prevalence": "share",
    "predicted_share": "predicted share",
    "precision": "precision",
    "false_positive_rate": "false positive rate",
    "false_negative_rate": "false negative rate",
    "roc_auc": "ROC AUC",
    "predicted_minus_observed": "mean probability less share",
    "coverage": "share of sets with the true class",
    "one_class": "share of sets with one class",
}


@register("describe", Performance)
def describe_performance(result: Performance) -> str:
    """Describe scores, classes, mistakes, costs, abstention and groups."""
    sentences = [
        describe_overall(result),
        _weakest(result),
        _mistakes(result),
        _calibration(result),
        *_costs(result),
        _abstention(result),
        describe_sets(result),
        *_groups(result),
        "Intervals are of 95% and over rows; they do not cover how another fit would "
        "differ.",
    ]
    return " ".join(sentence for sentence in sentences if sentence)


def _scores(table: pd.DataFrame) -> dict[str, dict[str, float | None]]:
    """Return scores by name; None where one is not known."""
    return {
        row.score: {
            "value": _known(row.value),
            "low": _known(row.ci_low),
            "high": _known(row.ci_high),
        }
        for row in table.itertuples()
    }


def _known(value: float) -> float | None:
    return None if pd.isna(value) else float(value)


def describe_overall(result: Performance) -> str:
    """Describe accuracy beside the share of the most frequent class, and ROC AUC."""
    scores = _scores(scores_of(result, None))
    shares = {
        label: _scores(scores_of(result, label))["prevalence"]["value"] or 0.0
        for label in result.class_names
    }
    most = max(shares, key=lambda label: shares[label])
    rows = count(result.n_samples, "row")
    text = (
        f"Of {rows}{' (weighted)' if result.is_weighted else ''}, "
        f"{interval(scores['accuracy'], percent)} are predicted correctly; "
        f"{percent(shares[most])} are {class_text(most)}, the most frequent class."
    )
    area = scores["roc_auc"]
    if area["value"] is not None:
        text += f" ROC AUC is {interval(area)}."
    return text


def _weakest(result: Performance) -> str:
    """Name the class of which the smallest share is predicted correctly."""
    recalls = {
        label: _scores(scores_of(result, label))["recall"]
        for label in result.class_names
    }
    known: dict[Any, float] = {
        label: score["value"]
        for label, score in recalls.items()
        if score["value"] is not None
    }
    if len(known) < 2:
        return ""
    worst = min(known, key=lambda label: known[label])
    best = max(known, key=lambda label: known[label])
    low, high = recalls[worst], recalls[best]
    text = (
        f"Recall is lowest for {class_text(worst)}, {interval(low)}, and highest for "
        f"{class_text(best)}, {interval(high)}"
    )
    apart = (low["high"] or 0) < (high["low"] or 0)
    return f"{text}{'' if apart else '; these intervals overlap'}."


def _mistakes(result: Performance) -> str:
    """Name the most frequent mistakes."""
    matrix = result.confusion.to_numpy().copy()
    np.fill_diagonal(matrix, 0)
    if not matrix.any():
        return "There is no mistake."
    order = np.argsort(-matrix, axis=None, kind="stable")[:_MAX_MISTAKES]
    names = [class_text(label) for label in result.class_names]
    pairs = [
        f"{names[i]} as {names[j]} ({matrix[i, j]})"
        for i, j in zip(*np.unravel_index(order, matrix.shape), strict=True)
        if matrix[i, j]
    ]
    verb = "mistakes are" if len(pairs) > 1 else "mistake is"
    return f"The most frequent {verb} {join(pairs)}."


def _calibration(result: Performance) -> str:
    error = _scores(scores_of(result, None))["calibration_error"]
    return f"The expected calibration error is {interval(error)}."


def _costs(result: Performance) -> list[str]:
    """Describe the cost of the decisions, and how sure the best threshold is."""
    decisions = result.decisions
    if result.costs is None or decisions is None:
        return []
    rows = {row.decision: row for row in decisions.itertuples()}
    constant = next(name for name in rows if name.startswith("always "))
    own = f"The classifier unchanged costs {_cost(rows[PREDICT])} per row"
    text = [f"{own}; {constant} costs {_cost(rows[constant])}."]
    names = {
        LEAST_COST: "The decision of lowest expected cost",
        THRESHOLD: "The best threshold",
    }
    for decision, name in names.items():
        if decision in rows:
            text.append(_compared(name, rows[decision], result.positive))
    if result.thresholds is not None:
        text.append(_range(result.thresholds))
    return text


def _cost(row: Any) -> str:
    return interval({"value": row.cost, "low": row.ci_low, "high": row.ci_high}, number)


def _compared(name: str, row: Any, positive: Any) -> str:
    """Describe a decision beside `predict`."""
    low, high = row.difference_low, row.difference_high
    if pd.notna(getattr(row, "threshold", np.nan)):
        name = f"{name} of {class_text(positive)}, {_threshold(row.threshold)},"
    text = f"{name} costs {_cost(row)}"
    if row.optimism:
        text += f", corrected by {number(row.optimism)} for the choice"
    if low > 0 or high < 0:
        verb = "less" if high < 0 else "more"
        ends = sorted((abs(low), abs(high)))
        size = interval(
            {"value": abs(row.difference), "low": ends[0], "high": ends[1]}, number
        )
        return f"{text}: {size} {verb} than unchanged."
    return f"{text}; the difference to unchanged is not clear."


def _range(thresholds: pd.DataFrame) -> str:
    """Describe which thresholds are not clearly worse than the best."""
    kept = thresholds["threshold"][thresholds["may_be_best"]]
    if len(kept) == 1:
        return "All other thresholds listed cost clearly more."
    return (
        f"{len(kept)} of {len(thresholds)} thresholds, from "
        f"{_threshold(kept.min())} to {_threshold(kept.max())}, are not clearly worse "
        "than the best."
    )


def _threshold(value: float) -> str:
    return number(value) if np.isfinite(value) else "above all probabilities"


def _abstention(result: Performance) -> str:
    """Describe the accuracy on the rows with the highest top probability."""
    table = result.abstention
    at = table[table["answered"] <= _ANSWERED]
    if not len(at) or table["accuracy"].iloc[-1] == 1:
        return ""
    row = at.iloc[-1]
    score = {"value": row["accuracy"], "low": row["ci_low"], "high": row["ci_high"]}
    return (
        f"Of the {percent(row['answered'])} of rows with the highest top probability "
        f"({fixed(row['threshold'])} or more), {interval(score, percent)} are correct."
    )


def describe_sets(result: Performance) -> str:
    """Describe coverage of sets, and accuracy where they have one class."""
    if result.sets is None:
        return ""
    row = next(
        one
        for one in result.sets.itertuples()
        if one.confidence_level == result.confidence_level
    )
    held = {"value": row.coverage, "low": row.ci_low, "high": row.ci_high}
    text = (
        f"Of the {percent(row.confidence_level)} sets, {interval(held, percent)} hold "
        "the class of their row"
    )
    if not row.n_rows:
        return f"{text}; none has one class only."
    right = {"value": row.accuracy, "low": row.accuracy_low, "high": row.accuracy_high}
    if row.answered == 1:
        return f"{text}; all have one class."
    return (
        f"{text}. {percent(row.answered)} have one class; of these rows, "
        f"{interval(right, percent)} are predicted correctly."
    )


def describe_group_coverage(result: Performance) -> tuple[bool, str]:
    """Describe in which groups sets hold the class more or less often than in others.

    Returns whether there are such groups; the text is empty if none was compared.
    """
    table = result.differences
    if table is None:
        return False, ""
    table = table[(table["score"] == "coverage") & table["p_holm"].notna()]
    if not len(table):
        return False, ""
    clear = table[table["p_holm"] < _SURE].sort_values("p_holm", kind="stable")
    if not len(clear):
        groups = f"{count(len(table), 'group')} of {name_text(result.by)}"
        return False, (
            f"In none of {groups}, the share of sets that hold the class of their row "
            "differs clearly from that in all others."
        )
    named = [
        f"{percent(row['value'])} of {name_text(row['group'])} against "
        f"{percent(row['others'])} of all others"
        for _, row in clear.head(_MAX_DIFFERENCES).iterrows()
    ]
    if len(clear) > len(named):
        named.append(f"{len(clear) - len(named)} more")
    return True, f"Sets hold the class of their row for {join(named)}."


def _groups(result: Performance) -> list[str]:
    """Describe the differences between groups that are not noise."""
    table = result.differences
    if table is None or result.groups is None:
        return []
    clear = table[table["p_holm"] < _SURE].sort_values("p_holm", kind="stable")
    if result.groups["group"].nunique() == 2:  # each less the other
        clear = clear[clear["group"] == table["group"].iloc[0]]
    by = name_text(result.by)
    if not len(clear):
        text = f"None of {result.n_tested} differences between groups of {by} is clear"
    else:
        first = clear.head(_MAX_DIFFERENCES).rename(columns={"class": "label"})
        shown = [_difference(row) for row in first.itertuples()]
        text = (
            f"{len(clear)} of {result.n_tested} differences between groups of {by} are "
            f"clear (p < {_SURE} after Holm's correction): {'; '.join(shown)}"
        )
        if len(clear) > _MAX_DIFFERENCES:
            text += f"; and {len(clear) - _MAX_DIFFERENCES} more"
    sizes = result.groups[result.groups["score"] == "accuracy"]
    small = [name_text(label) for label in sizes["group"][sizes["is_small"]]]
    sentences = [text + "."]
    if small:
        verb = "has" if len(small) == 1 else "have"
        sentences.append(f"{join(small)} {verb} fewer than {SMALL_GROUP} rows.")
    return [result.note, *sentences]


def _difference(row: Any) -> str:
    """Describe one difference, such as "accuracy of north +0.1 (+0.05 to +0.2)"."""
    of = "" if pd.isna(row.label) else f" for {class_text(row.label)}"
    score = {"value": row.difference, "low": row.ci_low, "high": row.ci_high}
    small = ", a small group" if row.is_small else ""
    return (
        f"{_NAMES[row.score]}{of} of {name_text(row.group)} "
        f"{interval(score, signed)} against all others{small}"
    )
