"""What a fitted classifier has learned, in the user's own columns.

Every function takes any fitted scikit-learn classifier, Pipeline or search, and rows as
the estimator takes them: a frame with words and missing cells, or an array. All
classes are explained at once, and named.
"""

import numpy as np
from sklearn.utils import check_random_state

from skdnn._progress import Progress
from skdnn.explain._target import check_option, draw_background, open_problem

__all__ = [
    "agreement",
    "lime",
    "partial_dependence",
    "permutation_importance",
    "report",
    "shap",
]


def shap(
    estimator,
    X,
    *,
    background=None,
    method="auto",
    output="probability",
    random_state=None,
    verbose=False,
):
    """Attribute each prediction to the columns by their Shapley values.

    Parameters
    ----------
    estimator : object
        A fitted classifier with `predict_proba` and `classes_`.
    X : {array-like, DataFrame} of shape (n_samples, n_features)
        Rows to explain.
    background : like X, default=None
        Rows that stand for "this column is not known": the training data, as a rule.
        At most 100 are drawn, every predicted class in its share. None takes X.
    method : str, default="auto"
        "exact" enumerates all sets of columns; "walks" samples antithetic
        permutations; "permutation" and "kernel" ask shap's own explainers, which tell
        no standard errors. "auto" is exact up to 10 columns, else walks.
    output : {"probability", "log_odds"}, default="probability"
        What is attributed.
    random_state : int, RandomState or None, default=None
        Draws background rows and permutations. No global seed is read or left changed.
    verbose : bool, default=False
        Whether one live line on stderr shows progress.

    Returns
    -------
    Attributions
        ``values`` of shape (n_samples, n_features, n_classes) in units of `output`:
        with ``base_values`` they add up to the prediction. ``std_errors`` are 0 where
        exact; ``interval()`` makes intervals of them.

    Raises
    ------
    ValueError
        If rows, background or options cannot be, or the estimator has no
        `predict_proba` or `classes_`.
    sklearn.exceptions.NotFittedError
        If the estimator is not fitted.

    Notes
    -----
    A column of words is one player, whatever the Pipeline makes of it. The values are
    interventional: columns are switched against background rows, whether or not such
    rows occur.

    References
    ----------
    .. [1] Strumbelj and Kononenko (2014), Explaining prediction models and individual
       predictions with feature contributions.
    .. [2] Lundberg and Lee (2017), A unified approach to interpreting model
       predictions.
    .. [3] Mitchell et al. (2022), Sampling permutations for Shapley value estimation.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skdnn import explain
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> model = LogisticRegression(max_iter=1000).fit(X, y)
    >>> result = explain.shap(model, X[:2], background=X, random_state=0)
    >>> result.values.shape
    (2, 4, 3)
    >>> result.method
    'exact'
    """
    from skdnn.explain._shap import METHODS, explain_shap

    check_option("method", method, METHODS)
    problem = open_problem(estimator, X, background=background, output=output)
    with Progress(len(problem.X), "SHAP row", verbose) as progress:
        return explain_shap(
            problem,
            method,
            check_random_state(random_state),
            random_state,
            progress.step,
        )


def lime(
    estimator,
    X,
    *,
    background=None,
    output="probability",
    random_state=None,
    verbose=False,
):
    """Explain each prediction by a linear surrogate around its row.

    Parameters
    ----------
    estimator : object
        A fitted classifier with `predict_proba` and `classes_`.
    X : {array-like, DataFrame} of shape (n_samples, n_features)
        Rows to explain.
    background : like X, default=None
        Rows whose cells are drawn from around each row: the training data, as a rule.
        None takes X.
    output : {"probability", "log_odds"}, default="probability"
        What is explained.
    random_state : int, RandomState or None, default=None
        Draws the rows around each; no global seed is read or changed.
    verbose : bool, default=False
        Whether one live line on stderr shows progress.

    Returns
    -------
    Attributions
        ``values`` of shape (n_samples, n_features, n_classes): the change of the
        output, in the surrogate, when the column's cell is like the row's (the same
        level; a number in the same quarter of the background; both missing) instead
        of unlike it. ``base_values`` (n_samples, n_classes) are intercepts.
        ``score`` of shape (n_samples, n_classes) is each surrogate's weighted R²; one
        below 0.5 is no good picture of the classifier.

    Raises
    ------
    ValueError, sklearn.exceptions.NotFittedError
        As for `shap`.

    References
    ----------
    .. [1] Ribeiro, Singh and Guestrin (2016), "Why should I trust you?": explaining
       the predictions of any classifier.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skdnn import explain
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> model = LogisticRegression(max_iter=1000).fit(X, y)
    >>> result = explain.lime(model, X[:1], background=X, random_state=0)
    >>> result.frame().sort_values("value").iloc[-1]["feature"]
    'petal length (cm)'
    """
    from skdnn.explain._lime import explain_lime

    problem = open_problem(estimator, X, background=background, output=output)
    with Progress(len(problem.X), "LIME row", verbose) as progress:
        return explain_lime(
            problem, check_random_state(random_state), random_state, progress.step
        )


