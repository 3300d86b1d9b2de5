"""From an estimator and its data to one value that training needs nothing else than."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.utils import check_random_state

from skdnn._checkpoint.checkpoint import Part
from skdnn._estimator.checkpointing import (
    check_checkpoint,
    network_with_checkpoint,
    open_checkpoint,
)
from skdnn._estimator.network_training import (
    FittedState,
    TrainedNetwork,
    train_networks,
)
from skdnn._estimator.networks_on_workers import can_go_out, train_on_workers
from skdnn._estimator.parameters import Parameters, is_ensemble, read_parameters
from skdnn._estimator.plain import PlainNetwork, finish_plain, prepare_plain
from skdnn._estimator.recipe import RecipeNetwork, prepare_recipe, serves
from skdnn._runtime import keras_backend
from skdnn._runtime.progress import Progress
from skdnn._tabular.column_problems import as_texts, column_problems
from skdnn._tabular.labels import classes_of_partial_fit
from skdnn._tabular.validation import (
    TrainingData,
    check_training_rows,
    check_validation_rows,
)

AnyFit = TypeVar("AnyFit", bound="PreparedFit")


@dataclass(frozen=True)
class PreparedFit:
    """What a fit is going to do: checked parameters, checked data, networks.

    There is one network, or one for each member of an ensemble: all of them plain, or
    all of them recipes. `resumes` is whether training resumes from an earlier fit;
    `checkpoint` is where the networks keep their states.
    """

    parameters: Parameters
    data: TrainingData
    networks: Sequence[PlainNetwork | RecipeNetwork]
    resumes: bool
    checkpoint: Part | None = None

    def column_problems(self, X: Any) -> list[str]:
        """Return what looks wrong with columns of a pandas frame in a first fit."""
        if self.resumes or not isinstance(X, pd.DataFrame):
            return []
        codes = self.data.rows.y if self.data.rows.y.ndim == 1 else None
        named = not isinstance(self.parameters.categorical_features, str)
        declared = self.data.columns.codes if named else ()
        return as_texts(column_problems(X, codes, declared))

    def train(self) -> list[TrainedNetwork]:
        """Train plain networks side by side, recipes one after the other."""
        networks = self._train()
        if self.checkpoint is not None:
            self.checkpoint.flush()
        return networks

    def _train(self) -> list[TrainedNetwork]:
        n_epochs = sum(network.n_epochs for network in self.networks)
        with Progress(n_epochs, "epoch", bool(self.parameters.verbose)) as progress:
            plain = [n for n in self.networks if isinstance(n, PlainNetwork)]
            recipes = [n for n in self.networks if isinstance(n, RecipeNetwork)]
            if recipes:  # the members of a recipe train side by side
                return [network.train(progress) for network in recipes]
            if can_go_out(plain):
                results = train_on_workers(plain, self.data, progress)
            else:
                results = train_networks([network.task for network in plain], progress)
            return [finish_plain(*pair) for pair in zip(plain, results, strict=True)]


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
    if parameters.checkpoint is not None:
        check_checkpoint(vars(parameters), incremental=incremental)
    if incremental:
        parameters.check_incremental()
        classes = classes_of_partial_fit(getattr(estimator, "classes_", None), classes)
    resumes = (
        (incremental or parameters.warm_start)
        and hasattr(estimator, "history_")
        and estimator._spec.encoding is None  # the recipe's schedule has ended
    )
    known = (estimator._columns, estimator.classes_) if resumes else None
    named = None if classes is None else np.asarray(classes)
    data = check_training_rows(
        estimator, X, y, sample_weight, known=known, classes=named
    )
    validation = check_validation_rows(estimator, data, X_val, y_val)
    dtype = keras_backend.precision(data.rows.X.dtype.name)
    data = replace(data, rows=data.rows.astype(dtype), validation=validation)
    networks: list[PlainNetwork | RecipeNetwork]
    if serves(parameters, data, incremental=incremental):
        networks = [prepare_recipe(own, data) for own, _ in starts(None, parameters)]
    else:
        networks = [
            prepare_plain(own, data, earlier, incremental=incremental)
            for own, earlier in starts(estimator if resumes else None, parameters)
        ]
    prepared = PreparedFit(parameters, data, networks, resumes)
    table = {"X": X, "y": y, "sample_weight": sample_weight}
    table |= {"X_val": X_val, "y_val": y_val}
    return with_checkpoint(prepared, table, dtype)


def with_checkpoint(prepared: AnyFit, table: Mapping[str, Any], dtype: str) -> AnyFit:
    """Return a fit whose networks keep their states, if there is a checkpoint.

    `table` holds, by name, what identifies the rows that it is given.
    """
    part = open_checkpoint(vars(prepared.parameters), table, dtype)
    if part is None:
        return prepared
    networks = [
        network_with_checkpoint(network, part.below(f"network {i}"))
        for i, network in enumerate(prepared.networks)
    ]
    return replace(prepared, networks=networks, checkpoint=part)


def starts(
    estimator: Any | None, parameters: Parameters
) -> list[tuple[Parameters, FittedState | None]]:
    """Return parameters of each network, and the state that it resumes from, if any."""
    members = getattr(estimator, "estimators_", None)
    if members is None and not is_ensemble(parameters):
        return [(parameters, None if estimator is None else _state_of(estimator))]
    if estimator is None:  # members differ in their seeds
        random_state = check_random_state(parameters.random_state)
        most = np.iinfo(np.int32).max
        seeds = random_state.randint(most, size=parameters.n_estimators).tolist()
        return [(parameters.with_values(random_state=seed), None) for seed in seeds]
    n_known = 1 if members is None else len(members)
    if members is None or n_known != parameters.n_estimators:
        raise ValueError(
            f"Training can resume only with the networks that there are: {n_known}. "
            f"Got n_estimators={parameters.n_estimators} and "
            f"bootstrap={parameters.bootstrap}. Set warm_start=False to train from "
            "scratch."
        )
    return [(read_parameters(member), _state_of(member)) for member in members]


def _state_of(estimator: Any) -> FittedState:
    return FittedState(
        estimator._encoder,
        estimator._spec,
        estimator._weights,
        estimator._optimizer_state,
        estimator.history_,
        estimator.t_,
    )
