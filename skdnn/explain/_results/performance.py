"""How well a classifier predicts: scores, curves, decisions, groups."""

import html
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from skdnn._runtime.suggestions import did_you_mean
from skdnn.explain._results.notebook import table_of
from skdnn.explain._results.registry import dispatch
from skdnn.explain._results.result import TableResult, plain_list

# A score of a group is small if it is of fewer rows.
SMALL_GROUP = 30
# Means, and both sides of a ROC AUC, of fewer rows are not tested.
FEWEST_TESTED = 10
MISSING = "(missing)"  # the group of missing values
# The names of decisions.
PREDICT, LEAST_COST, THRESHOLD = "predict", "least expected cost", "best threshold"
_FRAMES = (
    "confusion", "abstention", "sets", "thresholds", "decisions", "costs", "groups",
    "differences",
)  # fmt: skip


@dataclass(frozen=True)
class Performance(TableResult):
    """Scores of a classifier on rows with known classes, all with 95% intervals.

    Attributes
    ----------
    table : DataFrame
        One row per score: class (None: of all rows), score, value, ci_low, ci_high,
        n_rows (those that the score is a mean over). Missing where not defined.
    confusion : DataFrame of shape (n_classes, n_classes)
        Number of rows by true class (rows) and the class that `predict` returns.
    abstention : DataFrame
        If only rows with a top probability of at least `threshold` are answered: the
        share `answered`, n_rows, the accuracy on them, ci_low, ci_high.
    sets : DataFrame or None
        Of classifiers with `predict_set`, by confidence_level: coverage (share of sets
        that hold the class of their row), ci_low, ci_high, n_classes (mean size). If
        only rows with one class in their set are answered: the share `answered`,
        n_rows, the accuracy on them, accuracy_low, accuracy_high.
    thresholds : DataFrame or None
        Of two classes: threshold (probability of `positive` from which it is
        predicted), true_positives, false_positives, false_negatives, true_negatives,
        precision, recall, predicted_positive (share of rows); with costs also cost (per
        row), ci_low, ci_high and may_be_best. None for more classes.
    decisions : DataFrame or None
        Ways to decide: "predict" (the classifier unchanged); with costs also "least
        expected cost" (by the probabilities), the constant decision that costs least,
        and of two classes "best threshold". Columns are those of `thresholds`, and with
        costs optimism, difference (to "predict"), difference_low, difference_high.
    costs : DataFrame or None
        Costs by true (rows) and predicted class.
    groups : DataFrame or None
        Scores by group: group, class, score, value, ci_low, ci_high, n_rows, is_small
        (fewer than 30 rows).
    differences : DataFrame or None
        Each group less all others: group, class, score, value, others, n_rows,
        is_small, difference, ci_low, ci_high, p_value, p_holm.
    class_names : ndarray of shape (n_classes,)
        The classes.
    n_samples : int
        Number of rows.
    by : str
        What the groups are made of; empty without groups.
    note : str
        How the groups were made, if not by equal values; else empty.
    n_tested : int
        Number of differences that `p_holm` is adjusted for. Of two groups, each less
        the other counts once.
    is_weighted : bool
        Whether rows had weights. Scores are then of the population that they stand for;
        counts are of rows.
    curve_tables : dict of str to DataFrame
        What `curves` returns, by name.
    confidence_level : float or None
        Level of the sets that groups are compared by: 0.9, or the smallest of 0.95 and
        0.99 at which a set may have several classes. None without sets.
    guarantee : str
        What is proven of the sets: "split conformal" (on average over rows to choose
        thresholds by, at least that share of sets holds the class), "measured" (nothing
        is proven), "unknown" (sets of another classifier). Empty without sets.
    positive_position : int or None
        Position in `class_names` of the positive one of two classes. It is the second,
        as in scikit-learn; pages of the command line have that of ``--positive``. None
        for more classes.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skdnn import explain
    >>> X, y = load_breast_cancer(return_X_y=True, as_frame=True)
    >>> X = X[["mean texture", "mean smoothness"]]
    >>> model = LogisticRegression().fit(X[::2], y[::2])
    >>> scores = explain.performance(model, X[1::2], y[1::2], random_state=0)
    >>> list(scores.frame())
    ['class', 'score', 'value', 'ci_low', 'ci_high', 'n_rows']
    >>> scores.confusion.shape
    (2, 2)
    >>> list(scores.curves("roc"))
    ['class', 'threshold', 'false_positive_rate', 'true_positive_rate']
    >>> " ".join(scores.describe().split()[:3])
    'Of 284 rows,'
    >>> len(scores.plot())
    6
    >>> scores.to_dict()["title"]
    'Performance on 284 rows'
    """

    _facts: ClassVar[tuple[str, ...]] = (
        "class_names", "n_samples", "by", "note", "n_tested", "multiplicity",
        "is_weighted", "confidence_level", "guarantee", "positive",
    )  # fmt: skip

    confusion: pd.DataFrame
    abstention: pd.DataFrame
    thresholds: pd.DataFrame | None
    decisions: pd.DataFrame | None
    costs: pd.DataFrame | None
    groups: pd.DataFrame | None
    differences: pd.DataFrame | None
    class_names: np.ndarray
    n_samples: int
    by: str = ""
    note: str = ""
    n_tested: int = 0
    is_weighted: bool = False
    curve_tables: dict[str, pd.DataFrame] = field(default_factory=dict, repr=False)
    sets: pd.DataFrame | None = None
    confidence_level: float | None = None
    guarantee: str = ""
    positive_position: int | None = None

    @property
    def title(self) -> str:
        """The name of the result."""
        return f"Performance on {self.n_samples} rows"

    @property
    def positive(self) -> Any:
        """The class that thresholds are about, one of two; None for more."""
        position = self.positive_position
        return None if position is None else self.class_names[position]

    @property
    def multiplicity(self) -> str:
        """How many differences were tested, and the rules of these tests."""
        if self.differences is None:
            return ""
        return (
            f"{self.n_tested} differences were tested; p_holm is adjusted for their "
            f"number. Scores of fewer than {SMALL_GROUP} rows are marked as small. "
            f"Means and ROC AUC of fewer than {FEWEST_TESTED} rows are not tested."
        )

    def curves(self, name: str) -> pd.DataFrame:
        """Return the points of the curves of all classes, each against the rest.

        Parameters
        ----------
        name : {"roc", "precision_recall", "gains", "calibration"}
            "roc": threshold, false_positive_rate, true_positive_rate.
            "precision_recall": threshold, recall, precision. "gains": threshold, rows
            (share of the rows, the most probable first), gain (share of the class among
            them), lift (gain / rows). "calibration": n_rows, predicted (mean
            probability), observed (share), ci_low, ci_high.

        Returns
        -------
        DataFrame
            The column class comes first. Curves have at most 501 points per class.
            Calibration without a class is that of the predicted class.

        Raises
        ------
        ValueError
            If there are no such curves.

        Examples
        --------
        >>> from sklearn.datasets import load_breast_cancer
        >>> from sklearn.linear_model import LogisticRegression
        >>> from skdnn import explain
        >>> X, y = load_breast_cancer(return_X_y=True, as_frame=True)
        >>> X = X[["mean texture", "mean smoothness"]]
        >>> model = LogisticRegression().fit(X[::2], y[::2])
        >>> scores = explain.performance(model, X[1::2], y[1::2], random_state=0)
        >>> list(scores.curves("gains"))
        ['class', 'threshold', 'rows', 'gain', 'lift']
        """
        if name not in self.curve_tables:
            raise ValueError(
                f"`name` must be one of {list(self.curve_tables)}. Got {name!r}."
                f"{did_you_mean(name, self.curve_tables)}"
            )
        return self.curve_tables[name].copy()

    def describe(self) -> str:
        """Describe scores, mistakes, costs and groups in sentences."""
        return str(dispatch("describe", self)(self))

    def plot(self, *, max_display: int = 6) -> np.ndarray:
        """Draw confusion matrix, curves, decisions and groups.

        Parameters
        ----------
        max_display : int, default=6
            Maximum number of classes with curves, those with the lowest ROC AUC first;
            twice as many groups are shown.

        Returns
        -------
        ndarray of matplotlib Axes of shape (n_panels,)

        Examples
        --------
        >>> from sklearn.datasets import load_breast_cancer
        >>> from sklearn.linear_model import LogisticRegression
        >>> from skdnn import explain
        >>> X, y = load_breast_cancer(return_X_y=True, as_frame=True)
        >>> X = X[["mean texture", "mean smoothness"]]
        >>> model = LogisticRegression().fit(X[::2], y[::2])
        >>> scores = explain.performance(model, X[1::2], y[1::2], random_state=0)
        >>> scores.plot()[0].get_title()
        'Confusion matrix (rows)'
        """
        axes: np.ndarray = dispatch("plot", self)(self, max_display)
        return axes

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain data that ``json.dumps`` takes."""
        data = super().to_dict()
        for name in _FRAMES:
            table = getattr(self, name)
            data[name] = None if table is None else _plain_columns(table)
        data["curves"] = {
            name: _plain_columns(table) for name, table in self.curve_tables.items()
        }
        return data

    def _html_body(self) -> str:
        parts = [
            ("Scores of all rows (95% intervals over rows)", scores_of(self, None)),
            ("Confusion matrix: true class in rows", self.confusion),
            ("Sets of classes, and answering only where they have one", self.sets),
            ("Decisions", self.decisions),
            (f"Differences between groups of {self.by}", _largest(self.differences)),
        ]
        body = "".join(
            f"<p>{html.escape(heading)}</p>{table_of(table, table is self.confusion)}"
            for heading, table in parts
            if table is not None
        )
        body += "".join(
            f"<p>{html.escape(text)}</p>"
            for text in (self.note, self.multiplicity)
            if text
        )
        return body


def scores_of(result: Performance, label: Any) -> pd.DataFrame:
    """Return the scores of one class, or with None those of all rows."""
    return part_of(result.table, label).drop(columns="class")


def part_of(table: pd.DataFrame, label: Any) -> pd.DataFrame:
    """Return the rows of one class, or with None those without a class."""
    cells = table["class"]
    if label is None:
        return table[[bool(pd.isna(cell)) for cell in cells]]
    return table[[not pd.isna(cell) and bool(cell == label) for cell in cells]]


def _largest(differences: pd.DataFrame | None, n: int = 10) -> pd.DataFrame | None:
    """Return the differences with the smallest p-values."""
    if differences is None:
        return None
    return differences.sort_values(["p_holm", "p_value"], kind="stable").head(n)


def _plain_columns(table: pd.DataFrame) -> dict[str, Any]:
    return {str(name): plain_list(column) for name, column in table.items()}
