"""What a check is, and what is measured for it with the classifier."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from skdnn.explain._model.target import Problem
from skdnn.explain._results.checks import FIRES, NOT_APPLICABLE, SILENT, Finding
from skdnn.explain._results.result import Result
from skdnn.explain._results.tables import DeletionCurves
from skdnn.explain._text.formatting import NBSP, join

_NOT_MEASURED = "Not measured: pass the classifier, checks(estimator, X, background=…)."
_NO_ANSWER = "These rows and this background do not allow the measurement."


class NotApplicableError(Exception):
    """Raised by a check that does not apply to a result; its text is the reason."""


@dataclass(frozen=True)
class Measurements:
    """What was measured for the checks of a result; None if it was not."""

    # explained rows and background rows
    problem: Problem | None = None
    deletion: DeletionCurves | None = None
    # one row per other seed: seed, rank, sign, moved
    reruns: pd.DataFrame | None = None
    # one row per other method: method_a, method_b, rank, sign
    agreement: pd.DataFrame | None = None
    # share of the synthetic rows that lie off the data
    off_data: float | None = None
    # one row per grid point of a profile: feature, x, off_data
    off_grid: pd.DataFrame | None = None

    def get(self, name: str) -> Any:
        """Return what was measured, for checks that need it."""
        value = getattr(self, name)
        if value is None:
            is_open = self.problem is not None
            raise NotApplicableError(_NO_ANSWER if is_open else _NOT_MEASURED)
        return value


@dataclass(frozen=True)
class Check:
    """One check.

    `types` names the result types that it applies to, `needs` the field of
    `Measurements` that is measured for it (empty: the result is enough). `look` takes
    result and measurements and returns whether the check fires, with a sentence on what
    it found; it raises `NotApplicableError` if the check does not apply.
    """

    code: str
    title: str
    severity: str
    types: dict[type, str]
    needs: str
    look: Callable[[Any, Measurements], tuple[bool, str]]
    remedy: str

    def applies_to(self, result: Result) -> bool:
        """Whether the check applies to the type of a result."""
        return isinstance(result, tuple(self.types))

    def __call__(self, result: Result, measured: Measurements) -> Finding:
        """Return the finding for a result."""
        try:
            fires, words = self._answer(result, measured)
        except NotApplicableError as reason:
            verdict, words = NOT_APPLICABLE, str(reason)
        else:
            verdict = FIRES if fires else SILENT
        remedy = self.remedy if verdict == FIRES else ""
        words = words.replace(NBSP, " ")  # for terminals
        return Finding(self.code, self.title, self.severity, verdict, words, remedy)

    def _answer(self, result: Result, measured: Measurements) -> tuple[bool, str]:
        if not self.applies_to(result):
            kinds = join(list(self.types.values()))
            raise NotApplicableError(f"Applies to {kinds} only.")
        return self.look(result, measured)
