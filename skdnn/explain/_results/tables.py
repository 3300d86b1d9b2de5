"""Importance, effects, agreement and deletion curves: small tables."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from skdnn.explain._results.registry import dispatch
from skdnn.explain._results.result import DrawnTable, TableResult

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

# the column of the table that has errors over refits
_VALUE_COLUMNS = {"effects": "effect", "importance": "importance"}


@dataclass(frozen=True)
class ResultTable(DrawnTable):
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
        Standard deviation of each value over the members; None without refits.
    n_refits : int
        Number of these members.
    note : str
        What the intervals are of, where that is less than their names promise.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skdnn import explain
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> model = LogisticRegression(max_iter=1000).fit(X, y)
    >>> importance = explain.permutation_importance(model, X, y, random_state=0)
    >>> importance.kind
    'importance'
    >>> list(importance.frame())
    ['feature', 'importance', 'ratio', 'std_error', 'ci_low', 'ci_high']
    >>> importance.describe().partition(" (")[0]
    'Shuffling petal length'
    >>> importance.plot().get_xlabel().splitlines()
    ['drop of the score when shuffled', '(95% interval)']
    """

    _facts: ClassVar[tuple[str, ...]] = ("refit_errors",)

    heading: str
    kind: str
    refit_errors: np.ndarray | None = None
    n_refits: int = 0
    note: str = ""

    @property
    def title(self) -> str:
        """The name of the result."""
        return self.heading

    @property
    def warning(self) -> str:
        """One sentence on what limits the result; empty if there is nothing."""
        return self.note

    def plot(
        self,
        *,
        classes: "Sequence[Any] | None" = None,
        max_display: int = 12,
        ax: "Axes | None" = None,
    ) -> "Axes":
        """Draw the table as bars.

        Parameters
        ----------
        classes : list of class labels, default=None
            Of effects: the classes that are coloured, at most seven; the others are
            grey. None is all of up to five, else the five that move most; of two, only
            the second, of which the first is the mirror image.
        max_display : int, default=12
            Maximum number of columns shown, the largest first; a new figure shows as
            many as fit on a page.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        matplotlib Axes

        Raises
        ------
        ValueError
            If there is no such class, or `classes` are given for a table without.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.linear_model import LogisticRegression
        >>> from skdnn import explain
        >>> X, y = load_iris(return_X_y=True, as_frame=True)
        >>> model = LogisticRegression(max_iter=1000).fit(X, y)
        >>> importance = explain.permutation_importance(model, X, y, random_state=0)
        >>> len(importance.plot(max_display=2).get_yticks())
        2
        """
        axes: Axes = dispatch("plot", self)(self, classes, max_display, ax)
        return axes

    def _refitted(self) -> tuple[Any, Any]:
        return self.table[_VALUE_COLUMNS[self.kind]].to_numpy(), self.refit_errors

    def describe(self) -> str:
        """Describe in sentences the three most important columns and their intervals.

        ``ValueError`` if the table does not hold importance.
        """
        return str(dispatch("describe", self)(self))


@dataclass(frozen=True)
class DeletionCurves(TableResult):
    """Mean output of the predicted class as cells are replaced by background cells.

    Attributes
    ----------
    table : DataFrame
        Columns: removed (share of the columns), attribution, random, low, high: the
        mean output in the order of the attribution, its mean over random orders, and
        their central 95%.
    areas : ndarray of shape (n_orders,)
        Mean output along the curve, for each random order.
    area : float
        The same for the order of the attribution; lower is better.
    n_samples : int
        Number of rows averaged over.
    unit : str
        Unit of the output: "probability" or "log odds".

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from skdnn.explain import DeletionCurves
    >>> table = pd.DataFrame(
    ...     {"removed": [0, 1], "attribution": [0.9, 0.2], "random": [0.9, 0.6]}
    ... )
    >>> areas = np.array([0.7, 0.6, 0.8])  # of three random orders
    >>> DeletionCurves(table, areas, 0.55, 20, "probability").chance
    0.25
    """

    title: ClassVar[str] = "Deletion curve against random order"

    areas: np.ndarray
    area: float
    n_samples: int
    unit: str

    @property
    def chance(self) -> float:
        """Probability that a random order has so low an area: a p-value."""
        n_as_good = (self.areas <= self.area + 1e-12).sum()
        return float((1 + n_as_good) / (1 + len(self.areas)))
