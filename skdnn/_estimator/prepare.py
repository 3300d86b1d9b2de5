"""From an estimator and its data to one value that training needs nothing else than."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_random_state

from skdnn._estimator.network_training import FittedState, state_of
from skdnn._estimator.parameters import (
    Parameters,
    check_incremental,
    is_ensemble,
    read_parameters,
)
from skdnn._estimator.plain import PlainNetwork, prepare_plain
from skdnn._estimator.recipe import RecipeNetwork, prepare_recipe, serves
from skdnn._runtime import keras_backend
from skdnn._tabular.labels import classes_of_partial_fit
from skdnn._tabular.validation import (
    TrainingData,
    check_training_rows,
    check_validation_rows,
)


@dataclass(frozen=True)
class PreparedFit:
    """What a fit is going to do: checked parameters, checked data, networks.

    There is one network, or one for each member of an ensemble: all of them plain, or
    all of them recipes. `resumes` is whether training resumes from an earlier fit.
    """

    parameters: Parameters
    data: TrainingData
    networks: Sequence[PlainNetwork | RecipeNetwork]
    resumes: bool

    @property
    def is_ensemble(self) -> bool:
        """Whether the networks are members of an ensemble."""
        return is_ensemble(self.parameters)

    @property
    def seeds(self) -> list[Any]:
        """The random state of each network; integers in an ensemble."""
        return [network.parameters.random_state for network in self.networks]

    @property
    def n_epochs(self) -> int:
        """Epochs of training, at most, those of all networks."""
        return sum(network.n_epochs for network in self.networks)


def prepare(
    estimator: Any,
    X: Any,
    y: Any,
    sample_weight: ArrayLike | None = None,
    X_val: Any = None,
    y_val: Any = None,
    *,
    classes: ArrayLike | None = None,
    incremental: bool = False,
) -> PreparedFit:
    """Return what ``fit``, or an `incremental` ``partial_fit``, is going to do.

    Parameters and data are checked here; the estimator is not changed, except as
    `check_training_rows` states.
    """
    parameters = read_parameters(estimator)
    if incremental:
        check_incremental(parameters)
        classes = classes_of_partial_fit(getattr(estimator, "classes_", None), classes)
    resumes = (incremental or parameters.warm_start) and _can_resume(estimator)
    data = check_training_rows(
        estimator,
        X,
        y,
        sample_weight,
        known=(estimator._columns, estimator.classes_) if resumes else None,
        classes=None if classes is None else np.asarray(classes),
    )
    validation = check_validation_rows(estimator, data, X_val, y_val)
    dtype = keras_backend.precision(data.rows.X.dtype.name)
    data = replace(data, rows=data.rows.astype(dtype), validation=validation)
    if resumes:
        networks: list[Any] = [
            prepare_plain(own, data, earlier, incremental=incremental)
            for own, earlier in _earlier_networks(estimator, parameters)
        ]
    elif serves(parameters, data, incremental=incremental):
        networks = [prepare_recipe(own, data) for own in _networks(parameters)]
    else:
        networks = [
            prepare_plain(own, data, incremental=incremental)
            for own in _networks(parameters)
        ]
    return PreparedFit(parameters, data, networks, resumes)


def _can_resume(estimator: Any) -> bool:
    """Return whether there is a plain network: the recipe's schedule has ended."""
    return hasattr(estimator, "history_") and estimator._spec.encoding is None


def _networks(parameters: Parameters) -> list[Parameters]:
    """Return the parameters of each network: members differ in their seeds."""
    if not is_ensemble(parameters):
        return [parameters]
    random_state = check_random_state(parameters.random_state)
    seeds = random_state.randint(np.iinfo(np.int32).max, size=parameters.n_estimators)
    return [
        Parameters(**vars(parameters) | {"random_state": int(seed)}) for seed in seeds
    ]


def _earlier_networks(
    estimator: Any, parameters: Parameters
) -> list[tuple[Parameters, FittedState]]:
    """Return parameters and state of each network that training resumes from."""
    members = getattr(estimator, "estimators_", None)
    if members is None and not is_ensemble(parameters):
        return [(parameters, state_of(estimator))]
    n_known = 1 if members is None else len(members)
    if members is None or n_known != parameters.n_estimators:
        raise ValueError(
            f"Training can resume only with the networks that there are: {n_known}. "
            f"Got n_estimators={parameters.n_estimators} and "
            f"bootstrap={parameters.bootstrap}. Set warm_start=False to train from "
            "scratch."
        )
    return [(read_parameters(member), state_of(member)) for member in members]
