"""Numbers and names as text; what goes to HTML is escaped there."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from skdnn._runtime.names import shorten

NBSP = "\N{NO-BREAK SPACE}"
MINUS = "\N{MINUS SIGN}"
DASH = "\N{EN DASH}"
_MAX_QUOTED = 120


def number(value: float | None, digits: int = 3) -> str:
    """Format a number with significant digits; an unknown one is a dash."""
    if value is None:
        return DASH
    if value == 0:
        return "0"
    text = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.{digits}g}"
    return text.replace("-", MINUS, 1) if value < 0 else text


def fixed(value: float | None, digits: int = 2) -> str:
    """Format a number with fixed decimals, for columns that are compared."""
    if value is None:
        return DASH
    text = f"{value:.{digits}f}"
    return text.replace("-", MINUS) if float(text) else text.replace("-", "")


def signed(value: float | None, digits: int = 3) -> str:
    """Format a number with its sign."""
    is_positive = value is not None and float(f"{value:.{digits}f}") > 0
    return f"+{fixed(value, digits)}" if is_positive else fixed(value, digits)


def percent(value: float | None, digits: int = 0) -> str:
    """Format a share as a percentage, never rounded to 0% or 100%."""
    if value is None:
        return DASH
    text = f"{100 * value:.{digits}f}"
    least = 10**-digits
    if value < 1 and float(text) == 100:
        text = f">{NBSP}{100 - least:.{digits}f}"
    elif value > 0 and float(text) == 0:
        text = f"<{NBSP}{least:.{digits}f}"
    return f"{text}%"


def interval(
    score: Mapping[str, float | None], write: Callable[[float | None], str] = fixed
) -> str:
    """Format a value with its interval in brackets, if it has one."""
    text = write(score["value"])
    if score.get("low") is None or score.get("high") is None:
        return text
    return f"{text} ({write(score['low'])} to {write(score['high'])})"


def join(items: Sequence[str], last: str = "and") -> str:
    """Join a list as in a sentence."""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} {last} {items[-1]}"


def count(n: int, noun: str, plural: str | None = None) -> str:
    """Format a number of things."""
    return f"{n:,}{NBSP}{noun if n == 1 else plural or noun + 's'}"


def quote(name: Any) -> str:
    """Put the name of a column or class in quotation marks."""
    return f"“{shorten(str(name), _MAX_QUOTED)}”"
