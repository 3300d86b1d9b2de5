"""What a fitted classifier has learned, in the user's own columns.

Every function takes any fitted scikit-learn classifier, Pipeline or search, and rows as
the estimator takes them: a frame with words and missing cells, or an array. All
classes are explained at once, and named.
"""

from sklearn.utils import check_random_state

from skdnn._progress import Progress
from skdnn.explain._accumulated import (
    accumulated_local_effects as accumulated_local_effects,
)
from skdnn.explain._break_down import break_down as break_down
from skdnn.explain._ceteris_paribus import ceteris_paribus as ceteris_paribus
from skdnn.explain._counterfactuals import counterfactuals as counterfactuals
from skdnn.explain._effects import (
    average_conditional_effects as average_conditional_effects,
)
from skdnn.explain._importance import permutation_importance as permutation_importance
from skdnn.explain._names import check_option
from skdnn.explain._partial_dependence import partial_dependence as partial_dependence
from skdnn.explain._target import open_problem

__all__ = [
    "accumulated_local_effects",
    "agreement",
    "average_conditional_effects",
    "break_down",
    "ceteris_paribus",
    "counterfactuals",
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
