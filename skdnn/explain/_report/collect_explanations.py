"""The explanations of a report: overall, of chosen rows, and how far to trust them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from skdnn.explain._checks import CheckInput, run_checks
from skdnn.explain._checks.measure import off_data, off_grid, rerun
from skdnn.explain._methods.accumulated_local_effects import accumulated_local_effects
from skdnn.explain._methods.agreement import compare
from skdnn.explain._methods.break_down import break_down
from skdnn.explain._methods.ceteris_paribus import ceteris_paribus
from skdnn.explain._methods.counterfactuals import OWN_COLUMNS, counterfactuals
from skdnn.explain._methods.deletion_curves import compute_deletion_curves
from skdnn.explain._methods.lime import lime
from skdnn.explain._methods.partial_dependence import partial_dependence
from skdnn.explain._methods.permutation_importance import permutation_importance
from skdnn.explain._methods.shap import shap
from skdnn.explain._model.options import Step
from skdnn.explain._model.rows import take
from skdnn.explain._model.target import open_problem

N_STEPS = 7
N_SHAP_ROWS = 100
N_LIME_ROWS = 20
N_PROFILES = 6
N_MOVED = 3  # columns of each chosen row whose cell is moved
_RESOLUTION = 25


@dataclass(frozen=True)
class ReportRequest:
    """What is to be explained.

    Attributes
    ----------
    estimator, X, y, background : object
        As of `explain.report`.
    chosen : list of int
        Positions of the rows to explain one by one.
    predicted : ndarray of shape (n_chosen,)
        Positions of the classes predicted for them.
    seed : int
        Of all methods.
    """

    estimator: Any
    X: Any
    y: Any
    background: Any
    chosen: list[int]
    predicted: np.ndarray
    seed: int

    @property
    def options(self) -> dict[str, Any]:
        """What all methods are called with."""
        return {"background": self.background, "random_state": self.seed}


def collect_explanations(asked: ReportRequest, step: Step) -> dict[str, Any]:
    """Return the explanations, by their names in the evidence of a report.

    Parameters
    ----------
    asked : Asked
        What is to be explained.
    step : callable
        Called `N_STEPS` times.
    """
    estimator, X, seed = asked.estimator, asked.X, asked.seed
    importance = permutation_importance(estimator, X, asked.y, random_state=seed)
    step()
    shap_rows = _draw_rows(int(np.shape(X)[0]), asked.chosen, seed)
    attributed = shap(estimator, take(X, shap_rows), **asked.options)
    step()
    # The chosen rows first; the others tell how far the methods agree.
    some = list(dict.fromkeys([*asked.chosen, *shap_rows]))
    some = some[: max(N_LIME_ROWS, len(asked.chosen))]
    same = {
        "SHAP": attributed[np.searchsorted(shap_rows, some)],
        "LIME": lime(estimator, take(X, some), **asked.options),
        "break-down": break_down(estimator, take(X, some), **asked.options),
    }
    step()
    features = _most_important(importance.table, attributed.feature_names)
    overall = {
        "profiles": partial_dependence(estimator, X, features=features),
        "accumulated": accumulated_local_effects(estimator, X, features=features),
    }
    step()
    of_rows = _of_rows(asked, same["SHAP"])
    step()
    told = {
        "importance": importance,
        "shap": attributed,
        "shap_rows": shap_rows,
        "lime": same["LIME"],
        "break_down": same["break-down"],
        "agreement": compare(same, importance).frame(),
        **overall,
        **of_rows,
    }
    return {**told, **_trust(asked, take(X, some), same, told, step)}


def _of_rows(asked: ReportRequest, attributed: Any) -> dict[str, Any]:
    """Move the cells of the chosen rows, and look for the fewest that must move."""
    n = len(asked.chosen)
    rows = take(asked.X, asked.chosen)
    sizes = np.abs(attributed.values[np.arange(n), :, asked.predicted])
    moved = np.unique(np.argsort(-sizes, axis=1, kind="stable")[:, :N_MOVED])
    curves = ceteris_paribus(
        asked.estimator, rows, features=moved.tolist(), grid_resolution=_RESOLUTION,
        **asked.options,
    )  # fmt: skip
    changes = None
    if len(attributed.class_names) > 1 and not (
        set(attributed.feature_names) & set(OWN_COLUMNS)
    ):
        changes = counterfactuals(asked.estimator, rows, **asked.options)
    return {"ceteris_paribus": curves, "counterfactuals": changes}


def _trust(
    asked: ReportRequest,
    rows: Any,
    same: dict[str, Any],
    told: dict[str, Any],
    step: Step,
) -> dict[str, Any]:
    """Check the explanations.

    Parameters
    ----------
    asked : Asked
        What was to be explained.
    rows : like X
        Rows that `same` explains.
    same : dict of str to Attributions
        Each method's, of the same rows.
    told : dict of str to object
        All explanations.
    step : callable
        Called twice.
    """
    estimator, seed = asked.estimator, asked.seed
    problem = open_problem(estimator, rows, background=asked.background)
    deletion = compute_deletion_curves(problem, same, np.random.RandomState(seed))
    seen = {}
    for name, result in same.items():
        others = [name in pair for pair in _pairs(told["agreement"])]
        seen[name] = CheckInput(
            result,
            problem=problem,
            deletion=deletion[name],
            reruns=rerun(
                result, estimator, rows, background=asked.background, seed=seed
            ),
            agreement=told["agreement"][others],
            off_data=off_data(result, problem, seed),
        )
    step()
    whole = open_problem(estimator, asked.X)
    chosen = take(asked.X, asked.chosen)
    single = open_problem(estimator, chosen, background=asked.background)
    more = [
        CheckInput(told[name], problem=of, off_grid=off_grid(told[name], of, seed))
        for name, of in (("profiles", whole), ("ceteris_paribus", single))
    ]
    step()
    everything = [*seen.values(), CheckInput(told["importance"]), *more]
    return {
        "checks": [run_checks(one) for one in everything],
        "deletion": deletion,
        "reruns": {name: one.reruns for name, one in seen.items()},
    }


def _pairs(agreement: Any) -> list[tuple[str, str]]:
    return list(zip(agreement["method_a"], agreement["method_b"], strict=True))


def _draw_rows(n_rows: int, chosen: Sequence[int], seed: int) -> list[int]:
    """Draw the rows of the overall picture, with the chosen ones among them."""
    order = np.random.default_rng(seed).permutation(n_rows).tolist()
    rows = dict.fromkeys([*chosen, *order])
    return sorted(list(rows)[: max(N_SHAP_ROWS, len(chosen))])


def _most_important(frame: Any, names: Sequence[Any]) -> list[int]:
    """Give the positions of the columns whose profiles are shown."""
    order = np.argsort(-frame["importance"].to_numpy(), kind="stable")[:N_PROFILES]
    position = {name: i for i, name in enumerate(names)}
    return [position[frame["feature"].iloc[i]] for i in order]
