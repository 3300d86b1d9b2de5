"""What a result says, in plain sentences made of its numbers."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from skdnn.explain._results.attributions import LEAST_SCORE, Attributions
from skdnn.explain._results.counterfactuals import Counterfactuals
from skdnn.explain._results.registry import register
from skdnn.explain._results.tables import ResultTable
from skdnn.explain._text.formatting import MINUS, NBSP, fixed, join, number, shorten

_MOST_NAMED = 4
_SMALL = 0.05  # of the largest attribution; what is smaller is told together
_MOST_DIGITS = 6


@register("describe", Attributions)
def describe_row(result: Attributions, sample: int, k: int) -> str:
    """Say which cells of a row move the output of a class, which way and how far.

    Parameters
    ----------
    result : Attributions
        What is told.
    sample, k : int
        Positions of the row and of the class.
    """
    output = _output_of(result, k)
    if result.score is not None and not result.score[sample, k] >= LEAST_SCORE:
        return (
            "For this row, nothing is said about columns: the linear surrogate of "
            f"{output} fits poorly, with an R² of {fixed(result.score[sample, k])}."
        )
    values = result.values[sample, :, k]
    half = _half(result)[sample, :, k]
    order = np.argsort(-np.abs(values), kind="stable")
    least = max(_SMALL * np.abs(values).max(), 1e-12)
    named = [j for j in order[:_MOST_NAMED] if abs(values[j]) >= least]
    rest = [j for j in order if j not in named]
    if not named:
        return f"For this row, no column moves {output}. {_sum(result, sample, k)}"
    digits = _digits(np.abs(values[named]).min())
    cells = [
        _Cell(
            cell_text(result.feature_names[j], result.data[sample, j]),
            values[j],
            half[j],
            digits,
        )
        for j in named
    ]
    sentences = [
        _certain([cell for cell in cells if cell.is_certain], output),
        _doubted([cell for cell in cells if not cell.is_certain]),
        _together(values[rest].sum(), len(rest), digits),
        _sum(result, sample, k),
        _interval(result) if half[named].any() else "",
    ]
    return " ".join(sentence for sentence in sentences if sentence)


def _half(result: Attributions) -> np.ndarray:
    """Return how far each attribution may lie off, by draws and by refits."""
    half = np.nan_to_num(result.interval()[1] - result.values)
    if result.refit_errors is None:
        return half
    return np.hypot(half, 2 * result.refit_errors)


def _interval(result: Attributions) -> str:
    of = "" if result.refit_errors is None else ", over other fits too"
    return f"After ± stands half of a 95{NBSP}% interval{of}."


@dataclass(frozen=True)
class _Cell:
    """A cell that is named: its text, what it moves by, and half of the interval."""

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
        if not self.half:
            return text
        if not float(error):
            error = f"< {10**-self.digits:.{self.digits}f}"
        return f"{text} ± {error}"


def _certain(cells: Sequence[_Cell], output: str) -> str:
    """Say which cells raise the output, and which lower it."""
    sides: list[str] = []
    for verb, sign in (("raises", 1), ("lowers", -1)):
        side = [
            (cell.text, cell.size(abs(cell.value)))
            for cell in cells
            if np.sign(cell.value) == sign
        ]
        if side:
            sides.append(_moves(side, f"{verb} {'it' if sides else output} by"))
    told = "; ".join(sides) or f"no column is certain to move {output}"
    return f"For this row, {told}."


def _doubted(cells: Sequence[_Cell]) -> str:
    """Say of which cells not even the direction is known."""
    if not cells:
        return ""
    told = [
        f"{cell.text} ({'+' if cell.value > 0 else ''}{cell.size(cell.value)})"
        for cell in cells
    ]
    verb = "raises or lowers" if len(cells) == 1 else "raise or lower"
    return f"It is not certain whether {join(told)} {verb} it."


def _output_of(result: Attributions, k: int) -> str:
    """Return what is moved, such as "the chance of virginica"."""
    name = class_text(result.class_names[k])
    is_chance = result.output == "probability"
    if len(result.class_names) == 1:  # of two classes, one taken from the other
        return f"the difference in {'chance' if is_chance else 'log odds'}, {name},"
    return f"the {'chance' if is_chance else 'log odds'} of {name}"


def _moves(side: Sequence[tuple[str, str]], verb: str) -> str:
    """Say one way: "a raises it by 1, b by 2"."""
    first, *others = side
    return join([f"{first[0]} {verb} {first[1]}", *(f"{a} by {b}" for a, b in others)])


def _together(total: float, n: int, digits: int) -> str:
    if not n:
        return ""
    who = "The other column" if n == 1 else f"The {n} other columns together"
    if not round(abs(total), digits):
        verb = "moves" if n == 1 else "move"
        return f"{who} {verb} it by less than {10**-digits:.{digits}f}."
    verb = "raise" if total > 0 else "lower"
    return f"{who} {verb}{'s' if n == 1 else ''} it by {fixed(abs(total), digits)}."


def _sum(result: Attributions, sample: int, k: int) -> str:
    """Say from where to where the attributions lead, or what they are part of."""
    if result.score is not None:
        return (
            "So says a linear surrogate around the row, with an R² of "
            f"{fixed(result.score[sample, k])}, of cells like these instead of others."
        )
    base, here = result.base_values[k], result.predictions[sample, k]
    write = fixed if result.output == "probability" else number
    text = (
        f"From {write(float(base))} on average over "
        f"{result.n_background:,} background rows this leads to "
        f"{write(float(here))}."
    )
    return f"{text} {result.caveat}".strip()


def _digits(smallest: float) -> int:
    """Return how many decimals show the smallest number that is told."""
    return min(_MOST_DIGITS, max(2, math.ceil(-math.log10(smallest))))


def cell_text(name: str, cell: Any) -> str:
    """Return a column and its cell, such as "age = 39"."""
    name = shorten(str(name))
    if pd.isna(cell):
        return f"missing {name}"
    if isinstance(cell, float | np.floating):
        text = f"{cell:.4g}".replace("-", MINUS, 1) if cell < 0 else f"{cell:.4g}"
        return f"{name} = {text}"
    return f"{name} = {shorten(str(cell))}"


@register("describe", ResultTable)
def describe_table(result: ResultTable) -> str:
    """Describe a table of importance; ``ValueError`` for another kind."""
    if result.kind != "importance":
        raise ValueError(
            f"describe must be called on importance. Got {result.kind}; read frame()."
        )
    return describe_importance(result.table)


def describe_importance(table: pd.DataFrame, most: int = 3) -> str:
    """Say which columns matter most, and which are not separated from the next."""
    ranked = table.sort_values("importance", ascending=False, kind="stable")
    shown = ranked[ranked["importance"] > 0].iloc[:most]
    if not len(shown):
        return "Shuffling any single column does not lower the score."
    side = [
        (
            shorten(str(row.feature)),
            f"{fixed(row.importance)} ({fixed(row.ci_low)} to {fixed(row.ci_high)})",
        )
        for row in shown.itertuples(index=False)
    ]
    sentences = [f"Shuffling {_moves(side, 'lowers the score by')}."]
    pairs = zip(
        shown.itertuples(index=False), shown.iloc[1:].itertuples(index=False),
        strict=False,
    )  # fmt: skip
    close = [
        f"{shorten(str(a.feature))} and {shorten(str(b.feature))}"
        for a, b in pairs
        if not a.ci_low > b.ci_high
    ]
    if close:
        sentences.append(f"The intervals do not separate {join(close, 'nor')}.")
    unclear = int((ranked["ci_low"] <= 0).sum())
    if unclear:
        sentences.append(
            f"For {unclear} of {len(ranked)} columns the interval holds 0."
        )
    return " ".join(sentences)


@register("describe", Counterfactuals)
def describe_counterfactuals(result: Counterfactuals, sample: int) -> str:
    """Say what would make an explained row another class."""
    own = result.table[result.table["sample"] == sample]
    return describe_change(own, result.changed, bool(result.is_fewest[sample]))


def describe_change(table: pd.DataFrame, changed: pd.DataFrame, is_fewest: bool) -> str:
    """Say what would make a row another class.

    Parameters
    ----------
    table : DataFrame
        Its rows of counterfactuals: found, target; indexed by position.
    changed : DataFrame
        Their cells that change: row, feature, old, new.
    is_fewest : bool
        Whether no smaller set of columns will do.
    """
    names = [class_text(target) for target in table["target"]]
    if not table["found"].iloc[0]:
        tried = "may change" if is_fewest else "was tried"
        return f"Nothing that {tried} makes this row {names[0]}."
    options = [changed[changed["row"] == row] for row in table.index]
    if not len(options[0]):
        return f"This row is {names[0]} as it is."
    told = [
        join(
            [
                f"{shorten(str(c.feature))} were {_bare(c.new)} instead of "
                f"{_bare(c.old)}"
                for c in cells.itertuples(index=False)
            ]
        )
        for cells in options
    ]
    text = f"This row would be {names[0]} if {told[0]}"
    for name, cells in zip(names[1:], told[1:], strict=True):
        text += f", or {'' if name == names[0] else f'{name} '}if {cells}"
    if is_fewest and len(options[0]) > 1:
        text += "; fewer changes will not do"
    return f"{text}."


def class_text(label: Any) -> str:
    """Return a class as a sentence names it; a number alone would be misread."""
    label = label.item() if isinstance(label, np.generic) else label
    text = shorten(str(label))
    return text if isinstance(label, str) else f"class {text}"


def _bare(cell: Any) -> str:
    return "missing" if pd.isna(cell) else cell_text("", cell).removeprefix(" = ")
