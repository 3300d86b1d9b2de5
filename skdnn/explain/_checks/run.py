"""Measure with the classifier what the checks of a result need, and run them."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from skdnn._runtime.seeds import as_seed
from skdnn._tabular.column_problems import ColumnProblem, column_problems
from skdnn.explain._checks.check import Measurements
from skdnn.explain._checks.table import CHECKS
from skdnn.explain._methods.agreement import compare, equal_signs, mean_rank
from skdnn.explain._methods.break_down import compute_break_down
from skdnn.explain._methods.break_down import (
    evaluations_per_row as break_down_evaluations,
)
from skdnn.explain._methods.data_support import LEAST_ROWS, Support, code_of, mixtures
from skdnn.explain._methods.deletion_curves import compute_deletion_curves
from skdnn.explain._methods.lime import compute_lime
from skdnn.explain._methods.lime_sampling import Moves, Neighbourhood
from skdnn.explain._methods.shap import ShapConfig, compute_shap
from skdnn.explain._methods.shap import evaluations_per_row as shap_evaluations
from skdnn.explain._model.columns import OTHERS
from skdnn.explain._model.opening import open_problem
from skdnn.explain._model.players import players_of
from skdnn.explain._model.target import Problem
from skdnn.explain._results.attributions import Attributions, BreakDown
from skdnn.explain._results.checks import Checks
from skdnn.explain._results.frames import frame_of, rows_by
from skdnn.explain._results.profiles import ACCUMULATED, Profiles
from skdnn.explain._results.registry import register
from skdnn.explain._results.result import Result
from skdnn.explain._results.tables import DeletionCurves

_N_RERUNS = 3
# First rows that are explained again: as many as take no more predictions, at least.
_MAX_EVALUATIONS = 40_000
_MIN_ROWS, _MAX_ROWS = 3, 20
_N_SYNTHETIC = 1000
_MAX_MOVED = 50
# Grid points whose rows are compared with the data in one call.
_PLACES_AT_ONCE = 40
# Predictions that differ by more, relative to the largest, are of another classifier.
_SAME = 1e-6


def measure(
    result: Result,
    problem: Problem,
    *,
    seed: int,
    deletion: DeletionCurves | None = None,
    agreement: pd.DataFrame | None = None,
    columns: list[ColumnProblem] | None = None,
) -> Measurements:
    """Measure what the checks of attributions or profiles need, with the classifier.

    `deletion`, `agreement`, the table of `compare`, and `columns` are computed if not
    given; `agreement` for the first rows.
    """
    if isinstance(result, Attributions) and not is_by_column(result, problem):
        return Measurements()
    if isinstance(result, Attributions):
        problem = problem.with_output(result.output)
    needed = {check.needs for check in CHECKS if check.applies_to(result)} - {""}
    known: dict[str, Any] = {} if deletion is None else {"deletion": deletion}
    if agreement is not None and isinstance(result, Attributions):
        known["agreement"] = _of_method(agreement, result)
    if columns is not None:
        known["columns"] = columns
    for name in sorted(needed - set(known)):
        known[name] = _MEASURES[name](result, problem, seed)
    return Measurements(problem=problem, **known)


def is_by_column(result: Attributions, problem: Problem) -> bool:
    """Whether there is one attribution per column and class: no groups, no contrast."""
    target = problem.target
    same = result.class_names.tolist() == target.class_names.tolist()
    return same and list(result.feature_names) == target.feature_names


def method_of(result: Attributions) -> str:
    """Return the name of the method behind attributions."""
    if isinstance(result, BreakDown):
        return "break-down"
    return "SHAP" if result.score is None else "LIME"


def measure_deletion(
    result: Attributions, problem: Problem, seed: int
) -> DeletionCurves:
    """Return the deletion curves of attributions."""
    draw = np.random.RandomState(seed)
    return compute_deletion_curves(problem, {"result": result}, draw)["result"]


def measure_reruns(
    result: Attributions, problem: Problem, seed: int
) -> pd.DataFrame | None:
    """Explain the first rows again with other seeds, one row of the table for each.

    `rank` is the mean correlation of the sizes, `sign` the share of the weight with the
    same sign, `moved` the mean difference as a share of the mean size, `n_rows` their
    number. None for a break-down in a given order.
    """
    if isinstance(result, BreakDown) and result.method != "by size":
        return None
    name = method_of(result)
    n = min(len(result), _n_rerun(name, problem))
    scales = None if result.scales is None else result.scales[:n]
    first, some = result.values[:n], problem.take(range(n))
    size, rows = np.abs(first).sum(), []
    for other in range(seed + 1, seed + 1 + _N_RERUNS):
        again = _explain(name, some, other % 2**32, result.method, scales)
        second = again.values
        moved = np.abs(first - second).sum() / size if size else np.nan
        agreed = mean_rank(first, second), equal_signs(first, second)
        rows.append((other, *agreed, moved, n))
    return pd.DataFrame(rows, columns=["seed", "rank", "sign", "moved", "n_rows"])


def _n_rerun(name: str, problem: Problem) -> int:
    """Return how many rows are explained again; LIME takes as long for any columns."""
    if name == "LIME":
        return _MIN_ROWS
    count = shap_evaluations if name == "SHAP" else break_down_evaluations
    n_rows = _MAX_EVALUATIONS // max(1, count(problem))
    return int(np.clip(n_rows, _MIN_ROWS, _MAX_ROWS))


def measure_agreement(
    result: Attributions, problem: Problem, seed: int
) -> pd.DataFrame:
    """Compare attributions with the other methods on the first rows."""
    n = min(len(result), _MIN_ROWS)
    own, some = method_of(result), problem.take(range(n))
    others = [name for name in ("SHAP", "LIME", "break-down") if name != own]
    by_method = {own: result[:n]}
    by_method |= {name: _explain(name, some, seed) for name in others}
    return _of_method(compare(by_method).table, result)


def _explain(
    name: str,
    problem: Problem,
    seed: int,
    method: str = "auto",
    scales: np.ndarray | None = None,
) -> Attributions:
    """Return attributions; `method` is for SHAP, `scales`, if known, for LIME."""
    if name == "SHAP":
        return compute_shap(problem, ShapConfig(method), seed)
    if name == "LIME":
        return compute_lime(problem, random_state=seed, scales=scales)
    return compute_break_down(problem, random_state=seed)


def _of_method(agreement: pd.DataFrame, result: Attributions) -> pd.DataFrame:
    """Return the pairs that the method of a result is part of."""
    name = method_of(result)
    return agreement[(agreement["method_a"] == name) | (agreement["method_b"] == name)]


def measure_off_data(result: Attributions, problem: Problem, seed: int) -> float | None:
    """Return the share of synthetic rows off the data, None for a small background."""
    if len(problem.background) < LEAST_ROWS:
        return None
    draw = np.random.RandomState(seed)
    support = Support(problem, draw)
    if method_of(result) == "LIME":
        rows = _around(result, problem, seed)
    else:
        rows = mixtures(problem, draw, _N_SYNTHETIC)
    return float(support.outside(rows).mean())


def _around(result: Attributions, problem: Problem, seed: int) -> np.ndarray:
    """Return rows as LIME draws them around the first explained rows."""
    some = problem.X[:_MAX_ROWS]
    scales = np.ones(len(some)) if result.scales is None else result.scales
    players = players_of(problem.target.feature_names, None)
    neighbourhood = Neighbourhood(problem, players)
    moves = Moves.drawn(_N_SYNTHETIC // len(some), len(players), seed)
    pairs = zip(some, scales, strict=False)
    return np.concatenate([neighbourhood.draw(*pair, moves)[0] for pair in pairs])


def measure_off_grid(
    result: Profiles, problem: Problem, seed: int
) -> pd.DataFrame | None:
    """Return the share of rows off the data at each grid point of a profile.

    The moved rows are X for curves of single rows, else the background. None where rows
    are moved only within the data, or the background is too small.
    """
    if result.method == ACCUMULATED or len(problem.background) < LEAST_ROWS:
        return None
    draw = np.random.RandomState(seed)
    support = Support(problem, draw)
    rows = problem.background if result.own is None else problem.X
    rows = rows[draw.permutation(len(rows))[:_MAX_MOVED]]
    columns = {column.name: column for column in problem.target.columns}
    position = {name: j for j, name in enumerate(columns)}
    names = [c for c in ("feature", "feature_2") if c in result.table]
    cells = [c.replace("feature", "x") for c in names]
    places = result.table[[*names, *cells]]
    same = rows_by(*(places[name] for name in places))
    places = places.iloc[[first for first, *_ in same.values()]]
    off = []
    for start in range(0, len(places), _PLACES_AT_ONCE):
        part = places.iloc[start : start + _PLACES_AT_ONCE]
        moved = np.repeat(rows[None], len(part), axis=0)
        is_known = np.ones(len(part), dtype=bool)
        for i, place in enumerate(part.itertuples(index=False)):
            for name, cell in zip(
                place[: len(names)], place[len(names) :], strict=True
            ):
                code = code_of(columns[name], cell)
                # the levels that "others" stands for are not known here
                is_known[i] &= code != OTHERS
                moved[i, :, position[name]] = code
        outside = support.outside(moved.reshape(-1, rows.shape[1]))
        shares = outside.reshape(len(part), -1).mean(axis=1)
        off += np.where(is_known, shares, np.nan).tolist()
    label = [" × ".join(place) for place in places[names].to_numpy()]
    table = frame_of({"feature": label, "x": places[cells[0]], "off_data": off})
    return table.dropna(subset="off_data")


def measure_columns(result: Result, problem: Problem, seed: int) -> list[ColumnProblem]:
    """Return the columns of the background that are not what they look like."""
    return suspicious_columns(problem)


def suspicious_columns(
    problem: Problem, codes: np.ndarray | None = None
) -> list[ColumnProblem]:
    """Return what looks wrong with columns of the background; `codes` are its classes.

    Constant columns have a check of their own.
    """
    frame = problem.target.frame(problem.background)
    return [p for p in column_problems(frame, codes) if p.kind != "constant"]


_MEASURES: dict[str, Callable[[Any, Problem, int], Any]] = {
    "deletion": measure_deletion,
    "reruns": measure_reruns,
    "agreement": measure_agreement,
    "off_data": measure_off_data,
    "off_grid": measure_off_grid,
    "columns": measure_columns,
}


def run_checks(result: Result, measured: Measurements | None = None) -> Checks:
    """Return the findings of all checks; without measurements, of the result alone."""
    measured = measured or Measurements()
    return Checks(tuple(check(result, measured) for check in CHECKS), result.title)


@register("checks", Result)
def check_result(
    result: Result, estimator: Any, X: Any, background: Any, random_state: Any
) -> Checks:
    """Run all checks, measured with the classifier if it is given."""
    if estimator is None:
        return run_checks(result)
    if X is None:
        raise ValueError(
            "`X` must be the explained rows, if there is an estimator. Got None; call "
            "checks(estimator, X, background=…)."
        )
    if not isinstance(result, Attributions | Profiles):
        return run_checks(result)
    output = result.output if isinstance(result, Attributions) else "probability"
    problem = open_problem(estimator, X, background=background, output=output)
    if isinstance(result, Attributions) and is_by_column(result, problem):
        _check_same(result, problem)
    return run_checks(result, measure(result, problem, seed=as_seed(random_state)))


def _check_same(result: Attributions, problem: Problem) -> None:
    """Raise ``ValueError`` unless the problem is the one that the result explains."""
    if len(problem.X) != len(result):
        raise ValueError(
            f"`X` must be the {len(result)} explained rows. Got {len(problem.X)}."
        )
    gap = np.abs(problem.target.predict(problem.X) - result.predictions).max()
    if gap > _SAME * max(1.0, np.abs(result.predictions).max()):
        raise ValueError(
            "`estimator` and `X` must be those of the explanation. Got others: the "
            f"predictions differ by {gap:.2g}."
        )
