"""What the first stage of the recipe has shown, and what follows from it."""

from collections.abc import Callable
from typing import Any

import numpy as np

from skdnn._estimator.calibration import OutOfFoldScores, PredictedLogProba

# The second stage begins after this share of the epochs before the best, at the latest.
_LATEST_START = 0.9
# A cycle was of no use if it made the loss larger by this many standard errors.
_CLEARLY = 2.0

Weights = list[np.ndarray]


class Trial:
    """What the first stage has shown until now, epoch by epoch.

    `kept` holds the weights of all members after some epochs, by their number.
    """

    def __init__(self) -> None:
        self.losses: list[float] = []
        self.accuracies: list[float] = []
        self.kept: dict[int, list[Weights]] = {}
        self.best: OutOfFoldScores | None = None
        self.best_epoch = 0  # from 1, the last of equals
        self._last_end: tuple[np.ndarray, np.ndarray] | None = None

    @property
    def n_epochs(self) -> int:
        return len(self.losses)

    def add(self, scores: OutOfFoldScores) -> bool:
        """Take the scores after an epoch; return whether they are the best so far."""
        self.losses.append(scores.loss())
        self.accuracies.append(scores.accuracy())
        lowest = self.losses[self.best_epoch - 1]
        is_best = self.best is None or self.losses[-1] <= lowest
        if is_best:
            self.best, self.best_epoch = scores, self.n_epochs
        self._latest = scores
        return is_best

    def start(self) -> int:
        """Return after how many epochs the second stage begins."""
        latest = _LATEST_START * self.best_epoch
        return max((n for n in self.kept if n <= latest), default=0)

    def is_clearly_worse(self) -> bool:
        """Return whether the latest epoch is worse than at the last call."""
        losses, weight = self._latest.row_losses()
        before, self._last_end = self._last_end, (losses, weight)
        if before is None:
            return False
        change = losses - before[0]
        mean = np.average(change, weights=weight)
        error = np.sqrt(np.sum((weight * (change - mean)) ** 2)) / weight.sum()
        return bool(mean > _CLEARLY * error)

    def as_tree(self) -> dict[str, Any]:
        """Return it as a tree of a checkpoint; the latest scores are used up."""
        best = None
        if self.best is not None:
            best = [
                {"weights": list(own.predictor.weights)}
                if isinstance(own, PredictedLogProba)
                else {"log_proba": own}
                for own in self.best.log_proba
            ]
        return {
            "losses": self.losses,
            "accuracies": self.accuracies,
            "kept": {str(n): weights for n, weights in self.kept.items()},
            "best": best,
            "best_epoch": self.best_epoch,
            "last_end": self._last_end,
        }

    @classmethod
    def from_tree(
        cls, tree: dict[str, Any], scores_of: Callable[[list[Any]], OutOfFoldScores]
    ) -> "Trial":
        """Return what `as_tree` was called for.

        `scores_of` returns the scores of what each member has as its best.
        """
        trial = cls()
        trial.losses, trial.accuracies = tree["losses"], tree["accuracies"]
        trial.kept = {int(n): weights for n, weights in tree["kept"].items()}
        trial.best_epoch = tree["best_epoch"]
        if tree["best"] is not None:
            trial.best = scores_of(tree["best"])
        if tree["last_end"] is not None:
            trial._last_end = tuple(tree["last_end"])
        return trial
