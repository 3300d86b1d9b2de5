"""The base of all results of the explain functions."""

import html
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd

from skdnn._runtime.names import visible
from skdnn._runtime.suggestions import did_you_mean
from skdnn.explain._results.intervals import t_quantile
from skdnn.explain._results.notebook import picture_of, table_of
from skdnn.explain._results.registry import dispatch

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from skdnn.explain._results.checks import Checks

_PREVIEW_ROWS = 10


class Result(ABC):
    """A result: a frozen dataclass with a tidy table, checks, and HTML for notebooks.

    What is done with it (`plot`, `describe`, `checks`) is registered by its type.
    """

    # attributes that `to_dict` adds to the columns of the frame
    _facts: ClassVar[tuple[str, ...]] = ()
    # members of the ensemble behind `refit_errors`, in results that have it
    n_refits: int = 0

    @property
    @abstractmethod
    def title(self) -> str:
        """The name of the result."""

    @property
    def warning(self) -> str:
        """One sentence on what limits the result; empty if there is nothing."""
        return ""

    @abstractmethod
    def frame(self) -> pd.DataFrame:
        """Return the result as a tidy DataFrame."""

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain data that ``json.dumps`` takes.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.linear_model import LogisticRegression
        >>> from skdnn import explain
        >>> X, y = load_iris(return_X_y=True, as_frame=True)
        >>> model = LogisticRegression(max_iter=1000).fit(X, y)
        >>> result = explain.partial_dependence(model, X)
        >>> result.to_dict()["title"]
        'Partial dependence'
        """
        table = self.frame()
        columns = {str(c): [_plain(value) for value in table[c]] for c in table}
        facts = {name: plain_list(getattr(self, name)) for name in self._facts}
        return {"title": self.title, "columns": columns, **facts}

    def checks(
        self,
        estimator: Any = None,
        X: Any = None,
        *,
        background: Any = None,
        random_state: int | np.random.RandomState | None = 0,
    ) -> "Checks":
        """Check how far the result can be trusted.

        Parameters
        ----------
        estimator : object, default=None
            The classifier, for the checks that need its predictions (deletion curve,
            other seeds, other methods, synthetic rows, grid points off the data) and
            take as long as the explanation, or longer. None leaves them out.
        X : {array-like, DataFrame} of shape (n_samples, n_features), default=None
            The explained rows; required with an estimator.
        background : like X, default=None
            The background rows of the explanation.
        random_state : int, RandomState or None, default=0
            Seed of the random draws.

        Returns
        -------
        Checks
            A sequence of findings; `frame()` returns them as a table.

        Raises
        ------
        ValueError
            If an estimator is given without `X`, or they are not those of the result.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.linear_model import LogisticRegression
        >>> from skdnn import explain
        >>> X, y = load_iris(return_X_y=True, as_frame=True)
        >>> model = LogisticRegression(max_iter=1000).fit(X, y)
        >>> result = explain.shap(model, X[::15], background=X, random_state=0)
        >>> result.checks()[0].verdict
        'silent'
        >>> for finding in result.checks(model, X[::15], background=X).fired:
        ...     print(finding.code, finding.title)
        SKD108 Synthetic rows resemble the data
        """
        options = (estimator, X, background, random_state)
        checks: Checks = dispatch("checks", self)(self, *options)
        return checks

    def refit_interval(self, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
        """Return prediction intervals for the values of another fit.

        Members fitted to bootstrap samples vary the training rows and the seeds;
        members that differ in their seeds alone vary only the seeds. The networks of
        ``DNNClassifier()`` vary the seeds and, slightly, the rows: the interval is of
        another network of this kind, not of a fit to other rows.

        Parameters
        ----------
        level : float, default=0.95
            Coverage of the intervals.

        Returns
        -------
        low, high : ndarray of the shape of `refit_errors`
            Quantiles of Student's t with ``n_refits - 1`` degrees of freedom.

        Raises
        ------
        ValueError
            If there are no refits, or the level is not between 0 and 1.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from skdnn import DNNClassifier, explain
        >>> X, y = load_iris(return_X_y=True)
        >>> network = DNNClassifier(
        ...     (8,), n_estimators=3, bootstrap=True, learning_rate_init=0.05,
        ...     max_iter=20, n_iter_no_change=20, random_state=0,
        ... ).fit(X, y)
        >>> result = explain.shap(network, X[:3], background=X, random_state=0)
        >>> low, high = result.refit_interval()
        >>> low.shape
        (3, 4, 3)
        """
        if not self.n_refits:
            raise ValueError(
                "Intervals over refits must have an ensemble. Got none; "
                "explain DNNClassifier(n_estimators=20, bootstrap=True), or another "
                "estimator that has predict_members."
            )
        values, errors = self._refitted()
        reach = t_quantile(level, self.n_refits - 1) * errors
        return values - reach, values + reach

    def _refitted(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the values that differ between members, and their `refit_errors`."""
        raise NotImplementedError

    def _repr_html_(self) -> str:
        return self._html_page(self._html_body())

    def _html_page(self, body: str) -> str:
        """Return heading, picture and sentence, and a body of tables below them."""
        sentence = self._headline()
        picture = ""
        if hasattr(self, "plot"):
            picture = picture_of(self._draw_first, f"{self.title}: {sentence}")
        text = f"<p>{html.escape(sentence)}</p>" if sentence else ""
        page = f"<div>{self._html_heading()}{picture}{text}{body}</div>"
        return visible(page, keep="\n\t")

    def _html_body(self) -> str:
        """Return the first rows of the frame as a table."""
        table = self.frame()
        more = len(table) - _PREVIEW_ROWS
        note = f"<p>… and {more} more rows: frame()</p>" if more > 0 else ""
        return f"{table_of(table.head(_PREVIEW_ROWS))}{note}"

    def _headline(self) -> str:
        """Return a sentence on what the numbers show."""
        return str(dispatch("headline", self)(self))

    def _draw_first(self) -> Any:
        """Draw what a notebook shows; of types that have a plot."""
        return self.plot()  # type: ignore[attr-defined]

    def __str__(self) -> str:
        return visible(repr(self), keep="\n\t")

    def _html_heading(self) -> str:
        title, warning = html.escape(self.title), html.escape(self.warning)
        note = f"<p><em>{warning}</em></p>" if warning else ""
        return f"<strong>{title}</strong>{note}"


