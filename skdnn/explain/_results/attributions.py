"""Attributions of SHAP, LIME and break-down."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import pandas as pd

from skdnn.explain._results.frames import frame_of
from skdnn.explain._results.intervals import t_quantile
from skdnn.explain._results.registry import dispatch
from skdnn.explain._results.result import (
    Result,
    class_position,
    plain_list,
    sample_position,
)
from skdnn.explain._results.uncertainty import Uncertainty

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

# A surrogate with a lower weighted R² does not represent the classifier.
LEAST_SCORE = 0.5


@dataclass(frozen=True, repr=False)
class Attributions(Result):
    """The contribution of each column to each class, for each explained row.

    Attributes
    ----------
    values : ndarray of shape (n_samples, n_features, n_classes)
        Attributions, in units of `output`.
    std_errors : ndarray of shape (n_samples, n_features, n_classes)
        Standard errors of `values` from sampling; 0 where they are exact.
    base_values : ndarray of shape (n_classes,) or (n_samples, n_classes)
        Mean output over the background rows. LIME: the surrogate's output where all
        cells are those compared with, one per row.
    predictions : ndarray of shape (n_samples, n_classes)
        Output of the classifier for the explained rows.
    residual : ndarray of shape (n_samples, n_classes)
        Prediction minus base value minus the sum of the attributions.
    feature_names : list of str
        The user's columns, or groups of them.
    class_names : ndarray of shape (n_classes,)
        The classes, in their own dtype; for a contrast, one name of both.
    data : ndarray of shape (n_samples, n_features)
        The explained cells as given; the cells of a group as one text.
    method : str
        Which estimator of the attributions was used.
    output : {"probability", "log_odds"}
        What is explained.
    n_background : int
        Number of background rows used.
    random_state : int, RandomState or None
        As given.
    refit_errors : ndarray of shape (n_samples, n_features, n_classes) or None
        Standard deviation over the members of an ensemble: how far another fit would
        differ, by what these differ in (see `refit_interval`). None without refits.
    score : ndarray of shape (n_samples, n_classes) or None
        LIME: R² of each surrogate over the rows around. None for SHAP.
    error_df : int or None
        Degrees of freedom of `std_errors`; None if they are many or undefined.
    images : ndarray of shape (n_samples, ...) or None
        The explained rows, if they are images or sequences; None for tables.
    layout : ndarray or None
        Of the shape of an image: the feature that each of its cells belongs to.
    n_refits : int
        Number of members behind `refit_errors`; 0 without refits.
    predicted : ndarray of shape (n_samples,) or None
        Position of the class that the classifier's ``predict`` names, which a tuned
        threshold may make another than the most probable; None for a contrast.
    scales : ndarray of shape (n_samples,) or None
        LIME: standard deviation of the steps around each row, in those of the columns.
        Like `references` and `slopes`, None for other methods and those of the lime
        package.
    references : ndarray of shape (n_samples, n_features) or None
        LIME: the number that each cell is compared with, one step nearer to the mean of
        its column, at most there; None for a cell compared with all others that the
        background has.
    slopes : ndarray of shape (n_samples, n_classes) or None
        LIME: p(1 - p) at each row, by which effects on the log odds are multiplied to
        be those on the probability.
    uncertainty : Uncertainty or None
        Whether the classifier knows the class of each row: of classifiers with
        `predict_set` or `predict_members`, except for contrasts.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skdnn import explain
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> model = LogisticRegression(max_iter=1000).fit(X, y)
    >>> result = explain.shap(model, X[:3], background=X, random_state=0)
    >>> result.values.shape
    (3, 4, 3)
    >>> list(result.frame())
    ['sample', 'feature', 'class', 'data', 'value', 'std_error']
    >>> result.describe(0).partition(" by ")[0]
    'For this row, petal length (cm) = 1.4 raises the probability of class 0'
    >>> result.plot().get_xlabel()
    'mean absolute attribution (probability)'
    >>> result.plot("waterfall", sample=0).get_title().splitlines()
    ['SHAP: row 0', 'class 0']
    >>> low, high = result.interval()
    >>> bool((low == high).all())  # four columns: these values are exact
    True
    >>> result.to_dict()["classes"]
    [0, 1, 2]
    >>> result.to_shap().shape  # for the plots of the shap package
    (3, 4, 3)
    >>> result.sample_position(-1), result.class_position(2), result.default_class(0)
    (2, 2, 0)
    """

    _facts: ClassVar[tuple[str, ...]] = (
        "base_values", "predictions", "residual", "score", "poor_fit", "refit_errors",
        "n_refits", "method", "output", "n_background", "scales", "references",
        "slopes",
    )  # fmt: skip
    _by_sample: ClassVar[tuple[str, ...]] = (
        "values", "std_errors", "predictions", "predicted", "data", "score",
        "refit_errors", "images", "scales", "references", "slopes",
    )  # fmt: skip

    values: np.ndarray
    std_errors: np.ndarray
    base_values: np.ndarray
    predictions: np.ndarray
    feature_names: list[str]
    class_names: np.ndarray
    data: np.ndarray
    method: str
    output: str
    n_background: int
    random_state: Any
    refit_errors: np.ndarray | None = None
    score: np.ndarray | None = None
    error_df: int | None = None
    images: np.ndarray | None = None
    layout: np.ndarray | None = None
    n_refits: int = 0
    predicted: np.ndarray | None = None
    scales: np.ndarray | None = None
    references: np.ndarray | None = None
    slopes: np.ndarray | None = None
    uncertainty: Uncertainty | None = None
    caveat: ClassVar[str] = ""  # what limits the description of a row

    @property
    def title(self) -> str:
        """The name of the result."""
        return "SHAP" if self.score is None else "LIME"

    @property
    def residual(self) -> np.ndarray:
        """Prediction minus base value minus the sum of the attributions."""
        gap: np.ndarray = self.predictions - self.base_values - self.values.sum(axis=1)
        return gap

    @property
    def poor_fit(self) -> np.ndarray | None:
        """Where a surrogate's R² is below 0.5; of the shape of `score`, or None."""
        return None if self.score is None else self.score < LEAST_SCORE

    @property
    def warning(self) -> str:
        """One sentence on what limits the result; empty if there is nothing."""
        note = poor_note(self)
        remark = "their attributions do not represent the classifier."
        return f"{note}: {remark}" if note else ""

    def interval(self, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
        """Return confidence intervals with respect to sampling.

        Parameters
        ----------
        level : float, default=0.95
            Coverage of the intervals.

        Returns
        -------
        low, high : ndarray of shape (n_samples, n_features, n_classes)
            Quantiles of Student's t; NaN where no standard error is known.

        Raises
        ------
        ValueError
            If the level is not between 0 and 1.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.linear_model import LogisticRegression
        >>> from skdnn import explain
        >>> X, y = load_iris(return_X_y=True, as_frame=True)
        >>> model = LogisticRegression(max_iter=1000).fit(X, y)
        >>> result = explain.shap(model, X[:3], background=X, random_state=0)
        >>> low, high = result.interval(0.9)
        >>> low.shape
        (3, 4, 3)
        """
        reach = t_quantile(level, self.error_df) * self.std_errors
        return self.values - reach, self.values + reach

    def _refitted(self) -> tuple[Any, Any]:
        return self.values, self.refit_errors

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain data that ``json.dumps`` takes."""
        known = self.uncertainty
        return super().to_dict() | {
            "classes": plain_list(self.class_names),
            "uncertainty": None if known is None else known.to_dict(),
        }

    def frame(self) -> pd.DataFrame:
        """Return a row per value: sample, feature, class, data, value, std_error."""
        n, d, k = self.values.shape
        names = np.array(self.feature_names, dtype=object)
        return frame_of(
            {
                "sample": np.repeat(np.arange(n), d * k),
                "feature": np.tile(np.repeat(names, k), n),
                "class": np.tile(self.class_names, n * d),
                "data": np.repeat(self.data.ravel(), k),
                "value": self.values.ravel(),
                "std_error": self.std_errors.ravel(),
            }
        )

    def describe(self, sample: int = 0, *, target_class: Any = None) -> str:
        """Describe in plain sentences what a row's prediction is made of.

        Parameters
        ----------
        sample : int, default=0
            Position of the row.
        target_class : class label, default=None
            Class that the sentences are about. None is the predicted one.

        Returns
        -------
        str
            The cells with the largest attributions, with half of a 95% interval where
            these were sampled; those whose sign is uncertain; the sum of all others;
            base value and prediction. Then the `uncertainty` of the row: the classes
            that it may have, members that disagree, and why it is unlike the background
            rows.

        Raises
        ------
        ValueError
            If there is no such row or class.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.linear_model import LogisticRegression
        >>> from skdnn import explain
        >>> X, y = load_iris(return_X_y=True, as_frame=True)
        >>> model = LogisticRegression(max_iter=1000).fit(X, y)
        >>> result = explain.shap(model, X[:3], background=X, random_state=0)
        >>> print(result.describe(0, target_class=2))
        For this row, sepal length (cm) = 5.1 raises the probability of class 2 by 0.02;
        petal length (cm) = 1.4 lowers it by 0.20 and petal width (cm) = 0.2 by 0.15.
        The other column lowers it by 0.01. The average over 100 background rows is
        0.34; the prediction is 0.00.
        """
        at = self.sample_position(sample)
        if target_class is None:
            k = self.default_class(at)
        else:
            k = self.class_position(target_class)
        return str(dispatch("describe", self)(self, at, k))

    def plot(
        self,
        kind: str = "bar",
        *,
        sample: int | None = None,
        target_class: Any = None,
        classes: "Sequence[Any] | None" = None,
        max_display: int = 12,
        ax: "Axes | None" = None,
    ) -> "Axes":
        """Draw the attributions.

        Parameters
        ----------
        kind : {"bar", "beeswarm", "waterfall", "image"}, default="bar"
            "bar" shows the mean size per column and class, or one row's attributions
            if `sample` is given; "beeswarm" every row for one class; "waterfall" leads
            from base value to prediction for one row and class; "image" shows one row
            and class on its picture.
        sample : int, default=None
            Position of the row. None is the first for a waterfall or image, else all.
        target_class : class label, default=None
            None is `classes` for bars; for a beeswarm the class with the largest
            attributions, of two the second; else the predicted one.
        classes : list of class labels, default=None
            The classes that are coloured, at most seven; the others are grey. None is
            all of up to five, else the five that move most; of two, only the second,
            of which the first is the mirror image.
            Plots of one class take a list of one.
        max_display : int, default=12
            Maximum number of columns shown, the most important first; a new figure
            shows as many as fit on a page.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        matplotlib Axes

        Raises
        ------
        ValueError
            If there is no such row or class, or both `target_class` and `classes` are
            given.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.linear_model import LogisticRegression
        >>> from skdnn import explain
        >>> X, y = load_iris(return_X_y=True, as_frame=True)
        >>> model = LogisticRegression(max_iter=1000).fit(X, y)
        >>> result = explain.shap(model, X[:3], background=X, random_state=0)
        >>> result.plot("beeswarm", target_class=2).get_title().splitlines()
        ['SHAP', 'class 2']
        """
        options = (kind, sample, target_class, classes, max_display, ax)
        axes: Axes = dispatch("plot", self)(self, *options)
        return axes

    def _draw_first(self) -> Any:
        if self.images is not None and self.images.ndim in (3, 4):
            return self.plot("image")
        return self.plot("waterfall") if len(self) == 1 else self.plot()

    def to_shap(self) -> Any:
        """Return a ``shap.Explanation`` for the plots of shap.

        Returns
        -------
        shap.Explanation
            Its last axis are the classes; plots of shap take one: ``[:, :, 0]``, or
            ``[0, :, 0]`` for a waterfall.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.linear_model import LogisticRegression
        >>> from skdnn import explain
        >>> X, y = load_iris(return_X_y=True, as_frame=True)
        >>> model = LogisticRegression(max_iter=1000).fit(X, y)
        >>> result = explain.shap(model, X[:3], background=X, random_state=0)
        >>> result.to_shap()[0, :, 2].shape
        (4,)
        """
        import shap

        base = np.broadcast_to(self.base_values, self.predictions.shape)
        return shap.Explanation(
            values=self.values.copy(),
            base_values=base.copy(),
            data=self.data.copy(),
            feature_names=list(self.feature_names),
            output_names=[str(name) for name in self.class_names],
        )

    def sample_position(self, sample: Any) -> int:
        """Return the position of an explained row; ``ValueError`` if there is none."""
        return sample_position(len(self), sample)

    def class_position(self, target_class: Any) -> int:
        """Return the position of a class; ``ValueError`` if there is none."""
        return class_position(self.class_names, target_class)

    def default_class(self, at: int) -> int:
        """Return the position of the class that a row is described for by default."""
        if self.predicted is None:
            return int(self.predictions[at].argmax())
        return int(self.predicted[at])

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, rows: Any) -> Self:
        """Return the result for some of the explained rows."""
        if isinstance(rows, int | np.integer):
            rows = [self.sample_position(rows)]
        part: dict[str, Any] = {name: getattr(self, name) for name in self._by_sample}
        if self.base_values.ndim == 2:
            part["base_values"] = self.base_values
        known = {name: v[rows] for name, v in part.items() if v is not None}
        uncertainty = None if self.uncertainty is None else self.uncertainty[rows]
        return replace(self, **known, uncertainty=uncertainty)

    def __repr__(self) -> str:
        n, d, k = self.values.shape
        return (
            f"<{self.title} ({self.method}) of {n} rows, {d} columns, {k} classes; "
            f"{self.output}; background {self.n_background}; largest residual "
            f"{np.abs(self.residual).max():.2g}"
            f"{'; ' + self.warning.partition(':')[0] if self.warning else ''}>"
        )


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
    >>> steps = explain.break_down(model, X[:1], background=X, random_state=0)
    >>> steps.orders
    array([[2, 3, 0, 1]])
    >>> steps.plot().get_title().splitlines()
    ['Break-down (by size): row 0', 'class 0']
    """

    _by_sample: ClassVar[tuple[str, ...]] = (*Attributions._by_sample, "orders")

    orders: np.ndarray
    caveat: ClassVar[str] = (
        "In another order, columns that interact would have other attributions."
    )

    @property
    def title(self) -> str:
        """The name of the result."""
        return f"Break-down ({self.method})"

    def _draw_first(self) -> Any:
        return self.plot()

    def plot(
        self,
        kind: str = "waterfall",
        *,
        sample: int | None = None,
        target_class: Any = None,
        classes: "Sequence[Any] | None" = None,
        max_display: int = 12,
        ax: "Axes | None" = None,
    ) -> "Axes":
        """Draw the attributions.

        Parameters
        ----------
        kind : {"waterfall", "bar", "beeswarm"}, default="waterfall"
            A waterfall has the columns in the row's order.
        sample, target_class, classes, max_display, ax
            As in ``Attributions.plot``.

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
        >>> steps = explain.break_down(model, X[:1], background=X, random_state=0)
        >>> steps.plot("bar").get_title().splitlines()
        ['Break-down (by size)']
        """
        options: dict[str, Any] = {
            "sample": sample, "target_class": target_class, "classes": classes,
        }  # fmt: skip
        return super().plot(kind, max_display=max_display, ax=ax, **options)


def poor_note(result: Attributions, classes: Any = slice(None)) -> str:
    """Return how many surrogates of some classes fit poorly; empty for none."""
    if result.poor_fit is None or not result.poor_fit[:, classes].any():
        return ""
    poor = result.poor_fit[:, classes]
    return f"{poor.sum()} of {poor.size} surrogates fit poorly (R² below {LEAST_SCORE})"
