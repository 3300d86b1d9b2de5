"""Columns that are not what they look like, found before they mislead a network."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

# Fewer rows have too many coincidences: equal to the target, all values different.
_LEAST_ROWS = 20
# Distinct values of a column that are examined.
_MOST_EXAMINED = 2000
# Share of the distinct values that have to be alike.
_MOST = 0.8
_NEARLY_ALL = 0.9
# Whole numbers written as words in so few values are usually codes.
_FEW_CODES = 10
_WORDS_OF_A_TEXT = 4
_LONGEST_EXAMPLE = 40
# Warnings of one kind; the last one counts the other columns.
_MOST_WARNINGS = 20

_MARKERS = {
    "", "-", "--", ".", "?", "na", "n/a", "#n/a", "nan", "none", "null", "nil",
    "missing", "unknown",
}  # fmt: skip
# currency signs and codes, comparisons and parentheses around a number
_BEFORE = re.compile(r"^(?:[<>≤≥=~≈±(]|[^\w\s.,+\-'\"#]|(?:USD|EUR|GBP|CHF|JPY)\b|\s)+")
_NUMBER = re.compile(
    "[+\\-\u2212]?"  # minus sign
    r"(?:\d{1,3}(?:[.,'\u2019\s]\d{3})+|\d+)?(?:[.,]\d+)?(?:[eE][+\-]?\d+)?"
)
_DECIMAL_COMMA = re.compile(r",\d{1,2}(?!\d)|,\d{4,}|\.\d{3},\d")
_SIGN = re.compile(r"[^\d.,eE+\-]")
_CODE = re.compile(r"0\d+")
_MONTH = r"(?:0?[1-9]|1[0-2])"
_DAY = r"(?:0?[1-9]|[12]\d|3[01])"
_YEAR = r"(?:1[5-9]|2[01])\d\d"
_CLOCK = r"(?:[01]?\d|2[0-4]):[0-5]\d(?::[0-5]\d(?:[.,]\d+)?)?(?: ?[ap]\.?m\.?)?"
_NAME = r"[^\W\d_]{3,9}\.?"
_DATE = re.compile(
    rf"(?:{_YEAR}([-/.]){_MONTH}\1{_DAY}"
    rf"|(?:{_DAY}([-/.]){_MONTH}\2|{_MONTH}([-/.]){_DAY}\3)(?:{_YEAR}|\d\d)"
    rf"|{_YEAR}[-/]{_MONTH}"
    rf"|{_YEAR}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"
    rf"|{_DAY}\.?[-\s]{_NAME}[-,\s]+(?:{_YEAR}|\d\d)"
    rf"|(?:{_NAME},?\s)?{_NAME}\s{_DAY}(?:st|nd|rd|th)?,?\s{_YEAR}"
    rf")(?:[T ,]+{_CLOCK}(?:\s?(?:Z|UTC|[+\-]\d\d:?\d\d))?)?|{_CLOCK}",
    re.IGNORECASE,
)
_IDENTIFIER = re.compile(
    r"(?:^|[\W_])(?:id|idx|index|key|nr|no|num|number|row|uuid|guid)s?$"
    r"|[a-z](?:Id|ID|Nr|No)$|^unnamed: ?\d+$|^rownames?$",
)


@dataclass(frozen=True)
class ColumnProblem:
    """What looks wrong with a column, with an example cell, and what to do."""

    column: Any
    kind: str
    words: str
    remedy: str

    def __str__(self) -> str:
        return f"Column {str(self.column)!r} {self.words} {self.remedy}"


def column_problems(
    X: pd.DataFrame,
    codes: np.ndarray | None = None,
    declared: Iterable[int] = (),
) -> list[ColumnProblem]:
    """Return the first problem of each column that has one.

    `codes` are the classes of the rows, if they are known, of shape (n_samples,).
    Columns whose positions are `declared` categorical, and those of a categorical
    dtype, may hold numbers and dates.
    """
    problems, known = [], set(declared)
    for j, label in enumerate(X.columns):
        column = _Column(label, X.iloc[:, j], codes, j in known)
        problem = next(column.problems(), None)
        if problem is not None:
            problems.append(ColumnProblem(label, *problem))
    return problems


def as_texts(problems: Sequence[ColumnProblem]) -> list[str]:
    """Return one text per problem, but of many of a kind only the first ones."""
    texts, kinds = [], [problem.kind for problem in problems]
    for kind in dict.fromkeys(kinds):
        of_kind = [str(problem) for problem in problems if problem.kind == kind]
        texts += of_kind[:_MOST_WARNINGS]
        if len(of_kind) > _MOST_WARNINGS:
            more = len(of_kind) - _MOST_WARNINGS
            texts[-1] += f" And {more} more columns of this kind ({kind})."
    return texts


_Found = tuple[str, str, str]  # kind, words, remedy


class _Column:
    """One column, examined in several ways; the costly ones last."""

    def __init__(
        self, label: Any, cells: pd.Series, codes: np.ndarray | None, declared: bool
    ):
        self._label, self._cells, self._codes = str(label), cells, codes
        self._n = len(cells)
        dtype = cells.dtype
        self._is_declared = declared or isinstance(dtype, pd.CategoricalDtype)
        self._is_number = pd.api.types.is_numeric_dtype(dtype) and not declared

    def problems(self) -> Iterator[_Found]:
        """Yield the problems, the most harmful first."""
        if self._n < 2:
            return
        if self._is_number:
            yield from self._of_numbers()
        else:
            yield from self._of_words()

    def _of_numbers(self) -> Iterator[_Found]:
        values = self._cells.to_numpy(dtype=np.float64, na_value=np.nan)
        known = values[~np.isnan(values)]
        if not len(known):
            yield _no_value(self._n)
            return
        if len(known) == self._n and (known == known[0]).all():
            yield _constant(self._cells.iloc[0], self._n)
            return
        yield from self._equal_to_target()
        yield from self._whole_numbers(known)

    def _whole_numbers(self, known: np.ndarray) -> Iterator[_Found]:
        """Yield that whole numbers count or identify the rows."""
        if len(known) < _LEAST_ROWS or pd.api.types.is_bool_dtype(self._cells.dtype):
            return
        if not np.isfinite(known).all() or (known != np.round(known)).any():
            return
        if len(known) == self._n and (np.diff(known) == 1).all():
            yield self._row_counter(known)
            return
        is_named = is_named_like_identifier(self._label)
        is_dense = known.max() - known.min() < 2 * len(known)
        if (is_dense or is_named) and len(np.unique(known)) == len(known):
            yield _identifier(len(known), self._n, f"{known[0]:.0f}")

    def _row_counter(self, known: np.ndarray) -> _Found:
        words = f"counts the rows, from {known[0]:.0f} to {known[-1]:.0f}"
        codes = self._codes
        if codes is not None and (np.diff(codes) != 0).sum() == len(set(codes)) - 1:
            words += ", and the rows are sorted by class, so that it gives them away"
        return "row counter", f"{words}.", "Drop it."

    def _equal_to_target(self) -> Iterator[_Found]:
        codes = self._codes
        if codes is None or self._n < _LEAST_ROWS:
            return
        n_classes = len(np.unique(codes))
        head = pd.unique(self._cells.iloc[:_MOST_EXAMINED])
        if n_classes < 2 or len(head) > n_classes:
            return
        places, distinct = factorize(self._cells)
        if len(distinct) != n_classes or places.min() < 0:
            return
        pairs = np.unique(places.astype(np.int64) * (n_classes + 1) + codes)
        if len(pairs) == n_classes:
            yield (
                "equal to the target",
                f"equals the target: each of its {len(distinct)} values, such as "
                f"{_shown(distinct[0])}, occurs with one class only, and the other way "
                "round.",
                "Drop it, unless it is known before the class is.",
            )

    def _of_words(self) -> Iterator[_Found]:
        try:
            places, distinct = factorize(self._cells)
        except TypeError:  # values that cannot be hashed
            return
        n_known = int((places >= 0).sum())
        if not len(distinct):
            yield _no_value(self._n)
            return
        if len(distinct) == 1 and n_known == self._n:
            yield _constant(distinct[0], self._n)
            return
        yield from self._equal_to_target()
        examined = distinct[:_MOST_EXAMINED]
        if not self._is_declared:
            yield from _dates(examined)
            yield from _numbers(examined)
        words = [value for value in examined if isinstance(value, str)]
        n_distinct = len(distinct)
        if n_known >= _LEAST_ROWS and len(words) == len(examined):
            yield from _free_text(words, n_distinct, n_known)
            if n_distinct >= _NEARLY_ALL * n_known:
                yield _identifier(n_distinct, self._n, words[0])
        yield from _alike(words)


def is_named_like_identifier(label: str) -> bool:
    """Return whether the name of a column is one that identifiers have."""
    return any(_IDENTIFIER.search(name) for name in (label, label.lower()))


def factorize(cells: pd.Series) -> tuple[np.ndarray, list[Any]]:
    """Return positions in the distinct values, -1 for missing ones, and these.

    Raises ``TypeError`` for values that cannot be hashed, such as lists.
    """
    # an array: pandas 2 makes an index of the values of a Series, where an integer
    # beyond the range of floats overflows
    values = cells.to_numpy() if cells.dtype == object else cells
    places, distinct = pd.factorize(values)
    return places, distinct.tolist()


def _shown(value: Any) -> str:
    text = str(value)
    if len(text) > _LONGEST_EXAMPLE:
        text = f"{text[: _LONGEST_EXAMPLE - 1]}…"
    return f"'{text}'" if isinstance(value, str) else text


def _no_value(n: int) -> _Found:
    return "constant", f"has no value in any of the {n} rows.", "Drop it."


def _constant(value: Any, n: int) -> _Found:
    words = f"has the same value in all {n} rows: {_shown(value)}."
    return "constant", words, "Drop it, as nothing can be learned from it."


def _identifier(n_distinct: int, n: int, example: str) -> _Found:
    return (
        "identifier",
        f"has {n_distinct} different values in {n} rows, such as {_shown(example)}: it "
        "identifies rows rather than describing them.",
        "Drop it, or make a column of the part that describes.",
    )


def _dates(distinct: Sequence[Any]) -> Iterator[_Found]:
    """Yield that words are dates, if nearly all of them read as such."""
    words = [v for v in distinct if isinstance(v, str) and not _is_marker(v)]
    dates = [word for word in words if _DATE.fullmatch(word.strip())]
    if dates and len(dates) >= _NEARLY_ALL * len(words):
        yield (
            "dates as words",
            f"holds dates or times as words, such as {_shown(dates[0])}.",
            "Convert it to numbers (pandas.to_datetime): days since a date, month, day "
            "of the week, hour.",
        )


def _numbers(distinct: Sequence[Any]) -> Iterator[_Found]:
    """Yield that words read as numbers, if most of them do."""
    words = [v for v in distinct if isinstance(v, str)]
    if not words:
        return
    read = {word: _suffix(word) for word in words}
    stray = [word for word, suffix in read.items() if suffix is None]
    units = {suffix for suffix in read.values() if suffix}
    n_numbers = len(distinct) - len(stray)
    n_candidates = n_numbers + sum(not _is_marker(word) for word in stray)
    if len(units) > 1 or n_numbers < 2 or n_numbers < _MOST * n_candidates:
        return
    as_words = [word for word, suffix in read.items() if suffix is not None]
    if any(_CODE.fullmatch(word) for word in as_words):
        return  # numbers do not begin with 0: such as postal codes
    is_plain = all(word.strip().isdecimal() for word in as_words)
    if is_plain and len(distinct) <= _FEW_CODES and all(map(_is_marker, stray)):
        return  # codes of categories
    others = [*as_words[:1], *stray[:1]]
    such_as = " and ".join(_shown(word) for word in others)
    yield (
        "numbers as words",
        f"holds words that read as numbers, such as {such_as}.",
        f"Convert it{_how(as_words)}; where it is a category, give it the dtype "
        "'category'.",
    )


def _how(words: Sequence[str]) -> str:
    """Return how to read numbers written in this way."""
    if any(_DECIMAL_COMMA.search(word) for word in words):
        dots = ", thousands='.'" if any("." in word for word in words) else ""
        return f" to numbers: decimal=','{dots} in pandas.read_csv"
    if all(
        word.strip().lstrip("+-").replace(",", "")[:1].isdecimal() for word in words
    ):
        if any("," in word for word in words):
            return " to numbers: thousands=',' in pandas.read_csv"
        if not any(_SIGN.search(word) for word in words):
            return " with pandas.to_numeric(…, errors='coerce'), missing if it is none"
    return " with pandas.to_numeric, after removing signs and units (.str.replace)"


def _suffix(word: str) -> str | None:
    """Return what follows the number that a word holds; None if it holds none."""
    text = word.strip()
    before = _BEFORE.match(text)
    start = before.end() if before else 0
    match = _NUMBER.match(text, start)
    if match is None or not any(char.isdecimal() for char in match.group()):
        return None
    rest = text[match.end() :].strip().strip(")+").strip()
    if any(char.isdecimal() for char in rest) or len(rest) > 8 or "-" in rest:
        return None
    return rest


def _is_marker(word: str) -> bool:
    return word.strip().casefold() in _MARKERS


def _free_text(words: Sequence[str], n_distinct: int, n_known: int) -> Iterator[_Found]:
    """Yield that most rows hold a sentence of their own."""
    mean = sum(len(word.split()) for word in words) / len(words)
    if n_distinct > n_known / 2 and mean >= _WORDS_OF_A_TEXT:
        yield (
            "free text",
            f"holds free text, such as {_shown(words[0])}.",
            "Make numbers of it before the network, such as TfidfVectorizer and "
            "TruncatedSVD of scikit-learn in a ColumnTransformer.",
        )


def spelled(word: str) -> str:
    """Return a word without differences of case and blanks."""
    return " ".join(word.split()).casefold()


def _alike(words: Sequence[str]) -> Iterator[_Found]:
    """Yield two words that differ only in case or blanks."""
    first: dict[str, str] = {}
    for word in words:
        other = first.setdefault(spelled(word), word)
        if other != word:
            yield (
                "levels alike",
                f"has levels that differ only in case or blanks: {_shown(other)} and "
                f"{_shown(word)}.",
                "Write them alike (.str.strip().str.lower()).",
            )
            return
