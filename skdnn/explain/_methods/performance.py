"""Performance: how well a classifier predicts rows whose classes are known."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from skdnn._runtime.seeds import as_seed
from skdnn.explain._methods.performance_classes import auc_score, class_scores, rank
from skdnn.explain._methods.performance_costs import Costs, check_costs
from skdnn.explain._methods.performance_curves import abstention_table, curve_tables
from skdnn.explain._methods.performance_decisions import Predictions, decision_tables
from skdnn.explain._methods.performance_groups import find_groups, group_tables
from skdnn.explain._methods.performance_scores import SCORES, Measured, Score, measure
from skdnn.explain._methods.performance_sets import set_table
from skdnn.explain._model.labels import row_weights
from skdnn.explain._model.opening import open_problem
from skdnn.explain._model.options import RandomState
from skdnn.explain._model.prediction_sets import find_sets
from skdnn.explain._model.target import Problem
from skdnn.explain._results.frames import frame_of
from skdnn.explain._results.performance import Performance


def performance(
    estimator: Any,
    X: Any,
    y: Any,
    *,
    background: Any = None,
    by: Any = None,
    costs: Costs = None,
    sample_weight: Any = None,
    random_state: RandomState = None,
) -> Performance:
    """Measure how well a classifier predicts: scores, curves, costs and groups.

    Parameters
    ----------
    estimator : object
        A fitted classifier with `predict_proba` and `classes_`.
    X : {array-like, DataFrame} of shape (n_samples, n_features)
        Rows that the estimator was not fitted to.
    y : array-like of shape (n_samples,)
        Their classes.
    background : object, default=None
        Unused, as all is measured on the rows of X; all explain functions accept it.
    by : str, int or array-like of shape (n_samples,), default=None
        Groups to compare: a column of X, by name or position, or values that need not
        be in X. Missing values are a group of their own, and numbers of more than eight
        values are cut at their quartiles.
    costs : dict, DataFrame or array-like of shape (n_classes, n_classes), default=None
        What a row of a class costs if it is predicted as another:
        ``{("ill", "healthy"): 20, ("healthy", "ill"): 1}``. Right predictions that are
        left out cost 0; negative costs are gains. A DataFrame has the true classes as
        index and the predicted ones as columns, an array is in the order of `classes_`.
    sample_weight : array-like of shape (n_samples,), default=None
        How many rows of the population each row stands for.
    random_state : int, RandomState or None, default=None
        Draws the bootstrap samples.

    Returns
    -------
    Performance
        `frame()` has one row for each score of all rows and of each class: class,
        score, value, ci_low, ci_high, n_rows. `curves(name)` returns the curves;
        confusion matrix, thresholds, decisions, groups, their differences, accuracy
        with abstention, and coverage of sets are attributes.

    Raises
    ------
    ValueError
        If rows, classes, groups or costs are invalid, or rows have several labels.

    Notes
    -----
    All intervals are of 95% and over rows: how a score would vary on other rows of the
    same number. They do not cover how another fit would differ. Classes are those that
    `predict` returns, which with a tuned threshold may not be the most probable.

    Shares (accuracy, precision, recall, specificity, prevalence) have Wilson intervals,
    and so has F1, a function of the share of true positives among rows that are of the
    class or predicted to be. Average precision has the interval of a share of the rows
    of the class [1]_. ROC AUC has Newcombe's [2]_, and of more than two classes that of
    the bootstrap. None of these collapses where a score is 0 or 1. Log loss, Brier
    score, calibration error and costs have bootstrap intervals.

    The *best threshold* is chosen on the same rows. Its cost is corrected by
    `optimism`: how much less the best threshold of a bootstrap sample costs on that
    sample than on all rows [3]_. `may_be_best` marks a set that contains the threshold
    that truly costs least in 95 of 100 cases: each is compared with all others by the
    largest of their differences in standard errors. "least expected cost" decides by
    the probabilities and the costs alone, which is right if they are calibrated.

    Of *groups*, each score is compared with that of all other rows. Intervals of
    differences of shares and ROC AUC combine the two intervals (MOVER [4]_); shares are
    tested by Fisher's exact test (with weights, for as many rows as are as precise),
    means by Welch's t test. `p_holm` is adjusted for all differences that were tested.
    `predicted_minus_observed` is the mean probability less the share of the class. Of
    classifiers with `predict_set`, `coverage` is the share of sets that hold the class
    of their row, and `one_class` the share of rows whose set has one class, at the
    level `confidence_level`. A difference is a fact about these rows and not a verdict:
    groups may differ in what there is to predict.

    References
    ----------
    .. [1] Boyd, Eng and Page (2013), Area under the precision-recall curve: point
       estimates and confidence intervals.
    .. [2] Newcombe (2006), Confidence intervals for an effect size measure based on the
       Mann-Whitney statistic, part 2, method 5.
    .. [3] Efron (1983), Estimating the error rate of a prediction rule: improvement on
       cross-validation.
    .. [4] Zou and Donner (2008), Construction of confidence limits about effect
       measures: a general approach.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skdnn import explain
    >>> X, y = load_breast_cancer(return_X_y=True, as_frame=True)
    >>> X, y = X.iloc[:, :3], y.map({0: "malignant", 1: "benign"})
    >>> model = LogisticRegression(max_iter=1000).fit(X[::2], y[::2])
    >>> costs = {("malignant", "benign"): 10, ("benign", "malignant"): 1}
    >>> result = explain.performance(
    ...     model, X[1::2], y[1::2], costs=costs, random_state=0
    ... )
    >>> scores = result.frame().set_index("score")["value"]
    >>> round(float(scores["accuracy"]), 2)
    0.89
    >>> result.decisions["decision"].tolist()
    ['predict', 'least expected cost', 'always malignant', 'best threshold']
    """
    del background
    problem = open_problem(estimator, X)
    return compute_performance(
        problem, y, by=by, costs=costs, sample_weight=sample_weight,
        random_state=random_state,
    )  # fmt: skip


def compute_performance(
    problem: Problem,
    y: Any,
    *,
    by: Any = None,
    costs: Costs = None,
    sample_weight: Any = None,
    random_state: RandomState = None,
    known: tuple[Predictions, Measured] | None = None,
) -> Performance:
    """Return the performance on the rows of X; predictions and scores may be known."""
    target, n_samples = problem.target, len(problem.X)
    names = target.class_names
    if not target.sum_to_one:
        raise ValueError(
            "`estimator` must predict one class per row. Got a classifier of several "
            f"labels per row: {list(names)}. Call once for each label, with a "
            "classifier of that label."
        )
    codes = target.codes_of(y, n_samples)
    weight = row_weights(sample_weight, n_samples)
    matrix = None if costs is None else check_costs(costs, names)
    groups = None if by is None else find_groups(by, problem)
    seed = as_seed(random_state)
    if known is None:
        proba = target.predict(problem.X)
        predicted = target.classes_given(proba, problem.X)
        given = Predictions(codes, proba, predicted, weight)
        measured = measure(
            codes, proba, predicted=predicted, weight=weight, random_state=seed,
            positive=target.positive,
        )  # fmt: skip
    else:
        given, measured = known
    if target.positive is not None:
        given = replace(given, positive=target.positive)
    probabilities, predicted = given.probabilities, given.predicted
    sets = find_sets(problem)
    if sets is not None:
        given = replace(given, sets=sets.predict(problem, probabilities))
    thresholds, decisions = decision_tables(given, matrix, names, seed)
    by_group, differences, n_tested = None, None, 0
    if groups is not None:
        by_group, differences, n_tested = group_tables(given, groups, names)
    right = codes == predicted
    return Performance(
        table=_score_table(given, measured, names),
        confusion=_square(measured.confusion, names),
        abstention=abstention_table(probabilities.max(axis=1), right, weight),
        sets=None if sets is None else set_table(problem, sets, given),
        confidence_level=None if sets is None else sets.level,
        guarantee="" if sets is None else sets.guarantee,
        thresholds=thresholds,
        decisions=decisions,
        costs=None if matrix is None else _square(matrix, names),
        groups=by_group,
        differences=differences,
        class_names=names,
        n_samples=n_samples,
        by="" if groups is None else groups.name,
        note="" if groups is None else groups.note,
        n_tested=n_tested,
        is_weighted=sample_weight is not None,
        curve_tables=curve_tables(codes, probabilities, weight, measured, names),
        positive_position=target.positive,
    )


def _square(matrix: np.ndarray, names: np.ndarray) -> pd.DataFrame:
    """Return a matrix by true and predicted class."""
    labels = np.asarray(names, dtype=object)
    return pd.DataFrame(
        matrix,
        index=pd.Index(labels, dtype=object, name="true"),
        columns=pd.Index(labels, dtype=object, name="predicted"),
    )


def _score_table(
    given: Predictions, measured: Measured, names: np.ndarray
) -> pd.DataFrame:
    """Return all scores: first those of all rows, then those of each class."""
    by_class = list(
        class_scores(
            given.codes, given.probabilities, given.predicted, given.weight
        )
    )  # fmt: skip
    n_counted = int((given.weight > 0).sum())
    overall = measured.scores | {"roc_auc": _area(given, measured, by_class)}
    rows: list[tuple[Any, str, Score, int]] = [
        (None, name, overall[name], n_counted) for name in SCORES
    ]
    rows += [(names[k], name, score, n) for k, name, score, n in by_class]
    labels = np.empty(len(rows), dtype=object)
    labels[:] = [row[0] for row in rows]
    scores = [row[2] for row in rows]
    return frame_of(
        {
            "class": labels,
            "score": [row[1] for row in rows],
            "value": np.array([score.value for score in scores], dtype=float),
            "ci_low": np.array([score.low for score in scores], dtype=float),
            "ci_high": np.array([score.high for score in scores], dtype=float),
            "n_rows": [row[3] for row in rows],
        }
    )


def _area(
    given: Predictions, measured: Measured, by_class: list[tuple[int, str, Score, int]]
) -> Score:
    """Return the ROC AUC of all rows, with an interval even for perfect rankings."""
    area = measured.scores["roc_auc"]
    if area.value is None:
        return area
    if given.n_classes == 2:
        ranking = rank(given.score, given.is_positive, given.weight)
        return auc_score(ranking, given.is_positive, given.weight)
    if area.low is not None:
        return area
    # no draw can differ: the means of the ends hold however the classes depend
    ends = [
        (score.low, score.high)
        for _, name, score, _ in by_class
        if name == "roc_auc" and score.low is not None and score.high is not None
    ]
    return Score(area.value, *np.mean(ends, axis=0).tolist())
