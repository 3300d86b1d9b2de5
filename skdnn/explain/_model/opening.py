"""From what an explain function is given to a problem: checked, coded, and tried.

The classifier first predicts rows as the user gave them. Rows made of codes must give
the same probabilities, so that what is explained is what `predict_proba` returns.
"""

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from skdnn.classifier import DNNClassifier
from skdnn.explain._model.adapters import as_classifier
from skdnn.explain._model.columns import code_column
from skdnn.explain._model.containers import container_of
from skdnn.explain._model.images import as_table
from skdnn.explain._model.members import find_members
from skdnn.explain._model.options import RandomState, check_option
from skdnn.explain._model.probabilities import check_probabilities
from skdnn.explain._model.tables import Table, check_same_columns, check_table
from skdnn.explain._model.target import Problem, Target

MAX_BACKGROUND = 100
# Rows whose probabilities are compared with those of the rows as given.
_N_COMPARED = 5
_MOST_DIFFERENT = 1e-5
# Rows of a long background that are predicted to draw a stratified sample.
_MAX_STRATIFIED = 10_000
# Categories of a column whose acceptance by the classifier is checked beforehand.
_MAX_CHECKED = 100


def open_problem(
    estimator: Any, X: Any, *, background: Any = None, output: str = "probability"
) -> Problem:
    """Check and code what an explain function was given; no background is X itself.

    Raises
    ------
    ValueError
        If the estimator has no `predict_proba`, X or the background are invalid, or the
        classifier refuses their rows or returns something else than probabilities.
    sklearn.exceptions.NotFittedError
        If the estimator is not fitted.
    """
    check_option("output", output, ("probability", "log_odds"))
    estimator = as_classifier(estimator, X)
    class_names = _check_estimator(estimator)
    estimator, X, background = as_table(estimator, X, background)
    rows = check_table(X, "X", estimator)
    back = rows
    if background is not None:
        back = check_table(background, "background", estimator)
        check_same_columns(rows, back)
    if len(back) < 2:
        raise ValueError(
            f"`background` must have at least 2 rows to compare with. Got {len(back)}. "
            "Use rows of the training data."
        )
    n = min(len(rows), _N_COMPARED)
    sum_to_one = not _has_several_labels(estimator, rows)
    # raises the classifier's own message if it does not know these columns
    proba = check_probabilities(
        estimator.predict_proba(rows.head(n)),
        n,
        len(class_names),
        sum_to_one=sum_to_one,
    )
    problem = _coded(estimator, class_names, rows, back, sum_to_one, as_given=False)
    if not _predicts(problem, proba):
        problem = _coded(estimator, class_names, rows, back, sum_to_one, as_given=True)
        again = estimator.predict_proba(rows.head(_N_COMPARED))
        # a classifier whose answers vary has no other ones to compare with
        if not _predicts(problem, proba) and _is_same(again, proba):
            raise ValueError(
                "Rows must be predicted the same when their cells are put together "
                "again in the dtypes of X and `background`. Got other probabilities; "
                "give both the dtypes of the training data."
            )
    members = find_members(estimator, rows.head(1), proba[:1], problem.target.check)
    problem = problem.with_target(members=members, output=output)
    if back is not rows:
        _check_background_is_accepted(problem)
    return problem


def _coded(
    estimator: Any,
    class_names: np.ndarray,
    rows: Table,
    back: Table,
    sum_to_one: bool,
    *,
    as_given: bool,
) -> Problem:
    """Return the problem of coded rows; its output is the probability."""
    coded = [
        code_column(
            str(label), rows[j], None if back is rows else back[j], as_given=as_given
        )
        for j, label in enumerate(rows.labels)
    ]
    columns, codes, back_codes = zip(*coded, strict=True)
    container = container_of(rows, back, columns)
    target = Target(
        estimator, columns, class_names, container, sum_to_one=sum_to_one,
        predicts_most_probable=sum_to_one and _predicts_most_probable(estimator),
        positive=1 if sum_to_one and len(class_names) == 2 else None,
    )  # fmt: skip
    X, background = np.column_stack(codes), np.column_stack(back_codes)
    return Problem(target, X, background, rows, np.arange(len(rows)))


