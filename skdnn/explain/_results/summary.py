"""The summary of a classifier."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd

from skdnn.explain._results.frames import inferred
from skdnn.explain._results.notebook import table_of
from skdnn.explain._results.registry import dispatch
from skdnn.explain._results.result import TableResult

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

# What is known to differ other than bootstrap samples.
_NO_OTHER_ROWS = "members (seeds"


@dataclass(frozen=True)
class Summary(TableResult):
    """Importance and effect of every column, with intervals.

    Attributes
    ----------
    table : DataFrame
        One row per importance and effect: measure ("importance" or "effect"), feature,
        class (None for importance), value, std_error, data_error, refit_error, ci_low,
        ci_high, p_holm, rank_low, rank_high (missing for effects); level and reference
        after feature where there are text columns.
    n_samples : int
        Number of rows used.
    refits : str
        What the members of an ensemble differ in.
    n_importances, n_effects : int
        Number of hypotheses that `p_holm` is adjusted for.
    unit : str
        Unit of the effects.
    n_refits : int
        Number of members; 0 without.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skdnn import explain
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> model = LogisticRegression(max_iter=1000).fit(X, y)
    >>> summary = explain.summary(model, X, y, random_state=0)
    >>> summary.n_importances, summary.n_effects
    (4, 12)
    >>> sorted(summary.frame()["measure"].unique())
    ['effect', 'importance']
    >>> summary.plot().shape
    (2,)
    """

    _facts: ClassVar[tuple[str, ...]] = (
        "n_samples", "n_refits", "refits", "n_importances", "n_effects",
        "multiplicity", "warning",
    )  # fmt: skip

    n_samples: int
    refits: str
    n_importances: int
    n_effects: int
    unit: str
    n_refits: int = 0

    @property
    def title(self) -> str:
        """The name of the result."""
        spread = f" and {self.n_refits} {self.refits}" if self.n_refits else ""
        return f"Summary over {self.n_samples} rows{spread}"

    @property
    def multiplicity(self) -> str:
        """What was tested, and what `p_holm` is adjusted for."""
        return (
            f"{self.n_importances} importances and {self.n_effects} effects were "
            "tested. Each interval covers the true value in 95% of cases, so some of "
            "many intervals will not. p_holm is adjusted over all importances, and "
            "over all effects. A range of ranks is a tie."
        )

    @property
    def warning(self) -> str:
        """One sentence on what limits the result; empty if there is nothing."""
        if not self.n_refits:
            return (
                "The classifier is not an ensemble: the intervals do not cover how "
                "another fit would differ. Fit DNNClassifier(n_estimators=20, "
                "bootstrap=True)."
            )
        if self.refits.startswith(_NO_OTHER_ROWS):
            differ_in = self.refits.removeprefix("members (").removesuffix(")")
            return (
                f"The members differ only in their {differ_in}: the intervals do not "
                "cover how the classifier would differ with other training rows. Set "
                "n_estimators=20 and bootstrap=True."
            )
        return ""

    def _refitted(self) -> tuple[Any, Any]:
        return self.table["value"].to_numpy(), self.table["refit_error"].to_numpy()

    def plot(
        self,
        *,
        classes: "Sequence[Any] | None" = None,
        max_display: int = 12,
        ax: "tuple[Axes, Axes] | None" = None,
    ) -> np.ndarray:
        """Draw importances with their ranks, and effects.

        Parameters
        ----------
        classes : list of class labels, default=None
            The classes whose effects are coloured, at most seven; the others are grey.
            None is all of up to five, else the five that move most; of two, only the
            second, of which the first is the mirror image.
        max_display : int, default=12
            Maximum number of columns, or columns and categories, shown in each; a new
            figure shows as many as fit on a page.
        ax : pair of matplotlib Axes, default=None
            Where to draw importances and effects; None makes a figure.

        Returns
        -------
        ndarray of matplotlib Axes of shape (2,)

        Raises
        ------
        ValueError
            If there is no such class.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.linear_model import LogisticRegression
        >>> from skdnn import explain
        >>> X, y = load_iris(return_X_y=True, as_frame=True)
        >>> model = LogisticRegression(max_iter=1000).fit(X, y)
        >>> summary = explain.summary(model, X, y, random_state=0)
        >>> [axes.get_title() for axes in summary.plot()]
        ['Importance', 'Average conditional effects on the probability']
        """
        axes: np.ndarray = dispatch("plot", self)(self, classes, max_display, ax)
        return axes

    def _html_body(self) -> str:
        importance = part_of(self, "importance")
        importance["rank"] = ranks_of(importance)
        importance = importance.drop(columns=["rank_low", "rank_high"])
        return (
            "<p>Importance: increase of the cross-entropy, in nats</p>"
            f"{table_of(importance)}"
            f"<p>Average conditional effects on the {self.unit}</p>"
            f"{table_of(part_of(self, 'effect'))}<p>{self.multiplicity}</p>"
        )


def part_of(result: Summary, measure: str) -> pd.DataFrame:
    """Return the rows of one measure, without the columns that do not apply to it."""
    table = result.table[result.table["measure"] == measure].drop(columns="measure")
    if measure == "effect":
        return inferred(table.drop(columns=["rank_low", "rank_high"]))
    table = table.drop(columns=["level", "reference", "class"], errors="ignore")
    return table.sort_values("value", ascending=False, kind="stable")


def ranks_of(table: pd.DataFrame) -> list[str]:
    """Return each rank as text; a range is a tie."""
    return [
        str(low) if low == high else f"{low}–{high}"
        for low, high in zip(table["rank_low"], table["rank_high"], strict=True)
    ]
