"""Coded checks of results: each fires, stays silent, or does not apply."""

from skdnn.explain._checks.base import Check, CheckInput
from skdnn.explain._checks.of_measurements import (
    Agreement,
    Deletion,
    OffData,
    OffGrid,
    Stability,
)
from skdnn.explain._checks.of_result import (
    Additivity,
    BackgroundSize,
    ConstantColumn,
    RanksSeparated,
    SamplingError,
    SurrogateFit,
)
from skdnn.explain._results.checks import Checks

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


def run_checks(seen: CheckInput) -> Checks:
    """Return what every check says of a result."""
    return Checks(tuple(check(seen) for check in ALL), seen.result.title)
