"""Unusual rows and moved columns in plain sentences made of their numbers."""

from typing import Any

import numpy as np
import pandas as pd

from skdnn.explain._results.novelty import UNUSUAL, Novelty
from skdnn.explain._results.registry import register
from skdnn.explain._text.formatting import MINUS, count, join, number
from skdnn.explain._text.sentences import name_text

_MAX_NAMED = 3
_NAMED_SHARE = 0.15  # of the score; columns with less are not named
_RARE = 0.01
_LEAST_P = 0.001


@register("describe", Novelty)
def describe_novelty(result: Novelty, sample: int | None) -> str:
    """Describe one row, or with None the table as a whole."""
    if sample is None:
        return f"{_share(result)} {describe_moved(result)}"
    if result.unusual[sample]:
        return f"Row {sample} is {why_unusual(result, sample)}."
    n_higher, left_out, p_text = _compared(result, sample)
    verb = "has" if n_higher == 1 else "have"
    return (
        f"Row {sample} is not unusual: {n_higher:,} of {left_out} {verb} a score "
        f"at least as high ({p_text})."
    )


def why_unusual(result: Novelty, sample: int) -> str:
    """Describe how an unusual row compares with the rows left out, and its cells."""
    n_higher, left_out, p_text = _compared(result, sample)
    text = f"unlike all {left_out} ({p_text})"
    if n_higher:
        verb = "is" if n_higher == 1 else "are"
        text = f"unusual: {n_higher:,} of {left_out} {verb} as unusual ({p_text})"
    return f"{text}: {join(_reasons(result, sample))}"


def reasons_of_rows(result: Novelty) -> np.ndarray:
    """Return why each row is unusual, (n_samples,); empty for rows that are not."""
    reasons = np.full(len(result.p_values), "", dtype=object)
    for row in np.flatnonzero(result.unusual):
        reasons[row] = why_unusual(result, int(row))
    return reasons


def _compared(result: Novelty, sample: int) -> tuple[int, str, str]:
    """Return how many rows left out have a score as high, of which, and the p-value."""
    p_value = float(result.p_values[sample])
    n_higher = round(p_value * (result.n_calibration + 1)) - 1
    left_out = f"{count(result.n_calibration, 'training row')} left out"
    return n_higher, left_out, f"p {_p_text(p_value)}"


def _p_text(p_value: float) -> str:
    return f"< {_LEAST_P}" if p_value < _LEAST_P else f"= {number(p_value, 2)}"


def _reasons(result: Novelty, sample: int) -> list[str]:
    """Describe the columns with the largest contributions."""
    parts = result.contributions[sample]
    order = np.argsort(-parts, kind="stable")[:_MAX_NAMED]
    least = _NAMED_SHARE * parts.sum()
    pair = result.pairs[result.pairs["sample"] == sample]
    named = [j for j in order if parts[j] >= least or j == order[0]]
    texts = []
    for j in named:
        name = result.feature_names[j]
        of_pair = pair[(pair["feature"] == name).to_numpy(bool)]
        text = _alone(result, sample, j)
        if not text and len(of_pair):
            text = _beside(result, sample, of_pair.iloc[0])
        if text:
            texts.append(text)
    if not texts and len(pair):
        texts = [_beside(result, sample, pair.iloc[0])]
    if texts:
        return texts
    names = join([_cell(result, sample, j) for j in named])
    return [f"no single cell or pair is outside of the training rows; {names} "
            f"contribute{'s' if len(named) == 1 else ''} most"]  # fmt: skip


def _alone(result: Novelty, sample: int, j: int) -> str:
    """Describe a cell that is rare in the training rows; "" if it is not."""
    n, value = int(result.n_training[sample, j]), result.data.iloc[sample, j]
    if n > _RARE * result.n_background:
        return ""
    cell, rows = _cell(result, sample, j), count(result.n_background, "training row")
    low, high = result.training["low"].iloc[j], result.training["high"].iloc[j]
    is_range = not pd.isna(value) and not pd.isna(low)
    if is_range and value > high:
        return f"{cell}, never above {_value(high)} in training"
    if is_range and value < low:
        return f"{cell}, never below {_value(low)} in training"
    if not n:
        return f"{cell}, never in training"
    if is_range:
        return f"{cell}, as extreme in {n:,} of {rows}"
    return f"{cell}, in {n:,} of {rows}"


def _beside(result: Novelty, sample: int, pair: Any) -> str:
    """Describe a cell that training rows similar in another column do not have."""
    names = result.feature_names.tolist()
    j, other = names.index(pair["feature"]), names.index(pair["other"])
    text = f"{_cell(result, sample, j)} while {_cell(result, sample, other)}"
    of = f"the {pair['n_similar']} training rows most similar in that"
    if pd.isna(pair["low"]):
        return f"{text}, in none of {of}"
    low, high = _value(pair["low"]), _value(pair["high"])
    return f"{text}, {low} to {high} in {of}"


def _cell(result: Novelty, sample: int, j: int) -> str:
    name = name_text(result.feature_names[j])
    return f"{name} is {_value(result.data.iloc[sample, j])}"


def _value(value: Any) -> str:
    """Return a cell as a sentence has it."""
    if pd.isna(value):
        return "missing"
    if isinstance(value, pd.Timestamp):
        return str(value.date() if value == value.normalize() else value)
    if isinstance(value, float | np.floating):
        return f"{value:.4g}".replace("-", MINUS, 1 if value < 0 else 0)
    return name_text(value)


def _share(result: Novelty) -> str:
    """Describe how many rows are unusual, and how many are expected to be."""
    n, n_unusual = len(result.p_values), result.n_unusual
    expected = number(result.expected_unusual * n, 2)
    chance = result.p_unusual
    text = (
        f"Of {count(n, 'row')}, {n_unusual:,} "
        f"{'is' if n_unusual == 1 else 'are'} unusual (p ≤ {UNUSUAL}); {expected} "
        "would be if all were like the training rows"
    )
    p_text = f"p {_p_text(chance)}"
    if chance < UNUSUAL:
        return f"{text}: more than by chance ({p_text})."
    return f"{text}: not clearly more than by chance ({p_text})."


def describe_moved(result: Novelty) -> str:
    """Describe the columns that have moved."""
    table = result.drift
    clear = table[table["p_holm"] < UNUSUAL].sort_values("p_value", kind="stable")
    tests = count(len(table), "test")
    if not len(clear):
        return f"No column has clearly moved ({tests}, Holm's correction)."
    n_moved, n_all = len(set(clear["feature"])), len(result.feature_names)
    shown = [
        f"{name_text(row.feature)} ({row.description}; p {_p_text(row.p_holm)})"
        for row in clear.head(_MAX_NAMED).itertuples()
    ]
    more = len(clear) - len(shown)
    rest = f"; and {more} more tests" if more else ""
    verb = "has" if n_moved == 1 else "have"
    return (
        f"{n_moved} of {count(n_all, 'column')} {verb} moved since training ({tests}, "
        f"p after Holm's correction): {'; '.join(shown)}{rest}."
    )
