"""How unusual rows are among the training rows, and which columns have moved."""

import html
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from skdnn._runtime.names import visible
from skdnn.explain._results.frames import frame_of
from skdnn.explain._results.registry import dispatch
from skdnn.explain._results.result import Result, plain_list, sample_position

# Rows with p-values up to this are unusual.
UNUSUAL = 0.05
_N_SHOWN = 10


@dataclass(frozen=True)
class Novelty(Result):
    """How unlike the training rows each row is, and each column as a whole.

    Attributes
    ----------
    p_values : ndarray of shape (n_samples,)
        Conformal p-value of each row: for a row exchangeable with the training rows,
        it is at most a with probability at most a.
    contributions : ndarray of shape (n_samples, n_features)
        Contributions of the columns, at least 0; their sum is the score of a row.
    feature_names : ndarray of shape (n_features,)
        Names of the columns.
    data : DataFrame of shape (n_samples, n_features)
        The rows.
    n_training : ndarray of shape (n_samples, n_features)
        How many training rows have a cell as extreme: a number at least as small, or at
        least as large if these are fewer; the same category; a missing cell.
    training : DataFrame
        feature, low, high: the range of numbers in the training rows.
    pairs : DataFrame
        sample, feature, other, low, high, n_similar: the cell of `feature` is outside
        of low to high, its range in the n_similar training rows most similar in `other`
        alone; of categories, none of these rows has it. At most one pair per unusual
        row, of the 1,000 most unusual.
    drift : DataFrame
        One row per test: feature, test, statistic (largest difference of cumulated
        shares, chi-square, or difference of shares), p_value, p_holm, description.
    n_calibration : int
        Number of training rows left out, which p-values count.
    n_reference : int
        Number of training rows that the score is learned from.
    n_background : int
        Number of training rows given.
    p_unusual : float
        Probability of as many unusual rows if all are exchangeable.
    unusual : ndarray of bool of shape (n_samples,)
        Whether each row has a p-value of at most 0.05.
    n_unusual : int
        Number of rows with a p-value of at most 0.05.
    expected_unusual : float
        Share of unusual rows that is expected of exchangeable rows, at most 0.05.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skdnn import explain
    >>> X, y = load_breast_cancer(return_X_y=True, as_frame=True)
    >>> X = X[["mean texture", "mean smoothness"]]
    >>> model = LogisticRegression().fit(X[::2], y[::2])
    >>> rows = X[1::2].copy()
    >>> rows.iloc[7, 1] = 0.9
    >>> novelty = explain.novelty(model, rows, background=X[::2], random_state=0)
    >>> novelty.most_unusual(1)
    array([7])
    >>> " ".join(novelty.describe(7).split()[:5])
    'Row 7 is unlike all'
    >>> list(novelty.frame())
    ['sample', 'p_value', 'feature', 'value', 'contribution', 'n_training']
    >>> novelty.plot(sample=7)[0].get_xlabel()
    'contribution to the score'
    >>> sorted(novelty.to_dict())[:3]
    ['columns', 'drift', 'expected_unusual']
    """

    _facts: ClassVar[tuple[str, ...]] = (
        "p_values", "n_calibration", "n_reference", "n_background", "n_unusual",
        "expected_unusual", "p_unusual",
    )  # fmt: skip

    p_values: np.ndarray
    contributions: np.ndarray
    feature_names: np.ndarray
    data: pd.DataFrame
    n_training: np.ndarray
    training: pd.DataFrame
    pairs: pd.DataFrame
    drift: pd.DataFrame
    n_calibration: int
    n_reference: int
    n_background: int
    p_unusual: float

    @property
    def title(self) -> str:
        """The name of the result."""
        return f"Novelty of {len(self.p_values)} rows"

    @property
    def scores(self) -> np.ndarray:
        """The score of each row: the sum of its contributions."""
        return np.asarray(self.contributions.sum(axis=1))

    @property
    def unusual(self) -> np.ndarray:
        """Whether each row has a p-value of at most 0.05."""
        return np.asarray(self.p_values <= UNUSUAL)

    @property
    def n_unusual(self) -> int:
        """Number of rows with a p-value of at most 0.05."""
        return int(self.unusual.sum())

    @property
    def expected_unusual(self) -> float:
        """Share of unusual rows that is expected if all are like training rows."""
        return expected_unusual(self.n_calibration)

    def frame(self) -> pd.DataFrame:
        """Return one row per row and column; the largest contributions first."""
        order = np.argsort(-self.contributions, axis=1, kind="stable")
        n_samples, n_features = order.shape
        samples = np.repeat(np.arange(n_samples), n_features)
        columns = order.ravel()
        return frame_of(
            {
                "sample": samples,
                "p_value": self.p_values[samples],
                "feature": self.feature_names[columns],
                "value": self.data.to_numpy()[samples, columns],
                "contribution": self.contributions[samples, columns],
                "n_training": self.n_training[samples, columns],
            }
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain data that ``json.dumps`` takes."""
        data = super().to_dict()
        for name in ("drift", "pairs", "training"):
            table = getattr(self, name)
            data[name] = {str(label): plain_list(table[label]) for label in table}
        return data

    def describe(self, sample: int | None = None) -> str:
        """Describe in sentences why a row is unusual, or what differs in the table.

        Parameters
        ----------
        sample : int or None, default=None
            Position of the row; None describes the table as a whole.

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
        >>> model = LogisticRegression(max_iter=1000).fit(X[::2], y[::2])
        >>> rows = X[1::2].copy()
        >>> rows.iloc[7, 0] = 30
        >>> result = explain.novelty(model, rows, background=X[::2], random_state=0)
        >>> result.describe(7).partition(": ")[2]
        'sepal length (cm) is 30, never above 7.7 in training.'
        """
        at = None if sample is None else sample_position(len(self.p_values), sample)
        return str(dispatch("describe", self)(self, at))

    def plot(self, *, sample: int | None = None, max_display: int = 12) -> np.ndarray:
        """Draw p-values and columns that have moved, or the contributions of a row.

        Parameters
        ----------
        sample : int or None, default=None
            Position of the row; None draws the table as a whole.
        max_display : int, default=12
            Maximum number of columns shown.

        Returns
        -------
        ndarray of matplotlib Axes of shape (n_panels,)

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
        >>> model = LogisticRegression(max_iter=1000).fit(X[::2], y[::2])
        >>> rows = X[1::2].copy()
        >>> rows.iloc[7, 0] = 30
        >>> result = explain.novelty(model, rows, background=X[::2], random_state=0)
        >>> result.plot(sample=7)[0].get_xlabel()
        'contribution to the score'
        """
        at = None if sample is None else sample_position(len(self.p_values), sample)
        axes: np.ndarray = dispatch("plot", self)(self, at, max_display)
        return axes

    def most_unusual(self, n: int) -> np.ndarray:
        """Return the positions of the unusual rows with the highest scores."""
        order = np.lexsort((-self.scores, self.p_values))[:n]
        return np.asarray(order[self.p_values[order] <= UNUSUAL])

    def _repr_html_(self) -> str:
        moved = self.drift.sort_values("p_value", kind="stable").head(_N_SHOWN)
        fractions = moved.select_dtypes(np.floating)
        moved = moved.assign(**fractions.map("{:.3g}".format))
        with pd.option_context("display.max_colwidth", None):
            table = moved.to_html(index=False, border=0)
        texts = [self.describe(), *map(self.describe, self.most_unusual(_N_SHOWN))]
        body = "".join(f"<p>{html.escape(text)}</p>" for text in texts)
        body = f"{body}<p>Columns, the smallest p-value first</p>{table}"
        return visible(f"<div>{self._html_heading()}{body}</div>", keep="\n\t")


def expected_unusual(n_calibration: int) -> float:
    """Return the share of rows like the training rows that are called unusual."""
    n = n_calibration + 1
    return float(np.floor(UNUSUAL * n + 1e-9) / n)
