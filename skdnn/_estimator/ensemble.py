"""Several networks as one classifier: means, out-of-bag scores, summary, warnings."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from skdnn._estimator.network_training import TrainedNetwork
from skdnn._estimator.summary import TrainingSummary
from skdnn._tabular.dataset import Dataset


def mean_probabilities(members: Iterable[np.ndarray]) -> np.ndarray:
    """Return the mean of the members' probabilities, of shape (n_samples, n_classes).

    Members are taken one at a time, so that only the sum is kept in memory.
    """
    rest, n_members = iter(members), 1
    total = next(rest)
    for n_members, proba in enumerate(rest, start=2):  # noqa: B007
        total += proba
    return total / n_members


def log_mean_probabilities(members: Iterable[np.ndarray]) -> np.ndarray:
    """Return the log of the mean of probabilities from their logs, one at a time."""
    rest, n_members = iter(members), 1
    total = next(rest)
    for n_members, log_proba in enumerate(rest, start=2):  # noqa: B007
        np.logaddexp(total, log_proba, out=total)
    return total - np.log(n_members)


def out_of_bag(
    networks: Sequence[TrainedNetwork], rows: Dataset, n_classes: int
) -> tuple[np.ndarray, float]:
    """Return out-of-bag probabilities and their accuracy.

    Every row is predicted by the members that were neither trained on it nor stopped
    by it. A row without such a member is NaN and does not count.
    """
    totals, counts = np.zeros((len(rows), n_classes)), np.zeros(len(rows))
    for network in networks:
        unknown = np.ones(len(rows), dtype=bool)
        unknown[network.known_rows] = False
        totals[unknown] += network.predict_proba(rows.X[unknown])
        counts[unknown] += 1
    with np.errstate(invalid="ignore"):
        proba = totals / counts[:, None]
    covered = counts > 0
    return proba, _accuracy(proba[covered], rows.y[covered], rows.weight[covered])


def _accuracy(proba: np.ndarray, y: np.ndarray, weight: np.ndarray) -> float:
    if not weight.sum() > 0:
        return np.nan
    if y.ndim == 2:
        return float(np.average(((proba > 0.5) == y).all(axis=1), weights=weight))
    return float(np.average(proba.argmax(axis=1) == y, weights=weight))


def summarise_members(
    networks: Sequence[TrainedNetwork],
    history: pd.DataFrame,
    shares: np.ndarray,
    *,
    bootstrap: bool,
    oob_score: float | None,
) -> TrainingSummary:
    """Return how the training of the members went as a whole."""
    first = networks[0].summary
    endings = Counter(network.summary.ending for network in networks)
    ending, count = endings.most_common(1)[0]
    best = None
    if first.best_epoch is not None:
        best = int(np.nanargmin(history["val_loss"])) + 1
    kind = "bootstrap samples" if bootstrap else "seeds"
    members = f"{len(networks)} networks that differ in their {kind}"
    if oob_score is not None:
        members += f"; out-of-bag accuracy {oob_score:.3f}"
    return replace(
        first,
        shares=shares,
        ending=ending if count == len(networks) else f"{count} members {ending}",
        best_epoch=best,
        members=members,
        reliability=None,  # each member has its own
    )


def shared_problems(networks: Sequence[TrainedNetwork]) -> list[Warning]:
    """Return each kind of warning once, with the number of members it is about."""
    texts: dict[type[Warning], list[str]] = {}
    for network in networks:
        for problem in network.problems:
            texts.setdefault(type(problem), []).append(str(problem))
    return [  # figures differ between members: those of the first are given
        kind(f"{len(given)} of {len(networks)} members: {given[0]}")
        for kind, given in texts.items()
    ]
