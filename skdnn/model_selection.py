"""scikit-learn's searches, with all networks of a search trained together."""

import os
from collections.abc import Mapping
from functools import partial
from typing import Any, Self

import numpy as np
import sklearn.model_selection
from numpy.typing import ArrayLike
from sklearn.base import is_classifier
from sklearn.model_selection import ParameterGrid, ParameterSampler, check_cv
from sklearn.utils import indexable

from skdnn._runtime.compat import rows_of_params, take_rows
from skdnn._runtime.progress import Progress
from skdnn._search.checkpointing import own_searches
from skdnn._search.nested import NestedScores
from skdnn._search.stacked_search import fit_search

__all__ = [
    "GridSearchCV",
    "NestedScores",
    "RandomizedSearchCV",
    "nested_cross_validate",
]


class GridSearchCV(sklearn.model_selection.GridSearchCV):  # type: ignore[misc]
    """scikit-learn's `GridSearchCV`; the networks of a search train together.

    Parameters, attributes and methods are those of
    `sklearn.model_selection.GridSearchCV`, and so are its results: candidates, folds,
    scores, ranking and refit are scikit-learn's own work. For a `DNNClassifier`, alone
    or as the last step of a Pipeline, networks of one shape share a compiled program
    and are trained side by side in threads. Steps before the network are fitted once
    for each fold and each of their settings. Other estimators are fitted as usual.

    Parameters
    ----------
    estimator : estimator
        What is fitted.
    param_grid : dict or list of dict
        Names of parameters and the values to try, in all combinations.
    scoring : str, callable, list, tuple, dict or None, default=None
        As in scikit-learn; None is the estimator's `score`.
    n_jobs : int or None, default=None
        Networks that train at the same time, in threads of this process or in workers
        of a third-party joblib backend, such as Dask's; None and -1 are one per core.
        Other estimators go through joblib as in scikit-learn.
    refit : bool, str or callable, default=True
        As in scikit-learn.
    cv : int, splitter, iterable or None, default=None
        As in scikit-learn; split once.
    verbose : int, default=0
        Above 0, a live line on stderr; scikit-learn's own lines follow with the scores.
    pre_dispatch : int or str, default="2*n_jobs"
        As in scikit-learn, for estimators that are not networks.
    error_score : "raise" or float, default=nan
        As in scikit-learn. With "raise", the first error is raised after training.
    return_train_score : bool, default=False
        As in scikit-learn.
    checkpoint : str, path-like or None, default=None
        A file that keeps the networks of all fits, finished or not, about every ten
        seconds. A search that was killed and is started again with the same table,
        parameters and versions continues from it, with the same results. Needs an int
        as `random_state` of the networks, and no callbacks; their own checkpoints are
        not used. Other estimators, and steps before the networks, are fitted again.

    Attributes
    ----------
    cv_results_ : dict of ndarray
        As in scikit-learn. Fit times include a part of what candidates share.

    See Also
    --------
    nested_cross_validate : The cross-validated score of a search.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skdnn import DNNClassifier
    >>> from skdnn.model_selection import GridSearchCV
    >>> X, y = load_iris(return_X_y=True)
    >>> network = DNNClassifier((10,), max_iter=50, n_iter_no_change=50, random_state=0)
    >>> search = GridSearchCV(network, {"learning_rate_init": [0.003, 0.05]}, cv=3)
    >>> search.fit(X, y).best_params_
    {'learning_rate_init': 0.05}
    """

    checkpoint: Any = None  # of searches that 0.1.0 has pickled

    def __init__(
        self,
        estimator: Any,
        param_grid: Any,
        *,
        scoring: Any = None,
        n_jobs: int | None = None,
        refit: Any = True,
        cv: Any = None,
        verbose: int = 0,
        pre_dispatch: Any = "2*n_jobs",
        error_score: Any = np.nan,
        return_train_score: bool = False,
        checkpoint: str | os.PathLike[str] | None = None,
    ) -> None:
        super().__init__(
            estimator,
            param_grid,
            scoring=scoring,
            n_jobs=n_jobs,
            refit=refit,
            cv=cv,
            verbose=verbose,
            pre_dispatch=pre_dispatch,
            error_score=error_score,
            return_train_score=return_train_score,
        )
        self.checkpoint = checkpoint

    def fit(self, X: Any, y: Any = None, **params: Any) -> Self:
        """Fit all candidates on all folds, and the best one on all rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows, as the estimator takes them.
        y : array-like of shape (n_samples,), default=None
            Classes.
        **params : dict
            What else the estimator, the scorer and the splitter are given.

        Returns
        -------
        self : GridSearchCV

        Raises
        ------
        ValueError
            Before training, for invalid parameters, or a checkpoint of another search.
        OSError
            Before training, if the checkpoint could not be written.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from skdnn import DNNClassifier
        >>> from skdnn.model_selection import GridSearchCV
        >>> X, y = load_iris(return_X_y=True)
        >>> network = DNNClassifier(
        ...     (10,), max_iter=50, n_iter_no_change=50, random_state=0
        ... )
        >>> search = GridSearchCV(network, {"learning_rate_init": [0.03, 0.05]}, cv=3)
        >>> search.fit(X, y).best_estimator_.n_features_in_
        4
        """
        return fit_search(
            self, super().fit, ParameterGrid, self.param_grid, X, y, params
        )


