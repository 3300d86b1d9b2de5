"""Run every method of a report once, on the same rows and the same seed."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from skdnn.explain import _performance, _simple_model
from skdnn.explain._report import Evidence

N_SHAP_ROWS = 100
N_LIME_ROWS = 20
N_PROFILES = 6
_STEPS = 6


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
    from skdnn import explain
    from skdnn._progress import Progress
    from skdnn.explain._agreement import compare
    from skdnn.explain._fitted import inspect_fitted

    seed = as_seed(random_state)
    background = X if background is None else background
    classes = np.asarray(estimator.classes_)
    codes = _performance.encode(y, classes)
    n_rows = n_rows_of(X)
    if n_rows != len(codes) or n_rows < 2:
        raise ValueError(
            f"X and y must have the same number of rows, at least two. Got {n_rows} "
            f"rows of X and {len(codes)} of y instead."
        )
    asked = None if samples is None else as_positions(samples, n_rows)
    with Progress(_STEPS, "report", verbose) as progress:
        probabilities = np.asarray(estimator.predict_proba(X), dtype=float)
        predicted = _performance.encode(estimator.predict(X), classes)
        chosen = asked or _performance.choose_rows(codes, probabilities, predicted)
        scores = _scores(X, codes, probabilities, predicted, seed)
        progress.step()
        importance = explain.permutation_importance(estimator, X, y, random_state=seed)
        progress.step()
        shap_rows = _draw_rows(n_rows, [row for row, _ in chosen], seed)
        seeded = {"background": background, "random_state": seed}
        shap = explain.shap(estimator, take(X, shap_rows), **seeded)
        progress.step()
        # The chosen rows first; the others tell how far the methods agree.
        lime_rows = list(dict.fromkeys([*(r for r, _ in chosen), *shap_rows]))
        lime_rows = lime_rows[: max(N_LIME_ROWS, len(chosen))]
        lime = explain.lime(estimator, take(X, lime_rows), **seeded)
        progress.step()
        names = list(shap.feature_names)
        profiles = explain.partial_dependence(
            estimator, X, features=_most_important(importance.frame(), names)
        )
        progress.step()
        same = np.searchsorted(shap_rows, lime_rows)
        of_same_rows = replace(shap, values=shap.values[same])
        agreement = compare({"SHAP": of_same_rows, "LIME": lime}, importance)
        record = inspect_fitted(estimator)
        progress.step()
    return Evidence(
        title=title,
        record=record,
        X=X,
        feature_names=names,
        classes=classes,
        codes=codes,
        probabilities=probabilities,
        predicted=predicted,
        importance=importance,
        scoring="score" if getattr(estimator, "scoring", None) else "accuracy",
        profiles=profiles,
        shap=shap,
        shap_rows=shap_rows,
        lime=lime,
        chosen=chosen,
        agreement=agreement.frame(),
        n_background=n_rows_of(background),
        random_state=seed,
        **scores,
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


def as_seed(random_state: Any) -> int:
    """Settle on one seed, for all methods; a report without one can be made again."""
    from sklearn.utils import check_random_state

    if isinstance(random_state, int | np.integer):
        return int(random_state)
    return int(check_random_state(random_state).randint(2**31 - 1))


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


def n_rows_of(X: Any) -> int:
    """Give the number of rows of an array or a frame."""
    return int(np.shape(X)[0])


def take(X: Any, rows: Sequence[int]) -> Any:
    """Give some rows in the container that they came in."""
    if hasattr(X, "iloc"):
        return X.iloc[list(rows)]
    return (X if hasattr(X, "shape") else np.asarray(X))[np.asarray(rows, dtype=int)]


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
