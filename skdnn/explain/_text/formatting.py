"""Numbers and names as people read them: plain text, escaped where it is shown."""

from collections.abc import Sequence
from typing import Any

NBSP = "\N{NO-BREAK SPACE}"
MINUS = "\N{MINUS SIGN}"
DASH = "\N{EN DASH}"


def number(value: float | None, digits: int = 3) -> str:
    """Write a number with few significant digits; a dash for an unknown one.

    >>> number(0.41234), number(1234567.0), number(12.0)
    ('0.412', '1,234,567', '12')
    """
    if value is None:
        return DASH
    if value == 0:
        return "0"
    text = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.{digits}g}"
    return text.replace("-", MINUS, 1) if value < 0 else text


def fixed(value: float | None, digits: int = 2) -> str:
    """Write a number with fixed decimals, for columns that are compared."""
    if value is None:
        return DASH
    text = f"{value:.{digits}f}"
    return text.replace("-", MINUS) if float(text) else text.replace("-", "")


def signed(value: float | None, digits: int = 3) -> str:
    """Write a number with its sign.

    >>> signed(0.25), signed(-0.0001)
    ('+0.250', '0.000')
    """
    text = fixed(value, digits)
    return (
        f"+{text}" if value is not None and float(f"{value:.{digits}f}") > 0 else text
    )


def percent(value: float | None, digits: int = 0) -> str:
    """Write a share as a percentage, never rounding to none or to all.

    >>> percent(0.97).replace(NBSP, " "), percent(0.9999).replace(NBSP, " ")
    ('97 %', '> 99 %')
    """
    if value is None:
        return DASH
    text = f"{100 * value:.{digits}f}"
    least = 10**-digits
    if value < 1 and float(text) == 100:
        text = f">{NBSP}{100 - least:.{digits}f}"
    elif value > 0 and float(text) == 0:
        text = f"<{NBSP}{least:.{digits}f}"
    return f"{text}{NBSP}%"


def interval(score: dict[str, Any], write: Any = fixed) -> str:
    """Write a value followed by its interval in brackets, if it has one."""
    text = write(score["value"])
    if score.get("low") is None or score.get("high") is None:
        return text
    return f"{text} ({write(score['low'])} to {write(score['high'])})"


def shorten(text: str, length: int = 60) -> str:
    """Cut out the middle of a long text, where names differ least.

    >>> shorten("abcdefghij", 5)
    'abc…j'
    """
    if len(text) <= length:
        return text
    tail = (length - 1) // 3
    return f"{text[: length - 1 - tail]}…{text[len(text) - tail :]}"


def join(items: Sequence[str], last: str = "and") -> str:
    """Write a list as a sentence does.

    >>> join(["a", "b", "c"])
    'a, b and c'
    """
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} {last} {items[-1]}"


def count(n: int, noun: str, plural: str | None = None) -> str:
    """Write how many of a thing there are.

    >>> count(1, "row").split(), count(2, "class", "classes").split()
    (['1', 'row'], ['2', 'classes'])
    """
    return f"{n:,}{NBSP}{noun if n == 1 else plural or noun + 's'}"


def quote(name: str, length: int = 40) -> str:
    """Set a column or class off from the sentence around it."""
    return f"“{shorten(str(name), length)}”"