def _predicts_most_probable(estimator: Any) -> bool:
    """Return whether a classifier of this package, maybe last in a Pipeline, predicts.

    Others may have a threshold, or a score of their own.
    """
    if isinstance(estimator, Pipeline):
        estimator = estimator.steps[-1][1]
    kind = type(estimator)
    return (
        issubclass(kind, DNNClassifier)
        and kind.predict is DNNClassifier.predict
        and kind.predict_proba is DNNClassifier.predict_proba
        and kind.score is DNNClassifier.score
    )


def _predicts(problem: Problem, proba: np.ndarray) -> bool:
    """Return whether the first coded rows have these probabilities."""
    try:
        again = problem.target.predict(problem.X[: len(proba)])
    except (TypeError, ValueError):
        return False
    return _is_same(again, proba)


def _is_same(proba: Any, other: np.ndarray) -> bool:
    return bool(np.allclose(np.asarray(proba), other, rtol=0, atol=_MOST_DIFFERENT))


def _has_several_labels(estimator: Any, rows: Table) -> bool:
    """Return whether rows may have several labels, as one prediction shows."""
    if not hasattr(estimator, "predict"):
        return False
    label = np.shape(estimator.predict(rows.head(1)))
    return len(label) == 2 and label[1] > 1


def open_averaging_problem(
    estimator: Any, X: Any, background: Any, output: str, random_state: RandomState
) -> Problem:
    """Open the problem of a method that averages over its background.

    That is all of X, or a sample of at most 100 rows of the background if it is given.
    """
    problem = open_problem(estimator, X, background=background, output=output)
    if background is None:
        return problem
    drawn = draw_background(problem, check_random_state(random_state))
    return problem.with_background(drawn)


def _check_background_is_accepted(problem: Problem) -> None:
    """Predict background rows with values that no row of X has."""
    X, background = problem.X, problem.background
    rows: set[int] = set()
    for j, column in enumerate(problem.target.columns):
        if column.is_numeric:
            new = np.flatnonzero(~np.isfinite(background[:, j]))[:1]
        else:
            new = np.unique(background[:, j], return_index=True)[1]
            new = new[background[new, j] > X[:, j].max()][:_MAX_CHECKED]
        rows.update(new.tolist())
    if not rows:
        return
    try:
        problem.target.predict(background[sorted(rows)])
    except ValueError as error:
        raise ValueError(
            "`background` must hold rows that the classifier takes. Got this of one "
            f"that has a missing, infinite or new value: {error}"
        ) from error


def draw_background(
    problem: Problem, random_state: np.random.RandomState, size: int = MAX_BACKGROUND
) -> np.ndarray:
    """Return at most `size` background rows, stratified by predicted class."""
    rows = problem.background
    if len(rows) <= size:
        return rows
    shuffled = random_state.permutation(len(rows))[: max(_MAX_STRATIFIED, size)]
    predicted = problem.target.predict(rows[shuffled]).argmax(axis=1)
    ordered = shuffled[np.argsort(predicted, kind="stable")]
    every = len(ordered) / size
    drawn = (random_state.uniform() + np.arange(size)) * every
    return rows[np.sort(ordered[drawn.astype(np.intp)])]


def _check_estimator(estimator: Any) -> np.ndarray:
    """Return the classes of a fitted classifier; ValueError if it is not one."""
    if isinstance(estimator, type):
        raise ValueError(
            f"`estimator` must be a fitted classifier. Got the class "
            f"{estimator.__name__}; make one and call fit."
        )
    if isinstance(estimator, BaseEstimator):
        check_is_fitted(estimator)
    if not hasattr(estimator, "predict_proba"):
        raise ValueError(
            "`estimator` must have predict_proba. Got "
            f"{type(estimator).__name__}, which does not; wrap it in "
            "sklearn.calibration.CalibratedClassifierCV, or set probability=True where "
            "it has that."
        )
    if not hasattr(estimator, "classes_"):
        raise ValueError(
            "`estimator` must have classes_, the names of the columns of "
            f"predict_proba. Got {type(estimator).__name__}, which does not."
        )
    return np.asarray(estimator.classes_)