def permutation_importance(
    estimator,
    X,
    y,
    *,
    background=None,
    features=None,
    n_repeats=10,
    scoring=None,
    random_state=None,
    verbose=False,
):
    """Measure how much worse the classifier gets when a column is shuffled.

    Parameters
    ----------
    estimator : object
        A fitted classifier with `predict_proba` and `classes_`.
    X : {array-like, DataFrame} of shape (n_samples, n_features)
        Rows to score on; held-out rows, as a rule.
    y : array-like of shape (n_samples,)
        Their classes.
    background : object, default=None
        Takes no part, as cells are exchanged among the rows of X; it is here so that
        all explain functions can be called alike.
    features : str, int or list of these, default=None
        Columns to measure, by name or position. None is all.
    n_repeats : int, default=10
        Times that each column is shuffled, at least 2.
    scoring : str or callable, default=None
        Any scorer of scikit-learn. None is the estimator's `score`.
    random_state : int, RandomState or None, default=None
        Draws the orders.
    verbose : bool, default=False
        Whether one live line on stderr shows progress.

    Returns
    -------
    Table
        `frame()` has a row for each column: feature, importance (mean drop of the
        score; 0 for a column that is not used), ratio (cross-entropy when shuffled by
        cross-entropy as it is; 1 for a column that is not used, infinite if there was
        none before), std_error, ci_low, ci_high (95 %, over the shuffles: how it
        varies with other rows is not in it).

    Raises
    ------
    ValueError
        If rows, classes or options cannot be.

    References
    ----------
    .. [1] Fisher, Rudin and Dominici (2019), All models are wrong, but many are useful.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skdnn import explain
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> model = LogisticRegression(max_iter=1000).fit(X, y)
    >>> table = explain.permutation_importance(model, X, y, random_state=0).frame()
    >>> table.sort_values("importance")["feature"].iloc[-1]
    'petal length (cm)'
    """
    from skdnn.explain._importance import compute_importance

    _check_count("n_repeats", n_repeats, 2)
    del background
    problem = open_problem(estimator, X)
    y = _check_classes(y, problem)
    positions = problem.target.positions(features)
    with Progress(len(positions), "column", verbose) as progress:
        return compute_importance(
            problem, y, positions, n_repeats, scoring, random_state, progress.step
        )


def partial_dependence(
    estimator,
    X,
    *,
    background=None,
    features=None,
    grid_resolution=50,
    ice=False,
    random_state=None,
    verbose=False,
):
    """Show how the mean prediction moves with each column.

    Parameters
    ----------
    estimator : object
        A fitted classifier with `predict_proba` and `classes_`.
    X : {array-like, DataFrame} of shape (n_samples, n_features)
        Rows to average over, unless there is a background.
    background : like X, default=None
        Rows to average over, at most 100 of them. None takes all of X.
    features : str, int or list of these, default=None
        Columns to look at, by name or position. None is all.
    grid_resolution : int, default=50
        Places at which a numeric column is looked at, at most; its own values if there
        are no more of them. A column of words is looked at at every level.
    ice : bool, default=False
        Whether there is a curve for each row instead of their mean.
    random_state : int, RandomState or None, default=None
        Draws the background rows.
    verbose : bool, default=False
        Whether one live line on stderr shows progress.

    Returns
    -------
    Profiles
        `frame()` has a row for each column, class and place: feature, class, x, value
        (a probability), and `sample` with `ice`.

    Raises
    ------
    ValueError
        If rows or options cannot be.

    References
    ----------
    .. [1] Friedman (2001), Greedy function approximation: a gradient boosting machine.
    .. [2] Goldstein et al. (2015), Peeking inside the black box.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skdnn import explain
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> model = LogisticRegression(max_iter=1000).fit(X, y)
    >>> profile = explain.partial_dependence(model, X, features="petal width (cm)")
    >>> profile.frame().columns.tolist()
    ['feature', 'class', 'x', 'value']
    """
    from skdnn.explain._profiles import compute_partial_dependence

    _check_count("grid_resolution", grid_resolution, 2)
    problem = open_problem(estimator, X, background=background)
    if background is not None:
        drawn = draw_background(problem, check_random_state(random_state))
        problem = problem.with_background(drawn)
    positions = problem.target.positions(features)
    with Progress(len(positions), "column", verbose) as progress:
        return compute_partial_dependence(
            problem, positions, grid_resolution, ice, progress.step
        )