@dataclass(frozen=True)
class TableResult(Result):
    """A result that is one table."""

    table: pd.DataFrame

    def frame(self) -> pd.DataFrame:
        """Return a copy of the attribute `table`.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.linear_model import LogisticRegression
        >>> from skdnn import explain
        >>> X, y = load_iris(return_X_y=True, as_frame=True)
        >>> model = LogisticRegression(max_iter=1000).fit(X, y)
        >>> explain.permutation_importance(model, X, y, random_state=0).frame().shape
        (4, 6)
        """
        return self.table.copy()


class DrawnTable(TableResult):
    """A table that is drawn as one picture."""

    def plot(self, *, max_display: int = 12, ax: "Axes | None" = None) -> "Axes":
        """Draw the table.

        Parameters
        ----------
        max_display : int, default=12
            Maximum number of rows shown, the first ones, and of columns, those that
            change most often first; a new figure shows as many as fit on a page.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        matplotlib Axes

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.linear_model import LogisticRegression
        >>> from skdnn import explain
        >>> X, y = load_iris(return_X_y=True, as_frame=True)
        >>> model = LogisticRegression(max_iter=1000).fit(X, y)
        >>> changed = explain.counterfactuals(model, X[:2], background=X)
        >>> changed.plot().get_title()
        'Counterfactuals: fewest changes'
        """
        axes: Axes = dispatch("plot", self)(self, max_display, ax)
        return axes


def class_position(
    class_names: np.ndarray, target_class: Any, name: str = "target_class"
) -> int:
    """Return the position of a class; `name` is the parameter that errors mention."""
    labels = class_names.tolist()
    if target_class not in labels:
        hint = did_you_mean(target_class, labels)
        raise ValueError(
            f"`{name}` must be one of the classes {labels}. Got {target_class!r}.{hint}"
        )
    return int(labels.index(target_class))


def sample_position(n_samples: int, sample: Any) -> int:
    """Return the position of an explained row, counted from the first."""
    is_whole = isinstance(sample, int | np.integer)
    if not is_whole or not -n_samples <= sample < n_samples:
        raise ValueError(
            f"`sample` must be the position of one of the {n_samples} explained rows. "
            f"Got {sample!r}."
        )
    return int(sample) % n_samples


def plain_list(values: Any) -> Any:
    """Return an array as nested lists of plain values."""
    if values is None or np.ndim(values) == 0:
        return _plain(values)
    return [plain_list(part) for part in values]


def _plain(value: Any) -> bool | int | float | str | None:
    """Return a value as JSON has it: None for a missing or infinite one."""
    value = value.item() if isinstance(value, np.generic) else value
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value if isinstance(value, bool | int | float | str) else str(value)
