"""Run all checks of a result."""

from typing import Any

import numpy as np

from skdnn._runtime.seeds import as_seed
from skdnn.explain._checks.check import Measurements
from skdnn.explain._checks.measurements import is_by_column, measure
from skdnn.explain._checks.table import CHECKS
from skdnn.explain._model.opening import open_problem
from skdnn.explain._model.target import Problem
from skdnn.explain._results.attributions import Attributions
from skdnn.explain._results.checks import Checks
from skdnn.explain._results.profiles import Profiles
from skdnn.explain._results.registry import register
from skdnn.explain._results.result import Result

_SAME = 1e-6


def run_checks(result: Result, measured: Measurements | None = None) -> Checks:
    """Return the findings of all checks; without measurements, of the result alone."""
    measured = measured or Measurements()
    return Checks(tuple(check(result, measured) for check in CHECKS), result.title)


@register("checks", Result)
def check_result(
    result: Result, estimator: Any, X: Any, background: Any, random_state: Any
) -> Checks:
    """Run all checks, measured with the classifier if it is given."""
    if estimator is None:
        return run_checks(result)
    if X is None:
        raise ValueError(
            "`X` must be the explained rows, if there is an estimator. Got None; call "
            "checks(estimator, X, background=…)."
        )
    if not isinstance(result, Attributions | Profiles):
        return run_checks(result)
    output = result.output if isinstance(result, Attributions) else "probability"
    problem = open_problem(estimator, X, background=background, output=output)
    if isinstance(result, Attributions) and is_by_column(result, problem):
        _check_same(result, problem)
    return run_checks(result, measure(result, problem, seed=as_seed(random_state)))


def _check_same(result: Attributions, problem: Problem) -> None:
    """Raise ``ValueError`` unless the problem is the one that the result explains."""
    if len(problem.X) != len(result):
        raise ValueError(
            f"`X` must be the {len(result)} explained rows. Got {len(problem.X)}."
        )
    gap = np.abs(problem.target.predict(problem.X) - result.predictions).max()
    if gap > _SAME * max(1.0, np.abs(result.predictions).max()):
        raise ValueError(
            "`estimator` and `X` must be those of the explanation. Got others: the "
            f"predictions differ by {gap:.2g}."
        )
