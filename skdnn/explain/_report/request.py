"""The options of a report, and their checks that need no classifier."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from skdnn.explain._report.origin import Origin
from skdnn.explain._report.rivals import check_rivals

Chosen = list[tuple[int, str]]  # positions of rows, each with the reason


@dataclass(frozen=True)
class Request:
    """The options of `explain.report`, with a seed; and those of the command line.

    `positive` is the label of the positive one of two classes, None for the second, and
    `origin` is what is known of the rows.
    """

    background: Any = None
    y_background: Any = None
    rivals: Any = "auto"
    groups_by: Any = None
    costs: Any = None
    actionable: Any = None
    nested: Any = None
    title: str | None = None
    samples: Any = None
    sample_weight: Any = None
    seed: int = 0
    verbose: bool | None = None
    positive: Any = None
    origin: Origin = field(default_factory=Origin)

    def check(self, X: Any, y: Any) -> None:
        """Raise ValueError or TypeError if options do not fit each other or the rows.

        `samples` and what is compared with the classes are checked where they are used.
        """
        n_rows, n_labels = np.shape(X)[0], np.shape(y)[0]
        if n_rows != n_labels or n_rows < 2:
            raise ValueError(
                "X and y must have the same number of rows, at least two. Got "
                f"{n_rows} rows of X and {n_labels} of y instead."
            )
        check_rivals(self.rivals)
        check_nested(self.nested)
        if self.y_background is not None and self.background is None:
            raise ValueError(
                "y_background must come with background: they are rows and their "
                "classes, usually those of the training. Got no background."
            )

    def chosen(self, n_rows: int) -> Chosen | None:
        """Return the rows that are requested; None lets the report choose."""
        return None if self.samples is None else as_positions(self.samples, n_rows)


def check_nested(nested: Any) -> None:
    """Raise TypeError unless these are scores of nested cross-validation, or None."""
    if nested is not None and not hasattr(nested, "interval"):
        raise TypeError(
            "nested must be what skdnn.model_selection.nested_cross_validate returns. "
            f"Got {type(nested).__name__} instead."
        )


def as_positions(samples: Any, n_rows: int) -> Chosen:
    """Return requested rows as positions from 0, without reasons."""
    given = [samples] if isinstance(samples, int | np.integer) else list(samples)
    if not given or not all(
        isinstance(row, int | np.integer)
        and not isinstance(row, bool)
        and -n_rows <= row < n_rows
        for row in given
    ):
        raise ValueError(
            f"samples must be positions of rows of X, from 0 to {n_rows - 1}, at least "
            f"one. Got {samples!r} instead. None picks rows worth explaining."
        )
    return [(row, "") for row in dict.fromkeys(int(row) % n_rows for row in given)]
