"""Numbers as people write them: decimal commas, thousands, currencies and units."""

import re
from collections.abc import Iterable, Sequence
from functools import cache

import numpy as np

_MINUS = "\u2212"
_SPACES = "\u00a0\u202f\u2009 "
_SYMBOLS = r"[€$£¥%°]|EUR|USD|GBP|CHF|JPY|kg|mg|g|km|cm|mm|m|ms|min|s|h|ml|l|°C|°F"
# Codes such as postal codes and telephone numbers, whose zeros matter.
_CODE = re.compile(r"0\d+")


@cache
def _pattern(decimal: str) -> re.Pattern[str]:
    """Return the pattern of a number with a decimal sign, and the other sign apart."""
    point, other = re.escape(decimal), re.escape("." if decimal == "," else ",")
    grouped = rf"\d{{1,3}}(?:{other}\d{{3}})+|\d{{1,3}}(?:[{_SPACES}'\u2019]\d{{3}})+"
    whole = rf"(?:{grouped}|\d+)"
    number = rf"[+\-{_MINUS}]?(?:{whole}(?:{point}\d*)?|{point}\d+)(?:[eE][+\-]?\d+)?"
    return re.compile(
        rf"(?P<before>{_SYMBOLS})?[{_SPACES}]?(?P<number>{number})[{_SPACES}]?"
        rf"(?P<after>{_SYMBOLS})?"
    )


def looks_like_number(cell: str) -> bool:
    """Return whether a cell reads as a number with either decimal sign."""
    return any(_pattern(sign).fullmatch(cell) is not None for sign in (".", ","))


def is_code(cell: str) -> bool:
    """Return whether digits begin with a zero, as numbers do not."""
    return _CODE.fullmatch(cell) is not None


def as_numbers(
    cells: Sequence[str], decimal: str
) -> tuple[np.ndarray, np.ndarray, set[str]]:
    """Return the numbers that cells hold, whether each holds one, and their units.

    A unit is a currency, "%" or a unit of measurement beside the number; "" is none.
    """
    pattern = _pattern(decimal)
    numbers = np.full(len(cells), np.nan)
    units = set()
    for i, cell in enumerate(cells):
        match = pattern.fullmatch(cell)
        if match is None:
            continue
        numbers[i] = _value(match["number"], decimal)
        units.add(match["before"] or match["after"] or "")
    return numbers, ~np.isnan(numbers), units


def _value(text: str, decimal: str) -> float:
    if decimal == ",":
        text = text.replace(".", "").replace(",", ".")
    else:
        text = text.replace(",", "")
    for sign in (*_SPACES, "'", "\u2019"):
        text = text.replace(sign, "")
    return float(text.replace(_MINUS, "-"))


def detect_decimal(
    cells: Iterable[str], separator: str, usual: str | None = None
) -> str:
    """Return the decimal sign of the cells of a file.

    Cells such as 1,5 and 1.5 decide. 1,234 and 1.234 may be either: where no other
    cell decides, the sign is the `usual` one, that of earlier files; else a comma if
    semicolons separate the cells.
    """
    commas = points = either = 0
    for cell in cells:
        if "," not in cell and "." not in cell:
            continue
        as_comma = _pattern(",").fullmatch(cell) is not None
        as_point = _pattern(".").fullmatch(cell) is not None
        commas += as_comma and not as_point
        points += as_point and not as_comma
        either += as_comma and as_point and "," in cell
    if commas or points:
        return "," if commas > points else "."
    if usual is not None:
        return usual
    return "," if either and separator == ";" else "."
