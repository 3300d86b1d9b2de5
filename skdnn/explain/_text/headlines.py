"""One or two sentences on a result, for notebooks: what its numbers show first."""

from typing import Any

import numpy as np
import pandas as pd

from skdnn.explain._results.attributions import Attributions, BreakDown
from skdnn.explain._results.counterfactuals import Counterfactuals
from skdnn.explain._results.frames import rows_by
from skdnn.explain._results.notebook import number_text
from skdnn.explain._results.performance import Performance
from skdnn.explain._results.profiles import FEW_ROWS, Profiles
from skdnn.explain._results.registry import register
from skdnn.explain._results.summary import Summary, part_of, ranks_of
from skdnn.explain._results.tables import DeletionCurves, ResultTable
from skdnn.explain._text.formatting import DASH, count, interval, join
from skdnn.explain._text.performance import describe_overall
from skdnn.explain._text.sentences import (
    class_text,
    describe_change,
    describe_importance,
    describe_row,
    name_text,
)

_MAX_NAMED = 3


def number(value: float | None) -> str:
    """Return a number with three digits, and without an exponent."""
    return DASH if value is None else number_text(value, 3)


@register("headline", Attributions)
def attributions(result: Attributions) -> str:
    """Name the columns with the largest mean attributions, or describe one row."""
    n_rows, _, n_classes = result.values.shape
    if n_rows == 1 or isinstance(result, BreakDown):
        text = describe_row(result, 0, result.default_class(0))
        return text if n_rows == 1 else f"The first of {count(n_rows, 'row')}: {text}"
    output = result.output.replace("_", " ")
    sizes = np.abs(result.values).mean(axis=0)
    total, how = sizes.sum(axis=1), "on average, summed over classes"
    if n_classes <= 2:  # of two, the other has the same
        total, how = sizes[:, -1], "on average"
        output = f"{output} of {class_text(result.class_names[-1])}"
    order = np.argsort(-total, kind="stable")[:_MAX_NAMED]
    if not total[order[0]]:
        return f"No column moves the {output}."
    names = [name_text(result.feature_names[j]) for j in order]
    text = (
        f"Over {count(n_rows, 'row')}, {names[0]} moves the {output} most, by "
        f"{number(float(total[order[0]]))} {how}"
    )
    others = [
        f"{name} by {number(float(total[j]))}"
        for name, j in zip(names[1:], order[1:], strict=True)
        if total[j]
    ]
    return f"{text}{', then ' if others else ''}{join(others)}."


@register("headline", ResultTable)
def table(result: ResultTable) -> str:
    """Describe importance, count effects that are clear, or compare agreements."""
    if result.kind == "importance":
        return describe_importance(result)
    return _effects(result.table) if result.kind == "effects" else _agreement(result)


def _effects(table: pd.DataFrame) -> str:
    columns = count(len(dict.fromkeys(table["feature"])), "column")
    classes = count(len(dict.fromkeys(table["class"])), "class", "classes")
    text = f"{count(len(table), 'effect')} of {columns} on {classes}"
    known = table["ci_low"].notna()
    if not known.any():
        n_up = int((table["effect"] > 0).sum())
        return f"{text}, of which {n_up} are positive."
    clear = ((table["ci_low"] > 0) | (table["ci_high"] < 0)).sum()
    return f"{text}; the 95% intervals of {clear} of {known.sum()} do not include 0."


def _agreement(result: ResultTable) -> str:
    known = result.table[result.table["rank"].notna()]
    if not len(known):
        return "No two methods can be compared: the columns of one are all tied."
    known = known.sort_values("rank", kind="stable")
    names = [
        f"{row.method_a} and {row.method_b} ({number(row.rank_correlation)})"
        for row in known.rename(columns={"rank": "rank_correlation"}).itertuples()
    ]
    if len(names) == 1:
        return f"Rank correlation of the columns: {names[0]}."
    return (
        f"The order of the columns agrees most between {names[-1]}, least between "
        f"{names[0]} (rank correlations)."
    )


@register("headline", Profiles)
def profiles(result: Profiles) -> str:
    """Name the column, or pair of columns, along which the output moves most."""
    table = result.first_rows().table
    is_cut = len(table) < len(result.table)
    keys = [n for n in ("feature", "feature_2", "class", "sample") if n in table]
    values = table["value"].to_numpy(float)
    groups = rows_by(*(table[name] for name in keys))
    labels = list(dict.fromkeys(table["class"]))
    if len(labels) == 2:  # the other is its mirror image
        at = keys.index("class")
        groups = {key: rows for key, rows in groups.items() if key[at] == labels[1]}
    spans = {key: float(np.ptp(values[rows])) for key, rows in groups.items()}
    key = max(spans, key=lambda key: spans[key])
    if not spans[key]:
        return f"The {result.unit} is the same along all columns."
    named: dict[str, Any] = dict(zip(keys, key, strict=True))
    column = name_text(named["feature"])
    if "feature_2" in named:
        column = f"the pair {column} and {name_text(named['feature_2'])}"
    row = f" of row {named['sample']}" if "sample" in named else ""
    row += f" (of the first {FEW_ROWS})" if is_cut else ""
    curve = values[groups[key]]
    return (
        f"The {result.unit} of {class_text(named['class'])}{row} moves most along "
        f"{column}: between {number(float(curve.min()))} and "
        f"{number(float(curve.max()))}."
    )


@register("headline", Summary)
def summary(result: Summary) -> str:
    """Name the most important column, with its interval and rank."""
    table = part_of(result, "importance")
    first, rank = table.iloc[0], ranks_of(table)[0]
    score = {"value": first["value"], "low": first["ci_low"], "high": first["ci_high"]}
    known = {k: None if pd.isna(v) else float(v) for k, v in score.items()}
    return (
        f"Shuffling {name_text(first['feature'])} increases the cross-entropy most, by "
        f"{interval(known, number)} nats (95% interval): rank {rank} of "
        f"{count(len(table), 'column')}."
    )


@register("headline", Counterfactuals)
def counterfactuals(result: Counterfactuals) -> str:
    """Count the rows that have a counterfactual, and describe the first."""
    rows = result.rows
    n_rows = len(result.is_fewest)
    first = describe_change(result, 0)
    if n_rows == 1:
        return first
    n_found = rows["sample"][rows["found"].astype(bool)].nunique()
    return f"{n_found} of {count(n_rows, 'row')} have a counterfactual. Row 0: {first}"


@register("headline", Performance)
def performance(result: Performance) -> str:
    """Describe accuracy beside the share of the most frequent class."""
    return describe_overall(result)


@register("headline", DeletionCurves)
def deletion(result: DeletionCurves) -> str:
    """Compare the area under the curve with those of random orders."""
    return (
        f"The area under the mean {result.unit} is {number(result.area)} in the order "
        f"of the attribution and {number(float(result.areas.mean()))} on average over "
        f"{count(len(result.areas), 'random order')} (p = {number(result.chance)})."
    )
