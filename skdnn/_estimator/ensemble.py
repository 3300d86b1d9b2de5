"""Several networks as one classifier: trained as one stack, their mean predicts."""

import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.utils import check_random_state

from skdnn._estimator import parameters as _parameters
from skdnn._estimator import prepare
from skdnn._estimator import recipe as _recipe
from skdnn._estimator.summary import TrainingSummary
from skdnn._runtime.progress import Progress
from skdnn._tabular.dataset import Dataset
from skdnn._training.loop import train
from skdnn._training.loss import class_shares
from skdnn._training.stacks import train_stack
from skdnn._training.task import TrainingResult, TrainingTask

# What the members of an ensemble have in common, and take from it.
_SHARED = ("classes_", "n_features_in_", "feature_names_in_", "_columns")


def is_ensemble(estimator) -> bool:
    """Return whether the parameters ask for members, be it one on drawn rows."""
    return estimator.n_estimators > 1 or estimator.bootstrap


def n_epochs(estimator, rows: Dataset, incremental: bool) -> int:
    """Return how many epochs a fit trains at most, those of all networks."""
    if incremental:
        return estimator.n_estimators
    if _recipe.serves(estimator, rows, incremental=False):
        return estimator.n_estimators * _recipe.n_epochs(estimator, len(rows))
    return estimator.n_estimators * _parameters.value(estimator, "max_iter")


def train_one(
    estimator,
    rows: Dataset,
    validation: Dataset | None,
    progress: Progress,
    *,
    resume: bool,
    incremental: bool,
) -> tuple[TrainingTask, TrainingResult]:
    """Train one network, by the recipe or as asked, and make the estimator fitted.

    The parameters are those of `train_members`.

    Returns
    -------
    fit, fitted
        What was done, and what it left.
    """
    if _recipe.serves(estimator, rows, incremental=incremental):
        return _recipe.train(estimator, rows, validation, progress)
    how = {"resume": resume, "incremental": incremental}
    fit = prepare.plan(estimator, rows, validation, progress, **how)
    fitted = train(fit)
    prepare.keep(estimator, fit, fitted, **how)
    return fit, fitted


def train_members(
    estimator,
    rows: Dataset,
    validation: Dataset | None,
    progress: Progress,
    *,
    resume: bool,
    incremental: bool,
) -> None:
    """Train the members as one stack, and make the estimator fitted by them.

    Parameters
    ----------
    estimator : DNNClassifier
        With checked parameters and ``classes_``.
    rows, validation : Rows, Rows or None
        Checked data.
    progress : Progress
        Hears of every epoch of every member.
    goes_on : bool
        Whether the members go on from their weights.
    incremental : bool
        Whether this is one epoch of `partial_fit`.
    """
    members = _members(estimator, resume=resume)
    how = {"resume": resume, "incremental": incremental}
    if _recipe.serves(estimator, rows, incremental=incremental):
        # each is a stack of its own
        done = [_recipe.train(member, rows, validation, progress) for member in members]
        fits = [fit for fit, _ in done]
    else:
        fits = [
            prepare.plan(member, rows, validation, progress, **how)
            for member in members
        ]
        done = []
        for member, fit, fitted in zip(members, fits, train_stack(fits), strict=True):
            if isinstance(fitted, Exception):
                raise fitted
            done.append((fit, fitted))
            prepare.keep(member, fit, fitted, **how)
    _keep(estimator, members, fits[0])
    if estimator.oob_score:
        _judge_out_of_bag(estimator, rows, fits)
    estimator._training_summary = _training_summary(estimator, rows)
    _warn(members, done, incremental=incremental)


def mean_probabilities(members: Sequence[Any], X) -> np.ndarray:
    """Return the mean of what the members predict, of shape (n_samples, n_classes)."""
    total = members[0]._proba(X)
    for member in members[1:]:
        total += member._proba(X)
    return total / len(members)


def _members(estimator, *, resume: bool) -> list:
    """Return the members to train: fitted ones to go on with, or new ones."""
    if resume:
        members = list(estimator.estimators_)
        if len(members) != estimator.n_estimators:
            raise ValueError(
                "Training can go on only with the members there are: "
                f"{len(members)}. Got n_estimators={estimator.n_estimators}. Set "
                "warm_start=False to begin anew."
            )
        return members
    random_state = check_random_state(estimator.random_state)
    seeds = random_state.randint(np.iinfo(np.int32).max, size=estimator.n_estimators)
    return [_member(estimator, int(seed)) for seed in seeds]


