"""How good predictions are: scores with intervals, confusion, calibration.

Nothing here sees a model. It is given labels and probabilities, so the same functions
measure the classifier, the simple model beside it and the baseline.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

SCORES = ("accuracy", "balanced_accuracy", "log_loss", "roc_auc", "calibration_error")
N_BINS = 10
_Z = 1.959963984540054  # the 97.5 % quantile of the normal distribution


@dataclass(frozen=True)
class Score:
    """One score with its 95 % interval; None where it cannot be known."""

    value: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Bin:
    """One point of a reliability curve.

    `observed` is the share of rows for which the prediction came true, with its
    Wilson interval, among `n` rows whose mean predicted probability is `predicted`.
    """

    n: int
    predicted: float
    observed: float
    low: float
    high: float


@dataclass(frozen=True)
class Performance:
    """Scores, confusion matrix and reliability curves of one set of predictions.

    Attributes
    ----------
    scores : dict of str to Score
        One entry for each name in `SCORES`.
    confusion : ndarray of shape (n_classes, n_classes)
        Rows of the table by class (row) and by predicted class (column).
    reliability : tuple of Bin
        Of the predicted class: how sure the model was against how often it was right.
    reliability_by_class : tuple of tuple of Bin
        The same for each class, one against the rest.
    draws : dict of str to ndarray of shape (n_draws,)
        Scores of the bootstrap draws. Equal seeds draw equal rows, so that the draws
        of two models can be subtracted from each other.
    """

    scores: dict[str, Score]
    confusion: np.ndarray
    reliability: tuple[Bin, ...]
    reliability_by_class: tuple[tuple[Bin, ...], ...]
    draws: dict[str, np.ndarray] = field(repr=False)


def encode(y: Any, classes: np.ndarray) -> np.ndarray:
    """Give the position in `classes` of each label of `y`.

    Raises
    ------
    ValueError
        If a label is missing or is none of `classes`.
    """
    labels = np.asarray(y)
    if labels.ndim != 1:
        raise ValueError(
            f"y must be one column of labels. Got shape {labels.shape} instead."
        )
    position = {label: code for code, label in enumerate(np.asarray(classes).tolist())}
    codes = np.array([position.get(v, -1) for v in labels.tolist()], dtype=np.intp)
    if (codes < 0).any():
        unknown = list(dict.fromkeys(np.asarray(y)[codes < 0].tolist()))[:5]
        raise ValueError(
            f"y must hold classes that the estimator knows, {list(position)[:10]}. Got "
            f"{unknown} instead. Leave such rows out, or fit the estimator with them."
        )
    return codes


def measure(
    codes: np.ndarray,
    probabilities: np.ndarray,
    *,
    predicted: np.ndarray | None = None,
    random_state: int = 0,
    n_draws: int = 1000,
) -> Performance:
    """Measure predictions against the labels.

    Parameters
    ----------
    codes : ndarray of shape (n_samples,)
        Position of the true class of each row.
    probabilities : ndarray of shape (n_samples, n_classes)
        Predicted probabilities.
    predicted : ndarray of shape (n_samples,), default=None
        Position of the predicted class, for estimators that do not predict the most
        probable one. None takes the most probable one.
    random_state : int, default=0
        Seed of the bootstrap.
    n_draws : int, default=1000
        Bootstrap draws; fewer for large tables, never fewer than 200.

    Returns
    -------
    Performance
        The intervals of `log_loss`, `roc_auc` and `calibration_error` are bootstrap
        percentiles, those of `calibration_error` moved to undo the upward bias of
        resampling. Accuracy and balanced accuracy have Wilson intervals, put together
        over the classes with MOVER [1]_: a bootstrap of "all right" knows no doubt.

    References
    ----------
    .. [1] Zou, Donner (2008). Construction of confidence limits about effect measures:
       a general approach. Statistics in Medicine 27, 1693-1702. doi:10.1002/sim.3095

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
    parts = _Parts.of(codes, probabilities, predicted)
    value = {
        name: draw[0] for name, draw in parts.scores(np.ones((1, n_samples))).items()
    }
    draws = _bootstrap(parts, n_samples, n_classes, random_state, n_draws)
    confusion = np.zeros((n_classes, n_classes), dtype=int)
    np.add.at(confusion, (codes, predicted), 1)
    hits = np.diag(confusion)[confusion.sum(1) > 0]
    counts = confusion.sum(1)[confusion.sum(1) > 0]
    scores = {name: _from_draws(name, value[name], draws[name]) for name in SCORES}
    right = int((codes == predicted).sum())
    scores["accuracy"] = Score(right / n_samples, *wilson(right, n_samples))
    scores["balanced_accuracy"] = _balanced_accuracy(hits, counts)
    top = probabilities[np.arange(n_samples), predicted]
    return Performance(
        scores=scores,
        confusion=confusion,
        reliability=reliability(top, codes == predicted),
        reliability_by_class=tuple(
            reliability(probabilities[:, k], codes == k) for k in range(n_classes)
        ),
        draws=draws,
    )


