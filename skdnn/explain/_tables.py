"""Results that are tables: profiles, importance, effects, counterfactuals."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from skdnn.explain._explanation import Result


@dataclass(frozen=True)
class Profiles(Result):
    """How the output moves with a column, for each class.

    Attributes
    ----------
    table : DataFrame
        Columns: feature, class, x, value; with `sample` where each row has a curve.
    method : str
        How the other columns were treated.
    n_background : int
        Rows averaged over.
    ticks : dict of str to ndarray
        Deciles of the numeric columns, or shares of the levels of the others.
    """

    table: pd.DataFrame
    method: str
    n_background: int
    ticks: dict[str, Any]

    @property
    def title(self) -> str:
        """What the result is, in words."""
        return self.method

    def frame(self) -> pd.DataFrame:
        """Return a row for each column, class and place on the grid.

        Returns
        -------
        DataFrame
            Columns: feature, class, x, value; and `sample` for single curves.
        """
        return self.table.copy()

    def plot(self, feature=None, *, max_display=12, ax=None):
        """Draw a curve or bars for each class.

        Parameters
        ----------
        feature : str, default=None
            None draws columns in Axes of their own.
        max_display : int, default=12
            Columns drawn, if there are more those whose curves move most.
        ax : matplotlib Axes, default=None
            Where to draw; needs one `feature`.

        Returns
        -------
        matplotlib Axes or ndarray of Axes
        """
        from skdnn.explain import _plot_tables

        return _plot_tables.plot_profiles(self, feature, max_display, ax)


@dataclass(frozen=True)
class Table(Result):
    """A result that is one small table.

    Attributes
    ----------
    table : DataFrame
        The result.
    heading : str
        What it is, in words.
    kind : {"importance", "agreement"}
        Which plot it has.
    """

    table: pd.DataFrame
    heading: str
    kind: str

    @property
    def title(self) -> str:
        """What the result is, in words."""
        return self.heading

    def frame(self) -> pd.DataFrame:
        """Return the result as a tidy frame."""
        return self.table.copy()

    def plot(self, *, max_display=12, ax=None):
        """Draw the table as bars.

        Parameters
        ----------
        max_display : int, default=12
            Rows shown, the largest first.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        matplotlib Axes
        """
        from skdnn.explain import _plot_tables

        return _plot_tables.plot_table(self, max_display, ax)
