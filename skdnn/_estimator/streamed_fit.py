"""A fit to a table that is read block by block.

Two passes read the table. The first finds columns and classes, and a sample of rows:
encoder, initial weights and validation rows come from it as from a table in memory. The
second encodes all other rows, and writes them to a temporary file in random buckets,
from which the compiled epochs take them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.utils import check_random_state
from sklearn.utils.validation import validate_data

from skdnn._estimator.checkpointing import check_checkpoint
from skdnn._estimator.network_training import TrainedNetwork
from skdnn._estimator.parameters import Parameters, read_parameters
from skdnn._estimator.plain import PlainNetwork, prepare_plain
from skdnn._estimator.prepare import PreparedFit, starts, with_checkpoint
from skdnn._estimator.recipe import (
    RecipeNetwork,
    member_shares,
    prepare_recipe,
    serves,
)
from skdnn._estimator.stored_rows import (
    RowsOnWorkers,
    StoragePlan,
    Weighting,
    lies_on_workers,
    read_once_there,
)
from skdnn._runtime import keras_backend
from skdnn._streaming import limits
from skdnn._streaming.containers import fits_memory, is_container, open_source
from skdnn._streaming.first_pass import FirstPass, read_once
from skdnn._streaming.row_store import RowStore, StoredRows
from skdnn._streaming.table_blocks import LabelledSource
from skdnn._tabular.dataset import Dataset
from skdnn._tabular.encoder import TableEncoder
from skdnn._tabular.labels import class_weights
from skdnn._tabular.validation import (
    TrainingData,
    check_validation_rows,
    moderating_exponent,
)
from skdnn._training.callbacks import need_batches
from skdnn._training.streamed_task import StreamedTask, streamed
from skdnn._training.task import TrainingTask

# Rows of a bucket, which is read whole, take about this many bytes.
_BUCKET_BYTES = 2**25
# Rows that the recipe leaves out, at most, and their share.
_SCORED_ROWS, _SCORED_SHARE = 20_000, 0.1


@dataclass(frozen=True, kw_only=True)
class StreamedFit(PreparedFit):
    """A fit whose rows are in a store, which is deleted after training."""

    store: RowStore | RowsOnWorkers

    def train(self) -> list[TrainedNetwork]:
        """Train the networks."""
        try:
            return super().train()
        finally:
            self.store.close()


def opened(X: Any, y: Any, sample_weight: Any) -> LabelledSource | tuple[Any, Any]:
    """Return X and y as they are trained on: read block by block, or in memory."""
    if not is_container(X):
        return X, y
    table = LabelledSource(open_source(X), y, sample_weight)
    if fits_memory(table.n_rows, table.n_features):
        return table.whole()
    return table


def prepare_streamed(
    estimator: Any,
    table: LabelledSource,
    X_val: Any = None,
    y_val: Any = None,
    *,
    classes: ArrayLike | None = None,
    incremental: bool = False,
) -> StreamedFit:
    """Return what ``fit`` is going to do with a table that is read block by block."""
    parameters = read_parameters(estimator)
    _check_parameters(parameters, incremental)
    if parameters.checkpoint is not None:
        check_checkpoint(vars(parameters), incremental=False)
    random_state = check_random_state(parameters.random_state)
    hash_seed, bucket_seed = random_state.randint(2**31 - 1, size=2).tolist()
    n_sampled = limits.most_rows(
        table.n_features, limits.SAMPLED_ROWS, limits.SAMPLED_BYTES
    )
    most, share = 0, 0.0
    if X_val is None and y_val is None:
        most, share = _held_out(parameters, table.n_features)
    there = _trains_there(parameters, table)
    first_pass = (read_once_there if there else read_once)(
        table, parameters.categorical_features, hash_seed, n_sampled + most
    )
    n_held_out = min(most, int(share * first_pass.n_rows))
    _set_columns(estimator, first_pass)
    weighting = _weighting(parameters, first_pass)
    data = _training_data(first_pass, weighting, n_held_out, n_sampled)
    given = check_validation_rows(estimator, data, X_val, y_val)
    dtype = keras_backend.precision(data.rows.X.dtype.name)
    validation = data.validation if given is None else given
    data = replace(data, rows=data.rows.astype(dtype), validation=validation)
    networks = _networks(parameters, data)
    left_out = first_pass.hashes[n_held_out - 1] if n_held_out else None
    store = _stored(table, data, networks[0], weighting, bucket_seed,
                    (hash_seed, left_out), there=there)  # fmt: skip
    totals = first_pass.totals * weighting.factors
    networks = [_streamed_network(network, store, totals) for network in networks]
    fit = StreamedFit(parameters, data, networks, resumes=False, store=store)
    if parameters.checkpoint is None or isinstance(store, RowsOnWorkers):
        return fit
    try:
        return with_checkpoint(fit, _identified(estimator, data, store), dtype)
    except BaseException:
        store.close()
        raise


def _identified(estimator: Any, data: TrainingData, store: RowStore) -> dict[str, Any]:
    """Return what identifies the table: all that training takes of it."""
    rows = data.validation
    held_out = {} if rows is None else {"X": rows.X, "y": rows.y, "weight": rows.weight}
    return {
        "rows": [store.digest()],
        "validation rows": held_out,
        "column names": getattr(estimator, "feature_names_in_", None),
        "classes": data.classes,
    }


def _check_parameters(parameters: Parameters, incremental: bool) -> None:
    """Raise ``ValueError`` for what needs all rows at once, or their order."""
    refused = {
        "partial_fit": incremental,
        "solver='lbfgs'": parameters.solver == "lbfgs",
        "bootstrap=True": parameters.bootstrap,
        "warm_start=True": parameters.warm_start,
        "shuffle=False": not parameters.shuffle,
        "callbacks with batch methods": need_batches(parameters.copied_callbacks()),
    }
    for name, given in refused.items():
        if given:
            raise ValueError(
                "A table that is read block by block must be trained on in shuffled "
                f"batches, from scratch. Got {name}. Set it to its default, or give "
                "rows that fit in memory."
            )


def _trains_there(parameters: Parameters, table: LabelledSource) -> bool:
    """Return whether the table is trained on by the workers that it lies on.

    Callbacks of the user, and a checkpoint, are of the user's process.
    """
    is_local = bool(parameters.callbacks) or parameters.checkpoint is not None
    return not is_local and lies_on_workers(table)


def _set_columns(estimator: Any, first_pass: FirstPass) -> None:
    """Set what scikit-learn's `validate_data` sets of the columns."""
    first = first_pass.first[:1]
    if isinstance(first, pd.DataFrame):
        validate_data(estimator, first, reset=True, skip_check_array=True)
    else:
        validate_data(
            estimator, first, reset=True, ensure_all_finite="allow-nan", dtype=None
        )