def difference(a: Performance, b: Performance, name: str) -> Score:
    """Subtract score `name` of `b` from that of `a`, on the same bootstrap draws."""
    first, second = a.scores[name].value, b.scores[name].value
    if first is None or second is None:
        return Score(None)
    draws = a.draws[name] - b.draws[name]
    draws = draws[np.isfinite(draws)]
    if not draws.size:
        return Score(first - second)
    low, high = np.quantile(draws, [0.025, 0.975]).tolist()
    return Score(first - second, low, high)


def baseline(codes: np.ndarray, n_classes: int) -> np.ndarray:
    """Predict the class shares for every row."""
    shares = np.bincount(codes, minlength=n_classes) / len(codes)
    return np.tile(shares, (len(codes), 1))


def choose_rows(
    codes: np.ndarray,
    probabilities: np.ndarray,
    predicted: np.ndarray,
    *,
    n_rows: int = 4,
) -> list[tuple[int, str]]:
    """Pick rows worth explaining, each with the reason why.

    Returns
    -------
    list of (position, reason)
        The surest right row, the least sure one, the surest mistake, then ordinary
        rows of classes that were not predicted yet; at most `n_rows`.
    """
    n_samples = len(codes)
    top = probabilities[np.arange(n_samples), predicted]
    right = codes == predicted
    chosen: dict[int, str] = {}

    def pick(mask: np.ndarray, key: np.ndarray, reason: str) -> None:
        free = mask.copy()
        free[list(chosen)] = False
        if free.any() and len(chosen) < n_rows:
            rows = np.flatnonzero(free)
            chosen[int(rows[np.argmin(key[rows])])] = reason

    pick(right, -top, "the right prediction it is surest of")
    pick(~right, -top, "the mistake it is surest of")
    pick(np.ones(n_samples, dtype=bool), top, "the prediction it is least sure of")
    for code in np.argsort(-np.bincount(codes, minlength=probabilities.shape[1])):
        shown = {int(predicted[row]) for row in chosen}
        if int(code) not in shown and (predicted == code).any():
            middle = np.median(top[predicted == code])
            reason = "an ordinary prediction of a class not shown yet"
            pick(predicted == code, np.abs(top - middle), reason)
    return list(chosen.items())


def wilson(hits: float, n: int) -> tuple[float, float]:
    """Give the 95 % Wilson interval of a share of `hits` in `n`.

    >>> [round(bound, 3) for bound in wilson(38, 38)]
    [0.908, 1.0]
    """
    share = hits / n
    centre = (share + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
    spread = (
        np.sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2)) * _Z / (1 + _Z**2 / n)
    )
    # At the ends the formula gives 0 and 1 up to rounding.
    low = 0.0 if hits == 0 else max(0.0, centre - spread)
    high = 1.0 if hits == n else min(1.0, centre + spread)
    return float(low), float(high)


def reliability(probability: np.ndarray, hit: np.ndarray) -> tuple[Bin, ...]:
    """Group rows by predicted probability into ten equal steps, without empty ones."""
    step = _steps(probability)
    bins = []
    for s in np.unique(step):
        rows = step == s
        n, hits = int(rows.sum()), int(hit[rows].sum())
        mean = float(probability[rows].mean())
        bins.append(Bin(n, mean, hits / n, *wilson(hits, n)))
    return tuple(bins)


