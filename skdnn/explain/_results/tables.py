"""Importance, effects and agreement: small tables."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from skdnn.explain._results.registry import dispatch
from skdnn.explain._results.result import TableResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# the column of the table that has errors over refits
_VALUE_COLUMNS = {"effects": "effect", "importance": "importance"}


@dataclass(frozen=True)
class ResultTable(TableResult):
    """Importance, effects or agreement of methods as one table.

    Attributes
    ----------
    table : DataFrame
        The columns are documented with the function that returns the result.
    heading : str
        Title of the result.
    kind : {"importance", "effects", "agreement"}
        What the table holds.
    refit_errors : ndarray of shape (n_rows,) or None
        Standard deviation of each importance or effect over the members of an
        ensemble; None without refits.
    n_refits : int
        Number of these members.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skdnn import explain
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> model = LogisticRegression(max_iter=1000).fit(X, y)
    >>> result = explain.permutation_importance(model, X, y, random_state=0)
    >>> result.kind, result.frame()["feature"].iloc[0]
    ('importance', 'sepal length (cm)')
    """

    _facts: ClassVar[tuple[str, ...]] = ("refit_errors",)

    heading: str
    kind: str
    refit_errors: np.ndarray | None = None
    n_refits: int = 0

    @property
    def title(self) -> str:
        """The name of the result."""
        return self.heading

    def _refitted(self) -> tuple[Any, Any]:
        return self.table[_VALUE_COLUMNS[self.kind]].to_numpy(), self.refit_errors

    def describe(self) -> str:
        """Describe in plain sentences which columns matter most; for importance only.

        Returns
        -------
        str
            The first three columns with their intervals, and which of these overlap.

        Raises
        ------
        ValueError
            If the table does not hold importance.
        """
        text: str = dispatch("describe", self)(self)
        return text

    def plot(self, *, max_display: int = 12, ax: "Axes | None" = None) -> "Axes":
        """Draw the table as bars.

        Parameters
        ----------
        max_display : int, default=12
            Maximum number of rows shown, the largest first.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        matplotlib Axes
        """
        axes: Axes = dispatch("plot", self)(self, max_display, ax)
        return axes
