"""Run every method of a report once, on the same rows and the same seed."""

from typing import Any

import numpy as np

from skdnn._runtime.progress import Progress
from skdnn._runtime.seeds import as_seed
from skdnn.explain._methods import performance as _performance
from skdnn.explain._model.labels import class_codes
from skdnn.explain._model.rows import n_rows_of
from skdnn.explain._report import Evidence
from skdnn.explain._report import simple_model as _simple_model
from skdnn.explain._report.collect_explanations import (
    N_STEPS,
    ReportRequest,
    collect_explanations,
)
from skdnn.explain._report.fitted_record import inspect_fitted

_STEPS = 1 + N_STEPS


def collect(
    estimator: Any,
    X: Any,
    y: Any,
    *,
    background: Any,
    title: str | None,
    samples: Any,
    random_state: int | None,
    verbose: bool,
) -> Evidence:
    """Give all results that a report is made of; parameters as of `explain.report`."""
    seed = as_seed(random_state)
    background = X if background is None else background
    classes = np.asarray(estimator.classes_)
    codes = class_codes(y, classes)
    n_rows = n_rows_of(X)
    if n_rows != len(codes) or n_rows < 2:
        raise ValueError(
            f"X and y must have the same number of rows, at least two. Got {n_rows} "
            f"rows of X and {len(codes)} of y instead."
        )
    asked = None if samples is None else as_positions(samples, n_rows)
    with Progress(_STEPS, "report", verbose) as progress:
        probabilities = np.asarray(estimator.predict_proba(X), dtype=float)
        predicted = class_codes(estimator.predict(X), classes)
        chosen = asked or _performance.choose_rows(codes, probabilities, predicted)
        scores = _scores(X, codes, probabilities, predicted, seed)
        progress.step()
        positions = [row for row, _ in chosen]
        told = collect_explanations(
            ReportRequest(
                estimator, X, y, background, positions, predicted[positions], seed
            ),
            progress.step,
        )
    return Evidence(
        title=title,
        record=inspect_fitted(estimator),
        X=X,
        feature_names=told["shap"].feature_names,
        classes=classes,
        codes=codes,
        probabilities=probabilities,
        predicted=predicted,
        scoring="score" if getattr(estimator, "scoring", None) else "accuracy",
        chosen=chosen,
        n_background=n_rows_of(background),
        random_state=seed,
        **scores,
        **told,
    )


def _scores(
    X: Any,
    codes: np.ndarray,
    probabilities: np.ndarray,
    predicted: np.ndarray,
    seed: int,
) -> dict[str, Any]:
    """Measure the classifier, the simple model and the baseline on the same draws."""
    n_classes = probabilities.shape[1]
    measure = _performance.measure
    simple, note = _simple_model.simple_model(X, codes, n_classes, random_state=seed)
    return {
        "performance": measure(
            codes, probabilities, predicted=predicted, random_state=seed
        ),
        "simple": None if simple is None else measure(codes, simple, random_state=seed),
        "simple_note": note,
        "base": measure(
            codes, _performance.baseline(codes, n_classes), random_state=seed
        ),
    }


def as_positions(samples: Any, n_rows: int) -> list[tuple[int, str]]:
    """Check the positions of rows that were asked for.

    Raises
    ------
    ValueError
        If there is none, or one that is no position of `X`.
    """
    given = [samples] if isinstance(samples, int | np.integer) else list(samples)
    whole = all(
        isinstance(row, int | np.integer) and not isinstance(row, bool) for row in given
    )
    if not given or not whole or not all(-n_rows <= row < n_rows for row in given):
        raise ValueError(
            f"samples must be positions of rows of X, from 0 to {n_rows - 1}, at least "
            f"one. Got {samples!r} instead. None picks rows worth explaining."
        )
    return [(row, "") for row in dict.fromkeys(int(row) % n_rows for row in given)]
