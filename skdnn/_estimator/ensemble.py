"""Several networks as one classifier: out-of-bag scores, summary, warnings."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from skdnn._estimator.network_training import TrainedNetwork, best_epoch
from skdnn._estimator.summary import TrainingSummary
from skdnn._network import prediction
from skdnn._tabular.dataset import Dataset


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
        X = network.encoder.encode(rows.X[unknown])
        totals[unknown] += prediction.predict_proba(network.spec, network.weights, X)
        counts[unknown] += 1
    with np.errstate(invalid="ignore"):
        proba = totals / counts[:, None]
    covered = counts > 0
    y, weight = rows.y[covered], rows.weight[covered]
    if not weight.sum() > 0:
        return proba, np.nan
    if y.ndim == 2:
        correct = ((proba[covered] > 0.5) == y).all(axis=1)
    else:
        correct = proba[covered].argmax(axis=1) == y
    return proba, float(np.average(correct, weights=weight))


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
    kind = "bootstrap samples" if bootstrap else "seeds"
    members = f"{len(networks)} networks that differ in their {kind}"
    if oob_score is not None:
        members += f"; out-of-bag accuracy {oob_score:.3f}"
    return replace(
        first,
        shares=shares,
        ending=ending if count == len(networks) else f"{count} members {ending}",
        best_epoch=None if first.best_epoch is None else best_epoch(history),
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
