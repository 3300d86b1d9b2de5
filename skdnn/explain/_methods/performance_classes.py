"""Scores of each class against the rest, with intervals, and their ranking."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from skdnn.explain._methods.performance_intervals import auc_interval, f1_interval
from skdnn.explain._methods.performance_scores import Score, share, wilson
from skdnn.explain._model.labels import effective_rows


@dataclass(frozen=True)
class Ranking:
    """Rows ordered by falling probability, cut at each distinct value.

    At each cut the rows so far are those of at least that probability. `hits` and
    `misses` are the weight of those that are of the class, and that are not; `n_hits`
    and `n_misses` their numbers.
    """

    thresholds: np.ndarray
    hits: np.ndarray
    misses: np.ndarray
    n_hits: np.ndarray
    n_misses: np.ndarray

    @property
    def has_both(self) -> bool:
        """Whether there are rows of the class and others."""
        return bool(self.hits[-1] > 0 and self.misses[-1] > 0)

    def area(self) -> float:
        """Return the ROC AUC; ties count as a half."""
        hits = np.r_[0, self.hits]
        area = np.diff(np.r_[0, self.misses]) @ (hits[1:] + hits[:-1]) / 2
        # the sums may be rounded up
        return float(min(1.0, area / (self.hits[-1] * self.misses[-1])))

    def average_precision(self) -> float:
        """Return the mean precision, weighted by the increase of the recall."""
        total = self.hits + self.misses
        precision = np.divide(
            self.hits, total, out=np.ones_like(total), where=total > 0
        )
        return float(np.diff(np.r_[0, self.hits]) @ precision / self.hits[-1])


def rank(probability: np.ndarray, is_in: np.ndarray, weight: np.ndarray) -> Ranking:
    """Return the ranking of rows by their probability of one class."""
    order = np.argsort(-probability, kind="stable")
    value, is_in, weight = probability[order], is_in[order], weight[order]
    last = np.flatnonzero(np.r_[value[1:] != value[:-1], True])
    sums = (weight * is_in, weight * ~is_in, is_in, ~is_in)
    return Ranking(value[last], *(np.cumsum(part)[last] for part in sums))


def share_score(hit: np.ndarray, weight: np.ndarray) -> Score:
    """Return the share of hits with its Wilson interval, unknown without rows."""
    return Score(*share(hit, weight)) if weight.sum() > 0 else Score(None)


def class_scores(
    codes: np.ndarray,
    probabilities: np.ndarray,
    predicted: np.ndarray,
    weight: np.ndarray,
) -> Iterator[tuple[int, str, Score, int]]:
    """Yield the class, the name, the score, and the number of rows it is a mean over.

    Scores are precision, recall, specificity, f1, roc_auc, average_precision and
    prevalence.
    """
    for k in range(probabilities.shape[1]):
        is_in, named = codes == k, predicted == k
        shares = {
            "precision": (is_in, named),
            "recall": (named, is_in),
            "specificity": (~named, ~is_in),
            "f1": (is_in & named, is_in | named),
            "prevalence": (is_in, np.ones(len(codes), dtype=bool)),
        }
        counted = weight > 0
        for name, (hit, rows) in shares.items():
            score = share_score(hit[rows], weight[rows])
            if name == "f1":
                score = _f1(score, weight[rows])
            yield k, name, score, int((rows & counted).sum())
        ranking = rank(probabilities[:, k], is_in, weight)
        area = auc_score(ranking, is_in, weight)
        yield k, "roc_auc", area, int(counted.sum())
        precision = _average_precision(ranking, weight[is_in])
        yield k, "average_precision", precision, int((is_in & counted).sum())


def auc_score(ranking: Ranking, is_in: np.ndarray, weight: np.ndarray) -> Score:
    """Return the ROC AUC with its interval, unknown without rows on both sides."""
    if not ranking.has_both:
        return Score(None)
    area = ranking.area()
    sizes = effective_rows(weight[is_in]), effective_rows(weight[~is_in])
    return Score(area, *auc_interval(area, *sizes))


def _f1(score: Score, weight: np.ndarray) -> Score:
    """Return F1 from the share of true positives among rows named or of the class."""
    if score.value is None:
        return score
    n = effective_rows(weight)
    ends = f1_interval(min(score.value * n, n), n)
    return Score(2 * score.value / (1 + score.value), *ends)


def _average_precision(ranking: Ranking, weight: np.ndarray) -> Score:
    """Return average precision, and the interval of such a share of rows of the class.

    That is the binomial interval of Boyd, Eng and Page (2013), in Wilson's form.
    """
    if not ranking.has_both:
        return Score(None)
    value, n = ranking.average_precision(), effective_rows(weight)
    return Score(value, *wilson(min(value * n, n), n))
