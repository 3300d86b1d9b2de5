"""Break-down attributions."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from skdnn.explain._results.attributions import Attributions

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, repr=False, kw_only=True)
class BreakDown(Attributions):
    """Attributions that depend on the order of the columns.

    Attributes
    ----------
    orders : ndarray of shape (n_samples, n_features)
        Positions of the columns in the order in which they were added. All other
        attributes are those of `Attributions`.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skdnn import explain
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> model = LogisticRegression(max_iter=1000).fit(X, y)
    >>> result = explain.break_down(model, X[:2], background=X, random_state=0)
    >>> [result.feature_names[j] for j in result.orders[0, :2]]
    ['petal length (cm)', 'petal width (cm)']
    """

    _by_sample: ClassVar[tuple[str, ...]] = (*Attributions._by_sample, "orders")

    orders: np.ndarray

    @property
    def title(self) -> str:
        """The name of the result."""
        return f"Break-down ({self.method})"

    @property
    def caveat(self) -> str:
        """One sentence that limits the description of a row."""
        return "In another order, columns that interact would have other attributions."

    def plot(
        self,
        kind: str = "waterfall",
        *,
        sample: int | None = None,
        target_class: Any = None,
        max_display: int = 12,
        ax: "Axes | None" = None,
    ) -> "Axes":
        """Draw the attributions.

        Parameters
        ----------
        kind : {"waterfall", "bar", "beeswarm"}, default="waterfall"
            A waterfall leads from the base value to the prediction of one row and
            class, in the row's order; for the others see ``Attributions.plot``.
        sample : int, default=None
            Position of the row. None is the first row for a waterfall, else all rows.
        target_class : class label, default=None
            See ``Attributions.plot``.
        max_display : int, default=12
            Maximum number of columns shown.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        matplotlib Axes
        """
        return super().plot(
            kind,
            sample=sample,
            target_class=target_class,
            max_display=max_display,
            ax=ax,
        )
