"""The frequent levels of a column of categories, in bounded memory."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass
class LevelCounts:
    """Counters of levels, at most `size` (Misra and Gries, 1982).

    Up to `size` different levels are counted exactly. Of more, a level is kept if more
    than ``error`` rows hold it; each count is too small by at most ``error``, which is
    at most the number of rows over ``size + 1``.
    """

    size: int
    error: int = 0
    counts: dict[Any, int] = field(default_factory=dict)

    def add(self, places: np.ndarray, distinct: Sequence[Any]) -> None:
        """Take a block: the place of each value in `distinct`, -1 where it is missing.

        A block's counts are added, then all lowered together so that `size` remain:
        counters of parts are merged in this way without a larger error (Agarwal et
        al., 2013).
        """
        counts = np.bincount(places[places >= 0], minlength=len(distinct))
        for level, count in zip(distinct, counts.tolist(), strict=True):
            if count:
                self.counts[level] = self.counts.get(level, 0) + count
        if len(self.counts) <= self.size:
            return
        ascending = np.sort(np.fromiter(self.counts.values(), np.int64))
        lowered = int(ascending[-(self.size + 1)])
        self.error += lowered
        self.counts = {
            level: count - lowered
            for level, count in self.counts.items()
            if count > lowered
        }
