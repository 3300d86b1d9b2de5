"""The stages of the recipe, and what a checkpoint keeps of them."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from skdnn._checkpoint import checkpoint
from skdnn._checkpoint.checkpoint import Part
from skdnn._estimator.recipe_trial import Trial, Weights


@dataclass(frozen=True)
class Stage:
    """What a stage ended with: weights, the mean history, and the rows trained."""

    weights: list[Weights]
    history: pd.DataFrame
    n_trained: int


@dataclass
class KeptStages:
    """The stages of a recipe, as far as an earlier run has kept them in `part`.

    `ended` are those that have ended, `members` the states of the members in the next,
    `trial` the tree of what was tried.
    """

    part: Part | None
    ended: list[Stage] = field(default_factory=list)
    members: list[Any] | None = None
    trial: dict[str, Any] | None = None
    # a time, and the number of epochs by then
    _clock: tuple[float, float] = (0.0, np.inf)

    @classmethod
    def load(cls, part: Part | None) -> "KeptStages":
        tree = None if part is None else part.load()
        if tree is None:
            return cls(part)
        ended = [
            Stage(one["weights"], pd.DataFrame(one["history"]), one["n_trained"])
            for one in tree["ended"]
        ]
        return cls(part, ended, tree["members"], tree["trial"])

    def epochs_until_due(self, n_epochs: int) -> float:
        """Return for how many epochs, after `n_epochs`, to train before `keep`."""
        if self.part is None:
            return np.inf
        now = time.perf_counter()
        seconds, n_done = now - self._clock[0], n_epochs - self._clock[1]
        if n_done <= 0:  # in a new stage
            self._clock = now, n_epochs
            return 1
        return max(1.0, checkpoint.INTERVAL * n_done // max(seconds, 1e-9))

    @property
    def is_due(self) -> bool:
        return self.part is not None and self.part.is_due

    def keep(
        self, ended: Sequence[Stage], members: list[Any] | None, trial: Trial | None
    ) -> None:
        """Keep the stages that have ended, and where the members are in the next."""
        if self.part is None:
            return
        stages = [
            {
                "weights": stage.weights,
                "history": {k: v.to_numpy() for k, v in stage.history.items()},
                "n_trained": int(stage.n_trained),
            }
            for stage in ended
        ]
        tree = None if trial is None else trial.as_tree()
        self.part.put({"ended": stages, "members": members, "trial": tree})
