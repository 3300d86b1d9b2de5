"""Coded checks of results: each fires, stays silent, or does not apply."""

from skdnn.explain._checks._base import Check, Checks, Finding, Seen
from skdnn.explain._checks._of_measurements import (
    Agreement,
    Deletion,
    OffData,
    OffGrid,
    Stability,
)
from skdnn.explain._checks._of_result import (
    Additivity,
    BackgroundSize,
    ConstantColumn,
    RanksSeparated,
    SamplingError,
    SurrogateFit,
)

__all__ = ["ALL", "Check", "Checks", "Finding", "Seen", "run_checks"]

ALL: tuple[Check, ...] = (
    Additivity(),
    SamplingError(),
    SurrogateFit(),
    Deletion(),
    RanksSeparated(),
    Stability(),
    Agreement(),
    OffData(),
    BackgroundSize(),
    ConstantColumn(),
    OffGrid(),
)


def run_checks(seen: Seen) -> Checks:
    """Return what every check says of a result."""
    return Checks(tuple(check(seen) for check in ALL), seen.result.title)
