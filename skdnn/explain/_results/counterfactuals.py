"""Counterfactuals."""

import html
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from skdnn._runtime.names import free_name
from skdnn.explain._results.registry import dispatch
from skdnn.explain._results.result import DrawnTable, sample_position

# The first columns of the table.
OWN_COLUMNS = ("sample", "found", "target")
# What the name of a column is followed by where its old values are.
_OLD = "_old"
_PREVIEW_ROWS = 30
_LEFT, _LEFT_HEAD = (f'<{tag} style="text-align:left">' for tag in ("td", "th"))
_LEAST_DIGITS, _MOST_DIGITS = 4, 17
_LARGE, _HUGE = 1e3, 1e15
NOT_STATED = (
    "It is not known which columns can be changed: explain.counterfactuals(…, "
    'actionable={"age": False}) states it.'
)


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
    costs : ndarray of shape (n_rows,) or None
        Costs of the changes of each row, summed over columns: changes of numbers as
        shares of their range in the background, steps along an order as shares of all
        its steps, and other changes as 1, each times the cost of the column.
    reasons : tuple of str
        Why there is no counterfactual, for each explained row; empty where there is.
    actionable : dict or None
        Which columns can be changed, as given; None if nothing is known.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skdnn import explain
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> model = LogisticRegression(max_iter=1000).fit(X, y)
    >>> changed = explain.counterfactuals(
    ...     model, X[70:71], background=X, actionable={"sepal length (cm)": False}
    ... )
    >>> changed.changes()
       row  sample            feature  old  new
    0    0       0  petal length (cm)  4.8  4.7
    >>> print(changed.describe())
    This row would be class 1 if petal length (cm) were 4.7 instead of 4.8.
    >>> changed.frame().shape
    (1, 8)
    """

    title: ClassVar[str] = "Counterfactuals: fewest changes"
    _facts: ClassVar[tuple[str, ...]] = (
        "is_fewest",
        "member_shares",
        "costs",
        "reasons",
    )

    changed: pd.DataFrame
    is_fewest: np.ndarray
    n_background: int
    member_shares: np.ndarray | None = None
    costs: np.ndarray | None = None
    reasons: tuple[str, ...] = ()
    actionable: dict[str | int, Any] | None = None

    @property
    def warning(self) -> str:
        """That it is not known which columns can be changed; empty if it is."""
        return NOT_STATED if self.actionable is None and len(self.changed) else ""

    def frame(self) -> pd.DataFrame:
        """Return the table; a column that changes is followed by its old values.

        These are in a column such as `age_old`, equal to the new ones in the rows in
        which the column does not change.
        """
        table = self.table.copy()
        names = [str(label) for label in self.table]
        features = self.changed["feature"].to_numpy()
        for name in dict.fromkeys(features):
            if name not in names[len(OWN_COLUMNS) :]:
                continue
            cells = self.changed[features == name]
            at = names.index(name, len(OWN_COLUMNS))
            old = table.iloc[:, at].astype(object)
            old.iloc[cells["row"].to_numpy()] = cells["old"].to_numpy()
            label = free_name(f"{name}{_OLD}", names)
            table.insert(at + 1, label, old.astype(table.dtypes.iloc[at]))
            names.insert(at + 1, label)
        return table

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

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.linear_model import LogisticRegression
        >>> from skdnn import explain
        >>> X, y = load_iris(return_X_y=True, as_frame=True)
        >>> model = LogisticRegression(max_iter=1000).fit(X, y)
        >>> result = explain.counterfactuals(
        ...     model, X[70:71], background=X, actionable={"petal length (cm)": False}
        ... )
        >>> print(result.describe(0))
        This row would be class 1 if petal width (cm) were 1.7 instead of 1.8.
        """
        at = sample_position(len(self.is_fewest), sample)
        return str(dispatch("describe", self)(self, at))

    def _html_body(self) -> str:
        rows = [
            self._html_row(row) for row in self.rows.head(_PREVIEW_ROWS).itertuples()
        ]
        head = f"<tr><th>row</th>{_LEFT_HEAD}class</th>{_LEFT_HEAD}old → new</th></tr>"
        table = f"<table><thead>{head}</thead><tbody>{''.join(rows)}</tbody></table>"
        more = len(self.table) - _PREVIEW_ROWS
        note = f"<p>… and {more} more rows: frame()</p>" if more > 0 else ""
        return f"{table}{note}"

    def _html_row(self, row: Any) -> str:
        """Return one proposal as a row of the table: only what changes."""
        lines = []
        for cell in self.changed[self.changed["row"] == row.Index].itertuples():
            old, new = shown_pair(cell.old, cell.new)
            lines.append(f"{cell.feature}: {old} → {new}")
        if not row.found:
            reason = self.reasons[row.sample] if self.reasons else ""
            lines = [f"not found{': ' if reason else ''}{reason}"]
        changes = "<br>".join(html.escape(line) for line in lines or ["no change"])
        target = html.escape(str(row.target))
        return (
            f"<tr><td>{row.sample}</td>{_LEFT}{target}</td>{_LEFT}{changes}</td></tr>"
        )


def shown_pair(old: Any, new: Any) -> tuple[str, str]:
    """Return two different values as texts that differ: numbers with enough digits."""
    for digits in range(_LEAST_DIGITS, _MOST_DIGITS + 1):
        pair = _shown(old, digits), _shown(new, digits)
        if pair[0] != pair[1]:
            break
    return pair


def _shown(value: Any, digits: int) -> str:
    if pd.isna(value):
        return "missing"
    if not isinstance(value, float | np.floating):
        return str(value)
    number = float(value)
    if _LARGE <= abs(number) < _HUGE:  # all digits of whole numbers
        digits = max(digits, len(f"{abs(number):.0f}") + (not number.is_integer()))
    return f"{number:.{digits}g}"
