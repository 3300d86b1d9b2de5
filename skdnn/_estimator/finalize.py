"""The only place that sets the attributes of a fitted estimator.

But scikit-learn's `validate_data` sets ``n_features_in_`` and ``feature_names_in_``.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone

from skdnn._estimator.conformal import LeftOut, conformity_scores
from skdnn._estimator.network_training import TrainedNetwork, best_epoch, mean_history
from skdnn._estimator.parameters import is_ensemble
from skdnn._estimator.prepare import PreparedFit
from skdnn._estimator.summary import FinalLoss
from skdnn._network import prediction
from skdnn._tabular.dataset import Dataset
from skdnn._tabular.validation import TrainingData
from skdnn._training.loss import class_shares

# Attributes of an earlier fit that a new one need not set.
_OPTIONAL = ["estimators_", "oob_score_", "oob_decision_function_"]
_OPTIONAL += ["_weights", "_optimizer_state", "_model"]
# What the members of an ensemble have in common with it.
_SHARED = ("classes_", "n_features_in_", "feature_names_in_", "_columns")


def finalize(
    estimator: Any, prepared: PreparedFit, networks: Sequence[TrainedNetwork]
) -> list[Warning]:
    """Make an estimator fitted; return the warnings that its fit deserves."""
    members = _members(estimator, prepared)
    for name in _OPTIONAL:
        vars(estimator).pop(name, None)
    estimator.classes_ = prepared.data.classes
    estimator._columns = prepared.data.columns
    if not is_ensemble(prepared.parameters):
        _set_network(estimator, networks[0], prepared.data)
        return networks[0].problems
    shared = {name: value for name, value in vars(estimator).items() if name in _SHARED}
    for member, network in zip(members, networks, strict=True):
        vars(member).update(shared)
        _set_network(member, network, prepared.data)
    estimator.estimators_ = members
    return _set_ensemble(estimator, prepared, networks)


def _members(estimator: Any, prepared: PreparedFit) -> list[Any]:
    """Return the members of an ensemble: fitted ones, or new ones with their seeds."""
    if not is_ensemble(prepared.parameters):
        return []
    if prepared.resumes:
        return list(estimator.estimators_)
    own: dict[str, Any] = {"n_estimators": 1, "oob_score": False, "verbose": False}
    own["checkpoint"] = None
    seeds = [network.parameters.random_state for network in prepared.networks]
    return [clone(estimator).set_params(**own, random_state=seed) for seed in seeds]


def _set_network(estimator: Any, network: TrainedNetwork, data: TrainingData) -> None:
    estimator._spec, estimator._encoder = network.spec, network.encoder
    estimator._weights = network.weights
    estimator._optimizer_state = network.optimizer_state
    estimator._training_summary = network.summary
    estimator._conformity = conformity_scores(data, [network.left_out])
    vars(estimator).pop("_model", None)
    estimator.t_ = network.rows_trained
    estimator.baseline_loss_ = network.baseline_loss
    _set_history(estimator, network.history, network)


def _set_ensemble(
    estimator: Any, prepared: PreparedFit, networks: Sequence[TrainedNetwork]
) -> list[Warning]:
    """Set what summarises the members; return the warnings about them."""
    rows, n_classes = prepared.data.rows, len(prepared.data.classes)
    first, parameters = networks[0], prepared.parameters
    history = mean_history([network.history for network in networks])
    estimator._spec, estimator._encoder = first.spec, first.encoder
    _set_history(estimator, history, first)
    estimator.n_iter_ = max(network.n_epochs for network in networks)
    left_out: list[LeftOut | None] = [network.left_out for network in networks]
    estimator.t_ = sum(network.rows_trained for network in networks)
    baselines = [network.baseline_loss for network in networks]
    estimator.baseline_loss_ = float(np.mean(baselines))
    problems = _shared_problems(networks)
    kind = "bootstrap samples" if parameters.bootstrap else "seeds"
    members = f"{len(networks)} networks that differ in their {kind}"
    if parameters.oob_score:
        proba, score = _out_of_bag(networks, rows, n_classes)
        estimator.oob_decision_function_, estimator.oob_score_ = proba, score
        if rows.y.ndim == 1 and prepared.data.validation is None:
            known = np.flatnonzero(~np.isnan(proba[:, 0]))
            own = proba[known, rows.y[known]]
            left_out = [LeftOut(known, own, is_by_all=False)]
        members += f"; out-of-bag accuracy {score:.3f}"
        n_missing = np.isnan(proba).any(axis=1).sum()
        if n_missing:
            text = (
                f"{n_missing} of {len(proba)} rows were used by every member and have "
                "no out-of-bag prediction (NaN). Raise n_estimators."
            )
            problems = [UserWarning(text), *problems]
    estimator._conformity = conformity_scores(prepared.data, left_out)
    endings = Counter(network.summary.ending for network in networks)
    ending, count = endings.most_common(1)[0]
    estimator._training_summary = replace(
        first.summary,
        shares=class_shares(rows.y, rows.weight, n_classes),
        ending=ending if count == len(networks) else f"{count} members {ending}",
        best_epoch=None if first.summary.best_epoch is None else best_epoch(history),
        members=members,
        reliability=None,  # each member has its own
        final=FinalLoss.mean([network.summary.final for network in networks]),
    )
    return problems


def _out_of_bag(
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
        totals[unknown] += prediction.Predictor(network.spec, network.weights).proba(X)
        counts[unknown] += 1
    with np.errstate(invalid="ignore"):
        proba = totals / counts[:, None]
    covered = counts > 0
    y, weight, own = rows.y[covered], rows.weight[covered], proba[covered]
    if not weight.sum() > 0:
        return proba, np.nan
    is_single = y.ndim == 1
    correct = own.argmax(axis=1) == y if is_single else ((own > 0.5) == y).all(axis=1)
    return proba, float(np.average(correct, weights=weight))


def _shared_problems(networks: Sequence[TrainedNetwork]) -> list[Warning]:
    """Return each kind of warning once, with the number of members it is about."""
    texts: dict[type[Warning], list[str]] = {}
    for network in networks:
        for problem in network.problems:
            texts.setdefault(type(problem), []).append(str(problem))
    return [  # figures differ between members: those of the first are given
        kind(f"{len(given)} of {len(networks)} members: {given[0]}")
        for kind, given in texts.items()
    ]


def _set_history(
    estimator: Any, history: pd.DataFrame, network: TrainedNetwork
) -> None:
    """Set the attributes that describe epochs and layers."""
    spec, summary, losses = network.spec, network.summary, history["loss"].tolist()
    scores = history["val_accuracy"].tolist() if summary.n_validation else None
    estimator.history_ = history
    estimator.n_iter_ = network.n_epochs
    estimator.loss_, estimator.loss_curve_ = losses[-1], losses
    estimator.best_loss_ = min(losses) if summary.best_epoch is None else None
    estimator.validation_scores_ = scores
    estimator.best_validation_score_ = max(scores) if scores else None
    estimator.n_layers_ = len(spec.widths)
    estimator.n_outputs_, estimator.out_activation_ = spec.n_outputs, spec.output
