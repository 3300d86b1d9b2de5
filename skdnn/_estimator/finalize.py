"""The only place that sets the attributes of a fitted estimator.

scikit-learn's `validate_data` is the one exception: it sets ``n_features_in_`` and
``feature_names_in_`` when data are checked.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone

from skdnn._estimator.ensemble import out_of_bag, shared_problems, summarise_members
from skdnn._estimator.network_training import TrainedNetwork, mean_history
from skdnn._estimator.parameters import is_ensemble
from skdnn._estimator.prepare import PreparedFit
from skdnn._training.loss import class_shares

# Attributes of an earlier fit that a new one need not set.
_OPTIONAL = (
    "estimators_",
    "oob_score_",
    "oob_decision_function_",
    "_weights",
    "_optimizer_state",
    "_model",
)
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
        _set_network(estimator, networks[0])
        return networks[0].problems
    shared = {name: value for name, value in vars(estimator).items() if name in _SHARED}
    for member, network in zip(members, networks, strict=True):
        vars(member).update(shared)
        _set_network(member, network)
    estimator.estimators_ = members
    return _set_ensemble(estimator, prepared, networks)


def _members(estimator: Any, prepared: PreparedFit) -> list[Any]:
    """Return the members of an ensemble: fitted ones, or new ones with their seeds."""
    if not is_ensemble(prepared.parameters):
        return []
    if prepared.resumes:
        return list(estimator.estimators_)
    own = {"n_estimators": 1, "oob_score": False, "verbose": False}
    seeds = [network.parameters.random_state for network in prepared.networks]
    return [clone(estimator).set_params(**own, random_state=seed) for seed in seeds]


def _set_network(estimator: Any, network: TrainedNetwork) -> None:
    estimator._spec, estimator._encoder = network.spec, network.encoder
    estimator._weights = network.weights
    estimator._optimizer_state = network.optimizer_state
    estimator._training_summary = network.summary
    vars(estimator).pop("_model", None)
    estimator.t_ = network.rows_trained
    estimator.baseline_loss_ = network.baseline_loss
    _set_history(estimator, network.history, network)


def _set_ensemble(
    estimator: Any, prepared: PreparedFit, networks: Sequence[TrainedNetwork]
) -> list[Warning]:
    """Set what summarises the members; return the warnings about them."""
    rows, n_classes = prepared.data.rows, len(prepared.data.classes)
    history = mean_history([network.history for network in networks])
    estimator._spec, estimator._encoder = networks[0].spec, networks[0].encoder
    _set_history(estimator, history, networks[0])
    estimator.t_ = sum(network.rows_trained for network in networks)
    baselines = [network.baseline_loss for network in networks]
    estimator.baseline_loss_ = float(np.mean(baselines))
    problems, score = shared_problems(networks), None
    if prepared.parameters.oob_score:
        proba, score = out_of_bag(networks, rows, n_classes)
        estimator.oob_decision_function_, estimator.oob_score_ = proba, score
        n_missing = np.isnan(proba).any(axis=1).sum()
        if n_missing:
            text = (
                f"{n_missing} of {len(proba)} rows were used by every member and have "
                "no out-of-bag prediction (NaN). Raise n_estimators."
            )
            problems = [UserWarning(text), *problems]
    estimator._training_summary = summarise_members(
        networks,
        history,
        class_shares(rows.y, rows.weight, n_classes),
        bootstrap=prepared.parameters.bootstrap,
        oob_score=score,
    )
    return problems


def _set_history(
    estimator: Any, history: pd.DataFrame, network: TrainedNetwork
) -> None:
    """Set the attributes that describe epochs and layers."""
    spec, summary, losses = network.spec, network.summary, history["loss"].tolist()
    scores = history["val_accuracy"].tolist() if summary.n_validation else None
    estimator.history_ = history
    estimator.n_iter_ = len(history)
    estimator.loss_, estimator.loss_curve_ = losses[-1], losses
    estimator.best_loss_ = min(losses) if summary.best_epoch is None else None
    estimator.validation_scores_ = scores
    estimator.best_validation_score_ = max(scores) if scores else None
    estimator.n_layers_ = len(spec.widths)
    estimator.n_outputs_, estimator.out_activation_ = spec.n_outputs, spec.output
