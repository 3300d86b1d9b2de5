"""What a check is, what it may look at, and what it says."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import pandas as pd

from skdnn.explain._model.target import Problem
from skdnn.explain._results.attributions import Attributions
from skdnn.explain._results.checks import FIRES, NOT_APPLICABLE, SILENT, Finding
from skdnn.explain._results.deletion import DeletionCurves
from skdnn.explain._results.result import Result
from skdnn.explain._text.formatting import NBSP

_NOT_MEASURED = (
    "Not measured, as it takes the classifier: checks(estimator, X, background=…)."
)
_NOT_TOLD = "These rows and this background do not tell."


class NotApplicableError(Exception):
    """Raised by a check that has nothing to say of a result; its text tells why."""


@dataclass(frozen=True)
class CheckInput:
    """A result, and what was measured of it with the classifier; None where nothing.

    Attributes
    ----------
    result : Result
        What is checked.
    problem : Problem or None
        Explained rows and background rows.
    deletion : DeletionCurves or None
        Of the attributions.
    reruns : DataFrame or None
        A row for each other seed: seed, rank, sign, moved.
    agreement : DataFrame or None
        A row a pair, of the attributions with those of another method.
    off_data : float or None
        Share of the rows made up that lie off the data.
    off_grid : DataFrame or None
        A row for each place of a profile: feature, x, off_data.
    """

    result: Result
    problem: Problem | None = None
    deletion: DeletionCurves | None = None
    reruns: pd.DataFrame | None = None
    agreement: pd.DataFrame | None = None
    off_data: float | None = None
    off_grid: pd.DataFrame | None = None

    @property
    def attributions(self) -> Attributions:
        """The result, for checks of attributions."""
        if not isinstance(self.result, Attributions):
            raise NotApplicableError("It is about attributions of single rows.")
        return self.result

    def measured(self, name: str) -> Any:
        """Return what was measured, for checks that need it."""
        value = getattr(self, name)
        if value is None:
            raise NotApplicableError(
                _NOT_MEASURED if self.problem is None else _NOT_TOLD
            )
        return value


class Check(ABC):
    """One question to a result; a subclass is one code."""

    code: ClassVar[str]
    title: ClassVar[str]
    severity: ClassVar[str]
    remedy: ClassVar[str]

    @abstractmethod
    def look(self, seen: CheckInput) -> tuple[bool, str]:
        """Return whether the check fires, and one sentence on what was found.

        Raises
        ------
        NotApplicableError
            If the question makes no sense of this result.
        """

    def __call__(self, seen: CheckInput) -> Finding:
        """Return the finding."""
        try:
            fires, words = self.look(seen)
        except NotApplicableError as reason:
            verdict, words, remedy = NOT_APPLICABLE, str(reason), ""
        else:
            verdict = FIRES if fires else SILENT
            remedy = self.remedy if fires else ""
        words = words.replace(NBSP, " ")  # for terminals
        return Finding(self.code, self.title, self.severity, verdict, words, remedy)
