"""Results of the explain functions: what they found, as frames and plain data."""

import html
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from skdnn.explain._model.target import class_position
from skdnn.explain._results.intervals import t_quantile

_PREVIEW_ROWS = 10
# A surrogate whose weighted R² is below this is no picture of the classifier.
LEAST_SCORE = 0.5


class Result(ABC):
    """What every result can do.

    A subclass is a frozen dataclass with `frame`; everything else follows from that.
    """

    # members that `refit_errors` was made of, in results that have it
    n_refits: int = 0

    @property
    @abstractmethod
    def title(self) -> str:
        """What the result is, in words."""

    @abstractmethod
    def frame(self) -> pd.DataFrame:
        """Return the result as a tidy frame."""

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain data that ``json.dumps`` takes."""
        columns = self.frame()
        return {
            "title": self.title,
            "columns": {
                str(name): [_plain(value) for value in columns[name]]
                for name in columns
            },
        }

    def checks(self, estimator=None, X=None, *, background=None, random_state=0):
        """Ask how far the result can be trusted.

        Parameters
        ----------
        estimator : object, default=None
            The classifier, for the checks that must ask it: deletion curve, other
            seeds, other methods, rows and grid cells off the data. They take about as
            long as the explanation itself, or longer. None leaves them out.
        X : {array-like, DataFrame} of shape (n_samples, n_features), default=None
            The rows that were explained; with an estimator only.
        background : like X, default=None
            As it was for the explanation.
        random_state : int, RandomState or None, default=0
            Seed of what is drawn.

        Returns
        -------
        Checks
            A sequence of findings: code, title, severity, verdict ("fires", "silent"
            or "not applicable"), words, remedy. `frame()` makes a table of them.

        Raises
        ------
        ValueError
            If there is an estimator and no `X`, or they are not those of the result.

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
        SKD108 Rows made up are like the data
        """
        from skdnn.explain._checks.measure import check_result

        return check_result(self, estimator, X, background, random_state)

    @property
    def warning(self) -> str:
        """What to be wary of, in a sentence; empty if there is nothing."""
        return ""

    def refit_interval(self, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
        """Return where each number would lie, were the classifier fitted once more.

        Of bootstrap samples, such intervals are those of the training rows and seeds
        together; of members that differ in their seeds alone, of seeds alone.

        Parameters
        ----------
        level : float, default=0.95
            Share of such intervals that are to hold the number.

        Returns
        -------
        low, high : ndarray of the shape of `refit_errors`
            Quantiles of Student's t with ``n_refits - 1`` degrees of freedom.

        Raises
        ------
        ValueError
            If there are no refits, or the level is not between 0 and 1.
        """
        if not self.n_refits:
            raise ValueError(
                "Intervals over refits must have an ensemble to be made of. Got none; "
                "explain DNNClassifier(n_estimators=20, bootstrap=True), or another "
                "estimator that has predict_members."
            )
        values, errors = self._refitted()
        reach = t_quantile(level, self.n_refits - 1) * errors
        return values - reach, values + reach

    def _refitted(self) -> tuple[Any, Any]:
        """Return the numbers that differ from refit to refit, and how far."""
        raise NotImplementedError

    def _repr_html_(self) -> str:
        table = self.frame()
        rows = table.head(_PREVIEW_ROWS).to_html(index=False, escape=True, border=0)
        more = len(table) - _PREVIEW_ROWS
        note = f"<p>… and {more} more rows: frame()</p>" if more > 0 else ""
        wary = f"<p><em>{html.escape(self.warning)}</em></p>" if self.warning else ""
        title = f"<strong>{html.escape(self.title)}</strong>"
        return f"<div>{title}{wary}{rows}{note}</div>"


@dataclass(frozen=True, repr=False)
class Attributions(Result):
    """How much each column moved each class, row by row.

    Attributes
    ----------
    values : ndarray of shape (n_samples, n_features, n_classes)
        Attributions, in units of `output`.
    std_errors : ndarray of shape (n_samples, n_features, n_classes)
        Standard errors of `values` from sampling; 0 where they are exact.
    base_values : ndarray of shape (n_classes,) or (n_samples, n_classes)
        SHAP: mean output over the background rows. LIME: intercepts, one a row.
    predictions : ndarray of shape (n_samples, n_classes)
        Output of the classifier for the explained rows.
    residual : ndarray of shape (n_samples, n_classes)
        Prediction less base value less the sum of the attributions.
    feature_names : list of str
        The user's columns, or groups of them.
    class_names : ndarray of shape (n_classes,)
        The classes, in their own dtype; of a contrast, both in one name.
    data : ndarray of shape (n_samples, n_features)
        The explained cells, as they were given; those of a group in one text.
    method : str
        Which estimator of the attributions was used.
    output : {"probability", "log_odds"}
        What is explained.
    n_background : int
        Background rows used.
    random_state : int, RandomState or None
        As given.
    refit_errors : ndarray of shape (n_samples, n_features, n_classes) or None
        Standard deviation over the members of an ensemble, not divided by the root of
        their count: what another fit would differ by. None without refits.
    score : ndarray of shape (n_samples, n_classes) or None
        LIME: weighted R² of each surrogate. None for SHAP.
    error_df : int or None
        Degrees of freedom of `std_errors`; None where they are many or there are none.
    images : ndarray of shape (n_samples, ...) or None
        The explained rows, where they are images or sequences; None for tables.
    layout : ndarray or None
        Of the shape of an image: which feature each of its cells belongs to.
    n_refits : int
        Members that `refit_errors` was made of; 0 without refits.
    """

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

    @property
    def title(self) -> str:
        """What the result is, in words."""
        return f"{'SHAP' if self.score is None else 'LIME'} ({self.method})"

    @property
    def residual(self) -> np.ndarray:
        """Prediction less base value less the sum of the attributions."""
        return self.predictions - self.base_values - self.values.sum(axis=1)

    @property
    def poor_fit(self) -> np.ndarray | None:
        """Where a surrogate's R² is below 0.5; of the shape of `score`, or None."""
        return None if self.score is None else self.score < LEAST_SCORE

    @property
    def warning(self) -> str:
        """What to be wary of, in a sentence; empty if there is nothing."""
        if self.poor_fit is None or not self.poor_fit.any():
            return ""
        poor, every = int(self.poor_fit.sum()), self.poor_fit.size
        return (
            f"{poor} of {every} surrogates fit poorly (R² below {LEAST_SCORE}): their "
            "attributions are no good picture of the classifier."
        )

    @property
    def caveat(self) -> str:
        """What a reader of the sentences must know besides; empty for nothing."""
        return ""

    def describe(self, sample=0, *, target_class=None) -> str:
        """Say in plain sentences how a row's prediction comes about.

        Parameters
        ----------
        sample : int, default=0
            Position of the row.
        target_class : class label, default=None
            Class that the sentences are about. None is the one predicted.

        Returns
        -------
        str
            The few cells that move the output most, by how much, with half of a 95 %
            interval where it was sampled; which of them may do either; all others in
            sum; and from where to where that leads.

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
        >>> result = explain.shap(model, X[100:101], background=X, random_state=0)
        >>> result.describe().partition(" by ")[0]
        'For this row, petal length (cm) = 6 raises the chance of class 2'
        """
        from skdnn.explain._text.sentences import describe_row

        at = self.sample_position(sample)
        if target_class is not None:
            return describe_row(self, at, self.class_position(target_class))
        return describe_row(self, at, int(self.predictions[at].argmax()))

    def interval(self, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
        """Return where each attribution lies, as far as sampling is concerned.

        Parameters
        ----------
        level : float, default=0.95
            Share of such intervals that hold the true value.

        Returns
        -------
        low, high : ndarray of shape (n_samples, n_features, n_classes)
            Quantiles of Student's t; NaN where no standard error is known.

        Raises
        ------
        ValueError
            If the level is not between 0 and 1.
        """
        t = t_quantile(level, self.error_df)
        return self.values - t * self.std_errors, self.values + t * self.std_errors

    def _refitted(self) -> tuple[Any, Any]:
        return self.values, self.refit_errors

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain data that ``json.dumps`` takes."""
        facts = {
            name: plain_list(getattr(self, name))
            for name in (
                "base_values", "predictions", "residual", "score", "poor_fit",
                "refit_errors", "n_refits",
            )
        }  # fmt: skip
        return {
            **super().to_dict(),
            **facts,
            "classes": plain_list(self.class_names),
            "method": self.method,
            "output": self.output,
            "n_background": self.n_background,
        }

    def frame(self) -> pd.DataFrame:
        """Return a row for each explained row, column and class.

        Returns
        -------
        DataFrame
            Columns: sample, feature, class, data, value, std_error.
        """
        n, d, k = self.values.shape
        return pd.DataFrame(
            {
                "sample": np.repeat(np.arange(n), d * k),
                "feature": np.tile(np.repeat(self.feature_names, k), n),
                "class": np.tile(self.class_names, n * d),
                "data": np.repeat(self.data.ravel(), k),
                "value": self.values.ravel(),
                "std_error": self.std_errors.ravel(),
            }
        )

    def plot(
        self, kind="bar", *, sample=None, target_class=None, max_display=12, ax=None
    ):
        """Draw the attributions.

        Parameters
        ----------
        kind : {"bar", "beeswarm", "waterfall", "image"}, default="bar"
            Mean size a column and class, or of one row if `sample` is given; every
            row of one class; from base value to prediction of one row and class; the
            attributions of one row and class on its picture, where rows are images.
        sample : int, default=None
            Position of the row; None is the first for a waterfall or an image, all
            else.
        target_class : class label, default=None
            None is all classes for bars, the predicted class for a waterfall or an
            image, and the class with the largest attributions for a beeswarm.
        max_display : int, default=12
            Columns shown, the most important first.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        matplotlib Axes
        """
        from skdnn.explain._plots import attributions as _plots

        return _plots.plot_attributions(
            self, kind, sample, target_class, max_display, ax
        )

    def to_shap(self):
        """Return a ``shap.Explanation``, which every plot of shap takes.

        Returns
        -------
        shap.Explanation
            With a last axis of classes; a plot of shap wants one: ``[:, :, 0]``, or
            ``[0, :, 0]`` for a waterfall.
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

    def sample_position(self, sample) -> int:
        """Return the position of an explained row.

        Raises
        ------
        ValueError
            If there is no such row.
        """
        n = len(self.values)
        if not isinstance(sample, int | np.integer) or not -n <= sample < n:
            raise ValueError(
                f"`sample` must be the position of one of the {n} explained rows. Got "
                f"{sample!r}."
            )
        return int(sample) % n

    def class_position(self, target_class) -> int:
        """Return the position of a class; ``ValueError`` if there is none."""
        return class_position(self.class_names, target_class)

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, rows) -> "Attributions":
        """Return the result for some of the explained rows."""
        if isinstance(rows, int | np.integer):
            rows = [self.sample_position(rows)]
        part: dict[str, Any] = {
            name: None if getattr(self, name) is None else getattr(self, name)[rows]
            for name in (
                "values", "std_errors", "predictions", "data", "score", "refit_errors",
                "images",
            )
        }  # fmt: skip
        if self.base_values.ndim == 2:
            part["base_values"] = self.base_values[rows]
        return replace(self, **part)

    def __repr__(self) -> str:
        n, d, k = self.values.shape
        return (
            f"<{self.title} of {n} rows, {d} columns, {k} classes; {self.output}; "
            f"background {self.n_background}; largest residual "
            f"{np.abs(self.residual).max():.2g}"
            f"{'; ' + self.warning.partition(':')[0] if self.warning else ''}>"
        )


def plain_list(values):
    """Return an array as lists of plain values."""
    if values is None or np.ndim(values) == 0:
        return _plain(values)
    return [plain_list(part) for part in values]


def _plain(value):
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return value if np.isfinite(value) else None
    if value is None or isinstance(value, bool | int | str):
        return value
    return None if value is pd.NA or value is pd.NaT else str(value)
