"""Options whose values have parts: --costs and --actionable."""

import re
from collections.abc import Sequence
from typing import Any

import pandas as pd

from skdnn._runtime.names import visible
from skdnn._table_files.column_kinds import as_text
from skdnn._table_files.raw_table import listed
from skdnn._table_files.table_file_error import TableFileError
from skdnn._table_files.targets import find_class, find_column

_RATIO = re.compile(r"(\d+(?:\.\d+)?):(\d+(?:\.\d+)?)")
_RULES: dict[str, Any] = {"no": False, "yes": True, "up": "up", "down": "down"}


def parse_costs(
    given: Sequence[str], classes: Sequence[Any], positive: Any
) -> dict[tuple[Any, Any], float] | None:
    """Return the cost of each mistake by (true class, predicted class).

    `given` holds TRUE:PREDICTED=COST; mistakes that are not named cost 1. Of two
    classes it may be one ratio, MISSED:FALSE, of a positive row that is missed to a
    false alarm.
    """
    if not given:
        return None
    costs = {(a, b): 1.0 for a in classes for b in classes if a != b}
    ratio = _RATIO.fullmatch(given[0]) if len(given) == 1 else None
    if ratio and positive is not None:
        other = next(label for label in classes if label != positive)
        costs[positive, other] = float(ratio[1])
        costs[other, positive] = float(ratio[2])
        return costs
    for text in given:
        costs[_mistake(text, classes)] = _cost(text)
    return costs


def _cost(text: str) -> float:
    try:
        return float(text.rpartition("=")[2])
    except ValueError as error:
        raise TableFileError(
            "--costs must be TRUE:PREDICTED=COST with a number, such as "
            f"--costs bad:good=5. Got {visible(text)!r}."
        ) from error


def _mistake(text: str, classes: Sequence[Any]) -> tuple[Any, Any]:
    """Return the two classes of a mistake; their names may hold colons."""
    pair = text.rpartition("=")[0]
    names = {as_text(label): label for label in classes}
    for at in [i for i, char in enumerate(pair) if char == ":"]:
        true, predicted = pair[:at], pair[at + 1 :]
        if true in names and predicted in names and true != predicted:
            return names[true], names[predicted]
    if pair.count(":") != 1 or len(set(pair.split(":"))) < 2:
        raise TableFileError(
            "--costs must be TRUE:PREDICTED=COST with two classes, such as "
            f"--costs bad:good=5, or of two classes MISSED:FALSE, such as 5:1. Got "
            f"{visible(text)!r}; the classes are {listed(list(names))}."
        )
    true, predicted = (find_class(n, classes, "--costs") for n in pair.split(":"))
    return true, predicted


def parse_actionable(given: Sequence[str], X: pd.DataFrame) -> dict[str, Any] | None:
    """Return which columns can be changed and how, for counterfactuals.

    `given` holds COLUMN=RULE: no, yes, up, down, or levels from the lowest to the
    highest, separated by commas, with up: or down: before them for a direction.
    """
    rules = {}
    for text in given:
        name, sign, rule = text.rpartition("=")
        if not sign or not rule:
            raise TableFileError(
                "--actionable must be COLUMN=RULE, such as age=no or income=up. Got "
                f"{visible(text)!r}."
            )
        column = find_column(name, list(X.columns), "--actionable", "the features")
        rules[column] = _rule(rule)
    return rules or None


def _rule(rule: str) -> Any:
    if rule.lower() in _RULES:
        return _RULES[rule.lower()]
    direction, sign, levels = rule.partition(":")
    if sign and direction.lower() in ("up", "down"):
        return direction.lower(), levels.split(",")
    if "," not in rule:
        raise TableFileError(
            "--actionable must be COLUMN=RULE, where the rule is no, yes, up, down or "
            f"levels such as low,medium,high. Got {visible(rule)!r}."
        )
    return rule.split(",")
