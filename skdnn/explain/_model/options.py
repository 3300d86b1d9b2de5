"""Types and checks of the options that explain functions share."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from skdnn._runtime.suggestions import did_you_mean

RandomState = int | np.random.RandomState | None
# Columns by name or position; None is all, or none.
Features = str | int | Sequence[str | int] | None
# Columns that form one player, by name or in a list; for images an array of labels.
Groups = (
    Mapping[str, Sequence[str | int]]
    | Sequence[str | int | Sequence[str | int]]
    | np.ndarray
)
# Called after every unit of work, to show progress.
Step = Callable[[], None]


def no_step() -> None:
    """Show no progress."""


def check_option(name: str, value: Any, options: Sequence[Any]) -> None:
    """Raise ValueError unless the value is one of the options."""
    if value not in options:
        raise ValueError(
            f"`{name}` must be one of {list(options)}. Got {value!r}."
            + did_you_mean(value, options)
        )


def check_count(name: str, value: Any, smallest: int) -> None:
    """Raise ValueError unless the value is a whole number and large enough."""
    is_whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not is_whole or value < smallest:
        raise ValueError(
            f"`{name}` must be a whole number, at least {smallest}. Got {value!r}."
        )
