"""Every explanation method of a report, run on the rows that it needs."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from skdnn._tabular.column_problems import ColumnProblem
from skdnn.explain._checks import measure, run_checks
from skdnn.explain._methods.accumulated_local_effects import (
    compute_accumulated_local_effects,
)
from skdnn.explain._methods.agreement import compare
from skdnn.explain._methods.break_down import compute_break_down
from skdnn.explain._methods.ceteris_paribus import compute_ceteris_paribus
from skdnn.explain._methods.deletion_curves import compute_deletion_curves
from skdnn.explain._methods.lime import compute_lime
from skdnn.explain._methods.partial_dependence import compute_partial_dependence
from skdnn.explain._methods.permutation_importance import compute_permutation_importance
from skdnn.explain._methods.shap import compute_shap
from skdnn.explain._model.target import Problem
from skdnn.explain._report import rows_used
from skdnn.explain._report.picked_explanations import (
    explain_picked,
    find_counterfactuals,
)
from skdnn.explain._report.rows_used import draw_rows
from skdnn.explain._results.attributions import Attributions
from skdnn.explain._results.profiles import Profiles
from skdnn.explain._results.tables import ResultTable

N_STEPS = 8  # of the progress
N_PROFILES = 6
N_VARIED = 3  # columns of each chosen row that ceteris paribus varies
_RESOLUTION = 25


@dataclass(frozen=True)
class Subject:
    """What is explained: rows of a classifier, those chosen, and their classes.

    `y` are the classes of all rows, `predicted` the positions of those predicted for
    the `chosen` rows. `suspects` are columns that look wrong, `weight` the sample
    weight, and `actionable` which columns can be changed, as the user gave them.
    """

    problem: Problem
    y: Any
    chosen: list[int]
    predicted: np.ndarray
    suspects: list[ColumnProblem]
    weight: Any
    actionable: Any
    seed: int


@dataclass(frozen=True)
class _Local:
    """Attributions: SHAP of `shap_rows`, and all methods of `some` rows of them.

    The chosen rows are the first of `some`; the others show how far the methods agree.
    """

    shap: Attributions
    shap_rows: list[int]
    some: list[int]
    compared: Problem
    by_method: dict[str, Any]


def explain_all(subject: Subject, step: Callable[[], None]) -> dict[str, Any]:
    """Return the explanations by their names in `Evidence`.

    `step` is called ``N_STEPS`` times.
    """
    importance, n_repeats, averaged = _importance(subject)
    step()
    local = _attributions(subject, step)
    profiles, accumulated = _profiles(importance, averaged)
    step()
    single = subject.problem.take(subject.chosen)
    ceteris_paribus = _ceteris_paribus(subject, single, local)
    counterfactuals = find_counterfactuals(
        subject.problem, subject.chosen, subject.actionable, subject.seed,
        n_tried=rows_used.n_tried(subject.problem.target.n_features),
    )  # fmt: skip
    step()
    readable, picked = _picked(subject, local)
    step()
    agreement = compare(local.by_method, importance)
    trust = _measure_trust(subject, local, agreement)
    step()
    trust["checks"].append(run_checks(importance))
    for curves, rows in ((profiles, averaged), (ceteris_paribus, single)):
        measured = measure(curves, rows, seed=subject.seed, columns=subject.suspects)
        trust["checks"].append(run_checks(curves, measured))
    step()
    return {
        "importance": importance,
        "n_averaged": len(averaged.X),
        "n_repeats": n_repeats,
        "shap": local.shap,
        "shap_rows": local.shap_rows,
        "lime": local.by_method["LIME"],
        "break_down": local.by_method["break-down"],
        "profiles": profiles,
        "accumulated": accumulated,
        "ceteris_paribus": ceteris_paribus,
        "readable": readable,
        "picked": picked,
        "counterfactuals": counterfactuals,
        "agreement": agreement,
        **trust,
    }


def _importance(subject: Subject) -> tuple[ResultTable, int, Problem]:
    """Return permutation importance, its repeats, and the rows that it is over.

    These rows are their own background.
    """
    problem, weight, seed = subject.problem, subject.weight, subject.seed
    n, d = problem.X.shape
    rows = draw_rows(n, rows_used.MAX_AVERAGED, seed)
    averaged = problem.take(rows)
    n_repeats = rows_used.n_repeats(len(rows), d)
    importance = compute_permutation_importance(
        averaged,
        np.asarray(subject.y)[rows],
        n_repeats=n_repeats,
        sample_weight=None if weight is None else np.asarray(weight)[rows],
        random_state=seed,
    )
    return importance, n_repeats, averaged.with_background(averaged.X)


def _attributions(subject: Subject, step: Callable[[], None]) -> _Local:
    """Return SHAP, LIME and break-down; `step` is called twice."""
    problem, chosen, seed = subject.problem, subject.chosen, subject.seed
    shap_rows = draw_rows(len(problem.X), rows_used.n_shap(problem), seed, chosen)
    shap = compute_shap(problem.take(shap_rows), random_state=seed)
    step()
    n_compared = max(rows_used.n_compared(problem), len(chosen))
    some = list(dict.fromkeys([*chosen, *shap_rows]))[:n_compared]
    compared = problem.take(some)
    by_method = {
        "SHAP": shap[np.searchsorted(shap_rows, some)],
        # near 0 and 1, all changes of the probability are small
        "LIME": compute_lime(compared.with_output("log_odds"), random_state=seed),
        "break-down": compute_break_down(compared, random_state=seed),
    }
    step()
    return _Local(shap, shap_rows, some, compared, by_method)


def _profiles(importance: ResultTable, averaged: Problem) -> tuple[Profiles, Profiles]:
    """Return partial dependence and accumulated effects of the first columns."""
    sizes = importance.table["importance"].to_numpy()
    positions = np.argsort(-sizes, kind="stable")[:N_PROFILES].tolist()
    return (
        compute_partial_dependence(averaged, positions),
        compute_accumulated_local_effects(averaged, positions),
    )


def _ceteris_paribus(subject: Subject, single: Problem, local: _Local) -> Profiles:
    """Return curves of the chosen rows along columns with large attributions."""
    values = local.by_method["SHAP"].values[: len(subject.chosen)]
    varied = _largest(values, subject.predicted)
    return compute_ceteris_paribus(single, varied, _RESOLUTION)


def _largest(values: np.ndarray, predicted: np.ndarray) -> list[int]:
    """Return the columns with the largest attributions to the predicted classes."""
    sizes = np.abs(values[np.arange(len(values)), :, predicted])
    largest = np.argsort(-sizes, axis=1, kind="stable")[:, :N_VARIED]
    return [int(j) for j in np.unique(largest)]


def _picked(subject: Subject, local: _Local) -> tuple[list[int], Any]:
    """Return the rows that can be picked, and what explains those not chosen."""
    problem, chosen = subject.problem, subject.chosen
    n_readable = max(rows_used.n_picked(problem), len(local.shap_rows))
    readable = draw_rows(len(problem.X), n_readable, subject.seed, chosen)
    picked = explain_picked(
        problem,
        [row for row in readable if row not in chosen],
        {
            "SHAP": (local.shap_rows, local.shap),
            "LIME": (local.some, local.by_method["LIME"]),
            "break-down": (local.some, local.by_method["break-down"]),
        },
        subject.actionable,
        subject.seed,
    )
    return readable, picked


def _measure_trust(
    subject: Subject, local: _Local, agreement: ResultTable
) -> dict[str, Any]:
    """Return deletion curves, reruns and checks of attributions to the same rows."""
    draw = np.random.RandomState(subject.seed)
    deletion = compute_deletion_curves(local.compared, local.by_method, draw)
    checks, reruns = [], {}
    for name, result in local.by_method.items():
        measured = measure(
            result,
            local.compared,
            seed=subject.seed,
            deletion=deletion[name],
            agreement=agreement.table,
            columns=subject.suspects,
        )
        checks.append(run_checks(result, measured))
        reruns[name] = measured.reruns
    return {"checks": checks, "deletion": deletion, "reruns": reruns}
