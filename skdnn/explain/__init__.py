"""Explanations of fitted classifiers in terms of the user's columns.

Every function takes any fitted scikit-learn classifier, Pipeline or search, and rows as
the estimator takes them: a DataFrame with strings and missing values, or an array. All
classes are explained at once, by their names.
"""

# these register what the results can do
from skdnn.explain import _checks, _plots, _text  # noqa: F401
from skdnn.explain._methods.accumulated_local_effects import accumulated_local_effects
from skdnn.explain._methods.agreement import agreement
from skdnn.explain._methods.average_conditional_effects import (
    average_conditional_effects,
)
from skdnn.explain._methods.break_down import break_down
from skdnn.explain._methods.ceteris_paribus import ceteris_paribus
from skdnn.explain._methods.counterfactuals import counterfactuals
from skdnn.explain._methods.lime import lime
from skdnn.explain._methods.partial_dependence import partial_dependence
from skdnn.explain._methods.permutation_importance import permutation_importance
from skdnn.explain._methods.shap import shap
from skdnn.explain._methods.summary import summary
from skdnn.explain._results.attributions import Attributions
from skdnn.explain._results.break_down import BreakDown
from skdnn.explain._results.checks import Checks, Finding
from skdnn.explain._results.counterfactuals import Counterfactuals
from skdnn.explain._results.deletion import DeletionCurves
from skdnn.explain._results.profiles import Profiles
from skdnn.explain._results.summary import Summary
from skdnn.explain._results.tables import ResultTable

__all__ = [
    "Attributions",
    "BreakDown",
    "Checks",
    "Counterfactuals",
    "DeletionCurves",
    "Finding",
    "Profiles",
    "ResultTable",
    "Summary",
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
    "summary",
]


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
    confusion, calibration; permutation importance, partial dependence, accumulated
    local effects and SHAP overall; for chosen rows SHAP, LIME, break-down, ceteris
    paribus, counterfactuals and sentences; and how far to trust them: agreement of the
    methods, checks, deletion curves, other seeds.

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
    from skdnn.explain._report import Report, summarise
    from skdnn.explain._report.collect import collect

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
