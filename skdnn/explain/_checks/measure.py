"""Check a result: what needs the classifier is measured first, if it is handed over."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from skdnn._runtime.seeds import as_seed
from skdnn.explain._checks.base import CheckInput
from skdnn.explain._checks.run import run_checks
from skdnn.explain._methods.agreement import compare, equal_signs, mean_rank
from skdnn.explain._methods.break_down import break_down
from skdnn.explain._methods.data_support import LEAST_ROWS, Support, code_of, mixtures
from skdnn.explain._methods.deletion_curves import compute_deletion_curves
from skdnn.explain._methods.lime import lime
from skdnn.explain._methods.lime_sampling import Bins, Pool, draw_rows
from skdnn.explain._methods.shap import shap
from skdnn.explain._model.rows import take
from skdnn.explain._model.target import Problem, open_problem
from skdnn.explain._results.attributions import Attributions
from skdnn.explain._results.break_down import BreakDown
from skdnn.explain._results.checks import Checks
from skdnn.explain._results.profiles import Profiles
from skdnn.explain._results.registry import register
from skdnn.explain._results.result import Result

_N_RERUNS = 3
# LIME takes a thousand times as long as a row of SHAP, where that is exact.
_MAX_ROWS, _MAX_LIME_ROWS = 20, 3
_N_MADE_UP = 1000
_MAX_MOVED = 50
_SAME = 1e-6

METHODS: dict[str, Callable] = {"SHAP": shap, "LIME": lime, "break-down": break_down}


@register("checks", Result)
def check_result(
    result: Result, estimator: Any, X: Any, background: Any, random_state: Any
) -> Checks:
    """Return what all checks say; see ``Result.checks``."""
    if estimator is None:
        return run_checks(CheckInput(result))
    if X is None:
        raise ValueError(
            "`X` must be the rows that were explained, if there is an estimator. Got "
            "None; call checks(estimator, X, background=…)."
        )
    seed = as_seed(random_state)
    if isinstance(result, Profiles):
        problem = open_problem(estimator, X, background=background)
        grid = off_grid(result, problem, seed)
        return run_checks(CheckInput(result, problem=problem, off_grid=grid))
    if not isinstance(result, Attributions):
        return run_checks(CheckInput(result))
    problem = open_problem(estimator, X, background=background, output=result.output)
    if not _is_by_column(result, problem):
        return run_checks(CheckInput(result))
    _check_same(result, problem)
    seeded = {"background": X if background is None else background}
    deletion = compute_deletion_curves(
        problem, {"it": result}, np.random.RandomState(seed)
    )
    return run_checks(
        CheckInput(
            result,
            problem=problem,
            deletion=deletion["it"],
            reruns=rerun(result, estimator, X, seed=seed, **seeded),
            agreement=_agree(result, estimator, X, seed=seed, **seeded),
            off_data=off_data(result, problem, seed),
        )
    )


def _is_by_column(result: Attributions, problem: Problem) -> bool:
    """Whether a player is a column, and an output a class."""
    target = problem.target
    same = result.class_names.tolist() == target.class_names.tolist()
    return same and list(result.feature_names) == target.feature_names


def _check_same(result: Attributions, problem: Problem) -> None:
    if len(problem.X) != len(result):
        raise ValueError(
            f"`X` must be the {len(result)} rows that were explained. Got "
            f"{len(problem.X)}."
        )
    gap = np.abs(problem.target.predict(problem.X) - result.predictions).max()
    if gap > _SAME * max(1.0, np.abs(result.predictions).max()):
        raise ValueError(
            "`estimator` and `X` must be those of the explanation. Got others: the "
            f"predictions differ by {gap:.2g}."
        )


def method_of(result: Attributions) -> str:
    """Return which of the methods made a result."""
    if isinstance(result, BreakDown):
        return "break-down"
    return "SHAP" if result.score is None else "LIME"


def rerun(
    result: Attributions, estimator: Any, X: Any, *, background: Any, seed: int
) -> pd.DataFrame | None:
    """Explain the first rows again with other seeds.

    Returns
    -------
    DataFrame or None
        A row a seed: seed, rank (mean correlation of the sizes with those of
        `result`), sign (share of the weight whose sign is the same), moved (mean
        difference in shares of the mean size). None for a break-down in an order that
        was given.
    """
    name = method_of(result)
    n = min(len(result), _MAX_LIME_ROWS if name == "LIME" else _MAX_ROWS)
    options = {"background": background, "output": result.output}
    if name == "SHAP":
        options["method"] = result.method
    if name == "break-down" and result.method != "by size":
        return None
    rows = []
    for other in range(seed + 1, seed + 1 + _N_RERUNS):
        again = METHODS[name](
            estimator, take(X, range(n)), random_state=other % 2**32, **options
        )
        first, second = result.values[:n], again.values
        size = np.abs(first).sum()
        told = {
            "rank": mean_rank(first, second),
            "sign": equal_signs(first, second),
            "moved": np.abs(first - second).sum() / size if size else np.nan,
        }
        rows.append({"seed": other, **told})
    return pd.DataFrame(rows)


def _agree(
    result: Attributions, estimator: Any, X: Any, *, background: Any, seed: int
) -> pd.DataFrame:
    """Compare a result with the other methods, of which LIME takes longest."""
    name = method_of(result)
    n = min(len(result), _MAX_LIME_ROWS)
    options = {
        "background": background, "output": result.output, "random_state": seed,
    }  # fmt: skip
    told = {name: result[:n]}
    for other, method in METHODS.items():
        if other != name:
            told[other] = method(estimator, take(X, range(n)), **options)
    table = compare(told).table
    mine = (table["method_a"] == name) | (table["method_b"] == name)
    return table[mine]


def off_data(result: Attributions, problem: Problem, seed: int) -> float | None:
    """Return the share of the rows a method makes up that lie off the data.

    None if the background is too small to tell what is off it.
    """
    if len(problem.background) < LEAST_ROWS:
        return None
    draw = np.random.RandomState(seed)
    support = Support(problem, draw)
    if method_of(result) == "LIME":
        rows = _around(problem, draw)
    else:
        rows = mixtures(problem, draw, _N_MADE_UP)
    return float(support.outside(rows).mean())


def _around(problem: Problem, draw: np.random.RandomState) -> np.ndarray:
    """Return rows as LIME draws them around the first explained rows."""
    bins = Bins(problem)
    some = problem.X[:_MAX_ROWS]
    parts = []
    for row in some:
        pools = [Pool(problem, bins, row, [j]) for j in range(len(row))]
        parts.append(draw_rows(pools, row, _N_MADE_UP // len(some), draw)[0])
    return np.concatenate(parts)


def off_grid(result: Profiles, problem: Problem, seed: int) -> pd.DataFrame | None:
    """Return the share of the rows off the data at each place of a profile.

    Parameters
    ----------
    result : Profiles
        Of `problem`.
    problem : Problem
        Rows that were moved are X for single curves, else the background.
    seed : int
        Draws the rows that are moved again.

    Returns
    -------
    DataFrame or None
        Columns: feature, x, off_data. None where rows are moved only within the data,
        or the background is too small to tell.
    """
    is_local = result.method == "Accumulated local effects"
    if is_local or len(problem.background) < LEAST_ROWS:
        return None
    draw = np.random.RandomState(seed)
    support = Support(problem, draw)
    rows = problem.background if result.own is None else problem.X
    rows = rows[draw.permutation(len(rows))[:_MAX_MOVED]]
    columns = {column.name: column for column in problem.target.columns}
    position = {name: j for j, name in enumerate(columns)}
    names = [c for c in ("feature", "feature_2") if c in result.table]
    cells = [c.replace("feature", "x") for c in names]
    places = result.table[[*names, *cells]].drop_duplicates()
    told = []
    for place in places.itertuples(index=False):
        moved = rows.copy()
        for name, cell in zip(place[: len(names)], place[len(names) :], strict=True):
            moved[:, position[name]] = code_of(columns[name], cell)
        told.append(float(support.outside(moved).mean()))
    label = places[names[0]].astype(str)
    for name in names[1:]:
        label = label + " × " + places[name].astype(str)
    return pd.DataFrame(
        {"feature": label.to_numpy(), "x": places[cells[0]], "off_data": told}
    )
