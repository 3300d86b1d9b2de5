"""Explanations of the rows to pick from: every method, with fewer predictions."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from skdnn.explain._methods.break_down import compute_break_down
from skdnn.explain._methods.ceteris_paribus import compute_ceteris_paribus
from skdnn.explain._methods.counterfactual_search import BUDGET
from skdnn.explain._methods.counterfactuals import compute_counterfactuals
from skdnn.explain._methods.lime import compute_lime
from skdnn.explain._methods.shap import ShapConfig, compute_shap
from skdnn.explain._model.opening import MAX_BACKGROUND, draw_background
from skdnn.explain._model.target import Problem
from skdnn.explain._report import rows_used
from skdnn.explain._results.attributions import Attributions, BreakDown
from skdnn.explain._results.counterfactuals import Counterfactuals
from skdnn.explain._results.profiles import Profiles

N_VARIED = 3  # columns of ceteris paribus, the same for all rows
_RESOLUTION = 11

Result = TypeVar("Result", bound=Attributions)
# For each method, the rows that it has explained, and the result.
Known = Mapping[str, tuple[Sequence[int], Any]]


@dataclass(frozen=True)
class PickedRows:
    """Explanations of the rows at positions `rows`.

    Those of SHAP, LIME and break-down are results of one row each: some rows were
    explained for other sections, with more predictions.
    """

    rows: Sequence[int]
    shap: Sequence[Attributions]
    lime: Sequence[Attributions]
    break_down: Sequence[BreakDown]
    curves: Profiles
    counterfactuals: Counterfactuals | None


def explain_picked(
    problem: Problem, rows: list[int], known: Known, actionable: Any, seed: int
) -> PickedRows | None:
    """Explain rows by every method, except those that are known; None without rows."""
    if not rows:
        return None

    def drawn(n_rows: int = MAX_BACKGROUND) -> np.ndarray:
        return draw_background(problem, np.random.RandomState(seed), n_rows)

    # the background rows of the section on SHAP, so that the base values are equal
    config = ShapConfig(max_evals=rows_used.picked_shap_evaluations(problem))
    with_same = problem.with_background(drawn())
    with_few = problem.with_background(drawn(rows_used.PICKED_BACKGROUND))
    mean_sizes = np.abs(known["SHAP"][1].values).mean(axis=(0, 2))
    varied = np.argsort(-mean_sizes, kind="stable")[:N_VARIED].tolist()

    def shap(left: list[int]) -> Attributions:
        return compute_shap(with_same.take(left), config, seed)

    def lime(left: list[int]) -> Attributions:
        some = problem.take(left).with_output("log_odds")
        return compute_lime(some, random_state=seed, n_rows=rows_used.PICKED_LIME)

    def break_down(left: list[int]) -> BreakDown:
        return compute_break_down(with_few.take(left), random_state=seed)

    return PickedRows(
        rows=rows,
        shap=_completed(rows, known["SHAP"], shap),
        lime=_completed(rows, known["LIME"], lime),
        break_down=_completed(rows, known["break-down"], break_down),
        curves=compute_ceteris_paribus(problem.take(rows), varied, _RESOLUTION),
        counterfactuals=find_counterfactuals(
            problem,
            rows,
            actionable,
            seed,
            n_tried=rows_used.n_tried_when_picked(problem.target.n_features),
            budget=rows_used.PICKED_COUNTERFACTUAL,
        ),
    )


def _completed(
    rows: list[int],
    known: tuple[Sequence[int], Any],
    compute: Callable[[list[int]], Result],
) -> list[Result]:
    """Return the result of each row; those that are not known are computed."""
    done = {row: known[1][[i]] for i, row in enumerate(known[0])}
    left = [row for row in rows if row not in done]
    if left:
        result = compute(left)
        done |= {row: result[[i]] for i, row in enumerate(left)}
    return [done[row] for row in rows]


def find_counterfactuals(
    problem: Problem,
    rows: list[int],
    actionable: Any,
    seed: int,
    *,
    n_tried: int,
    budget: int = BUDGET,
) -> Counterfactuals | None:
    """Change rows to values of some background rows; None where there is one class."""
    if problem.target.n_classes < 2:
        return None
    tried = rows_used.draw_rows(len(problem.background), n_tried, seed)
    return compute_counterfactuals(
        problem.take(rows).with_background(problem.background[tried]),
        actionable=actionable,
        random_state=seed,
        budget=budget,
    )
