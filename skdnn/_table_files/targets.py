"""The column to predict: its classes, and which of two is the positive one."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from skdnn._runtime.names import visible
from skdnn._runtime.suggestions import did_you_mean
from skdnn._table_files.column_kinds import as_text
from skdnn._table_files.missing_markers import find_markers
from skdnn._table_files.number_formats import as_numbers, is_code
from skdnn._table_files.raw_table import RawTable, listed
from skdnn._table_files.table_file_error import TableFileError

# Numbers are classes up to these counts of distinct values: of fractions, of whole
# numbers, and of whole numbers with fewer rows each than _ROWS_EACH.
_MOST_FRACTIONS, _MOST_WHOLE, _MOST_RARE, _ROWS_EACH = 10, 50, 20, 20
_POSITIVE = (
    "yes", "true", "positive", "pos", "+", "y", "t", "ja", "oui", "si", "sí", "1",
    "case", "disease", "malignant", "default", "churned", "fraud", "died", "sick",
)  # fmt: skip


def find_column(name: str, names: Sequence[str], option: str, source: str) -> str:
    """Return a column's name as the file has it; raise if there is none."""
    if name in names:
        return name
    hint = did_you_mean(name, names) or f" It has {listed(names)}."
    raise TableFileError(
        f"{option} must name a column of {source}. Got {visible(name)!r}.{hint}"
    )


def read_labels(
    table: RawTable, name: str, given: Sequence[str] | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return the class of each row, and whether the row has one.

    Classes are whole numbers if all are, else texts.
    """
    column = table.columns[name]
    texts = [as_text(value, table.decimal) for value in column.values]
    markers = find_markers(texts, given, among_numbers=False)
    known = [text for text in texts if text not in markers]
    values: Any = texts
    if known and all(map(_is_whole, known)):
        values = [0 if text in markers else int(text) for text in texts]
    labels = np.array(values, dtype=np.int64 if values is not texts else object)
    has_label = np.array([text not in markers for text in texts], dtype=bool)
    return labels[column.codes], has_label[column.codes]


def _is_whole(text: str) -> bool:
    digits = text.removeprefix("-")
    return (
        digits.isascii() and digits.isdigit() and len(digits) < 16 and not is_code(text)
    )


def check_target(table: RawTable, name: str, labels: np.ndarray) -> None:
    """Raise unless the labels of a table are classes, at least two."""
    classes = np.unique(labels.astype(str))
    n = len(classes)
    if n < 2:
        got = f"only {visible(classes[0])!r}" if n else "no value"
        raise TableFileError(
            f"The target {visible(name)!r} must have at least two classes. Got {got} "
            f"in the {table.n_rows} rows of {table.name}. Name another column with "
            "--target, or add rows of other classes."
        )
    _, is_number, _ = as_numbers(classes.tolist(), table.decimal)
    if is_number.all():
        is_whole = all(map(_is_whole, classes.tolist()))
        rare = len(labels) < _ROWS_EACH * n
        most = _MOST_FRACTIONS
        if is_whole:
            most = _MOST_RARE if rare else _MOST_WHOLE
        if n > most:
            raise TableFileError(
                f"The target {visible(name)!r} must hold classes. Got {n} different "
                f"numbers, such as {classes[0]} and {classes[-1]}: a quantity, which "
                "a classifier does not predict. Add a column of classes, such as low "
                "and high, or name another with --target."
            )
    elif n > len(labels) / 2 and n > 2:
        raise TableFileError(
            f"The target {visible(name)!r} must hold classes. Got {n} different texts "
            f"in {len(labels)} rows, such as {visible(classes[0])[:40]!r}. Name "
            "another column with --target."
        )


def find_class(text: str, classes: Sequence[Any], option: str) -> Any:
    """Return the class that is written in this way; raise if there is none."""
    by_text = {as_text(label): label for label in classes}
    if text in by_text:
        return by_text[text]
    hint = did_you_mean(text, by_text) or f" The classes are {listed(list(by_text))}."
    raise TableFileError(f"{option} must name a class. Got {visible(text)!r}.{hint}")


def find_positive(
    labels: np.ndarray, given: str | None
) -> tuple[Any | None, str | None]:
    """Return the positive one of two classes and a sentence on it; None for more.

    It is the one with a usual name, else the rarer one, else the second.
    """
    values, counts = np.unique(labels, return_counts=True)
    classes = values.tolist()
    if given is not None:
        positive = find_class(given, classes, "--positive")
        if len(classes) > 2:
            raise TableFileError(
                f"--positive is for two classes. Got {len(classes)}: "
                f"{listed(classes)}. Leave it out; each class has its scores."
            )
        return positive, f"Positive class: {visible(str(positive))}, as given."
    if len(classes) != 2:
        return None, None
    named = [c for c in classes if str(c).lower() in _POSITIVE]
    if len(named) == 1:
        positive, why = named[0], "by its name"
    elif counts[0] < counts[1]:
        positive, why = classes[0], "the rarer one"
    else:
        positive = classes[1]
        why = "the rarer one" if counts[1] < counts[0] else "the second one"
    name = visible(str(positive))
    return positive, f"Positive class: {name} ({why}; --positive names the other)."
