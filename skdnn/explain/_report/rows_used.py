"""How many rows stand for all, so that the time of a report is bounded."""

from collections.abc import Sequence

import numpy as np

from skdnn.explain._methods import break_down, shap
from skdnn.explain._model.target import Problem

# Rows of importance and profiles: their means are as precise as a plot can show.
MAX_AVERAGED = 1000
# Rows that SHAP explains, and rows on which the methods are compared. There are fewer
# where they take more predictions than this, but not fewer than the minimum.
MIN_SHAP, MAX_SHAP = 20, 200
MIN_COMPARED, MAX_COMPARED = 8, 20
_MAX_EVALUATIONS = 200_000
# Rows to pick from are explained with fewer predictions, together not more than
# _MAX_PICKED_EVALUATIONS, where each member of an ensemble counts: SHAP with a share of
# the default, the others with these numbers of rows around each (LIME), of background
# rows (break-down), and of rows with two changes or more (counterfactuals).
MAX_PICKED = 200
_MAX_PICKED_EVALUATIONS = 3_200_000
_SHAP_SHARE, _LEAST_SHAP = 4, 1000
PICKED_LIME, PICKED_BACKGROUND, PICKED_COUNTERFACTUAL = 400, 20, 1000
_N_SCALES = 3  # that LIME tries, on average
# A column is shuffled less often where all together take more predictions than this.
_MAX_SHUFFLED = 200_000
_MIN_REPEATS, _MAX_REPEATS = 5, 10
# Single values that a counterfactual search tries for each row.
MAX_TRIED = 20_000
_MIN_TRIED = 50
_MIN_TRIED_PICKED = 10

# Rows whose uncertainty is measured; scores and coverage are of all rows.
MAX_UNCERTAIN = 10_000


def n_shap(problem: Problem) -> int:
    """Return how many rows SHAP explains."""
    n_rows = _MAX_EVALUATIONS // max(1, shap.evaluations_per_row(problem))
    return int(np.clip(n_rows, MIN_SHAP, MAX_SHAP))


def picked_shap_evaluations(problem: Problem) -> int:
    """Return how many rows SHAP predicts for each row to pick from."""
    default = shap.evaluations_per_row(problem)
    least = max(_LEAST_SHAP, 8 * problem.target.n_features)  # what its methods need
    return min(default, max(least, default // _SHAP_SHARE))


def n_picked(problem: Problem) -> int:
    """Return how many rows can be picked."""
    d = problem.target.n_features
    evaluations = (
        picked_shap_evaluations(problem)
        + _N_SCALES * max(PICKED_LIME, 4 * d)
        + 2 * d * PICKED_BACKGROUND
        + PICKED_COUNTERFACTUAL
        + n_tried_when_picked(d) * d
    ) * max(1, problem.stacked().target.n_refits)
    return int(np.clip(_MAX_PICKED_EVALUATIONS // evaluations, MIN_SHAP, MAX_PICKED))


def n_compared(problem: Problem) -> int:
    """Return on how many rows SHAP, LIME and break-down are compared."""
    n_rows = _MAX_EVALUATIONS // break_down.evaluations_per_row(problem)
    return int(np.clip(n_rows, MIN_COMPARED, MAX_COMPARED))


def n_repeats(n_rows: int, n_columns: int) -> int:
    """Return how often each column is shuffled."""
    n_repeats = _MAX_SHUFFLED // (n_rows * n_columns)
    return int(np.clip(n_repeats, _MIN_REPEATS, _MAX_REPEATS))


def n_tried(n_columns: int) -> int:
    """Return how many background rows a counterfactual has its values from."""
    return max(_MIN_TRIED, MAX_TRIED // n_columns)


def n_tried_when_picked(n_columns: int) -> int:
    """Return how many background rows the values come from, for rows to pick from."""
    return int(
        np.clip(PICKED_COUNTERFACTUAL // n_columns, _MIN_TRIED_PICKED, _MIN_TRIED)
    )


def draw_rows(
    n_rows: int, n_drawn: int, seed: int, kept: Sequence[int] = ()
) -> list[int]:
    """Return sorted positions of random rows, the `kept` ones among them."""
    order = np.random.default_rng(seed).permutation(n_rows).tolist()
    rows = dict.fromkeys([*kept, *order])
    return sorted(list(rows)[: max(n_drawn, len(kept))])
