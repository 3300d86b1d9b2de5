"""Which classes of a plot have a colour; the others are grey."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from skdnn.explain._plots import canvas
from skdnn.explain._results.result import class_position

# More colours are hard to distinguish, and to find in a legend.
MAX_COLORED = 5


@dataclass(frozen=True)
class Chosen:
    """Positions of the classes that have a colour, and of those drawn in grey."""

    colored: list[int]
    others: list[int]

    @property
    def note(self) -> str:
        """How many classes are grey, for a legend."""
        n = len(self.others)
        return f"{n} other {'class' if n == 1 else 'classes'}"


def choose(labels: Sequence[Any], moves: Any, classes: Any = None) -> Chosen:
    """Return which classes are coloured: those given, or those that move most.

    `moves` is a size per class. Of two classes, whose probabilities add up to one, only
    the second is drawn: the first is its mirror image.
    """
    n = len(labels)
    if classes is not None:
        colored = _positions(labels, classes)
    elif n == 2:
        colored = [1]
    else:
        order = np.argsort(-np.nan_to_num(np.asarray(moves, float)), kind="stable")
        colored = sorted(int(k) for k in order[:MAX_COLORED])
    others = [k for k in range(n) if k not in colored] if n > 2 else []
    return Chosen(colored, others)


def _positions(labels: Sequence[Any], classes: Any) -> list[int]:
    """Return the positions of classes; ``ValueError`` if they have no colours."""
    if isinstance(classes, str) or not isinstance(classes, Sequence | np.ndarray):
        raise ValueError(
            f"`classes` must be a list of classes. Got {classes!r}. Use [{classes!r}]."
        )
    names = np.empty(len(labels), dtype=object)
    names[:] = list(labels)
    places = [class_position(names, label, "classes") for label in classes]
    most = len(canvas.COLORS)
    if not 1 <= len(places) <= most or len(set(places)) < len(places):
        raise ValueError(
            f"`classes` must be 1 to {most} different classes, each in its own colour. "
            f"Got {list(classes)}. Leave others out; they are drawn in grey."
        )
    return places


def check_no_target(target_class: Any, classes: Any) -> None:
    """Raise ValueError if one class is named to be drawn alone, and others coloured."""
    if target_class is not None and classes is not None:
        raise ValueError(
            "Only one of `target_class` and `classes` must be given: the first draws "
            f"one class alone. Got {target_class!r} and {classes!r}."
        )
