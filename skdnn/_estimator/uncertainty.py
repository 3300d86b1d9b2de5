"""How certain a prediction of a fitted classifier is: its networks, and sets."""

from collections.abc import Callable
from functools import reduce
from numbers import Real
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skdnn._estimator.conformal import ConformityScores
from skdnn._network.prediction import predictor_of
from skdnn._network.spec import NetworkSpec
from skdnn._streaming.feature_blocks import by_blocks
from skdnn._tabular.columns import Columns
from skdnn._tabular.encoder import TableEncoder
from skdnn._tabular.validation import check_rows


def set_thresholds(
    classifier: "Uncertainty", confidence_level: Any, *, by_class: bool = False
) -> np.ndarray:
    """Return the smallest probability of each class that is in a set.

    ValueError if the level is not between 0 and 1, the fit left no rows out, or rows
    may have several labels; TypeError for a level of another type.
    """
    if isinstance(confidence_level, bool) or not isinstance(confidence_level, Real):
        raise TypeError(
            "`confidence_level` must be a number between 0 and 1. Got "
            f"{confidence_level!r}."
        )
    level = float(confidence_level)
    if not 0 < level < 1:
        raise ValueError(
            "`confidence_level` must be between 0 and 1, such as 0.9. Got "
            f"{confidence_level!r}."
        )
    check_is_fitted(classifier)
    scores = classifier._known_scores()
    return scores.thresholds(level, len(classifier.classes_), by_class=by_class)


def sets_of(proba: np.ndarray, least: np.ndarray) -> np.ndarray:
    """Return the sets of rows with these probabilities; none is empty."""
    sets = proba >= least
    sets[np.arange(len(proba)), proba.argmax(axis=1)] = True
    return sets


def is_split_conformal(classifier: "Uncertainty") -> bool:
    """Return whether the rows behind the thresholds are scored as new rows are."""
    return classifier._known_scores().is_split


