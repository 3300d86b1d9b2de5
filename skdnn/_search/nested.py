"""The score of a procedure that chooses, and how sure it is."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class NestedScores:
    """What `skdnn.model_selection.nested_cross_validate` found.

    Parameters
    ----------
    scores : ndarray of shape (n_folds,)
        Score on the outer test rows of each fold, which took no part in choosing.
    inner_scores : ndarray of shape (n_folds,)
        Best score of the search in each fold, which it was chosen by; NaN if the
        search does not show.
    n_train, n_test : ndarray of shape (n_folds,)
        Rows of each fold.
    params : list of dict
        The parameters chosen in each fold.

    References
    ----------
    .. [1] Nadeau and Bengio (2003), Inference for the generalization error, Machine
       Learning 52, 239-281, section 3, the corrected resampled t.

    Examples
    --------
    >>> import numpy as np
    >>> from skdnn.model_selection import NestedScores
    >>> nested = NestedScores(
    ...     scores=np.array([0.9, 0.8, 0.85]),
    ...     inner_scores=np.array([0.92, 0.9, 0.88]),
    ...     n_train=np.array([100, 100, 100]),
    ...     n_test=np.array([50, 50, 50]),
    ...     params=[{"alpha": 0.1}, {"alpha": 0.1}, {"alpha": 0.01}],
    ... )
    >>> round(nested.score, 3), round(nested.std_error, 3)
    (0.85, 0.046)
    >>> [round(limit, 3) for limit in nested.interval()]
    [0.654, 1.046]
    >>> nested.frame()["alpha"].tolist()
    [0.1, 0.1, 0.01]
    """

    scores: np.ndarray
    inner_scores: np.ndarray
    n_train: np.ndarray
    n_test: np.ndarray
    params: list[dict[str, Any]]

    @property
    def score(self) -> float:
        """Mean of the outer scores."""
        return float(self.scores.mean())

    @cached_property
    def std_error(self) -> float:
        """Standard error of `score`, in its unit.

        Training parts of folds overlap, so that their scores vary less than those of
        independent samples would. The variance of the mean is taken as
        ``(1 / n_folds + n_test / n_train)`` times that of the scores [1]_.
        """
        shares = 1 / len(self.scores) + self.n_test.sum() / self.n_train.sum()
        return float(np.sqrt(shares) * self.scores.std(ddof=1))

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Return where the true mean score lies: a t interval around `score`.

        Parameters
        ----------
        level : float, default=0.95
            Share of such intervals that hold it.

        Returns
        -------
        low, high : float

        Raises
        ------
        ValueError
            If the level is not between 0 and 1.

        Examples
        --------
        >>> import numpy as np
        >>> from skdnn.model_selection import NestedScores
        >>> nested = NestedScores(
        ...     scores=np.array([0.9, 0.8]), inner_scores=np.array([0.92, 0.9]),
        ...     n_train=np.array([100, 100]), n_test=np.array([50, 50]),
        ...     params=[{"alpha": 0.1}, {"alpha": 0.01}],
        ... )
        >>> [round(limit, 2) for limit in nested.interval(0.5)]
        [0.78, 0.92]
        """
        from scipy.special import stdtrit

        if not 0 < level < 1:
            raise ValueError(f"`level` must be between 0 and 1. Got {level!r}.")
        t = float(stdtrit(len(self.scores) - 1, (1 + level) / 2))
        return self.score - t * self.std_error, self.score + t * self.std_error

    def frame(self) -> pd.DataFrame:
        """Return a row for each outer fold.

        Returns
        -------
        DataFrame
            Columns fold, n_train, n_test, score, inner_score, and a column for each
            parameter that was chosen in any fold.

        Examples
        --------
        >>> import numpy as np
        >>> from skdnn.model_selection import NestedScores
        >>> nested = NestedScores(
        ...     scores=np.array([0.9, 0.8]), inner_scores=np.array([0.92, 0.9]),
        ...     n_train=np.array([100, 100]), n_test=np.array([50, 50]),
        ...     params=[{"alpha": 0.1}, {"alpha": 0.01}],
        ... )
        >>> nested.frame()[["fold", "score", "alpha"]]
           fold  score  alpha
        0     0    0.9   0.10
        1     1    0.8   0.01
        """
        facts = pd.DataFrame(
            {
                "fold": np.arange(len(self.scores)),
                "n_train": self.n_train,
                "n_test": self.n_test,
                "score": self.scores,
                "inner_score": self.inner_scores,
            }
        )
        chosen = pd.DataFrame(self.params, index=facts.index)
        chosen = chosen.rename(columns={name: f"{name}_chosen" for name in facts})
        return facts.join(chosen)

    def __repr__(self) -> str:
        low, high = self.interval()
        return (
            f"NestedScores: {self.score:.4f}, 95% interval {low:.4f} to {high:.4f} "
            f"({len(self.scores)} outer folds; t interval, variance corrected after "
            f"Nadeau and Bengio 2003)\n{self.frame().to_string(index=False)}"
        )
