"""Why these rows were predicted so: SHAP and LIME, as the user calls them."""

from sklearn.utils import check_random_state

from skdnn._runtime.progress import Progress
from skdnn.explain._model.target import check_option, open_problem


def shap(
    estimator,
    X,
    *,
    background=None,
    method="auto",
    output="probability",
    contrast=None,
    groups=None,
    max_evals=None,
    tolerance=None,
    n_jobs=None,
    random_state=None,
    verbose=False,
):
    """Attribute each prediction to the columns by their Shapley values.

    Parameters
    ----------
    estimator : object
        A fitted classifier with `predict_proba` and `classes_`.
    X : {array-like, DataFrame} of shape (n_samples, n_features)
        Rows to explain; or images or sequences, an array of three dimensions or more,
        whose cells are the columns.
    background : like X, default=None
        Rows that stand for "this column is not known": the training data, as a rule.
        At most 100 are drawn, every predicted class in its share; up to 1000 with
        `max_evals` or `tolerance`, as far as these go round. None takes X.
    method : str, default="auto"
        "exact" enumerates all sets of players; "regression" samples sets in
        complementary pairs; "walks" samples antithetic permutations; "permutation" and
        "kernel" ask shap's own explainers, which tell no standard errors. "auto" is
        exact up to 10 players if `max_evals` allows, regression up to 200, else walks.
    output : {"probability", "log_odds"}, default="probability"
        What is attributed.
    contrast : tuple of two class labels, default=None
        Explains the output of the first class less that of the second. None explains
        every class.
    groups : dict of str to columns, list of lists of columns, or ndarray, default=None
        Several columns, by name or position, are one player. Columns that are not
        listed are players of their own. For images, an array of whole numbers, one a
        pixel: which patch or superpixel it belongs to.
    max_evals : int, default=None
        Evaluations of the classifier for each row, at most. None is 130 a player, at
        least 4000, where sets are sampled.
    tolerance : float, default=None
        Goes on, row by row, until the largest standard error of the row is not above
        this, or `max_evals` are spent.
    n_jobs : int, default=None
        Processes that share the rows, as joblib counts them. The numbers are the same.
    random_state : int, RandomState or None, default=None
        Draws background rows and sets. No global seed is read or left changed.
    verbose : bool, default=False
        Whether one live line on stderr shows progress.

    Returns
    -------
    Attributions
        ``values`` of shape (n_samples, n_features, n_classes) in units of `output`:
        with ``base_values`` they add up to the prediction. With `groups` there is a
        feature for each player, with `contrast` one class. ``std_errors`` are 0 where
        exact; ``interval()`` makes intervals of them. Of an ensemble, ``refit_errors``
        is the standard deviation over the members, which are explained by the same
        sets; ``refit_interval()`` makes intervals of it.

    Raises
    ------
    ValueError
        If rows, background or options cannot be, or the estimator has no
        `predict_proba` or `classes_`.
    TypeError
        If `groups` or `n_jobs` are of another type.
    sklearn.exceptions.NotFittedError
        If the estimator is not fitted.

    Notes
    -----
    Fitted wrappers of Keras, scikeras's `KerasClassifier` and
    ``keras.wrappers.SKLearnClassifier``, are asked through one compiled function.
    Keras's has no `predict_proba`: what is explained is its `decision_function`, by
    softmax where its rows are no probabilities already.

    A column of words is one player, whatever the Pipeline makes of it. The values are
    interventional: columns are switched against background rows, whether or not such
    rows occur.

    References
    ----------
    .. [1] Strumbelj and Kononenko (2014), Explaining prediction models and individual
       predictions with feature contributions.
    .. [2] Lundberg and Lee (2017), A unified approach to interpreting model
       predictions.
    .. [3] Musco and Witter (2025), Provably accurate Shapley value estimation via
       leverage score sampling.
    .. [4] Mitchell et al. (2022), Sampling permutations for Shapley value estimation.

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
    from skdnn.explain._methods.shap import METHODS, ShapConfig, explain_shap

    check_option("method", method, METHODS)
    plan = ShapConfig(method, groups, contrast, max_evals, tolerance, n_jobs)
    problem = open_problem(estimator, X, background=background, output=output)
    with Progress(len(problem.X), "SHAP row", verbose) as progress:
        return explain_shap(
            problem,
            plan,
            check_random_state(random_state),
            random_state,
            progress.step,
        )


def lime(
    estimator,
    X,
    *,
    background=None,
    method="auto",
    output="probability",
    groups=None,
    random_state=None,
    verbose=False,
):
    """Explain each prediction by a linear surrogate around its row.

    Parameters
    ----------
    estimator : object
        A fitted classifier with `predict_proba` and `classes_`.
    X : {array-like, DataFrame} of shape (n_samples, n_features)
        Rows to explain; or images or sequences, an array of three dimensions or more,
        whose cells are the columns.
    background : like X, default=None
        Rows whose cells are drawn from around each row: the training data, as a rule.
        None takes X.
    method : {"auto", "tabular"}, default="auto"
        "auto" draws 5000 rows at a time until another seed would put the columns in
        the same order (rank correlation above 0.98), 100 000 at most. "tabular" asks
        lime's own explainer, once: for tables without missing cells.
    output : {"probability", "log_odds"}, default="probability"
        What is explained.
    groups : dict of str to columns, or list of lists of columns, default=None
        Several columns, by name or position, are drawn together, from the same row.
        Columns that are not listed are on their own.
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
        of unlike it; a group is like the row's if all its cells are. ``base_values``
        (n_samples, n_classes) are intercepts. ``score`` of shape (n_samples,
        n_classes) is each surrogate's weighted R²; where it is below 0.5, ``poor_fit``
        is True: the surrogate is no good picture of the classifier.

    Raises
    ------
    ValueError, TypeError, sklearn.exceptions.NotFittedError
        As for `shap`.

    Notes
    -----
    What the row has and less than a fifth of the background is drawn in a fifth of the
    rows. Standard errors hold for other draws of rows, not for another background.

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
    from skdnn.explain._methods.lime import METHODS, explain_lime

    check_option("method", method, METHODS)
    problem = open_problem(estimator, X, background=background, output=output)
    with Progress(len(problem.X), "LIME row", verbose) as progress:
        return explain_lime(
            problem,
            method,
            groups,
            check_random_state(random_state),
            random_state,
            progress.step,
        )