def _held_out(parameters: Parameters, n_columns: int) -> tuple[int, float]:
    """Return how many rows are left out for validation at most, and their share."""
    fraction = parameters.validation_fraction
    if fraction is None and parameters.early_stopping:
        fraction = 0.1
    most = limits.most_rows(n_columns, limits.HELD_OUT_ROWS, limits.HELD_OUT_BYTES)
    if fraction is not None:
        return most, float(fraction)
    if parameters.hidden_layer_sizes is None:  # the recipe
        return min(most, _SCORED_ROWS), _SCORED_SHARE
    return 0, 0.0


def _weighting(parameters: Parameters, first_pass: FirstPass) -> Weighting:
    """Return what the weights of rows are multiplied by."""
    codes = np.arange(len(first_pass.classes))
    factors = class_weights(
        parameters.class_weight, first_pass.totals, codes, first_pass.classes
    )
    has_factors = factors is not None
    factors = np.ones(len(codes)) if factors is None else factors
    exponent = moderating_exponent(first_pass.largest_weight * factors.max())
    return Weighting(factors, has_factors, exponent)


def _training_data(
    first_pass: FirstPass, weighting: Weighting, n_held_out: int, n_sampled: int
) -> TrainingData:
    """Return a sample of the rows to train on, and the rows left out."""

    def weighted(part: slice) -> Dataset:
        rows = first_pass.sampled(part)
        return replace(rows, weight=weighting.apply(rows.weight, rows.y))

    return TrainingData(
        columns=first_pass.columns,
        classes=first_pass.classes,
        rows=weighted(slice(n_held_out, n_held_out + n_sampled)),
        validation=weighted(slice(n_held_out)) if n_held_out else None,
        class_factors=weighting.factors if weighting.has_factors else None,
        n_streamed=first_pass.n_rows - n_held_out,
    )


def _networks(
    parameters: Parameters, data: TrainingData
) -> Sequence[PlainNetwork | RecipeNetwork]:
    """Return the networks as if the sample were all rows."""
    own = [of_network for of_network, _ in starts(None, parameters)]
    if serves(parameters, data, incremental=False):
        return [prepare_recipe(of_network, data) for of_network in own]
    return [prepare_plain(of_network, data) for of_network in own]


def _stored(
    table: LabelledSource,
    data: TrainingData,
    network: PlainNetwork | RecipeNetwork,
    weighting: Weighting,
    seed: int,
    left_out: tuple[int, np.uint64 | None],
    *,
    there: bool,
) -> RowStore | RowsOnWorkers:
    """Return the rows to train on, encoded, in random buckets."""
    n, is_recipe = data.n_streamed or 0, isinstance(network, RecipeNetwork)
    encoder = _encoder_of(network)
    dtype = "float32" if is_recipe else encoder.dtype
    row_bytes = encoder.n_inputs * np.dtype(dtype).itemsize
    plan = StoragePlan(
        table=table,
        columns=data.columns,
        classes=data.classes,
        encoder=encoder,
        weighting=weighting,
        dtype=data.rows.X.dtype,
        stored_dtype=dtype,
        n_rows=n,
        n_buckets=max(member_shares(n), -(-n * row_bytes // _BUCKET_BYTES)),
        seed=seed,
        hash_seed=left_out[0],
        last_left_out=left_out[1],
    )
    if there:
        return RowsOnWorkers(plan)
    return plan.store(has_digest=network.parameters.checkpoint is not None)


def _encoder_of(network: PlainNetwork | RecipeNetwork) -> TableEncoder:
    if isinstance(network, RecipeNetwork):
        return network.split.encoder
    return network.encoder


def _streamed_network(
    network: PlainNetwork | RecipeNetwork, store: StoredRows, totals: np.ndarray
) -> PlainNetwork | RecipeNetwork:
    """Return a network that reads its rows from a store."""
    every = np.flatnonzero(store.counts)
    if isinstance(network, PlainNetwork):
        return replace(network, task=streamed(network.task, store, every, totals))
    n_shares = member_shares(int(store.counts.sum()))

    def of_member(task: TrainingTask, member: int) -> StreamedTask:
        own = every[(every + member) % n_shares == 0]
        result = streamed(task, store, own, totals)
        schedule, epochs = result.schedule, network.parameters.max_iter
        assert schedule is not None
        n_steps = result.steps_per_epoch * epochs
        return replace(result, schedule=replace(schedule, n_steps=n_steps))

    return replace(network, streamed=of_member)
