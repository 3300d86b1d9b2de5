"""Run every method of a report once, on one opened problem and with one seed."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from skdnn._runtime.progress import Progress
from skdnn._tabular.column_problems import ColumnProblem
from skdnn.explain._checks import measure, run_checks, suspicious_columns
from skdnn.explain._methods import performance_scores
from skdnn.explain._methods.accumulated_local_effects import (
    compute_accumulated_local_effects,
)
from skdnn.explain._methods.agreement import compare
from skdnn.explain._methods.break_down import compute_break_down
from skdnn.explain._methods.ceteris_paribus import compute_ceteris_paribus
from skdnn.explain._methods.deletion_curves import compute_deletion_curves
from skdnn.explain._methods.lime import compute_lime
from skdnn.explain._methods.partial_dependence import compute_partial_dependence
from skdnn.explain._methods.performance import compute_performance
from skdnn.explain._methods.performance_decisions import Predictions
from skdnn.explain._methods.performance_groups import find_groups
from skdnn.explain._methods.permutation_importance import compute_permutation_importance
from skdnn.explain._methods.shap import compute_shap
from skdnn.explain._model.labels import class_codes, row_weights
from skdnn.explain._model.opening import open_problem
from skdnn.explain._model.target import Problem
from skdnn.explain._report import rows_used
from skdnn.explain._report.cells import as_column, is_missing
from skdnn.explain._report.depth_gain import measure_depth_gain
from skdnn.explain._report.evidence import Evidence
from skdnn.explain._report.fitted_record import inspect_fitted
from skdnn.explain._report.picked_explanations import (
    explain_picked,
    find_counterfactuals,
)
from skdnn.explain._report.rivals import check_rivals, meet_rivals
from skdnn.explain._report.rows_used import draw_rows
from skdnn.explain._report.similar_rows import find_similar
from skdnn.explain._report.uncertain_rows import measure_uncertainty
from skdnn.explain._results.attributions import Attributions
from skdnn.explain._results.tables import ResultTable

N_PROFILES = 6
N_VARIED = 3  # columns of each chosen row that ceteris paribus varies
_RESOLUTION = 25
_N_STEPS = 9


def collect(
    estimator: Any,
    X: Any,
    y: Any,
    *,
    background: Any,
    y_background: Any,
    rivals: Any,
    groups_by: Any,
    costs: Any,
    actionable: Any,
    nested: Any,
    title: str | None,
    samples: Any,
    sample_weight: Any,
    seed: int,
    verbose: bool | None,
) -> Evidence:
    """Return all results that a report is made of; parameters are those of `report`."""
    n_rows, n_labels = np.shape(X)[0], np.shape(y)[0]
    if n_rows != n_labels or n_rows < 2:
        raise ValueError(
            f"X and y must have the same number of rows, at least two. Got {n_rows} "
            f"rows of X and {n_labels} of y instead."
        )
    given = check_rivals(rivals)
    check_nested(nested)
    if y_background is not None and background is None:
        raise ValueError(
            "y_background must come with background: they are rows and their classes, "
            "usually those of the training. Got no background."
        )
    problem = open_problem(estimator, X, background=background)
    classes = problem.target.class_names
    if not problem.target.sum_to_one:
        raise ValueError(
            "A report is for rows of one class each. Got a classifier of several "
            f"labels per row: {list(classes)}. explain.shap, permutation_importance, "
            "summary and the other functions take them."
        )
    codes = class_codes(y, classes)
    background_codes = None
    if y_background is not None:
        background_codes = class_codes(
            y_background, classes, len(problem.background), name="y_background"
        )
    weight = row_weights(sample_weight, n_rows)
    requested = None if samples is None else as_positions(samples, n_rows)
    with Progress(_N_STEPS, "report", verbose) as progress:
        probabilities = problem.target.predict(problem.X)
        predicted = problem.target.classes_given(probabilities, problem.X)
        chosen = requested or performance_scores.choose_rows(
            codes, probabilities, predicted
        )
        columns = _columns_of(problem)
        measured = _measure_predictions(
            problem,
            y,
            Predictions(codes, probabilities, predicted, weight),
            seed,
            by=groups_by,
            costs=costs,
            sample_weight=sample_weight,
            given=given,
            background_codes=background_codes,
            X=X,
        )
        progress.step()
        rows = [row for row, _ in chosen]
        suspects = _suspicious_columns(problem, codes)
        results = _explain(
            problem,
            y,
            rows,
            predicted[rows],
            suspects,
            sample_weight,
            actionable,
            seed,
            progress.step,
        )
        uncertain = measure_uncertainty(
            problem, predicted, results["readable"], seed,
            is_compared=background is not None,
        )  # fmt: skip
        results["checks"] += [run_checks(measured["decisions"])]
        results["checks"] += [run_checks(uncertain["uncertainty"])]
    index: Any = getattr(X, "index", None)
    labels = index.tolist() if hasattr(index, "tolist") else None
    return Evidence(
        title=title,
        record=inspect_fitted(estimator),
        columns=columns,
        row_labels=None if labels is None else [str(label) for label in labels],
        row_groups=None if groups_by is None else _group_names(groups_by, problem),
        feature_names=problem.target.feature_names,
        class_names=classes,
        codes=codes,
        probabilities=probabilities,
        predicted=predicted,
        scoring="score" if getattr(estimator, "scoring", None) else "accuracy",
        chosen=chosen,
        n_background=len(problem.background),
        is_weighted=sample_weight is not None,
        random_state=seed,
        nested=nested,
        has_labels=background_codes is not None,
        depth=measure_depth_gain(
            problem, codes, predicted, measured["rivals"], results["profiles"], seed
        ),
        # without a background, each row would be most similar to itself
        similar=None
        if background is None
        else find_similar(problem.take(results["readable"]), background_codes, seed),
        **measured,
        **results,
        **uncertain,
    )


def _measure_predictions(
    problem: Problem,
    y: Any,
    own: Predictions,
    seed: int,
    *,
    by: Any,
    costs: Any,
    sample_weight: Any,
    given: Mapping[str, Any],
    background_codes: np.ndarray | None,
    X: Any,
) -> dict[str, Any]:
    """Return scores of classifier, rivals and baseline by their names in `Evidence`."""
    score = partial(
        performance_scores.measure, own.codes, weight=own.weight, random_state=seed
    )
    measured = score(own.probabilities, predicted=own.predicted)
    decisions = compute_performance(
        problem, y, by=by, costs=costs, sample_weight=sample_weight,
        random_state=seed, known=(own, measured),
    )  # fmt: skip
    rivals, without = meet_rivals(
        problem, own.codes, (own.probabilities, own.predicted), measured,
        background_codes=background_codes, given=given, X=X, weight=own.weight,
        seed=seed,
    )  # fmt: skip
    shares = performance_scores.baseline(own.codes, own.n_classes, own.weight)
    return {
        "performance": measured,
        "decisions": decisions,
        "base": score(shares),
        "rivals": rivals,
        "without_rivals": without,
    }


def check_nested(nested: Any) -> None:
    """Raise TypeError unless these are scores of nested cross-validation, or None."""
    if nested is not None and not hasattr(nested, "interval"):
        raise TypeError(
            "nested must be what skdnn.model_selection.nested_cross_validate returns. "
            f"Got {type(nested).__name__} instead."
        )


def as_positions(samples: Any, n_rows: int) -> list[tuple[int, str]]:
    """Return requested rows as positions from 0, without reasons."""
    given = [samples] if isinstance(samples, int | np.integer) else list(samples)
    if not given or not all(
        isinstance(row, int | np.integer)
        and not isinstance(row, bool)
        and -n_rows <= row < n_rows
        for row in given
    ):
        raise ValueError(
            f"samples must be positions of rows of X, from 0 to {n_rows - 1}, at least "
            f"one. Got {samples!r} instead. None picks rows worth explaining."
        )
    return [(row, "") for row in dict.fromkeys(int(row) % n_rows for row in given)]


def _group_names(by: Any, problem: Problem) -> list[str]:
    """Return the group of each row as text."""
    groups = find_groups(by, problem)
    return [str(groups.labels[code]) for code in groups.codes]


def _columns_of(problem: Problem) -> list[np.ndarray]:
    """Return the explained rows, one array per column."""
    columns = []
    for j, column in enumerate(problem.target.columns):
        if column.is_numeric:
            columns.append(problem.X[:, j])
        elif getattr(column.dtype, "kind", "O") == "b":
            cells = [np.nan if is_missing(c) else c for c in problem.table[j]]
            columns.append(np.array(cells, float))
        else:
            columns.append(as_column(problem.table[j]))
    return columns


def _suspicious_columns(problem: Problem, codes: np.ndarray) -> list[ColumnProblem]:
    """Return what looks wrong with columns of the background, or else of the rows."""
    problems = suspicious_columns(problem)
    known = {one.column for one in problems}
    of_rows = suspicious_columns(problem.with_background(problem.X), codes)
    return problems + [one for one in of_rows if one.column not in known]


def _explain(
    problem: Problem,
    y: Any,
    chosen: list[int],
    predicted: np.ndarray,
    suspects: list[ColumnProblem],
    weight: Any,
    actionable: Any,
    seed: int,
    step: Callable[[], None],
) -> dict[str, Any]:
    """Return the explanations by their names in `Evidence`.

    `predicted` are classes of the chosen rows; `step` is called ``_N_STEPS - 1`` times.
    """
    n, d = problem.X.shape
    averaged = draw_rows(n, rows_used.MAX_AVERAGED, seed)
    whole = problem.take(averaged)
    n_repeats = rows_used.n_repeats(len(averaged), d)
    importance = compute_permutation_importance(
        whole,
        np.asarray(y)[averaged],
        n_repeats=n_repeats,
        sample_weight=None if weight is None else np.asarray(weight)[averaged],
        random_state=seed,
    )
    step()
    shap_rows = draw_rows(n, rows_used.n_shap(problem), seed, chosen)
    shap = compute_shap(problem.take(shap_rows), random_state=seed)
    step()
    # the chosen rows first; the others show how far the methods agree
    n_compared = max(rows_used.n_compared(problem), len(chosen))
    some = list(dict.fromkeys([*chosen, *shap_rows]))[:n_compared]
    compared = problem.take(some)
    # near 0 and 1, all changes of the probability are small
    lime = compute_lime(compared.with_output("log_odds"), random_state=seed)
    break_down = compute_break_down(compared, random_state=seed)
    compared_shap = shap[np.searchsorted(shap_rows, some)]
    attributions = {"SHAP": compared_shap, "LIME": lime, "break-down": break_down}
    step()
    whole = whole.with_background(whole.X)
    # the columns whose profiles are shown: the most important ones
    sizes = importance.table["importance"].to_numpy()
    positions = np.argsort(-sizes, kind="stable")[:N_PROFILES].tolist()
    profiles = compute_partial_dependence(whole, positions)
    accumulated = compute_accumulated_local_effects(whole, positions)
    step()
    single = problem.take(chosen)
    varied = _largest(compared_shap.values[: len(chosen)], predicted)
    ceteris_paribus = compute_ceteris_paribus(single, varied, _RESOLUTION)
    counterfactuals = find_counterfactuals(
        problem, chosen, actionable, seed, n_tried=rows_used.n_tried(d)
    )
    step()
    readable = draw_rows(
        n, max(rows_used.n_picked(problem), len(shap_rows)), seed, chosen
    )
    picked = explain_picked(
        problem,
        [row for row in readable if row not in chosen],
        {
            "SHAP": (shap_rows, shap),
            "LIME": (some, lime),
            "break-down": (some, break_down),
        },
        actionable,
        seed,
    )
    step()
    agreement = compare(attributions, importance)
    trust = _measure_trust(compared, attributions, agreement, suspects, seed)
    step()
    known: dict[str, Any] = {"seed": seed, "columns": suspects}
    trust["checks"] += [
        run_checks(importance),
        run_checks(profiles, measure(profiles, whole, **known)),
        run_checks(ceteris_paribus, measure(ceteris_paribus, single, **known)),
    ]
    step()
    return {
        "importance": importance,
        "n_averaged": len(averaged),
        "n_repeats": n_repeats,
        "shap": shap,
        "shap_rows": shap_rows,
        "lime": lime,
        "break_down": break_down,
        "profiles": profiles,
        "accumulated": accumulated,
        "ceteris_paribus": ceteris_paribus,
        "readable": readable,
        "picked": picked,
        "counterfactuals": counterfactuals,
        "agreement": agreement,
        **trust,
    }


def _largest(values: np.ndarray, predicted: np.ndarray) -> list[int]:
    """Return the columns with the largest attributions to the predicted classes."""
    sizes = np.abs(values[np.arange(len(values)), :, predicted])
    largest = np.argsort(-sizes, axis=1, kind="stable")[:, :N_VARIED]
    return [int(j) for j in np.unique(largest)]


def _measure_trust(
    problem: Problem,
    attributions: dict[str, Attributions],
    agreement: ResultTable,
    suspects: list[ColumnProblem],
    seed: int,
) -> dict[str, Any]:
    """Return deletion curves, reruns and checks of attributions to the same rows."""
    draw = np.random.RandomState(seed)
    deletion = compute_deletion_curves(problem, attributions, draw)
    checks, reruns = [], {}
    for name, result in attributions.items():
        measured = measure(
            result,
            problem,
            seed=seed,
            deletion=deletion[name],
            agreement=agreement.table,
            columns=suspects,
        )
        checks.append(run_checks(result, measured))
        reruns[name] = measured.reruns
    return {"checks": checks, "deletion": deletion, "reruns": reruns}