class RandomizedSearchCV(sklearn.model_selection.RandomizedSearchCV):  # type: ignore[misc]
    """scikit-learn's `RandomizedSearchCV`; networks of a search train together.

    As `GridSearchCV`, with candidates that are drawn.

    Parameters
    ----------
    estimator : estimator
        What is fitted.
    param_distributions : dict or list of dict
        Names of parameters, and lists or distributions to draw from.
    n_iter : int, default=10
        Candidates that are drawn.
    scoring, n_jobs, refit, cv, verbose, pre_dispatch
        As in `GridSearchCV`.
    random_state : int, RandomState or None, default=None
        Draws the candidates.
    error_score, return_train_score
        As in `GridSearchCV`.
    checkpoint : str, path-like or None, default=None
        As in `GridSearchCV`; needs an int as `random_state` of the search, too.

    Attributes
    ----------
    cv_results_ : dict of ndarray
        As in `GridSearchCV`.

    Examples
    --------
    >>> from scipy.stats import loguniform
    >>> from sklearn.datasets import load_iris
    >>> from skdnn import DNNClassifier
    >>> from skdnn.model_selection import RandomizedSearchCV
    >>> X, y = load_iris(return_X_y=True)
    >>> network = DNNClassifier((10,), max_iter=50, n_iter_no_change=50, random_state=0)
    >>> rates = {"learning_rate_init": loguniform(0.01, 0.1)}
    >>> search = RandomizedSearchCV(network, rates, n_iter=4, cv=3, random_state=0)
    >>> len(search.fit(X, y).cv_results_["params"])
    4
    """

    checkpoint: Any = None  # of searches that 0.1.0 has pickled

    def __init__(
        self,
        estimator: Any,
        param_distributions: Any,
        *,
        n_iter: int = 10,
        scoring: Any = None,
        n_jobs: int | None = None,
        refit: Any = True,
        cv: Any = None,
        verbose: int = 0,
        pre_dispatch: Any = "2*n_jobs",
        random_state: int | np.random.RandomState | None = None,
        error_score: Any = np.nan,
        return_train_score: bool = False,
        checkpoint: str | os.PathLike[str] | None = None,
    ) -> None:
        super().__init__(
            estimator,
            param_distributions,
            n_iter=n_iter,
            random_state=random_state,
            scoring=scoring,
            n_jobs=n_jobs,
            refit=refit,
            cv=cv,
            verbose=verbose,
            pre_dispatch=pre_dispatch,
            error_score=error_score,
            return_train_score=return_train_score,
        )
        self.checkpoint = checkpoint

    def fit(self, X: Any, y: Any = None, **params: Any) -> Self:
        """Fit all candidates on all folds, and the best one on all rows.

        Parameters
        ----------
        X, y, **params
            As in `GridSearchCV.fit`.

        Returns
        -------
        self : RandomizedSearchCV

        Raises
        ------
        ValueError
            Before training, for invalid parameters, or a checkpoint of another search.
        OSError
            Before training, if the checkpoint could not be written.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from skdnn import DNNClassifier
        >>> from skdnn.model_selection import RandomizedSearchCV
        >>> X, y = load_iris(return_X_y=True)
        >>> network = DNNClassifier(
        ...     (10,), max_iter=50, n_iter_no_change=50, random_state=0
        ... )
        >>> search = RandomizedSearchCV(
        ...     network, {"learning_rate_init": [0.03, 0.05, 0.07]}, n_iter=2, cv=3,
        ...     random_state=0,
        ... )
        >>> len(search.fit(X, y).cv_results_["params"])
        2
        """
        draw = partial(
            ParameterSampler, n_iter=self.n_iter, random_state=self.random_state
        )
        return fit_search(
            self, super().fit, draw, self.param_distributions, X, y, params
        )


