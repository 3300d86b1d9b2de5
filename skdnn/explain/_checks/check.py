"""What a check is, and what is measured for it with the classifier."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from skdnn._tabular.column_problems import ColumnProblem
from skdnn.explain._model.target import Problem
from skdnn.explain._results.checks import FIRES, NOT_APPLICABLE, SILENT, Finding
from skdnn.explain._results.result import Result
from skdnn.explain._results.tables import DeletionCurves
from skdnn.explain._text.formatting import NBSP, join

Answer = tuple[bool, str]  # whether a check fires, and what it found
_NOT_MEASURED = "Not measured: pass the classifier, checks(estimator, X, background=…)."
_NO_ANSWER = "These rows and this background do not allow the measurement."


class NotApplicableError(Exception):
    """Raised by a check that does not apply to a result; its text is the reason."""


@dataclass(frozen=True)
class Measurements:
    """What was measured for the checks of a result; None if it was not."""

    problem: Problem | None = None  # explained rows and background rows
    deletion: DeletionCurves | None = None
    reruns: pd.DataFrame | None = None  # seed, rank, sign, moved, n_rows
    agreement: pd.DataFrame | None = None  # method_a, method_b, rank, sign
    off_data: float | None = None  # share of the synthetic rows
    off_grid: pd.DataFrame | None = None  # by grid point: feature, x, off_data
    columns: list[ColumnProblem] | None = None  # of the background

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
    `Measurements` that is measured for it (empty: the result is enough). `look` returns
    whether the check fires, with a sentence on what it found, or raises
    `NotApplicableError`.
    """

    code: str
    title: str
    severity: str
    types: dict[type, str]
    needs: str
    look: Callable[[Any, Measurements], Answer]
    remedy: str

    def applies_to(self, result: Result) -> bool:
        """Whether the check applies to the type of a result."""
        return isinstance(result, tuple(self.types))

    def __call__(self, result: Result, measured: Measurements) -> Finding:
        """Return the finding for a result."""
        try:
            if not self.applies_to(result):
                kinds = join(list(self.types.values()))
                raise NotApplicableError(f"Applies to {kinds} only.")
            fires, words = self.look(result, measured)
            verdict = FIRES if fires else SILENT
        except NotApplicableError as reason:
            verdict, words = NOT_APPLICABLE, str(reason)
        remedy = self.remedy if verdict == FIRES else ""
        words = words.replace(NBSP, " ")  # for terminals
        return Finding(self.code, self.title, self.severity, verdict, words, remedy)
