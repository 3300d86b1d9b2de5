"""Decisions from probabilities: thresholds of two classes, and what decisions cost.

The positive one of two classes is predicted from a threshold on.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.sparse import csr_array, hstack

from skdnn.explain._methods.performance_classes import Ranking, rank
from skdnn.explain._methods.performance_scores import MIDDLE_95, drawn_counts, wilson
from skdnn.explain._results.frames import frame_of
from skdnn.explain._results.performance import LEAST_COST, PREDICT, THRESHOLD

MAX_THRESHOLDS = 100
_COUNTS = ["true_positives", "false_positives", "false_negatives", "true_negatives"]


@dataclass(frozen=True)
class Predictions:
    """The labels of rows as codes, the predicted ones, probabilities and weights.

    `sets`, of shape (n_samples, n_classes), are the sets of classes, if there are any.
    `positive` is the position of the positive class, if there are two.
    """

    codes: np.ndarray
    probabilities: np.ndarray
    predicted: np.ndarray
    weight: np.ndarray
    sets: np.ndarray | None = None
    positive: int = 1

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return self.probabilities.shape[1]

    @property
    def ranked(self) -> list[int]:
        """Classes that are ranked: one of two, as the other is its mirror image."""
        return [self.positive] if self.n_classes == 2 else list(range(self.n_classes))

    @property
    def is_positive(self) -> np.ndarray:
        """Which rows are of the positive one of two classes."""
        return self.codes == self.positive

    @property
    def score(self) -> np.ndarray:
        """The probability of the positive one of two classes."""
        return self.probabilities[:, self.positive]


def decision_tables(
    given: Predictions,
    costs: np.ndarray | None,
    class_names: np.ndarray,
    random_state: int,
) -> tuple[pd.DataFrame | None, pd.DataFrame | None]:
    """Return the tables of thresholds (of two classes) and of decisions."""
    is_binary = given.n_classes == 2
    if costs is None and not is_binary:
        return None, None
    cuts = _choose_cuts(given, costs) if is_binary else None
    thresholds = None if cuts is None else _threshold_table(given, cuts)
    rules = _rules(given, costs, class_names)
    decided = np.array(list(rules.values()))
    table: dict[str, object] = {"decision": list(rules)}
    if is_binary:
        counts = pd.DataFrame([_counted(given, each) for each in decided])
        table |= {name: counts[name] for name in counts}
    decisions = frame_of(table)
    if costs is None:
        return thresholds, decisions
    loss = costs[given.codes, decided]
    values = loss @ given.weight / given.weight.sum()
    if thresholds is None or cuts is None:
        draws, _ = _drawn_costs(given, loss, None, costs, random_state)
        return None, decisions.assign(**_cost_columns(values, draws, loss))
    draws, by_cut = _drawn_costs(given, loss, cuts, costs, random_state)
    thresholds = _with_costs(thresholds, given, cuts, costs, by_cut)
    decisions = decisions.assign(**_cost_columns(values, draws, loss))
    decisions = pd.concat([decisions, _best_row(thresholds, by_cut, draws, values)])
    return thresholds, decisions.reset_index(drop=True)


def _rules(
    given: Predictions, costs: np.ndarray | None, class_names: np.ndarray
) -> dict[str, np.ndarray]:
    """Return the class that each decision names, for each row."""
    rules = {PREDICT: given.predicted}
    if costs is not None:
        rules[LEAST_COST] = (given.probabilities @ costs).argmin(axis=1)
        always = (given.weight @ costs[given.codes]).argmin()
        rules[f"always {class_names[always]}"] = np.full(len(given.codes), always)
    return rules


def _counted(given: Predictions, decided: np.ndarray) -> dict[str, float]:
    """Return how a decision between two classes fares."""
    truth, named = given.is_positive, decided == given.positive
    weight = given.weight
    hits = weight[truth & named].sum()
    return {
        **dict(
            zip(
                _COUNTS,
                [
                    int((truth & named).sum()), int((~truth & named).sum()),
                    int((truth & ~named).sum()), int((~truth & ~named).sum()),
                ],
                strict=True,
            )
        ),
        "precision": _divide(hits, weight[named].sum()),
        "recall": _divide(hits, weight[truth].sum()),
        "predicted_positive": weight[named].sum() / weight.sum(),
    }  # fmt: skip


def _divide(a: float, b: float) -> float:
    return float(a / b) if b > 0 else np.nan


@dataclass(frozen=True)
class _Cuts:
    """Chosen thresholds, falling from infinity, as positions in a ranking, less 1."""

    ranking: Ranking
    at: np.ndarray  # -1 is the threshold that no row reaches

    @property
    def thresholds(self) -> np.ndarray:
        return np.r_[np.inf, self.ranking.thresholds][self.at + 1]

    def of(self, sums: np.ndarray) -> np.ndarray:
        """Return sums up to each chosen threshold."""
        return np.r_[0, sums][self.at + 1]


def _choose_cuts(given: Predictions, costs: np.ndarray | None) -> _Cuts:
    """Return few enough thresholds: evenly many rows apart, and those that matter.

    These are infinity, the lowest, the one that equals 0.5, and that of least cost.
    """
    ranking = rank(given.score, given.is_positive, given.weight)
    n = len(ranking.thresholds)
    total = ranking.hits + ranking.misses
    special = [-1, n - 1, int((ranking.thresholds >= 0.5).sum()) - 1]
    if costs is not None:
        everything = _Cuts(ranking, np.arange(-1, n))
        cost = _costs_at(everything, costs, given.positive)
        special.append(int(cost.argmin()) - 1)
    if n + 1 <= MAX_THRESHOLDS:
        return _Cuts(ranking, np.arange(-1, n))
    shares = np.linspace(0, 1, MAX_THRESHOLDS - len(special) + 1)[1:-1]
    even = np.minimum(np.searchsorted(total, shares * total[-1]), n - 1)
    return _Cuts(ranking, np.unique(np.r_[special, even]))


def _costs_at(cuts: _Cuts, costs: np.ndarray, positive: int) -> np.ndarray:
    """Return the mean cost per row at each threshold."""
    order = [1 - positive, positive]
    costs = costs[np.ix_(order, order)]
    hits, misses = cuts.of(cuts.ranking.hits), cuts.of(cuts.ranking.misses)
    n_in, n_out = cuts.ranking.hits[-1], cuts.ranking.misses[-1]
    cost = costs[1, 1] * hits + costs[1, 0] * (n_in - hits)
    cost = cost + costs[0, 1] * misses + costs[0, 0] * (n_out - misses)
    return np.asarray(cost / (n_in + n_out))


def _threshold_table(given: Predictions, cuts: _Cuts) -> pd.DataFrame:
    """Return what each threshold gives, from the lowest threshold up."""
    ranking = cuts.ranking
    n_hits, n_misses = cuts.of(ranking.n_hits), cuts.of(ranking.n_misses)
    hits, misses = cuts.of(ranking.hits), cuts.of(ranking.misses)
    named, n_in = hits + misses, ranking.hits[-1]
    precision = np.divide(hits, named, out=np.full(len(hits), np.nan), where=named > 0)
    recall = hits / n_in if n_in > 0 else np.full(len(hits), np.nan)
    table = pd.DataFrame(
        {
            "threshold": cuts.thresholds,
            "true_positives": n_hits.astype(int),
            "false_positives": n_misses.astype(int),
            "false_negatives": (ranking.n_hits[-1] - n_hits).astype(int),
            "true_negatives": (ranking.n_misses[-1] - n_misses).astype(int),
            "precision": precision,
            "recall": recall,
            "predicted_positive": named / (ranking.hits[-1] + ranking.misses[-1]),
        }
    )
    return table[::-1].reset_index(drop=True)


def _drawn_costs(
    given: Predictions,
    loss: np.ndarray,
    cuts: _Cuts | None,
    costs: np.ndarray,
    random_state: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Return bootstrap draws of the mean costs of decisions, and of thresholds.

    Shapes (n_draws, n_decisions) and (n_draws, n_thresholds), these from the lowest
    threshold up. Rows between two thresholds are added up once for all thresholds.
    """
    parts = [csr_array(loss.T)]
    n_cuts = 0 if cuts is None else len(cuts.at)
    if cuts is not None:
        place = np.searchsorted(-cuts.thresholds, -given.score)
        rows = np.arange(len(place))
        cell = place + n_cuts * given.codes
        shape = (len(place), 2 * n_cuts)
        parts.append(csr_array((np.ones(len(place)), (rows, cell)), shape=shape))
    matrix = hstack(parts).tocsr()
    sums, totals = [], []
    for counts in drawn_counts(len(given.codes), 2, random_state):
        drawn = counts * given.weight
        sums.append(drawn @ matrix)
        totals.append(drawn.sum(axis=1))
    total = np.concatenate(totals)[:, None]
    # draws without any weight have no mean
    drawn = np.concatenate(sums)[total[:, 0] > 0] / total[total[:, 0] > 0]
    own, cells = drawn[:, : len(loss)], drawn[:, len(loss) :]
    by_class = cells.reshape(len(cells), 2, n_cuts) if n_cuts else None
    if by_class is None:
        return own, np.empty((len(own), 0))
    named = by_class.cumsum(axis=2)
    rest = by_class.sum(axis=2, keepdims=True) - named
    by_cut = np.einsum("nkt,k->nt", named, costs[:, given.positive])
    by_cut += np.einsum("nkt,k->nt", rest, costs[:, 1 - given.positive])
    return own, by_cut[:, ::-1]


