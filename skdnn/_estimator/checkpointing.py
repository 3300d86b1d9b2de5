"""Where the networks of a fit keep their states, if there is a checkpoint."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from numbers import Integral
from typing import Any

from skdnn._checkpoint.checkpoint import Part, open_part
from skdnn._checkpoint.identity import identity_of
from skdnn._estimator.plain import PlainNetwork
from skdnn._estimator.recipe import RecipeNetwork


def check_checkpoint(parameters: Mapping[str, Any], *, incremental: bool) -> None:
    """Raise ``ValueError`` if a fit with a checkpoint could not be repeated."""
    if incremental:
        raise ValueError(
            "checkpoint keeps the state of a `fit`. Got checkpoint="
            f"{parameters['checkpoint']!r} in `partial_fit`. Set checkpoint=None, and "
            "write the classifier to a file between calls: skdnn.io.dump."
        )
    seed = parameters["random_state"]
    if not isinstance(seed, Integral):
        raise ValueError(
            "With a checkpoint, random_state must be an int, for a fit that is started "
            f"again to draw the same numbers. Got {seed!r}. Set random_state=0."
        )
    if parameters["warm_start"]:
        raise ValueError(
            "With a checkpoint, a fit must begin with new weights. Got "
            "warm_start=True. Set warm_start=False, or checkpoint=None."
        )
    if parameters["callbacks"] is not None:
        raise ValueError(
            "With a checkpoint, there must be no callbacks: what they remember is not "
            f"kept. Got {parameters['callbacks']!r}. Set callbacks=None, or "
            "checkpoint=None and use keras.callbacks.ModelCheckpoint."
        )


def open_checkpoint(
    parameters: Mapping[str, Any], table: Mapping[str, Any], dtype: str
) -> Part | None:
    """Return the place that a fit keeps its state in, None if it has none.

    `parameters` are those of the classifier; `table` is what its `fit` was given.
    ``ValueError`` if the place is of another fit.
    """
    place = parameters["checkpoint"]
    if place is None:
        return None
    return open_part(place, identity_of(parameters, table, dtype))


def network_with_checkpoint(
    network: PlainNetwork | RecipeNetwork, part: Part | None
) -> PlainNetwork | RecipeNetwork:
    """Return a network that keeps its state in a part of a checkpoint."""
    if isinstance(network, RecipeNetwork):
        return replace(network, checkpoint=part)
    return replace(network, task=replace(network.task, checkpoint=part))


@contextmanager
def kept_in(network: Any | None, part: Part | None) -> Iterator[None]:
    """Have a classifier, if any, keep its fit in a part, not in its own checkpoint."""
    if network is None:
        yield
        return
    own, network.checkpoint = network.checkpoint, part
    try:
        yield
    finally:
        network.checkpoint = own
