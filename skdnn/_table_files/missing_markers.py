"""What is written in cells whose value is missing."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

# In any column; a cell without any character is one as well.
STANDARD = frozenset(
    {
        "", "?", "NA", "N/A", "n/a", "<NA>", "#N/A", "#NA", "#NV", "NaN", "nan", "NAN",
        "NULL", "Null", "null", "None", "k.A.", "k. A.",
    }
)  # fmt: skip
# In columns of text unless a plus sign is a value of the column, too.
_STROKES = frozenset({"-", "--", "---", ".", "\u2013", "\u2014"})
# In columns whose other cells are numbers or dates, in any case.
_WORDS = frozenset(
    {
        "na", "n/a", "n.a.", "nil", "null", "none", "nan", "missing", "unknown",
        "not available", "no data", "k.a.", "keine angabe", "unbekannt", "fehlt",
        "inconnu", "desconocido", "x", "*",
    }
)  # fmt: skip
_COUNTRY = re.compile(r"[A-Z]{2}")
_FEWEST_COUNTRIES = 5
# Numbers that mean that there is none, if they are far below all others.
_SENTINELS = (-99.0, -999.0, -9999.0, -99999.0)


def find_markers(
    values: Sequence[Any], given: Sequence[str] | None, *, among_numbers: bool
) -> frozenset[str]:
    """Return which values of a column of text are markers, "" if there.

    With `given` they are these alone. `among_numbers` is whether the other cells are
    numbers or dates, where more words cannot be values.
    """
    texts = {value for value in values if isinstance(value, str)}
    if given is not None:
        return frozenset(texts & {"", *given})
    markers = texts & STANDARD
    if among_numbers:
        markers |= {t for t in texts if t in _STROKES or t.casefold() in _WORDS}
    elif "+" not in texts:
        markers |= texts & _STROKES
    others = texts - markers
    if "NA" in markers and _are_countries(others):
        markers -= {"NA"}  # Namibia
    return frozenset(markers)


def is_word_for_missing(text: str) -> bool:
    """Return whether a text is a marker in a numeric column or dates."""
    return text in STANDARD or text in _STROKES or text.casefold() in _WORDS


def _are_countries(texts: set[str]) -> bool:
    return len(texts) >= _FEWEST_COUNTRIES and all(map(_COUNTRY.fullmatch, texts))


def find_sentinels(numbers: np.ndarray, given: Sequence[str] | None) -> list[float]:
    """Return the numbers, such as -999, that stand for missing ones in a column.

    `numbers` are the distinct ones. Those found are below all others by more than the
    range of these, and are the only ones below 0 if there are no others.
    """
    if given is not None:
        wanted = {_float(text) for text in given}
        return [value for value in numbers.tolist() if value in wanted]
    sentinels = [value for value in _SENTINELS if (numbers == value).any()]
    others = numbers[~np.isin(numbers, sentinels) & ~np.isnan(numbers)]
    if not sentinels or len(others) < 2:
        return []
    distance = others.min() - max(sentinels)
    return sentinels if distance > np.ptp(others) or others.min() >= 0 else []


def _float(text: str) -> float | None:
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return None
