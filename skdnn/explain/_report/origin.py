"""Whether a classifier was trained on the rows of a report, as far as is known."""

from dataclasses import dataclass
from typing import Any

from skdnn.explain._text.formatting import count

# What is known of the rows: nothing but the word of the caller; none, some or all of
# them are training rows; or it is not known.
STATED, NONE, SOME, ALL, UNKNOWN = "stated", "none", "some", "all", "unknown"


@dataclass(frozen=True)
class Origin:
    """What is known of the training rows beside what a report measures.

    `overlap` is which of the explained rows are training rows: "none", "some", "all",
    "unknown", or "stated" where the caller states that there are none, as the docstring
    of `explain.report` requires. `n_shared` is the number of rows that are known to
    equal training rows, if there are some.
    `is_background_training` is whether the background is all rows of the training.
    `is_command` is whether a command made the report, whose reader writes no Python.
    """

    overlap: str = STATED
    n_shared: int | None = None
    is_background_training: bool = False
    is_command: bool = False


def section(origin: Origin, subject: str) -> dict[str, Any]:
    """Return what is known of the rows, with sentences."""
    return {
        **vars(origin),
        "words": caveat(origin, subject),
        "validity": _validity(origin, subject),
    }


def rows_noun(overlap: str) -> str:
    """Return the noun for the rows: held out, unless that is not known or wrong."""
    return "held-out row" if overlap in (STATED, NONE) else "row"


def caveat(origin: Origin, subject: str) -> str:
    """State why the scores may be too good; empty if the rows are held out."""
    overlap = origin.overlap
    if overlap == ALL:
        return (
            f"These are rows that the {subject} was trained on: its scores are too "
            "good."
        )
    if overlap == SOME:
        n = origin.n_shared or 0
        equals = "equals a row" if n == 1 else "equal rows"
        return (
            f"At least {count(n, 'row')} of these {equals} that the {subject} was "
            "trained on: its scores may be too good."
        )
    if overlap == UNKNOWN:
        return (
            f"It is not known whether the {subject} was trained on some of these rows: "
            "if it was, its scores are too good."
        )
    return ""


def _validity(origin: Origin, subject: str) -> str:
    """State whether the scores apply to new rows."""
    overlap = origin.overlap
    if overlap == NONE:
        return f"The {subject} was not trained on these rows."
    if overlap == ALL:
        return "The scores do not apply to new rows."
    if overlap == SOME:
        return "The scores apply to new rows only as far as these rows are new."
    if overlap == UNKNOWN:
        return (
            "The scores apply to new rows only if these are new. The model file does "
            "not show whether there are some of the training among them."
        )
    return (
        f"The scores apply to new rows only if the {subject} was not fitted to these "
        "rows."
    )
