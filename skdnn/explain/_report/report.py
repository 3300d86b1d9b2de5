"""The report on a classifier: one page for readers who do not program."""

import copy
import os
from collections.abc import Sequence
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from skdnn._runtime.seeds import as_seed

if TYPE_CHECKING:
    from skdnn.explain._report.request import Request


class Report:
    """A finished report, made by :func:`skdnn.explain.report`.

    In a notebook it is displayed as a page.

    Parameters
    ----------
    summary : dict
        All numbers and sentences, as returned by `to_dict`.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skdnn import explain
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> model = LogisticRegression(max_iter=1000).fit(X, y)
    >>> import io
    >>> report = explain.report(model, X[::2], y[::2], background=X, samples=1)
    >>> file = io.StringIO()
    >>> report.write_html(file)
    >>> file.getvalue() == report.html()
    True
    >>> print(report.to_markdown()[:25])
    # LogisticRegression, exp
    >>> report.to_dict()["title"]
    'LogisticRegression, explained'
    >>> report.open()  # doctest: +SKIP
    """

    def __init__(self, summary: dict[str, Any]) -> None:
        self._summary = summary

    def to_dict(self) -> dict[str, Any]:
        """Return all numbers and sentences of the report.

        Returns
        -------
        dict
            A copy that `json.dumps` accepts; unknown numbers are None.
            ``Report(summary)`` makes the same page of it again. The documentation has
            its JSON Schema, whose version, the key schema, is raised when names or
            meanings change.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.linear_model import LogisticRegression
        >>> from skdnn import explain
        >>> X, y = load_iris(return_X_y=True, as_frame=True)
        >>> model = LogisticRegression(max_iter=1000).fit(X, y)
        >>> report = explain.report(model, X[::9], y[::9], samples=[0])
        >>> sorted(report.to_dict())[:3]
        ['accumulated_local_effects', 'agreement', 'calibration']
        """
        return copy.deepcopy(self._summary)

    def html(self) -> str:
        """Return the page as text.

        Returns
        -------
        str
            A complete HTML document.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.linear_model import LogisticRegression
        >>> from skdnn import explain
        >>> X, y = load_iris(return_X_y=True, as_frame=True)
        >>> model = LogisticRegression(max_iter=1000).fit(X, y)
        >>> report = explain.report(model, X[::9], y[::9], samples=[0])
        >>> report.html()[:15]
        '<!doctype html>'
        """
        from skdnn.explain._report.render import render

        return render(self._summary)

    def to_markdown(self) -> str:
        """Return the sentences and main tables as Markdown.

        Returns
        -------
        str
            For documents and messages; names are escaped.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.linear_model import LogisticRegression
        >>> from skdnn import explain
        >>> X, y = load_iris(return_X_y=True, as_frame=True)
        >>> model = LogisticRegression(max_iter=1000).fit(X, y)
        >>> report = explain.report(model, X[::9], y[::9], samples=[0])
        >>> print(report.to_markdown().splitlines()[0])
        # LogisticRegression, explained
        """
        from skdnn.explain._report.markdown import as_markdown

        return as_markdown(self._summary)

    def open(self) -> None:
        """Write the page to a temporary file, and open it in the browser.

        The file stays in the folder for temporary files of the operating system.
        """
        import tempfile
        import webbrowser
        from pathlib import Path

        path = Path(tempfile.mkdtemp(prefix="skdnn-")) / "report.html"
        self.write_html(path)
        webbrowser.open(path.as_uri())

    def write_html(self, file: str | os.PathLike[str] | IO[Any]) -> None:
        """Write the page to a file.

        The page is complete: it needs no other files, no network and no scripts.

        Parameters
        ----------
        file : str, path-like or file object
            Where to write. An existing file is replaced when the new one is complete,
            so that a failure leaves it unchanged.

        Raises
        ------
        OSError
            If the file cannot be written, with what to do instead.

        See Also
        --------
        skdnn.explain.report : Makes the report, with an example.

        Examples
        --------
        >>> from pathlib import Path
        >>> from tempfile import TemporaryDirectory
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.linear_model import LogisticRegression
        >>> from skdnn import explain
        >>> X, y = load_iris(return_X_y=True, as_frame=True)
        >>> model = LogisticRegression(max_iter=1000).fit(X, y)
        >>> report = explain.report(model, X[::9], y[::9], samples=[0])
        >>> with TemporaryDirectory() as folder:
        ...     report.write_html(f"{folder}/report.html")
        ...     [path.name for path in Path(folder).iterdir()]
        ['report.html']
        """
        from skdnn.explain._report.page_file import write_page

        write_page(file, self.html)

    def _repr_html_(self) -> str:
        from skdnn.explain._report.render import render_inline

        return render_inline(self._summary)

    def __repr__(self) -> str:
        return f"<Report {self._summary['title']!r}: write_html(path) saves it>"