def _cost_columns(
    values: np.ndarray, draws: np.ndarray, loss: np.ndarray
) -> dict[str, np.ndarray]:
    """Return mean costs with intervals, and their differences to `predict`."""
    low, high = np.quantile(draws, MIDDLE_95, axis=0)
    for i, each in enumerate(loss):
        if each.min() == each.max():
            low[i], high[i] = _one_cost(each[0], loss.min(), loss.max(), len(each))
    differences = np.quantile(draws - draws[:, :1], MIDDLE_95, axis=0)
    return {
        "cost": values,
        "ci_low": low,
        "ci_high": high,
        "optimism": np.zeros(len(values)),
        "difference": values - values[0],
        "difference_low": differences[0],
        "difference_high": differences[1],
    }


def _one_cost(cost: float, least: float, most: float, n: int) -> tuple[float, float]:
    """Return the interval of a cost that all rows have, so that no draw can differ.

    It is that of the share of rows, none of those drawn, with the extreme costs.
    """
    share = wilson(0, n)[1]
    return cost - share * (cost - least), cost + share * (most - cost)


def _with_costs(
    thresholds: pd.DataFrame,
    given: Predictions,
    cuts: _Cuts,
    costs: np.ndarray,
    draws: np.ndarray,
) -> pd.DataFrame:
    """Return the thresholds with costs, intervals, and whether each may be the best."""
    low, high = np.quantile(draws, MIDDLE_95, axis=0)
    cost = _costs_at(cuts, costs, given.positive)[::-1]
    return thresholds.assign(
        cost=cost, ci_low=low, ci_high=high, may_be_best=may_be_best(cost, draws)
    )


