"""The checkpoint of a search: a place for the network of each fit."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.base import clone

from skdnn._checkpoint.checkpoint import PLACES, Part, open_part
from skdnn._checkpoint.identity import describe, identity_of
from skdnn._estimator.checkpointing import check_checkpoint
from skdnn._runtime.compat import active_backend, validate_parameter_constraints
from skdnn._search.jobs import Job, last_network


def check_no_checkpoint(search: Any) -> None:
    """Raise ``ValueError`` if a search without networks has a checkpoint."""
    if search.checkpoint is not None:
        raise ValueError(
            "checkpoint of a search keeps the networks of DNNClassifier, at the end of "
            f"its estimator, fitted with y. Got {search.estimator!r}. Set "
            "checkpoint=None."
        )


def open_search_checkpoint(
    search: Any,
    candidates: Sequence[Mapping[str, Any]],
    jobs: Sequence[Job],
    table: Mapping[str, Any],
) -> Part | None:
    """Return the place of a search, None if it has none.

    ``ValueError`` if it is of another search, or a fit could not be repeated.
    """
    place = search.checkpoint
    validate_parameter_constraints(
        {"checkpoint": PLACES}, {"checkpoint": place}, type(search).__name__
    )
    for job in jobs:
        network = last_network(job.estimator)
        if network is None:
            continue
        if place is None and network.checkpoint is not None:
            raise ValueError(
                "The networks of a search must have no checkpoint: their fits would "
                f"share it. Got checkpoint={network.checkpoint!r}. Set it to None, and "
                "give the search a checkpoint."
            )
        if place is not None:
            check_checkpoint(network.get_params(deep=False), incremental=False)
    if place is None:
        return None
    if not active_backend().is_local:
        raise ValueError(
            "With a checkpoint, a search must train in this process, which writes it. "
            "Got a joblib backend with workers elsewhere. Set checkpoint=None, or "
            "leave the backend."
        )
    parameters = dict(parameters_of(search.estimator))
    parameters |= {f"candidate {i}": own for i, own in enumerate(candidates)}
    part = open_part(place, identity_of(parameters, table))
    part.wait_to_report()  # not to the fits, whose warnings are recorded
    return part


def parameters_of(estimator: Any) -> dict[str, Any]:
    """Return all parameters of an estimator and of its steps."""
    return {"estimator": estimator, **estimator.get_params(deep=True)}


def with_checkpoints(
    jobs: Sequence[Job], part: Part | None, n_folds: int
) -> Sequence[Job]:
    """Return the jobs, each network with its place."""
    if part is None:
        return jobs
    return [
        replace(job, checkpoint=part.below(f"fit {i // n_folds} {i % n_folds}"))
        if last_network(job.estimator) is not None
        else job
        for i, job in enumerate(jobs)
    ]


def refit_part(part: Part | None, best: Any) -> Part | None:
    """Return the place of the refit, which differs between parameters."""
    if part is None:
        return None
    text = describe(best, "best_params_")
    return part.below(f"refit {hashlib.sha256(text.encode()).hexdigest()[:16]}")


def own_searches(
    search: Any, table: Mapping[str, Any], splits: Sequence[Any]
) -> list[Any]:
    """Return a search for each outer fold, with a place of its own in a checkpoint."""
    searches = [clone(search) for _ in splits]
    place = getattr(search, "checkpoint", None)
    if place is not None:
        parameters = parameters_of(search.estimator)
        folds = {"outer folds": positions_of(splits)}
        part = open_part(place, identity_of(parameters, {**table, **folds}))
        for i, own in enumerate(searches):
            own.checkpoint = part.below(f"outer fold {i}")
    return searches


def positions_of(splits: Sequence[Any]) -> np.ndarray:
    """Return the positions of all training and test parts, and how many each has."""
    parts = [np.asarray(part) for split in splits for part in split]
    return np.concatenate([[len(part) for part in parts], *parts])