def report(
    estimator: Any,
    X: Any,
    y: ArrayLike,
    *,
    background: Any = None,
    y_background: ArrayLike | None = None,
    rivals: Any = "auto",
    groups_by: Any = None,
    costs: Any = None,
    actionable: Any = None,
    nested: Any = None,
    title: str | None = None,
    samples: int | Sequence[int] | None = None,
    sample_weight: ArrayLike | None = None,
    random_state: int | np.random.RandomState | None = 0,
    verbose: bool | None = None,
) -> Report:
    """Explain a classifier to others, on one page.

    The page shows the data, the network and its training (for estimators that have
    them), scores with intervals next to simpler models, confusion matrix and
    calibration; permutation importance, partial dependence, accumulated
    local effects and SHAP over many rows; for chosen rows SHAP, LIME, break-down,
    ceteris paribus, counterfactuals and sentences; and how far to rely on them:
    agreement of the methods, checks, deletion curves and other seeds.

    Parameters
    ----------
    estimator : object
        A fitted classifier with `predict`, `predict_proba` and `classes_`.
    X : {array-like, DataFrame} of shape (n_samples, n_features)
        Rows that the estimator was not fitted to, in the form that it accepts.
    y : array-like of shape (n_samples,)
        Their classes.
    background : like X, default=None
        Rows that averages are taken over, usually the training rows; None means `X`.
    y_background : array-like of shape (n_background,), default=None
        The classes of the background rows. With them, the class shares, a logistic
        regression and gradient boosting are trained on the background, and scored on
        `X` beside the estimator. Pass the rows and classes the estimator was trained
        on, so that all are trained on the same rows.
    rivals : "auto" or dict of str to object, default="auto"
        Fitted classifiers to score on `X` as well, by their names. They must know the
        same classes and take the same columns.
    groups_by : str or array-like of shape (n_samples,), default=None
        Groups whose scores are compared, as `by` of `explain.performance`: a column of
        `X`, or values that are not in it.
    costs : dict or array-like of shape (n_classes, n_classes), default=None
        Costs of mistakes, as of `explain.performance`.
    actionable : dict, default=None
        Which columns can be changed and how, as of `explain.counterfactuals`.
    nested : object, default=None
        What `skdnn.model_selection.nested_cross_validate` returned for a search, whose
        own best score is optimistic.
    title : str, default=None
        Title of the page; None names the estimator.
    samples : int or sequence of int, default=None
        Positions in `X` of the rows to explain one by one. None chooses up to four: the
        most confident correct prediction, the most confident mistake, the prediction
        with the lowest confidence, and predictions of other classes.
    sample_weight : array-like of shape (n_samples,), default=None
        How many rows of the population each row of `X` stands for: scores, calibration
        and permutation importance are those of the population. The confusion matrix
        counts rows.
    random_state : int, RandomState or None, default=0
        Seed of all random draws. Equal seeds give equal bytes.
    verbose : bool or None, default=None
        Whether a progress line is shown on stderr; None shows it in a terminal and in
        a notebook.

    Returns
    -------
    Report
        ``.write_html(path)`` saves the page, ``.to_dict()`` returns its numbers; in a
        notebook it is displayed.

    Raises
    ------
    ValueError
        If `y` or `y_background` has a class that the estimator does not know, a rival
        knows other classes, or `samples` has a position that `X` does not have.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skdnn import explain
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> model = LogisticRegression(max_iter=1000).fit(X[::2], y[::2])
    >>> report = explain.report(
    ...     model, X[1::2], y[1::2], background=X[::2], y_background=y[::2]
    ... )
    >>> "SHAP" in report.html()
    True
    """
    from skdnn.explain._report.request import Request

    request = Request(
        background=background, y_background=y_background, rivals=rivals,
        groups_by=groups_by, costs=costs, actionable=actionable, nested=nested,
        title=title, samples=samples, sample_weight=sample_weight,
        seed=as_seed(random_state), verbose=verbose,
    )  # fmt: skip
    return make_report(estimator, X, y, request)


def make_report(estimator: Any, X: Any, y: ArrayLike, request: "Request") -> Report:
    """Return the report on rows of a classifier, of Python or the command line."""
    from skdnn.explain._report.collect import collect
    from skdnn.explain._report.summary import summarise

    return Report(summarise(collect(estimator, X, y, request)))
