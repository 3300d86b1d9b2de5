"""How far around each row the surrogate of LIME is fitted: as far as it fits."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from skdnn._runtime import workers
from skdnn.explain._methods.lime_sampling import Moves, Neighbourhood
from skdnn.explain._methods.lime_surrogate import Surrogate, fit_surrogate
from skdnn.explain._model.options import Step, no_step
from skdnn.explain._model.target import Problem, Target

# In standard deviations of each column, the widest first.
SCALES = (1.0, 0.5, 0.25, 0.125, 0.0625)
# The R² at which the search ends.
_FITS = 0.9
_N_ROWS, _ROWS_PER_PLAYER = 400, 4
# Another seed of the user explains the same neighbourhood.
_SEED = 0
# Features held at once.
_MAX_CELLS = 2**20


def fit_around(
    problem: Problem,
    neighbourhood: Neighbourhood,
    rows: np.ndarray,
    scales: Iterable[float],
    moves: Moves,
    step: Step = no_step,
) -> list[Surrogate]:
    """Return the surrogate of each row at its scale; a call predicts many of them."""
    pairs = list(zip(rows, scales, strict=True))
    size = max(1, _MAX_CELLS // moves.reach.size)
    parts = [(pairs[i : i + size],) for i in range(0, len(pairs), size)]
    shared = (problem.target, neighbourhood, moves)

    def report(part: Sequence[Any]) -> None:
        for _ in part:
            step()

    if workers.are_set():
        done = workers.run_parts(_fit_part, shared, parts, report)
        return [surrogate for part in done for surrogate in part]
    surrogates: list[Surrogate] = []
    for part in parts:
        surrogates += _fit_part(*shared, *part)
        report(part[0])
    return surrogates


def _fit_part(
    target: Target,
    neighbourhood: Neighbourhood,
    moves: Moves,
    pairs: list[tuple[np.ndarray, float]],
) -> list[Surrogate]:
    """Return the surrogates of some rows, whose neighbours are predicted at once."""
    drawn = [neighbourhood.draw(row, scale, moves) for row, scale in pairs]
    around = np.concatenate([rows for rows, _, _ in drawn])
    output = np.split(target.predict(around, copy=False), len(pairs))
    return [
        fit_surrogate(features, out, terms, is_mirrored=True)
        for (_, features, terms), out in zip(drawn, output, strict=True)
    ]


def find_scales(
    problem: Problem, neighbourhood: Neighbourhood
) -> tuple[np.ndarray, int]:
    """Return the widest scale at which the surrogate of each row fits, and rows drawn.

    It fits if the R² of the predicted class, and the mean over classes, are at least
    0.9; where it fits at no scale, the one with the largest R² is returned.
    """
    n, n_players = len(problem.X), len(neighbourhood.columns)
    n_rows = max(_N_ROWS, _ROWS_PER_PLAYER * n_players)
    moves = Moves.drawn(n_rows, n_players, _SEED)
    predicted = problem.target.classes_of(problem.X)
    scales, best = np.full(n, SCALES[0]), np.full(n, -np.inf)
    open_rows, n_drawn = np.arange(n), 0
    for scale in SCALES:
        if not len(open_rows):
            break
        n_drawn += n_rows
        at_scale = np.full(len(open_rows), scale)
        surrogates = fit_around(
            problem, neighbourhood, problem.X[open_rows], at_scale, moves
        )
        fits = np.array(
            [s.adjusted_score[: problem.target.n_classes] for s in surrogates]
        )
        own = fits[np.arange(len(fits)), predicted[open_rows]]
        fit = np.minimum(own, fits.mean(axis=1))
        is_better = fit > best[open_rows]
        scales[open_rows[is_better]] = scale
        best[open_rows[is_better]] = fit[is_better]
        open_rows = open_rows[fit < _FITS]
    return scales, n_drawn
