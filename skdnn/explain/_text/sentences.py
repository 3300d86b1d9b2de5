"""Results described in plain sentences made of their numbers."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from skdnn._runtime.names import shorten
from skdnn.explain._results.attributions import LEAST_SCORE, Attributions
from skdnn.explain._results.counterfactuals import Counterfactuals, shown_pair
from skdnn.explain._results.registry import dispatch, register
from skdnn.explain._results.tables import ResultTable
from skdnn.explain._text.formatting import MINUS, fixed, join, number

_MAX_NAMED, _MAX_IMPORTANT = 4, 3
_SMALL = 0.05  # of the largest attribution; smaller ones are summed up
_MAX_DIGITS = 6
_MAX_NAME = 120


@register("describe", Attributions)
def describe_row(result: Attributions, sample: int, k: int) -> str:
    """Describe which cells of a row change an output, and how uncertain the row is."""
    text = _describe_cells(_as_fitted(result), sample, k)
    if result.uncertainty is None:
        return text
    known = dispatch("describe", result.uncertainty)(result.uncertainty, sample)
    return f"{text} {known}".rstrip()


def _describe_cells(result: Attributions, sample: int, k: int) -> str:
    """Describe which cells of a row change the output of class `k`, and how far."""
    output = _output_of(result, k)
    if result.score is not None and not result.score[sample, k] >= LEAST_SCORE:
        return (
            f"For this row, the linear surrogate of {output} fits poorly "
            f"(R² = {fixed(result.score[sample, k])}), so no column is named."
        )
    values = result.values[sample, :, k]
    half = np.nan_to_num(result.interval()[1] - result.values)[sample, :, k]
    refits = ""
    if result.refit_errors is not None:
        refits = " that includes the variation between members"
        half = np.hypot(half, 2 * result.refit_errors[sample, :, k])
    order = np.argsort(-np.abs(values), kind="stable")
    least = max(_SMALL * np.abs(values).max(), 1e-12)
    named = [j for j in order[:_MAX_NAMED] if abs(values[j]) >= least]
    rest = [j for j in order if j not in named]
    if not named:
        return f"For this row, no column changes {output}. {_sum(result, sample, k)}"
    # the decimals that show the smallest number named
    smallest = np.abs(values[named]).min()
    digits = min(_MAX_DIGITS, max(2, math.ceil(-math.log10(smallest))))
    cells = [
        _Cell(_cell_of(result, sample, j), values[j], half[j], digits) for j in named
    ]
    sentences = [
        _certain([cell for cell in cells if cell.is_certain], output),
        _uncertain([cell for cell in cells if not cell.is_certain]),
        _others(values[rest].sum(), len(rest), digits),
        _sum(result, sample, k),
        f"± is half of a 95% interval{refits}." if half[named].any() else "",
    ]
    return " ".join(sentence for sentence in sentences if sentence)


def _as_fitted(result: Attributions) -> Attributions:
    """Return a surrogate of log odds in log odds.

    As probabilities, effects of wide steps may be larger than 1.
    """
    if result.slopes is None or result.output == "log_odds":
        return result
    slopes = result.slopes[:, None]
    refits = result.refit_errors
    return replace(
        result,
        values=result.values / slopes,
        std_errors=result.std_errors / slopes,
        refit_errors=None if refits is None else refits / slopes,
        output="log_odds",
    )


def _cell_of(result: Attributions, sample: int, j: int) -> str:
    """Return a cell, and of LIME what it is compared with."""
    text = cell_text(result.feature_names[j], result.data[sample, j])
    if result.references is None:
        return text
    other = result.references[sample, j]
    other = "another value" if other is None else _value(other)
    return f"{text} instead of {other}"


@dataclass(frozen=True)
class _Cell:
    """A named cell: its text, its attribution, and half of the interval."""

    text: str
    value: float
    half: float
    digits: int

    @property
    def is_certain(self) -> bool:
        return bool(abs(self.value) > self.half)

    def size(self, value: float) -> str:
        """Return a number with the error of the cell, if it has one."""
        text, error = fixed(value, self.digits), fixed(self.half, self.digits)
        if not float(error):
            error = f"< {10**-self.digits:.{self.digits}f}"
        return f"{text} ± {error}" if self.half else text


def _certain(cells: Sequence[_Cell], output: str) -> str:
    """Describe the cells that raise the output, and those that lower it."""
    sides: list[str] = []
    for verb, sign in (("raises", 1), ("lowers", -1)):
        side = [
            (cell.text, cell.size(abs(cell.value)))
            for cell in cells
            if np.sign(cell.value) == sign
        ]
        if side:
            sides.append(_moves(side, f"{verb} {'it' if sides else output} by"))
    text = "; ".join(sides) or f"no column clearly changes {output}"
    return f"For this row, {text}."


def _uncertain(cells: Sequence[_Cell]) -> str:
    """Name the cells whose direction is uncertain."""
    if not cells:
        return ""
    names = [
        f"{cell.text} ({'+' if cell.value > 0 else ''}{cell.size(cell.value)})"
        for cell in cells
    ]
    return f"The direction is uncertain for {join(names)}."


def _output_of(result: Attributions, k: int) -> str:
    """Return what the sentences are about, such as "the probability of virginica"."""
    name = class_text(result.class_names[k])
    unit = "probability" if result.output == "probability" else "log odds"
    if len(result.class_names) == 1:  # the contrast of two classes
        return f"the difference in {unit}, {name},"
    return f"the {unit} of {name}"


def _moves(side: Sequence[tuple[str, str]], verb: str) -> str:
    """Describe one direction: "a raises it by 1, b by 2"."""
    first, *others = side
    return join([f"{first[0]} {verb} {first[1]}", *(f"{a} by {b}" for a, b in others)])


def _others(total: float, n: int, digits: int) -> str:
    """Describe the sum of the columns that are not named."""
    if not n:
        return ""
    who = "The other column" if n == 1 else f"The {n} other columns together"
    ending = "s" if n == 1 else ""
    if not round(abs(total), digits):
        return f"{who} change{ending} it by less than {10**-digits:.{digits}f}."
    verb = "raise" if total > 0 else "lower"
    return f"{who} {verb}{ending} it by {fixed(abs(total), digits)}."


def _sum(result: Attributions, sample: int, k: int) -> str:
    """Describe what the attributions add up to, or which surrogate they are from."""
    if result.score is not None:
        fit = f"around the row (R² = {fixed(result.score[sample, k])})"
        if result.scales is None or result.slopes is None:
            return f"These are effects of cells like these in a linear surrogate {fit}."
        scale, slope = result.scales[sample], number(result.slopes[sample, k])
        share = _output_of(replace(result, output="probability"), k)
        steps = f"{number(scale)} standard deviation{'' if scale == 1 else 's'}"
        return (
            f"These are effects in a linear surrogate {fit}, with steps of {steps}. "
            f"Here, 1 in log odds is {slope} in {share}."
        )
    base, here = float(result.base_values[k]), float(result.predictions[sample, k])
    write = fixed if result.output == "probability" else number
    average = f"The average over {result.n_background:,} background rows is"
    text = f"{average} {write(base)}; the prediction is {write(here)}."
    return f"{text} {result.caveat}".strip()


@register("describe", ResultTable)
def describe_importance(result: ResultTable) -> str:
    """Describe which columns matter most, and which of these intervals overlap."""
    if result.kind != "importance":
        raise ValueError(
            f"describe must be called on importance. Got {result.kind}; read frame()."
        )
    table = result.table
    ranked = table.sort_values("importance", ascending=False, kind="stable")
    shown = ranked[ranked["importance"] > 0].iloc[:_MAX_IMPORTANT]
    if not len(shown):
        return "Shuffling any single column does not lower the score."
    rows = list(shown.itertuples(index=False))
    names = [name_text(row.feature) for row in rows]
    side = [
        (name, f"{fixed(r.importance)} ({fixed(r.ci_low)} to {fixed(r.ci_high)})")
        for name, r in zip(names, rows, strict=True)
    ]
    sentences = [f"Shuffling {_moves(side, 'lowers the score by')}."]
    close = [
        f"{names[i]} and {names[i + 1]}"
        for i in range(len(rows) - 1)
        if not rows[i].ci_low > rows[i + 1].ci_high
    ]
    if close:
        sentences.append(f"The intervals of {join(close, 'and of')} overlap.")
    unclear = int((ranked["ci_low"] <= 0).sum())
    if unclear:
        columns = f"{unclear} of {len(ranked)} columns"
        sentences.append(f"For {columns} the interval is not above 0.")
    return " ".join(sentences)


@register("describe", Counterfactuals)
def describe_change(result: Counterfactuals, sample: int) -> str:
    """Describe the changes that make an explained row another class."""
    table = result.rows
    table = table[table["sample"].to_numpy() == sample]
    is_fewest = bool(result.is_fewest[sample])
    names = [class_text(target) for target in table["target"]]
    if not table["found"].iloc[0]:
        tried = "allowed change" if is_fewest else "change that was tried"
        reason = f": {result.reasons[sample]}" if result.reasons else ""
        return f"No {tried} makes this row {names[0]}{reason}."
    options = [_changes(result, row) for row in table.index]
    if not options[0]:
        return f"This row is already {names[0]}."
    changes = [join(cells) for cells in options]
    text = f"This row would be {names[0]} if {changes[0]}"
    for name, change in zip(names[1:], changes[1:], strict=True):
        text += f", or {'' if name == names[0] else f'{name} '}if {change}"
    if is_fewest and len(options[0]) > 1:
        text += "; fewer changes are not enough"
    return f"{text}. {result.warning}".rstrip()


def cell_text(name: str, cell: Any) -> str:
    """Return a column and its cell, such as "age = 39"."""
    name = name_text(name)
    if pd.isna(cell):
        return f"missing {name}"
    if not isinstance(cell, float | np.floating):
        return f"{name} = {name_text(cell)}"
    text = f"{cell:.4g}"
    return f"{name} = {text.replace('-', MINUS, 1) if cell < 0 else text}"


def class_text(label: Any) -> str:
    """Return a class as a sentence names it: "class 1" where "1" would be misread."""
    label = label.item() if isinstance(label, np.generic) else label
    text = name_text(label)
    return text if isinstance(label, str) else f"class {text}"


def name_text(name: Any) -> str:
    """Return the name of a column or class, cut if it is long."""
    return shorten(str(name), _MAX_NAME)


def _changes(result: Counterfactuals, row: int) -> list[str]:
    """Describe the changed cells of a row of the table."""
    changed = result.changed
    here = np.flatnonzero(changed["row"].to_numpy() == row)
    cells = (changed[name].to_numpy()[here] for name in ("feature", "old", "new"))
    return [_change(*cell) for cell in zip(*cells, strict=True)]


def _change(feature: str, before: Any, after: Any) -> str:
    """Describe one changed cell: "age were 39 instead of missing"."""
    pair = zip((before, after), shown_pair(before, after), strict=True)
    old, new = (
        name_text(text) if isinstance(value, str) else text.replace("-", MINUS, 1)
        for value, text in pair
    )
    return f"{name_text(feature)} were {new} instead of {old}"


def _value(value: Any) -> str:
    """Return the value of a cell as a sentence has it."""
    return "missing" if pd.isna(value) else cell_text("", value).removeprefix(" = ")
