"""Run every method of a report once, on one opened problem and with one seed."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from skdnn._runtime.progress import Progress
from skdnn._tabular.column_problems import ColumnProblem
from skdnn.explain._checks import run_checks, suspicious_columns
from skdnn.explain._methods import performance_scores
from skdnn.explain._methods.performance import compute_performance
from skdnn.explain._methods.performance_decisions import Predictions
from skdnn.explain._methods.performance_groups import find_groups
from skdnn.explain._model.labels import class_codes, row_weights
from skdnn.explain._model.opening import open_problem
from skdnn.explain._model.target import Problem
from skdnn.explain._report.cells import as_column, is_missing
from skdnn.explain._report.depth_gain import measure_depth_gain
from skdnn.explain._report.evidence import Evidence
from skdnn.explain._report.explanations import N_STEPS, Subject, explain_all
from skdnn.explain._report.fitted_record import inspect_fitted
from skdnn.explain._report.request import Request
from skdnn.explain._report.rivals import check_rivals, meet_rivals
from skdnn.explain._report.similar_rows import find_similar
from skdnn.explain._report.uncertain_rows import measure_uncertainty


def collect(estimator: Any, X: Any, y: Any, request: Request) -> Evidence:
    """Return all results that a report is made of."""
    request.check(X, y)
    problem = _open(estimator, X, request)
    classes = problem.target.class_names
    codes = class_codes(y, classes)
    background_codes = None
    if request.y_background is not None:
        background_codes = class_codes(
            request.y_background, classes, len(problem.background), name="y_background"
        )
    weight = row_weights(request.sample_weight, len(codes))
    chosen = request.chosen(len(codes))
    with Progress(1 + N_STEPS, "report", request.verbose) as progress:
        own = _predict(problem, codes, weight)
        if chosen is None:
            chosen = performance_scores.choose_rows(
                codes, own.probabilities, own.predicted
            )
        measured = _measure_predictions(problem, X, y, own, background_codes, request)
        progress.step()
        rows = [row for row, _ in chosen]
        subject = Subject(
            problem, y, rows, own.predicted[rows],
            suspects=_suspicious_columns(problem, codes),
            weight=request.sample_weight, actionable=request.actionable,
            seed=request.seed,
        )  # fmt: skip
        results = explain_all(subject, progress.step)
        more = _measure_more(problem, own, measured, results, background_codes, request)
    results["checks"] += [
        run_checks(measured["decisions"]), run_checks(more["uncertainty"])
    ]  # fmt: skip
    return Evidence(
        **_facts(estimator, X, problem, request),
        codes=codes,
        probabilities=own.probabilities,
        predicted=own.predicted,
        chosen=chosen,
        has_labels=background_codes is not None,
        **measured,
        **results,
        **more,
    )


def _open(estimator: Any, X: Any, request: Request) -> Problem:
    """Return the problem; ValueError for classifiers of several labels per row."""
    problem = open_problem(estimator, X, background=request.background)
    classes = problem.target.class_names
    if not problem.target.sum_to_one:
        raise ValueError(
            "A report is for rows of one class each. Got a classifier of several "
            f"labels per row: {list(classes)}. explain.shap, permutation_importance, "
            "summary and the other functions take them."
        )
    if request.positive is None:
        return problem
    return problem.with_target(positive=classes.tolist().index(request.positive))


def _predict(problem: Problem, codes: np.ndarray, weight: np.ndarray) -> Predictions:
    """Return what the classifier predicts, beside the classes."""
    probabilities = problem.target.predict(problem.X)
    predicted = problem.target.classes_given(probabilities, problem.X)
    return Predictions(codes, probabilities, predicted, weight)


def _measure_predictions(
    problem: Problem,
    X: Any,
    y: Any,
    own: Predictions,
    background_codes: np.ndarray | None,
    request: Request,
) -> dict[str, Any]:
    """Return scores of classifier, rivals and baseline by their names in `Evidence`."""
    seed = request.seed
    score = partial(
        performance_scores.measure, own.codes, weight=own.weight, random_state=seed,
        positive=problem.target.positive,
    )  # fmt: skip
    measured = score(own.probabilities, predicted=own.predicted)
    decisions = compute_performance(
        problem, y, by=request.groups_by, costs=request.costs,
        sample_weight=request.sample_weight, random_state=seed, known=(own, measured),
    )  # fmt: skip
    rivals, without = meet_rivals(
        problem, own.codes, (own.probabilities, own.predicted), measured,
        background_codes=background_codes, given=check_rivals(request.rivals), X=X,
        weight=own.weight, seed=seed,
    )  # fmt: skip
    shares = performance_scores.baseline(own.codes, own.n_classes, own.weight)
    return {
        "performance": measured,
        "decisions": decisions,
        "base": score(shares),
        "rivals": rivals,
        "without_rivals": without,
    }


def _measure_more(
    problem: Problem,
    own: Predictions,
    measured: dict[str, Any],
    results: dict[str, Any],
    background_codes: np.ndarray | None,
    request: Request,
) -> dict[str, Any]:
    """Return what is measured beside the explanations, by its names in `Evidence`."""
    seed, readable = request.seed, results["readable"]
    # without a background, each row would be most similar to itself
    is_compared = request.background is not None
    similar = None
    if is_compared:
        similar = find_similar(problem.take(readable), background_codes, seed)
    return {
        "depth": measure_depth_gain(
            problem, own.codes, own.predicted, measured["rivals"], results["profiles"],
            seed,
        ),
        "similar": similar,
        **measure_uncertainty(
            problem, own.predicted, readable, seed, is_compared=is_compared
        ),
    }  # fmt: skip


def _facts(
    estimator: Any, X: Any, problem: Problem, request: Request
) -> dict[str, Any]:
    """Return what is known without measuring, by its names in `Evidence`."""
    groups = request.groups_by
    return {
        "title": request.title,
        "record": inspect_fitted(estimator),
        "columns": _columns_of(problem),
        "row_labels": _row_labels(X),
        "row_groups": None if groups is None else _group_names(groups, problem),
        "feature_names": problem.target.feature_names,
        "class_names": problem.target.class_names,
        "positive": problem.target.positive,
        "scoring": "score" if getattr(estimator, "scoring", None) else "accuracy",
        "n_background": len(problem.background),
        "is_weighted": request.sample_weight is not None,
        "random_state": request.seed,
        "nested": request.nested,
        "origin": request.origin,
    }


def _row_labels(X: Any) -> Sequence[str] | None:
    """Return the index of a frame as text, None if there is none."""
    index: Any = getattr(X, "index", None)
    labels = index.tolist() if hasattr(index, "tolist") else None
    return None if labels is None else [str(label) for label in labels]


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
