"""Curves and maps of the output over columns."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from skdnn.explain._results.registry import dispatch
from skdnn.explain._results.result import TableResult

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

# in a notebook, which shows a result at once
FEW_ROWS, _FEW_PANELS = 20, 3
# the method whose curves stay within the data
ACCUMULATED = "Accumulated local effects"


@dataclass(frozen=True)
class Profiles(TableResult):
    """The output along each column, for each class.

    Attributes
    ----------
    table : DataFrame
        One row per column, class and grid point: feature, class, x, value; `sample`
        before them where each row has its own curve; feature, feature_2, class, x,
        x_2, value for pairs of columns.
    method : str
        Name of the method.
    n_background : int
        Number of rows averaged over.
    ticks : dict of str to ndarray
        Deciles of the numeric columns, shares of the categories of the others.
    unit : str
        Unit of `value`, for example "probability".
    own : dict of str to ndarray of shape (n_samples,), or None
        The cells of the explained rows, if the curves belong to these.
    refit_errors : ndarray of shape (n_rows,) or None
        Standard deviation of each value over the members; None without refits.
    n_refits : int
        Number of these members.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skdnn import explain
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> model = LogisticRegression(max_iter=1000).fit(X, y)
    >>> profiles = explain.partial_dependence(model, X, grid_resolution=5)
    >>> list(profiles.frame())
    ['feature', 'class', 'x', 'value']
    >>> profiles.to_dict()["title"]
    'Partial dependence'
    """

    _facts: ClassVar[tuple[str, ...]] = ("refit_errors",)

    method: str
    n_background: int
    ticks: dict[str, Any]
    unit: str = "probability"
    own: dict[str, Any] | None = None
    refit_errors: np.ndarray | None = None
    n_refits: int = 0

    @property
    def title(self) -> str:
        """The name of the result."""
        return self.method

    def first_rows(self) -> "Profiles":
        """Return the curves of the first 20 rows, where each row has its own.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.linear_model import LogisticRegression
        >>> from skdnn import explain
        >>> X, y = load_iris(return_X_y=True, as_frame=True)
        >>> model = LogisticRegression(max_iter=1000).fit(X, y)
        >>> curves = explain.ceteris_paribus(model, X, background=X)
        >>> curves.first_rows().frame()["sample"].nunique()
        20
        """
        if "sample" not in self.table:
            return self
        table = self.table[self.table["sample"] < FEW_ROWS]
        return replace(self, table=table.reset_index(drop=True))

    def _draw_first(self) -> Any:
        return self.first_rows().plot(max_display=_FEW_PANELS)

    def _refitted(self) -> tuple[Any, Any]:
        return self.table["value"].to_numpy(), self.refit_errors

    def plot(
        self,
        feature: str | tuple[str, str] | None = None,
        *,
        sample: int | None = None,
        target_class: Any = None,
        classes: "Sequence[Any] | None" = None,
        max_display: int = 12,
        ax: "Axes | None" = None,
    ) -> "Axes | np.ndarray":
        """Draw one curve or group of bars per class; for pairs, one map per class.

        Parameters
        ----------
        feature : str or pair of str, default=None
            None draws each column in its own Axes.
        sample : int, default=None
            Position of the row, if each row has its own curve. None is all rows.
        target_class : class label, default=None
            The class that is drawn alone. None is that of `classes`.
        classes : list of class labels, default=None
            The classes that are coloured, at most seven; the others are grey. None is
            all of up to five, else the five that move most; of two, only the second,
            of which the first is the mirror image.
            Maps are drawn of these only.
        max_display : int, default=12
            Maximum number of columns drawn, those whose curves vary most first; at most
            12. Columns whose curves are flat, less than 1% of what all curves span, are
            left out.
        ax : matplotlib Axes, default=None
            Where to draw; needs one `feature`, and for pairs of columns one class.

        Returns
        -------
        matplotlib Axes or ndarray of Axes

        Raises
        ------
        ValueError
            If there is no such column, row or class, or both `target_class` and
            `classes` are given.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.linear_model import LogisticRegression
        >>> from skdnn import explain
        >>> X, y = load_iris(return_X_y=True, as_frame=True)
        >>> model = LogisticRegression(max_iter=1000).fit(X, y)
        >>> curves = explain.partial_dependence(model, X, grid_resolution=5)
        >>> curves.plot("petal width (cm)", classes=[0, 2]).get_xlabel()
        'petal width (cm)'
        """
        options = (feature, sample, target_class, classes, max_display, ax)
        axes: Axes | np.ndarray = dispatch("plot", self)(self, *options)
        return axes
