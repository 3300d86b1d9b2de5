"""Counterfactuals."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from skdnn.explain._results.registry import dispatch
from skdnn.explain._results.result import DrawnTable, sample_position

# The first columns of the table.
OWN_COLUMNS = ("sample", "found", "target")


@dataclass(frozen=True)
class Counterfactuals(DrawnTable):
    """The fewest changes of a row for which another class is predicted.

    Attributes
    ----------
    table : DataFrame
        One or more rows per explained row: sample, found, target (each followed by an
        underscore where X has a column of this name), and the columns of X in their own
        dtypes, changed.
    changed : DataFrame
        One row per changed cell: row, sample, feature, old, new.
    is_fewest : ndarray of shape (n_samples,), bool
        Whether every smaller set of columns was tried with every value; without a
        counterfactual, whether every set was.
    n_background : int
        Number of rows whose cells were tried.
    member_shares : ndarray of shape (n_rows,) or None
        Share of the members of an ensemble, or of the eight networks of
        ``DNNClassifier()``, that predict the target of each row: how many of such
        networks would agree. None without members.
    """

    title: ClassVar[str] = "Counterfactuals: fewest changes"
    _facts: ClassVar[tuple[str, ...]] = ("is_fewest", "member_shares")

    changed: pd.DataFrame
    is_fewest: np.ndarray
    n_background: int
    member_shares: np.ndarray | None = None

    @property
    def rows(self) -> pd.DataFrame:
        """The columns sample, found and target of the table under these names."""
        return self.table.iloc[:, : len(OWN_COLUMNS)].set_axis(OWN_COLUMNS, axis=1)

    def changes(self) -> pd.DataFrame:
        """Return the changed cells: row (of `frame()`), sample, feature, old, new."""
        return self.changed.copy()

    def describe(self, sample: int = 0) -> str:
        """Describe in a plain sentence which changes lead to another class.

        Parameters
        ----------
        sample : int, default=0
            Position of the explained row.

        Returns
        -------
        str

        Raises
        ------
        ValueError
            If there is no such row.
        """
        at = sample_position(len(self.is_fewest), sample)
        return str(dispatch("describe", self)(self, at))