def nested_cross_validate(
    search: Any,
    X: Any,
    y: Any,
    cv: Any = None,
    *,
    groups: ArrayLike | None = None,
    params: Mapping[str, Any] | None = None,
) -> NestedScores:
    """Return the score of a search on rows that took no part in choosing.

    The best score of a search is chosen by the rows that it is measured on, and so too
    good. Here the whole search is repeated without the rows of each outer fold, and
    its choice is scored on those.

    Parameters
    ----------
    search : search estimator
        Such as `GridSearchCV`, with `refit`; not changed. Its own `cv` makes the inner
        folds, its `scoring` both scores. Its `checkpoint`, if it has one, keeps the
        searches of all outer folds.
    X : array-like of shape (n_samples, n_features)
        Rows, as the search takes them.
    y : array-like of shape (n_samples,)
        Classes.
    cv : int, splitter, iterable or None, default=None
        The outer folds; None is 5, stratified for a classifier.
    groups : array-like of shape (n_samples,), default=None
        Such as sites or patients, for the splitters of the outer and the inner folds.
    params : dict, default=None
        What else the fit of the search is given, such as ``sample_weight``; of what
        has a value per row, each fold is given its rows.

    Returns
    -------
    NestedScores
        `score`, `std_error`, `interval()`, and `frame()` with a row for each outer
        fold: its score, and the parameters that were chosen. The interval is Student's
        t, with the variance of the mean corrected for overlapping training rows [1]_.

    Raises
    ------
    ValueError
        Before any training, if the search does not refit its choice, for fewer than
        two outer folds, or for a checkpoint of something else.

    References
    ----------
    .. [1] Nadeau and Bengio (2003), Inference for the generalization error, Machine
       Learning 52, 239-281, section 3.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skdnn import DNNClassifier
    >>> from skdnn.model_selection import GridSearchCV, nested_cross_validate
    >>> X, y = load_iris(return_X_y=True)
    >>> network = DNNClassifier((10,), max_iter=50, n_iter_no_change=50, random_state=0)
    >>> search = GridSearchCV(network, {"learning_rate_init": [0.003, 0.05]}, cv=3)
    >>> nested_cross_validate(search, X, y, cv=3).frame().shape
    (3, 6)
    """
    if not getattr(search, "refit", False):
        raise ValueError(
            "`search` must be a search that refits its choice, to be scored on the "
            f"outer rows. Got {search!r}; set refit=True, or name a metric."
        )
    X, y, groups = indexable(X, y, groups)
    splitter = check_cv(cv, y, classifier=is_classifier(search))
    splits = list(splitter.split(X, y, groups))
    params = dict(params or {}) | ({} if groups is None else {"groups": groups})
    if len(splits) < 2:
        raise ValueError(
            "`cv` must make at least 2 outer folds, for the scores to have a spread. "
            f"Got {len(splits)}."
        )
    searches = own_searches(search, {"X": X, "y": y, "other arguments": params}, splits)
    chosen, scores = [], []
    with Progress(len(splits), "outer fold", bool(search.verbose)) as progress:
        for own_search, (train, test) in zip(searches, splits, strict=True):
            own = rows_of_params(X, params, indices=train)
            fitted = own_search.fit(take_rows(X, train), take_rows(y, train), **own)
            scores.append(fitted.score(take_rows(X, test), take_rows(y, test)))
            chosen.append(fitted)
            progress.step()
    return NestedScores(
        scores=np.array(scores, dtype=float),
        inner_scores=np.array([getattr(s, "best_score_", np.nan) for s in chosen]),
        n_train=np.array([len(train) for train, _ in splits]),
        n_test=np.array([len(test) for _, test in splits]),
        params=[s.best_params_ for s in chosen],
    )
