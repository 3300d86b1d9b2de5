"""Dates and times in columns of text, and the numbers that are made of them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

ISO = "ISO8601"
TYPED = "typed"  # of Parquet and Excel files
_DAYS = (
    "%d.%m.%Y", "%d.%m.%y", "%d/%m/%Y", "%m/%d/%Y", "%d/%m/%y", "%m/%d/%y", "%d-%m-%Y",
    "%m-%d-%Y", "%Y/%m/%d", "%Y.%m.%d", "%d %b %Y", "%d %B %Y", "%d-%b-%Y", "%d-%b-%y",
    "%b %d, %Y", "%B %d, %Y", "%Y-%m", "%Y%m%d",
)  # fmt: skip
_TIMES = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p", "T%H:%M:%S")
_CLOCKS = ("%H:%M", "%H:%M:%S")
_FORMATS = tuple(day + time for day in _DAYS for time in _TIMES)
# Which of two numbers is the day, in formats that occur in both orders.
DAY_FIRST, MONTH_FIRST = ORDERS = ("day-first", "month-first")
_ISO = re.compile(r"[12]\d{3}-\d\d-\d\d(?:[T ]\d\d:\d\d.*)?")
# Enough of a date that formats are tried: other columns would take their time.
_MAY_BE = re.compile(r"(?=.*\d)[\w ,./:+\-]{4,40}")
_SEPARATOR = re.compile(r"\d[-/.: ]|[12]\d{7}$")
_N_SAMPLE = 50
_WEEKDAYS = (
    "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday",
)  # fmt: skip
_SHOWN = {
    "%d": "day", "%m": "month", "%b": "month", "%B": "month", "%Y": "year",
    "%y": "year", "%H": "hour", "%I": "hour", "%M": "minute", "%S": "second",
    "%p": "am/pm",
}  # fmt: skip


@dataclass(frozen=True)
class DateFormat:
    """The format of all dates of a column; `other` is one that fits them as well."""

    format: str
    other: str | None = None


def detect_format(texts: Sequence[str]) -> DateFormat | None:
    """Return the format that all texts have; None if there is none."""
    sample = texts[:_N_SAMPLE]
    if len(set(sample)) < 2 or not all(
        _MAY_BE.fullmatch(text) and _SEPARATOR.search(text) for text in sample
    ):
        return None
    if all(map(_ISO.fullmatch, sample)):
        return DateFormat(ISO) if not parse(texts, ISO).isna().any() else None
    fitting = [
        format
        for format in (*_CLOCKS, *_FORMATS)
        if not parse(sample, format).isna().any()
        and not parse(texts, format).isna().any()
    ]
    if not fitting:
        return None
    first, swapped = fitting[0], swap_order(fitting[0])
    return DateFormat(first, swapped if swapped in fitting else None)


def swap_order(format: str) -> str | None:
    """Return the format with day and month exchanged; None if it is not known.

    >>> swap_order("%d/%m/%Y"), swap_order("%d.%m.%Y")
    ('%m/%d/%Y', None)
    """
    swapped = format.translate(str.maketrans("dm", "md"))
    return swapped if swapped != format and swapped in _FORMATS else None


def order_of(format: str) -> str | None:
    """Return the order of day and month in a format that occurs in both orders."""
    if swap_order(format) is None:
        return None
    return DAY_FIRST if format.index("%d") < format.index("%m") else MONTH_FIRST


def in_order(format: str, order: str | None) -> str:
    """Return a format with day and month in an order, if it occurs in both."""
    if order is None or order_of(format) == order:
        return format
    return swap_order(format) or format


def parse(texts: Sequence[str], format: str) -> pd.Series:
    """Return dates, NaT where a text is not of the format."""
    series = pd.Series(list(texts), dtype=object)
    dates = pd.to_datetime(series, format=format, errors="coerce", utc=format == ISO)
    return dates.dt.tz_localize(None) if format == ISO else dates


def describe_format(format: str) -> str:
    """Return a format in words.

    >>> describe_format("%d.%m.%Y")
    'day.month.year'
    """
    known = {ISO: "year-month-day", TYPED: "cells of the type date"}
    if format in known:
        return known[format]
    return re.sub("%[A-Za-z]", lambda match: _SHOWN[match[0]], format)


def parts_of(dates: pd.Series, format: str) -> list[str]:
    """Return which parts of dates vary: year, month, weekday, hour."""
    if format in _CLOCKS:
        return ["hour"]
    known = dates.dropna()
    values = derive(known, ["year", "month", "weekday", "hour"])
    return [name for name, part in values.items() if pd.Series(part).nunique() > 1]


def derive(dates: pd.Series, parts: Sequence[str]) -> dict[str, np.ndarray]:
    """Return parts of dates; "year" and "hour" have fractions.

    The months are 1 to 12, the weekdays are names; missing dates have missing parts.
    """
    seconds = dates.dt.hour * 3600 + dates.dt.minute * 60 + dates.dt.second
    n_days = np.where(dates.dt.is_leap_year, 366, 365)
    of_year = (dates.dt.day_of_year - 1 + seconds / 86400) / n_days
    days = dates.dt.day_of_week
    names = [None if np.isnan(day) else _WEEKDAYS[int(day)] for day in days]
    values = {
        "year": (dates.dt.year + of_year).round(4).to_numpy(dtype=np.float64),
        "month": dates.dt.month.to_numpy(dtype=np.float64),
        "weekday": np.array(names, dtype=object),
        "hour": (seconds / 3600).round(4).to_numpy(dtype=np.float64),
    }
    return {name: values[name] for name in parts}
