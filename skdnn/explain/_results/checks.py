"""Findings of the checks of a result."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from skdnn._runtime.names import visible
from skdnn.explain._results.notebook import text_table
from skdnn.explain._results.result import Result

FIRES, SILENT, NOT_APPLICABLE = "fires", "silent", "not applicable"
VERDICTS = (FIRES, SILENT, NOT_APPLICABLE)


@dataclass(frozen=True)
class Finding:
    """The finding of one check.

    Attributes
    ----------
    code : str
        For example SKD101. Codes never change their meaning.
    title : str
        What should hold.
    severity : {"high", "medium", "low"}
        How much it matters if the check fires.
    verdict : {"fires", "silent", "not applicable"}
        "fires" if the result should be read with care.
    words : str
        What was found, or why the check does not apply.
    remedy : str
        What to do if the check fires; else empty.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skdnn import explain
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> model = LogisticRegression(max_iter=1000).fit(X, y)
    >>> finding = explain.shap(model, X[:9], background=X[::20]).checks().fired[0]
    >>> finding.code, finding.severity, finding.verdict
    ('SKD109', 'medium', 'fires')
    >>> finding.remedy
    'Pass the training rows: background=X_train; 100 are drawn from them.'
    """

    code: str
    title: str
    severity: str
    verdict: str
    words: str
    remedy: str = ""


@dataclass(frozen=True, repr=False)
class Checks(Result, Sequence[Finding]):
    """The checks of a result: a sequence of findings, and a table.

    Attributes
    ----------
    findings : tuple of Finding
        In the order of their codes.
    of : str
        Title of the checked result.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skdnn import explain
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> model = LogisticRegression(max_iter=1000).fit(X, y)
    >>> checks = explain.shap(model, X[::15], background=X[::20]).checks()
    >>> [(finding.code, finding.words) for finding in checks.fired]
    [('SKD109', 'The background has 8 rows; at least 20 are recommended.')]
    """

    findings: tuple[Finding, ...]
    of: str

    @property
    def title(self) -> str:
        """The name of the result."""
        return f"Checks of {self.of}"

    @property
    def fired(self) -> list[Finding]:
        """The findings that fire."""
        return [finding for finding in self if finding.verdict == FIRES]

    def frame(self) -> pd.DataFrame:
        """Return one row per finding: code, title, severity, verdict, words, remedy.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.linear_model import LogisticRegression
        >>> from skdnn import explain
        >>> X, y = load_iris(return_X_y=True, as_frame=True)
        >>> model = LogisticRegression(max_iter=1000).fit(X, y)
        >>> checks = explain.shap(model, X[:9], background=X).checks()
        >>> list(checks.frame())
        ['code', 'title', 'severity', 'verdict', 'words', 'remedy']
        """
        return pd.DataFrame([asdict(finding) for finding in self])

    def __len__(self) -> int:
        return len(self.findings)

    def __getitem__(self, place: Any) -> Any:
        return self.findings[place]

    def _by_verdict(self) -> list[Finding]:
        return sorted(self, key=lambda finding: VERDICTS.index(finding.verdict))

    def __repr__(self) -> str:
        lines = [f"{self.title}: {len(self.fired)} of {len(self)} fire"]
        for f in self._by_verdict():
            lines.append(f"{f.code} {f.verdict:<14} {f.title}: {f.words}")
            if f.remedy:
                lines.append(f"{'':<22} -> {f.remedy}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        rows = [
            [f.code, f.verdict, f"{f.title}: {f.words}", f.remedy]
            for f in self._by_verdict()
        ]
        table = text_table(["code", "verdict", "finding", "remedy"], rows)
        count = f"<p>{len(self.fired)} of {len(self)} checks fire.</p>"
        page = f"<div>{self._html_heading()}{count}{table}</div>"
        return visible(page, keep="\n\t")