class Uncertainty:
    """The part of `DNNClassifier` that predicts by network, and sets of classes."""

    # set by skdnn._estimator.finalize
    classes_: np.ndarray
    _spec: NetworkSpec
    _weights: Any
    _columns: Columns
    _encoder: TableEncoder
    predict_proba: Callable[[Any], np.ndarray]
    _conformity: ConformityScores | None

    @by_blocks(axis=1)
    def predict_members(self, X: Any) -> np.ndarray:
        """Return what each network of an ensemble, or of the recipe, predicts.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
            The columns of `fit`, in the same order.

        Returns
        -------
        ndarray of shape (n_members, n_samples, n_classes)
            Probabilities by each of `estimators_`, whose mean is `predict_proba`; by
            the eight networks of the recipe (see Notes); or by the only network.

        Notes
        -----
        The recipe calibrates the mean of its networks: the logarithm is multiplied by
        the inverse temperature. So are those of each network here, to be on the scale
        of `predict_proba`, which is their mean if that factor is 1.

        The eight networks differ in their seeds, and in the rows that they left out in
        all epochs (from 10 000 rows on), or in the epochs before the last ones were
        repeated on all rows. Their spread is smaller than that of fits to other
        rows, which networks of bootstrap samples show (`bootstrap`).

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from skdnn import DNNClassifier
        >>> X, y = load_iris(return_X_y=True)
        >>> network = DNNClassifier(max_iter=8, random_state=0).fit(X, y)
        >>> each = network.predict_members(X[:5])
        >>> each.shape
        (8, 5, 3)
        >>> each.argmax(axis=2)[:, 0]  # what each network predicts for the first row
        array([0, 0, 0, 0, 0, 0, 0, 0])
        """
        return self._proba_and_members(X)[1]

    def predict_set(
        self, X: Any, confidence_level: float = 0.9, *, by_class: bool = False
    ) -> np.ndarray:
        """Return the classes that each row may have.

        A set of one class is a prediction to rely on at that level; with several, the
        row may have any of them.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
            The columns of `fit`, in the same order.
        confidence_level : float, default=0.9
            Share of the rows whose set is to hold their class, in (0, 1).
        by_class : bool, default=False
            Whether that share is to hold among the rows of each class, not only over
            all rows. Sets are larger, and a class with few rows left out (fewer than 9
            at a level of 0.9) is in all sets.

        Returns
        -------
        ndarray of bool of shape (n_samples, n_classes)
            Whether each class, in the order of ``classes_``, is in the set of the row.
            No set is empty: the most probable class is always in it.

        Raises
        ------
        ValueError
            If the fit left no rows out, if a row may have several labels, or if the
            level is not between 0 and 1.

        Notes
        -----
        A class is in the set if its probability is at least a threshold: the quantile
        of the probabilities of the true classes of rows that the networks were not
        trained on [1]_, weighted by `sample_weight`. If the probabilities are correct,
        no other rule of the same coverage has smaller sets on average; adaptive rules
        [2]_ [3]_ were 1 to 5 times as large on eight tables. With `by_class` each class
        has its own threshold (Mondrian or class-conditional [4]_ [5]_).

        If all networks of a fit left out the same validation rows (one network, the
        recipe with validation rows, an ensemble with `X_val`), which served neither
        early stopping nor calibration, the probability that a set holds the class of a
        new row exchangeable with them is at least `confidence_level` (split conformal
        prediction). These two choose one number each on these rows, which has little
        effect.

        The recipe, and ensembles with `oob_score` or validation rows of each network,
        score a row by those networks that left it out, as cross-conformal prediction
        [5]_ [6]_ does, but then predict with the mean of all. Where the recipe repeats
        its last epochs on all rows, the scores are of networks before that. No bound is
        proven for this; as the mean of all is more accurate than what was scored, sets
        are rather too large. The user guide has measured shares.

        Pipelines and searches do not have the method: ``pipe[-1].predict_set(
        pipe[:-1].transform(X))``, and the same of ``search.best_estimator_``.

        References
        ----------
        .. [1] Sadinle, Lei and Wasserman (2019), Least ambiguous set-valued classifiers
           with bounded error levels.
        .. [2] Romano, Sesia and Candès (2020), Classification with valid and adaptive
           coverage.
        .. [3] Angelopoulos, Bates, Malik and Jordan (2021), Uncertainty sets for image
           classifiers using conformal prediction.
        .. [4] Ding, Angelopoulos, Bates, Jordan and Tibshirani (2023),
           Class-conditional conformal prediction with many classes.
        .. [5] Vovk (2015), Cross-conformal predictors.
        .. [6] Barber, Candès, Ramdas and Tibshirani (2021), Predictive inference with
           the jackknife+.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn.datasets import load_iris
        >>> from skdnn import DNNClassifier
        >>> X, y = load_iris(return_X_y=True)
        >>> in_training = np.arange(150) % 3 > 0  # 100 rows
        >>> network = DNNClassifier(random_state=0).fit(X[in_training], y[in_training])
        >>> sets = network.predict_set(X[~in_training], confidence_level=0.95)
        >>> sets.shape
        (50, 3)
        >>> bool(sets[range(50), y[~in_training]].mean() > 0.9)  # hold their class
        True
        """
        least = set_thresholds(self, confidence_level, by_class=by_class)
        return sets_of(self.predict_proba(X), least)

    def _proba_and_members(self, X: Any) -> tuple[np.ndarray, np.ndarray]:
        """Return `predict_proba` and `predict_members` by one forward pass."""
        X = self._checked(X)
        if hasattr(self, "estimators_"):
            each = np.stack([member._proba(X) for member in self.estimators_])
            return reduce(np.add, each) / len(each), each
        predictor = predictor_of(self, self._spec, self._weights)
        return predictor.proba_and_members(self._encoder.encode(X))

    def _checked(self, X: Any) -> Any:
        if not hasattr(self, "_spec"):  # the check itself takes as long as one row
            check_is_fitted(self)
        return check_rows(self, self._columns, self._encoder, X)

    def _known_scores(self) -> ConformityScores:
        """Return the scores of rows left out; ``ValueError`` if there are none."""
        if self._spec.is_multilabel:
            raise ValueError(
                "Prediction sets must be of classes of which a row has one. Got labels "
                "of which a row may have several. Fit a DNNClassifier for each label."
            )
        if not hasattr(self, "_conformity"):
            raise ValueError(
                "Prediction sets must have probabilities of rows left out, which "
                "earlier versions of skdnn did not keep. Got a classifier that was "
                "fitted by one of them. Fit it again."
            )
        if self._conformity is None:
            raise ValueError(
                "Prediction sets must have rows that a network is not trained on. Got "
                "a fit to all rows, or one that resumed training. Set "
                "validation_fraction=0.2, pass X_val and y_val to fit, or set "
                "oob_score=True with bootstrap=True; DNNClassifier() leaves rows out "
                "from 100 rows on."
            )
        return self._conformity
