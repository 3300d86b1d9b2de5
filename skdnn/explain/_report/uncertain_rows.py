"""The uncertainty of the rows of a report: sets, members, and rows unlike others."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from skdnn.explain._methods.uncertainty import compute_uncertainty, novelty_of
from skdnn.explain._model.target import Problem
from skdnn.explain._report.rows_used import MAX_UNCERTAIN, draw_rows
from skdnn.explain._text.novelty import describe_moved


def measure_uncertainty(
    problem: Problem,
    predicted: np.ndarray,
    kept: Sequence[int],
    seed: int,
    *,
    is_compared: bool,
) -> dict[str, Any]:
    """Return the uncertainty of at most 10,000 rows by its names in `Evidence`.

    The rows at `kept` are among them; `predicted` are the classes of all rows, and
    `is_compared` is whether the background has other rows than X.
    """
    rows = draw_rows(len(problem.X), MAX_UNCERTAIN, seed, kept)
    some = problem.take(rows)
    novelty = novelty_of(some, seed) if is_compared else None
    return {
        "uncertainty": compute_uncertainty(some, predicted[rows], novelty),
        "uncertain_rows": rows,
        "drift": "" if novelty is None else describe_moved(novelty),
    }
