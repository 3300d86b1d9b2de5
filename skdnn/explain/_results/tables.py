"""Results that are tables: profiles, importance, effects, counterfactuals."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from skdnn.explain._results.attributions import Result, plain_list


@dataclass(frozen=True)
class Profiles(Result):
    """How the output moves with a column, for each class.

    Attributes
    ----------
    table : DataFrame
        Columns: feature, class, x, value; with `sample` where each row has a curve,
        and `feature_2` and `x_2` where two columns move.
    method : str
        How the other columns were treated.
    n_background : int
        Rows averaged over.
    ticks : dict of str to ndarray
        Deciles of the numeric columns, or shares of the levels of the others.
    unit : str
        What `value` is measured in, in words.
    own : dict of str to ndarray of shape (n_samples,), or None
        Each row's own cell, where the curves are those of explained rows.
    refit_errors : ndarray of shape (n_rows,) or None
        Standard deviation of each `value` of `frame()` over the members of an
        ensemble; None without refits.
    n_refits : int
        Members that it was made of.
    """

    table: pd.DataFrame
    method: str
    n_background: int
    ticks: dict[str, Any]
    unit: str = "probability"
    own: dict[str, Any] | None = None
    refit_errors: Any = None
    n_refits: int = 0

    def _refitted(self) -> tuple[Any, Any]:
        return self.table["value"].to_numpy(), self.refit_errors

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain data that ``json.dumps`` takes."""
        return {**super().to_dict(), "refit_errors": plain_list(self.refit_errors)}

    @property
    def title(self) -> str:
        """What the result is, in words."""
        return self.method

    def frame(self) -> pd.DataFrame:
        """Return a row for each column, class and place on the grid.

        Returns
        -------
        DataFrame
            Columns: feature, class, x, value; `sample` before them for single curves;
            feature, feature_2, class, x, x_2, value of two columns.
        """
        return self.table.copy()

    def plot(
        self,
        feature=None,
        *,
        sample=None,
        target_class=None,
        max_display=12,
        ax=None,
    ):
        """Draw a curve or bars for each class; of two columns, a map for each.

        Parameters
        ----------
        feature : str or pair of str, default=None
            None draws columns in Axes of their own.
        sample : int, default=None
            Row whose curves are drawn, if each has its own. None is all.
        target_class : class label, default=None
            None is all classes.
        max_display : int, default=12
            Columns drawn, if there are more those whose curves move most.
        ax : matplotlib Axes, default=None
            Where to draw; needs one `feature`, and of two columns one class.

        Returns
        -------
        matplotlib Axes or ndarray of Axes
        """
        from skdnn.explain._plots import profiles as _plot_profiles

        return _plot_profiles.plot_profiles(
            self, feature, sample, target_class, max_display, ax
        )


@dataclass(frozen=True)
class ResultTable(Result):
    """A result that is one small table.

    Attributes
    ----------
    table : DataFrame
        The result.
    heading : str
        What it is, in words.
    kind : {"importance", "effects", "agreement"}
        Which plot it has.
    refit_errors : ndarray of shape (n_rows,) or None
        Standard deviation of each importance or effect over the members of an
        ensemble; None without refits.
    n_refits : int
        Members that it was made of.
    """

    table: pd.DataFrame
    heading: str
    kind: str
    refit_errors: Any = None
    n_refits: int = 0

    def _refitted(self) -> tuple[Any, Any]:
        column = {"effects": "effect", "importance": "importance"}[self.kind]
        return self.table[column].to_numpy(), self.refit_errors

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain data that ``json.dumps`` takes."""
        return {**super().to_dict(), "refit_errors": plain_list(self.refit_errors)}

    @property
    def title(self) -> str:
        """What the result is, in words."""
        return self.heading

    def frame(self) -> pd.DataFrame:
        """Return the result as a tidy frame."""
        return self.table.copy()

    def describe(self) -> str:
        """Say in plain sentences which columns matter most; of importance only.

        Returns
        -------
        str
            The first three columns with their intervals, and which of them these do
            not separate.

        Raises
        ------
        ValueError
            If the table is not one of importance.
        """
        from skdnn.explain._text.sentences import describe_importance

        if self.kind != "importance":
            raise ValueError(
                f"describe must be asked of importance. Got {self.kind}; read frame()."
            )
        return describe_importance(self.table)

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
        from skdnn.explain._plots import tables as _plot_tables

        return _plot_tables.plot_table(self, max_display, ax)


@dataclass(frozen=True)
class Counterfactuals(Result):
    """What would have to be otherwise for another class.

    Attributes
    ----------
    table : DataFrame
        A row or more for each explained row: sample, found, target, columns of X.
    changed : DataFrame
        A row for each cell that changes: row, sample, feature, old, new.
    is_fewest : ndarray of shape (n_samples,), bool
        Whether every smaller set of columns was tried with every value; of a row that
        nothing was found for, whether every set was.
    n_background : int
        Rows whose cells were tried.
    member_shares : ndarray of shape (n_rows,) or None
        Share of the members of an ensemble that predict the target of each row of
        `frame()`: how likely another fit is to agree. None without members.
    """

    table: pd.DataFrame
    changed: pd.DataFrame
    is_fewest: np.ndarray
    n_background: int
    member_shares: np.ndarray | None = None

    @property
    def title(self) -> str:
        """What the result is, in words."""
        return "Counterfactuals: fewest changes"

    def frame(self) -> pd.DataFrame:
        """Return the changed rows.

        Returns
        -------
        DataFrame
            Columns: sample, found, target, and those of X in their own dtypes.
        """
        return self.table.copy()

    def changes(self) -> pd.DataFrame:
        """Return what changes.

        Returns
        -------
        DataFrame
            A row for each cell: row (position in `frame()`), sample, feature, old, new.
        """
        return self.changed.copy()

    def describe(self, sample=0) -> str:
        """Say in a plain sentence what would make a row another class.

        Parameters
        ----------
        sample : int, default=0
            Position of the row among those explained.

        Returns
        -------
        str

        Raises
        ------
        ValueError
            If there is no such row.
        """
        from skdnn.explain._text.sentences import describe_change

        n = len(self.is_fewest)
        if not isinstance(sample, int | np.integer) or not -n <= sample < n:
            raise ValueError(
                f"`sample` must be the position of one of the {n} explained rows. Got "
                f"{sample!r}."
            )
        at = int(sample) % n
        own = self.table[self.table["sample"] == at]
        return describe_change(own, self.changed, bool(self.is_fewest[at]))

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain data that ``json.dumps`` takes."""
        facts = {"is_fewest": self.is_fewest, "member_shares": self.member_shares}
        return super().to_dict() | {
            name: plain_list(fact) for name, fact in facts.items()
        }

    def plot(self, *, max_display=12, ax=None):
        """Draw a table of the cells that change, before and after.

        Parameters
        ----------
        max_display : int, default=12
            Rows and columns shown, columns that change most often.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        matplotlib Axes
        """
        from skdnn.explain._plots import tables as _plot_tables

        return _plot_tables.plot_counterfactuals(self, max_display, ax)