def _member(estimator, seed: int):
    member = clone(estimator).set_params(
        n_estimators=1, oob_score=False, random_state=seed, verbose=False
    )
    vars(member).update(
        {name: value for name, value in vars(estimator).items() if name in _SHARED}
    )
    return member


def _keep(estimator, members: list, fit: TrainingTask) -> None:
    """Set the attributes of the estimator that end in an underscore."""
    for name in ("_weights", "_optimizer_state", "_model", "oob_score_"):
        vars(estimator).pop(name, None)
    first = members[0]
    estimator.estimators_ = members
    estimator._spec, estimator._table = first._spec, first._table
    prepare.keep_history(estimator, mean_history(members), fit)
    estimator.t_ = sum(member.t_ for member in members)
    estimator.baseline_loss_ = float(np.mean([m.baseline_loss_ for m in members]))


def mean_history(members: Sequence[Any]) -> pd.DataFrame:
    """Return the mean of the members' histories, over those that ran so long."""
    histories = pd.concat([member.history_ for member in members])
    return histories.groupby(level=0).mean()


def _training_summary(estimator, rows: Dataset) -> TrainingSummary:
    """Return how the members' training went as a whole."""
    members = estimator.estimators_
    endings = Counter(member._training_summary.ending for member in members)
    ending, count = endings.most_common(1)[0]
    best = None
    if members[0]._training_summary.best_epoch is not None:
        best = int(np.nanargmin(estimator.history_["val_loss"])) + 1
    samples = "bootstrap samples" if estimator.bootstrap else "seeds"
    words = f"{len(members)} networks that differ in their {samples}"
    if estimator.oob_score:
        words += f"; out-of-bag accuracy {estimator.oob_score_:.3f}"
    return replace(
        members[0]._training_summary,
        shares=class_shares(rows.y, rows.weight, len(estimator.classes_)),
        ending=ending if count == len(members) else f"{count} members {ending}",
        best_epoch=best,
        members=words,
        reliability=None,  # each member has its own
    )


def _judge_out_of_bag(estimator, rows: Dataset, fits: Sequence[TrainingTask]) -> None:
    """Predict every row by the members that have not seen it.

    A member has seen the rows it was trained on, and those it was stopped by.
    """
    n = len(rows)
    totals = np.zeros((n, len(estimator.classes_)))
    counts = np.zeros(n)
    for member, fit in zip(estimator.estimators_, fits, strict=True):
        unseen = np.ones(n, dtype=bool)
        unseen[fit.positions] = False
        if fit.held_out is not None:
            unseen[fit.held_out] = False
        totals[unseen] += member._proba(rows.X[unseen])
        counts[unseen] += 1
    covered = counts > 0
    if not covered.all():
        warnings.warn(
            f"{n - covered.sum()} of {n} rows were seen by every member and have no "
            "out-of-bag prediction (NaN). Raise n_estimators.",
            stacklevel=6,
        )
    with np.errstate(invalid="ignore"):
        proba = totals / counts[:, None]
    estimator.oob_decision_function_ = proba
    estimator.oob_score_ = _accuracy(
        proba[covered], rows.y[covered], rows.weight[covered]
    )


def _accuracy(proba: np.ndarray, y: np.ndarray, weight: np.ndarray) -> float:
    if not weight.sum() > 0:
        return np.nan
    if y.ndim == 2:
        return float(np.average(((proba > 0.5) == y).all(axis=1), weights=weight))
    return float(np.average(proba.argmax(axis=1) == y, weights=weight))


def _warn(members: Sequence[Any], done: Sequence, *, incremental: bool) -> None:
    """Give each warning once, with the count of the members that it is about."""
    texts: dict[type[Warning], list[str]] = {}
    for member, (fit, fitted) in zip(members, done, strict=True):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            prepare.warn(member, fit, fitted, incremental=incremental)
        for warning in caught:
            texts.setdefault(warning.category, []).append(str(warning.message))
    for kind, said in texts.items():  # figures differ from member to member
        warnings.warn(
            f"{len(said)} of {len(members)} members: {said[0]}", kind, stacklevel=5
        )


def log_mean_probabilities(members: Sequence[Any], X) -> np.ndarray:
    """Return the logarithm of `mean_probabilities`, exact for tiny ones."""
    total = members[0]._log_proba(X)
    for member in members[1:]:  # one at a time: no more than the answer is kept
        np.logaddexp(total, member._log_proba(X), out=total)
    return total - np.log(len(members))
