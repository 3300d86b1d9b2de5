"""How uncertain the predictions of rows are: sets, members, and rows unlike others."""

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from skdnn.explain._results.frames import frame_of
from skdnn.explain._results.novelty import UNUSUAL
from skdnn.explain._results.registry import dispatch
from skdnn.explain._results.result import Result, sample_position

# Of the members: from this share on, the members disagree about a row.
DISAGREE = 0.25


@dataclass(frozen=True)
class Uncertainty(Result):
    """Whether a classifier knows the class of rows, as far as it shows that.

    An attribute of the results of `shap`, `lime` and `break_down` of classifiers with
    `predict_set` or `predict_members`, also last in a Pipeline or search.

    Attributes
    ----------
    class_names : ndarray of shape (n_classes,)
        The classes.
    predicted : ndarray of shape (n_samples,)
        Position of the class that ``predict`` names for each row.
    sets : ndarray of bool of shape (n_samples, n_classes) or None
        Whether each class is in the set of the row, as returned by `predict_set`. None
        without sets.
    confidence_level : float or None
        Level of the sets: 0.9, or the smallest of 0.95 and 0.99 at which a set may have
        several classes. None without sets.
    votes : ndarray of shape (n_samples, n_classes) or None
        Number of members to which each class is the most probable. None without
        members.
    member : str
        What a member is: "network" or "member".
    p_values : ndarray of shape (n_samples,) or None
        Conformal p-value of each row among the background rows, as of
        `explain.novelty`. None without a background of at least 40 rows.
    reasons : ndarray of shape (n_samples,)
        Why a row with a p-value of at most 0.05 is unusual; empty for other rows.
    n_calibration : int
        Number of background rows that p-values count.
    p_unusual : float or None
        Probability of as many unusual rows if all are like the background rows.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skdnn import DNNClassifier, explain
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> network = DNNClassifier(max_iter=8, random_state=0).fit(X[::2], y[::2])
    >>> result = explain.shap(network, X[1::50], background=X[::2], random_state=0)
    >>> list(result.uncertainty.frame())
    ['sample', 'predicted', 'classes', 'n_disagree', 'p_value']
    >>> "networks disagree" in result.uncertainty.describe()
    True
    """

    _facts: ClassVar[tuple[str, ...]] = (
        "confidence_level", "n_members", "n_calibration", "p_unusual",
    )  # fmt: skip
    _by_sample: ClassVar[tuple[str, ...]] = (
        "predicted", "sets", "votes", "p_values", "reasons",
    )  # fmt: skip

    class_names: np.ndarray
    predicted: np.ndarray
    reasons: np.ndarray
    sets: np.ndarray | None = None
    confidence_level: float | None = None
    votes: np.ndarray | None = None
    member: str = "member"
    p_values: np.ndarray | None = None
    n_calibration: int = 0
    p_unusual: float | None = None

    @property
    def title(self) -> str:
        """The name of the result."""
        return f"Uncertainty of {len(self)} rows"

    @property
    def n_members(self) -> int:
        """Number of members that predict each row; 0 without members."""
        if self.votes is None or not len(self):
            return 0
        return int(self.votes[0].sum())

    @property
    def n_disagree(self) -> np.ndarray:
        """Number of members to which another class than the predicted is probable."""
        if self.votes is None:
            return np.zeros(len(self), dtype=int)
        own = self.votes[np.arange(len(self)), self.predicted]
        return np.asarray(self.n_members - own)

    @property
    def several(self) -> np.ndarray:
        """Whether the set of each row has several classes."""
        if self.sets is None:
            return np.zeros(len(self), dtype=bool)
        return np.asarray(self.sets.sum(axis=1) > 1)

    @property
    def disagree(self) -> np.ndarray:
        """Whether a quarter of the members, at least, disagree with the prediction."""
        least = max(1.0, DISAGREE * self.n_members)
        return np.asarray(self.n_disagree >= least)

    @property
    def unusual(self) -> np.ndarray:
        """Whether each row is unusual among the background rows (p ≤ 0.05)."""
        if self.p_values is None:
            return np.zeros(len(self), dtype=bool)
        return np.asarray(self.p_values <= UNUSUAL)

    def frame(self) -> pd.DataFrame:
        """Return one row per row: sample, predicted, classes, n_disagree, p_value.

        `classes` is the set of the row as a list, None without sets.
        """
        n, names = len(self), np.asarray(self.class_names, dtype=object)
        classes = np.empty(n, dtype=object)
        if self.sets is not None:
            classes[:] = [names[row].tolist() for row in self.sets]
        p = np.full(n, np.nan) if self.p_values is None else self.p_values
        return frame_of(
            {
                "sample": np.arange(n),
                "predicted": names[self.predicted],
                "classes": classes,
                "n_disagree": self.n_disagree,
                "p_value": p,
            }
        )

    def describe(self, sample: int | None = None) -> str:
        """Describe in sentences how uncertain a row is, or how many rows are.

        Parameters
        ----------
        sample : int or None, default=None
            Position of the row; None counts the rows.

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
        >>> from skdnn import DNNClassifier, explain
        >>> X, y = load_iris(return_X_y=True, as_frame=True)
        >>> network = DNNClassifier(max_iter=8, random_state=0).fit(X[::2], y[::2])
        >>> result = explain.shap(network, X[1::50], background=X[::2], random_state=0)
        >>> print(result.uncertainty.describe(0))
        All 8 networks agree.
        """
        at = None if sample is None else sample_position(len(self), sample)
        return str(dispatch("describe", self)(self, at))

    def __len__(self) -> int:
        return len(self.predicted)

    def __getitem__(self, rows: Any) -> "Uncertainty":
        """Return the result for some of the rows."""
        if isinstance(rows, int | np.integer):
            rows = [sample_position(len(self), rows)]
        part = {name: getattr(self, name) for name in self._by_sample}
        known = {name: v[rows] for name, v in part.items() if v is not None}
        return replace(self, **known, p_unusual=None)

    def _headline(self) -> str:
        return self.describe()
