"""Quality of predictions: scores with intervals, confusion matrix, calibration.

The functions take labels and probabilities, not a model, so that classifier, simple
model and baseline are measured in the same way.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from skdnn._estimator.calibration import calibration_bins, expected_calibration_error
from skdnn.explain._model.labels import effective_rows

SCORES = (
    "accuracy", "balanced_accuracy", "log_loss", "brier_score", "roc_auc",
    "calibration_error",
)  # fmt: skip
_Z = 1.959963984540054  # the 97.5% quantile of the normal distribution
# Draws of the bootstrap: fewer for large tables, but at least a minimum.
N_DRAWS = 1000
_MIN_DRAWS = 200
_MAX_DRAWN_CELLS = 4e7
# Rows of all draws of a block.
_BLOCK_ROWS = 500_000
_MAX_CHOSEN = 4
MIDDLE_95 = [0.025, 0.975]


@dataclass(frozen=True)
class Score:
    """One score with its 95% interval; None where it is not defined."""

    value: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Bin:
    """One point of a reliability curve."""

    n: int
    predicted: float  # mean probability of these rows
    observed: float  # the share of them in the predicted class
    low: float  # its Wilson interval
    high: float


@dataclass(frozen=True)
class Measured:
    """Scores, confusion matrix and reliability curves of one set of predictions."""

    scores: dict[str, Score]  # by the names in `SCORES`
    confusion: np.ndarray  # rows by class (row) and predicted class (column)
    reliability: tuple[Bin, ...]  # of the predicted class
    reliability_by_class: tuple[tuple[Bin, ...], ...]  # one against the rest
    # scores of the bootstrap, (n_draws,) each; equal seeds draw equal rows, so that the
    # draws of two models can be subtracted
    draws: dict[str, np.ndarray] = field(repr=False)


def measure(
    codes: np.ndarray,
    probabilities: np.ndarray,
    *,
    predicted: np.ndarray | None = None,
    weight: np.ndarray | None = None,
    random_state: int = 0,
    n_draws: int = N_DRAWS,
    positive: int | None = None,
) -> Measured:
    """Measure predictions against the labels.

    `codes` and `predicted`, of shape (n_samples,), are positions of the true and the
    predicted class, by default the most probable one. Large tables have fewer draws.
    `positive` is the position of the positive one of two classes, the second by
    default: equal probabilities of one may differ in the last digit of the other.
    With weights, of mean 1, scores and curves are of the population that the rows stand
    for, and the confusion matrix counts rows.

    Intervals are bootstrap percentiles, those of `calibration_error` corrected for the
    upward bias of resampling. Accuracy and balanced accuracy have Wilson intervals,
    combined over the classes with MOVER (Zou and Donner, 2008, Construction of
    confidence limits about effect measures: a general approach), as a bootstrap of "all
    correct" has no variance.

    Examples
    --------
    >>> import numpy as np
    >>> codes = np.array([0, 0, 1, 1])
    >>> proba = np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8], [0.7, 0.3]])
    >>> measure(codes, proba).scores["accuracy"]
    Score(value=0.75, low=0.30..., high=0.95...)
    """
    n_samples, n_classes = probabilities.shape
    predicted = probabilities.argmax(1) if predicted is None else predicted
    weight = np.ones(n_samples) if weight is None else weight
    ranked = (
        range(n_classes) if n_classes != 2 else [1 if positive is None else positive]
    )
    parts = _RowParts(codes, probabilities, predicted, ranked)
    values = parts.scores(weight[None])
    draws = _bootstrap(parts, weight, n_classes, random_state, n_draws)
    confusion = np.zeros((n_classes, n_classes), dtype=int)
    np.add.at(confusion, (codes, predicted), 1)
    scores = {name: _from_draws(name, values[name][0], draws[name]) for name in SCORES}
    right = codes == predicted
    scores["accuracy"] = Score(*share(right, weight))
    scores["balanced_accuracy"] = _balanced_accuracy(codes, right, weight)
    top = probabilities[np.arange(n_samples), predicted]
    return Measured(
        scores=scores,
        confusion=confusion,
        reliability=reliability(top, right, weight),
        reliability_by_class=tuple(
            reliability(probabilities[:, k], codes == k, weight)
            for k in range(n_classes)
        ),
        draws=draws,
    )


def difference(a: Measured, b: Measured, name: str) -> Score:
    """Subtract score `name` of `b` from that of `a`, on the same bootstrap draws."""
    first, second = a.scores[name].value, b.scores[name].value
    if first is None or second is None:
        return Score(None)
    draws = a.draws[name] - b.draws[name]
    draws = draws[np.isfinite(draws)]
    if not draws.size:
        return Score(first - second)
    return Score(first - second, *np.quantile(draws, MIDDLE_95).tolist())


def baseline(codes: np.ndarray, n_classes: int, weight: np.ndarray) -> np.ndarray:
    """Predict the class shares, with weights of mean 1, for every row."""
    shares = np.bincount(codes, weight, minlength=n_classes) / weight.sum()
    return np.tile(shares, (len(codes), 1))


def choose_rows(
    codes: np.ndarray, probabilities: np.ndarray, predicted: np.ndarray
) -> list[tuple[int, str]]:
    """Return positions of a few rows worth explaining, each with a reason."""
    n_samples = len(codes)
    top, right = probabilities[np.arange(n_samples), predicted], codes == predicted
    chosen: dict[int, str] = {}

    def pick(mask: np.ndarray, key: np.ndarray, reason: str) -> None:
        rows = np.setdiff1d(np.flatnonzero(mask), list(chosen))
        if len(rows) and len(chosen) < _MAX_CHOSEN:
            chosen[int(rows[np.argmin(key[rows])])] = reason

    pick(right, -top, "the most confident correct prediction")
    pick(~right, -top, "the most confident mistake")
    pick(np.ones(n_samples, dtype=bool), top, "the most uncertain prediction")
    for code in np.argsort(-np.bincount(codes, minlength=probabilities.shape[1])):
        of_class = predicted == code
        if of_class.any() and not of_class[list(chosen)].any():
            distance = np.abs(top - np.median(top[of_class]))
            pick(of_class, distance, "a typical prediction of a class not shown yet")
    return list(chosen.items())


def wilson(hits: float, n: float) -> tuple[float, float]:
    """Return the 95% Wilson interval of a share of `hits` in `n`.

    >>> [round(bound, 3) for bound in wilson(38, 38)]
    [0.908, 1.0]
    """
    share = hits / n
    centre = (share + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
    variance = share * (1 - share) / n + _Z**2 / (4 * n**2)
    spread = np.sqrt(variance) * _Z / (1 + _Z**2 / n)
    # at the ends the formula is 0 and 1 up to rounding
    low = 0.0 if hits == 0 else max(0.0, centre - spread)
    high = 1.0 if hits == n else min(1.0, centre + spread)
    return float(low), float(high)


def share(hit: np.ndarray, weight: np.ndarray) -> tuple[float, float, float]:
    """Return the weighted share of hits and its Wilson interval.

    The interval is of as many rows of equal weight as give means as precise.
    """
    total = float(weight.sum())
    n = effective_rows(weight)
    value = min(1.0, float(weight @ hit) / total)
    low, high = wilson(value * n, n)
    return value, min(low, value), max(high, value)


def reliability(
    probability: np.ndarray, hit: np.ndarray, weight: np.ndarray
) -> tuple[Bin, ...]:
    """Group rows by predicted probability into bins of equal width; none is empty."""
    index = calibration_bins(probability)
    bins = []
    for i in np.unique(index):
        rows = (index == i) & (weight > 0)
        if rows.any():
            mean = float(np.average(probability[rows], weights=weight[rows]))
            bins.append(Bin(int(rows.sum()), mean, *share(hit[rows], weight[rows])))
    return tuple(bins)


class _RowParts:
    """The part of each row in each score: a draw is a product with its counts."""

    def __init__(
        self,
        codes: np.ndarray,
        probabilities: np.ndarray,
        predicted: np.ndarray,
        ranked: Sequence[int],
    ):
        n_samples, n_classes = probabilities.shape
        rows = np.arange(n_samples)
        self.right = (codes == predicted).astype(float)
        total = probabilities.sum(1)
        share = probabilities[rows, codes] / np.where(total > 0, total, 1)
        self.loss = -np.log(np.clip(share, np.finfo(float).eps, 1))
        squared = ((probabilities - np.eye(n_classes)[codes]) ** 2).sum(1)
        # of two classes only one, as in scikit-learn
        self.brier = squared / 2 if n_classes == 2 else squared
        self.confidence = probabilities[rows, predicted]
        self.is_class = np.eye(n_classes)[codes]
        self.ranks = []
        for k in ranked:
            if 0 < (codes == k).sum() < n_samples:
                order = np.argsort(probabilities[:, k], kind="stable")
                value = probabilities[order, k]
                starts = np.flatnonzero(np.r_[True, value[1:] != value[:-1]])
                self.ranks.append((order, codes[order] == k, starts))

    def scores(self, counts: np.ndarray) -> dict[str, np.ndarray]:
        """Return scores of tables with `counts` (n_draws, n_samples) of each row."""
        n = counts.sum(1)
        in_class = counts @ self.is_class
        hits = counts @ (self.is_class * self.right[:, None])
        recall = np.divide(hits, in_class, out=np.zeros_like(hits), where=in_class > 0)
        return {
            "accuracy": counts @ self.right / n,
            "balanced_accuracy": recall.sum(1) / (in_class > 0).sum(1),
            "log_loss": counts @ self.loss / n,
            "brier_score": counts @ self.brier / n,
            "roc_auc": self._roc_auc(counts),
            "calibration_error": expected_calibration_error(
                self.confidence, self.right, counts
            ),
        }

    def _roc_auc(self, counts: np.ndarray) -> np.ndarray:
        """Return the mean area over the classes of each draw; NaN with one class."""
        total, held = np.zeros(len(counts)), np.zeros(len(counts))
        for order, positive, starts in self.ranks:
            sorted_counts = counts[:, order]
            in_class = np.add.reduceat(sorted_counts * positive, starts, axis=1)
            others = np.add.reduceat(sorted_counts * ~positive, starts, axis=1)
            # pairs in which the other row ranks lower; ties count as a half
            lower = np.cumsum(others, axis=1) - others / 2
            pairs = in_class.sum(1) * others.sum(1)
            won = (in_class * lower).sum(1)
            total += np.divide(won, pairs, out=np.zeros_like(won), where=pairs > 0)
            held += pairs > 0
        return np.divide(total, held, out=np.full_like(total, np.nan), where=held > 0)


def drawn_counts(
    n_samples: int, n_columns: int, random_state: int, n_draws: int = N_DRAWS
) -> Iterator[np.ndarray]:
    """Yield how often bootstrap draws hold each row, in blocks of bounded memory.

    Each block is of shape (n_in_block, n_samples). Tables with many cells have fewer
    draws.
    """
    affordable = max(_MIN_DRAWS, _MAX_DRAWN_CELLS // (n_samples * n_columns))
    n_draws = int(min(n_draws, affordable))
    rng = np.random.default_rng(random_state)
    size = max(1, _BLOCK_ROWS // n_samples)
    share = np.full(n_samples, 1 / n_samples)
    for start in range(0, n_draws, size):
        yield rng.multinomial(n_samples, share, min(size, n_draws - start))


def _bootstrap(
    parts: _RowParts,
    weight: np.ndarray,
    n_classes: int,
    random_state: int,
    n_draws: int,
) -> dict[str, np.ndarray]:
    """Return the scores of bootstrap draws."""
    drawn = drawn_counts(len(weight), n_classes, random_state, n_draws)
    blocks = [parts.scores(counts * weight) for counts in drawn]
    return {name: np.concatenate([part[name] for part in blocks]) for name in SCORES}


def _from_draws(name: str, value: float, draws: np.ndarray) -> Score:
    if not np.isfinite(value):
        return Score(None)
    draws = draws[np.isfinite(draws)]
    low, high = np.quantile(draws, MIDDLE_95).tolist()
    if name == "calibration_error":
        # resampling adds noise to every bin of the curve, and the error is absolute:
        # the draws are above the value, by about their median
        bias = float(np.median(draws) - value)
        low, high = max(0.0, low - bias), max(0.0, high - bias)
    if name == "roc_auc" and low == high:
        # every pair is ranked correctly, so that no draw can differ
        return Score(float(value))
    return Score(float(value), low, high)


def _balanced_accuracy(
    codes: np.ndarray, right: np.ndarray, weight: np.ndarray
) -> Score:
    classes = np.unique(codes[weight > 0])
    parts = [share(right[codes == k], weight[codes == k]) for k in classes]
    recall, low, high = np.array(parts).T
    value = float(recall.mean())
    down = float(np.sqrt(((recall - low) ** 2).sum()) / len(classes))
    up = float(np.sqrt(((high - recall) ** 2).sum()) / len(classes))
    return Score(value, max(0.0, value - down), min(1.0, value + up))