@dataclass(frozen=True)
class _Parts:
    """What a row adds to each score, so that a draw is a product with its counts."""

    right: np.ndarray  # (n_samples,)
    loss: np.ndarray  # (n_samples,)
    member: np.ndarray  # (n_samples, n_classes), one-hot of the true class
    gap: np.ndarray  # (n_samples, N_BINS), probability minus outcome, in its step
    ranks: tuple[tuple[np.ndarray, np.ndarray, np.ndarray], ...]

    @classmethod
    def of(cls, codes, probabilities, predicted):
        n_samples, n_classes = probabilities.shape
        rows = np.arange(n_samples)
        right = (codes == predicted).astype(float)
        total = probabilities.sum(1)
        share = probabilities[rows, codes] / np.where(total > 0, total, 1)
        top = probabilities[rows, predicted]
        gap = np.zeros((n_samples, N_BINS))
        gap[rows, _steps(top)] = top - right
        member = np.eye(n_classes)[codes]
        # With two classes the second tells all; scikit-learn does the same.
        of_interest = [1] if n_classes == 2 else range(n_classes)
        ranks = []
        for k in of_interest:
            if 0 < (codes == k).sum() < n_samples:
                order = np.argsort(probabilities[:, k], kind="stable")
                value = probabilities[order, k]
                starts = np.flatnonzero(np.r_[True, value[1:] != value[:-1]])
                ranks.append((order, codes[order] == k, starts))
        eps = np.finfo(float).eps
        return cls(right, -np.log(np.clip(share, eps, 1)), member, gap, tuple(ranks))

    def scores(self, counts: np.ndarray) -> dict[str, np.ndarray]:
        """Score tables that hold each row `counts` (n_draws, n_samples) times."""
        n = counts.sum(1)
        in_class = counts @ self.member
        hits = counts @ (self.member * self.right[:, None])
        recall = np.divide(hits, in_class, out=np.zeros_like(hits), where=in_class > 0)
        return {
            "accuracy": counts @ self.right / n,
            "balanced_accuracy": recall.sum(1) / (in_class > 0).sum(1),
            "log_loss": counts @ self.loss / n,
            "roc_auc": self._roc_auc(counts),
            "calibration_error": np.abs(counts @ self.gap).sum(1) / n,
        }

    def _roc_auc(self, counts: np.ndarray) -> np.ndarray:
        """Average the areas of the classes that a draw holds; nan if it holds one."""
        total, held = np.zeros(len(counts)), np.zeros(len(counts))
        for order, positive, starts in self.ranks:
            sorted_counts = counts[:, order]
            in_class = np.add.reduceat(sorted_counts * positive, starts, axis=1)
            others = np.add.reduceat(sorted_counts * ~positive, starts, axis=1)
            # Pairs in which the other row ranks lower, ties counting for a half.
            lower = np.cumsum(others, axis=1) - others / 2
            pairs = in_class.sum(1) * others.sum(1)
            won = (in_class * lower).sum(1)
            total += np.divide(won, pairs, out=np.zeros_like(won), where=pairs > 0)
            held += pairs > 0
        return np.divide(total, held, out=np.full_like(total, np.nan), where=held > 0)


def _bootstrap(parts, n_samples, n_classes, random_state, n_draws):
    """Score `n_draws` draws in blocks of bounded memory."""
    n_draws = int(min(n_draws, max(200, 2e8 // (n_samples * n_classes))))
    rng = np.random.default_rng(random_state)
    block = max(1, 2_000_000 // n_samples)
    share = np.full(n_samples, 1 / n_samples)
    blocks = [
        parts.scores(
            rng.multinomial(n_samples, share, min(block, n_draws - start)).astype(float)
        )
        for start in range(0, n_draws, block)
    ]
    return {name: np.concatenate([part[name] for part in blocks]) for name in SCORES}


def _from_draws(name: str, value: float, draws: np.ndarray) -> Score:
    if not np.isfinite(value):
        return Score(None)
    draws = draws[np.isfinite(draws)]
    low, high = np.quantile(draws, [0.025, 0.975]).tolist()
    if name == "calibration_error":
        # Resampling adds noise to every step of the curve and noise is never
        # negative here: the draws lie above the value, by about their median.
        bias = float(np.median(draws) - value)
        low, high = max(0.0, low - bias), max(0.0, high - bias)
    if name == "roc_auc" and low == high:
        # Every pair is ranked right, so no draw can differ: spread is not known.
        return Score(float(value))
    return Score(float(value), low, high)


def _balanced_accuracy(hits: np.ndarray, counts: np.ndarray) -> Score:
    recall = hits / counts
    bounds = np.array([wilson(h, n) for h, n in zip(hits, counts, strict=True)])
    value = float(recall.mean())
    down = float(np.sqrt(((recall - bounds[:, 0]) ** 2).sum()) / len(counts))
    up = float(np.sqrt(((bounds[:, 1] - recall) ** 2).sum()) / len(counts))
    return Score(value, max(0.0, value - down), min(1.0, value + up))


def _steps(probability: np.ndarray) -> np.ndarray:
    return np.clip((probability * N_BINS).astype(int), 0, N_BINS - 1)
