"""What a check is, what it may look at, and what it says."""

import html
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import pandas as pd

from skdnn.explain._methods.deletion_curves import DeletionCurves
from skdnn.explain._model.target import Problem
from skdnn.explain._results.attributions import Attributions, Result
from skdnn.explain._text.formatting import NBSP

FIRES, SILENT, NOT_APPLICABLE = "fires", "silent", "not applicable"
_VERDICTS = (FIRES, SILENT, NOT_APPLICABLE)
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


@dataclass(frozen=True)
class Finding:
    """What one check says.

    Attributes
    ----------
    code : str
        Such as SKD101; it never changes its meaning.
    title : str
        What is asked.
    severity : {"high", "medium", "low"}
        How much it matters if the check fires.
    verdict : {"fires", "silent", "not applicable"}
        Whether there is something to be wary of.
    words : str
        What was found, or why nothing could be.
    remedy : str
        What to do about it, if the check fires; else empty.
    """

    code: str
    title: str
    severity: str
    verdict: str
    words: str
    remedy: str = ""


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


@dataclass(frozen=True, repr=False)
class Checks(Result, Sequence):
    """All checks of a result: a sequence of findings, and a table.

    Attributes
    ----------
    findings : tuple of Finding
        In the order of their codes.
    of : str
        What was checked.
    """

    findings: tuple[Finding, ...]
    of: str

    @property
    def title(self) -> str:
        """What the result is, in words."""
        return f"Checks of {self.of}"

    @property
    def fired(self) -> list[Finding]:
        """Those that fire."""
        return [finding for finding in self if finding.verdict == FIRES]

    def frame(self) -> pd.DataFrame:
        """Return a row for each: code, title, severity, verdict, words, remedy."""
        return pd.DataFrame([asdict(finding) for finding in self])

    def __len__(self) -> int:
        return len(self.findings)

    def __getitem__(self, place):
        return self.findings[place]

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.findings)

    def __repr__(self) -> str:
        lines = [f"{self.title}: {len(self.fired)} of {len(self)} fire"]
        for verdict in _VERDICTS:
            for told in (f for f in self if f.verdict == verdict):
                lines.append(f"{told.code} {verdict:<14} {told.title}: {told.words}")
                if told.remedy:
                    lines.append(f"{'':<22} -> {told.remedy}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        rows = "".join(
            "<tr>"
            + "".join(
                f"<td>{html.escape(text)}</td>"
                for text in (f.code, f.verdict, f"{f.title}: {f.words}", f.remedy)
            )
            + "</tr>"
            for f in sorted(self, key=lambda f: _VERDICTS.index(f.verdict))
        )
        head = "".join(
            f"<th>{name}</th>" for name in ("code", "verdict", "words", "remedy")
        )
        title = f"<strong>{html.escape(self.title)}</strong>"
        return f"<div>{title}<table><tr>{head}</tr>{rows}</table></div>"