def may_be_best(costs: np.ndarray, draws: np.ndarray) -> np.ndarray:
    """Return which of several options belong to the 95% confidence set of the cheapest.

    An option is left out if it costs more than another one by more standard errors than
    the largest of its differences to all others would by chance, in 95% of the draws.
    """
    kept = np.ones(len(costs), dtype=bool)
    for i in range(len(costs)):
        gap = costs[i] - costs
        noise = draws[:, [i]] - draws - gap
        error = noise.std(axis=0)
        known = error > 1e-12 * max(1e-300, np.abs(costs).max())
        if known.any():
            largest = (noise[:, known] / error[known]).max(axis=1)
            kept[i] = (gap[known] / error[known]).max() <= np.quantile(largest, 0.95)
    kept[costs.argmin()] = True
    return kept


def _best_row(
    thresholds: pd.DataFrame, by_cut: np.ndarray, own: np.ndarray, values: np.ndarray
) -> pd.DataFrame:
    """Return the threshold of least cost as a decision.

    Chosen on these rows, it costs less on them than on others. The bootstrap shows how
    much: the threshold of least cost in each draw costs more on all rows.
    """
    costs = thresholds["cost"].to_numpy()
    best = int(costs.argmin())
    chosen = by_cut.argmin(axis=1)
    in_draw = by_cut[np.arange(len(by_cut)), chosen]
    optimism = max(0.0, float((costs[chosen] - in_draw).mean()))
    row = thresholds.loc[[best]].drop(columns="may_be_best")
    differences = np.quantile(by_cut[:, best] - own[:, 0], MIDDLE_95) + optimism
    row[["cost", "ci_low", "ci_high"]] += optimism
    return row.assign(
        decision=THRESHOLD,
        optimism=optimism,
        difference=row["cost"] - values[0],
        difference_low=differences[0],
        difference_high=differences[1],
    )
