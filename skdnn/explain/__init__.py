"""What a fitted classifier has learned, in the user's own columns.

Every function takes any fitted scikit-learn classifier, Pipeline or search, and rows as
the estimator takes them: a frame with words and missing cells, or an array. All
classes are explained at once, and named.
"""

import numpy as np
from sklearn.utils import check_random_state

from skdnn._progress import Progress
from skdnn.explain._attribution import lime, shap
from skdnn.explain._target import draw_background, open_problem

__all__ = [
    "agreement",
    "lime",
    "partial_dependence",
    "permutation_importance",
    "report",
    "shap",
]


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