def agreement(
    estimator, X, y=None, *, background=None, random_state=None, verbose=False
):
    """Ask whether SHAP, LIME and permutation importance tell the same story.

    Parameters
    ----------
    estimator : object
        A fitted classifier with `predict_proba` and `classes_`.
    X : {array-like, DataFrame} of shape (n_samples, n_features)
        Rows to explain.
    y : array-like of shape (n_samples,), default=None
        Their classes; with them importance is compared as well.
    background : like X, default=None
        As for `shap` and `lime`.
    random_state : int, RandomState or None, default=None
        As for `shap` and `lime`.
    verbose : bool, default=False
        Whether one live line on stderr shows progress.

    Returns
    -------
    Table
        `frame()` has a row for each pair: method_a, method_b, rank, sign. `rank` is
        Spearman's correlation of the sizes, `sign` the share of attributions whose
        signs are equal, each weighed by its size.

    Raises
    ------
    ValueError
        If rows or classes cannot be.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skdnn import explain
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> model = LogisticRegression(max_iter=1000).fit(X, y)
    >>> table = explain.agreement(model, X[::15], background=X, random_state=0).frame()
    >>> bool(table["rank"].iloc[0] > 0.5)
    True
    """
    from skdnn.explain._agreement import compare

    options = {
        "background": background, "random_state": random_state, "verbose": verbose,
    }  # fmt: skip
    importance = None
    if y is not None:
        importance = permutation_importance(
            estimator, X, y, random_state=random_state, verbose=verbose
        )
    return compare(
        shap(estimator, X, **options), lime(estimator, X, **options), importance
    )


def report(
    estimator,
    X,
    y,
    *,
    background=None,
    title=None,
    samples=None,
    random_state=0,
    verbose=False,
):
    """Explain a classifier to others, on one page.

    The page holds the data, the network and its training against the baseline (of
    estimators that have them), scores with intervals beside logistic regression,
    confusion, calibration, permutation importance, partial dependence, SHAP overall
    and for chosen rows, LIME for the same rows, and the agreement of the two.

    Parameters
    ----------
    estimator : object
        A fitted classifier with `predict`, `predict_proba` and `classes_`.
    X : {array-like, DataFrame} of shape (n_samples, n_features)
        Rows that the estimator was not fitted to, as it takes them.
    y : array-like of shape (n_samples,)
        Their classes.
    background : like X, default=None
        Rows that "average" means, best the training rows; None means `X`.
    title : str, default=None
        Title of the page; None names the estimator.
    samples : int or sequence of int, default=None
        Positions in `X` of the rows to explain one by one. None picks up to four: the
        surest right one, the surest mistake, the least sure, and other classes.
    random_state : int or None, default=0
        Seed of everything that is drawn. Equal seeds give equal bytes.
    verbose : bool, default=False
        Whether progress is shown on stderr.

    Returns
    -------
    Report
        ``.write_html(path)`` saves the page, ``.to_dict()`` gives its numbers; in a
        notebook it shows itself.

    Raises
    ------
    ValueError
        If `y` holds a class that the estimator does not know, or `samples` positions
        that `X` does not have.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skdnn import explain
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> model = LogisticRegression(max_iter=1000).fit(X[::2], y[::2])
    >>> report = explain.report(model, X[1::2], y[1::2], background=X[::2])
    >>> "SHAP" in report.html()
    True
    """
    from skdnn.explain._collect import collect
    from skdnn.explain._report import Report, summarise

    evidence = collect(
        estimator,
        X,
        y,
        background=background,
        title=title,
        samples=samples,
        random_state=random_state,
        verbose=verbose,
    )
    return Report(summarise(evidence))


def _check_count(name: str, value, least: int) -> None:
    if not isinstance(value, int | np.integer) or value < least:
        raise ValueError(
            f"`{name}` must be a whole number, at least {least}. Got {value!r}."
        )


def _check_classes(y, problem) -> np.ndarray:
    y = np.asarray(y)
    n = len(problem.X)
    if y.shape != (n,):
        raise ValueError(
            f"`y` must have a class for each row of X: shape ({n},). Got {y.shape}."
        )
    classes = problem.target.class_names
    unknown = sorted({str(label) for label in y[~np.isin(y, classes)]})
    if unknown:
        raise ValueError(
            f"`y` must hold classes that the estimator knows: {classes.tolist()}. Got "
            f"{unknown[:10]} besides."
        )
    return y
