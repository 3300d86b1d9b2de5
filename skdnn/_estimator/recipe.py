"""The network that a table gets where none is asked for.

Eight narrow networks whose probabilities are averaged. Each leaves a quarter of the
rows out, so that rows tell how many epochs are best and how sure to be; then all rows
are trained on for as long.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils import check_random_state

from skdnn._estimator import parameters as _parameters
from skdnn._estimator import prepare
from skdnn._estimator.calibration import OutOfFoldScores, fold_of_rows
from skdnn._network.initial_weights import bin_edges, data_driven_weights
from skdnn._network.numpy_activations import log_softmax
from skdnn._network.spec import ACTIVATION_ALIASES, Hidden, InputEncoding, NetworkSpec
from skdnn._runtime import keras_backend
from skdnn._runtime.progress import Progress
from skdnn._tabular import validation as _data
from skdnn._tabular.dataset import Dataset
from skdnn._tabular.encoder import fit_table
from skdnn._training.execution import COMPILED_BACKENDS
from skdnn._training.optimizers import ELEMENTWISE, solver_from_name
from skdnn._training.schedules import Schedule
from skdnn._training.stacks import train_stack
from skdnn._training.task import (
    Penalties,
    Rate,
    Stopping,
    TrainingResult,
    TrainingTask,
)

_MEMBERS = 8
_FOLDS = 4
_DEPTH = 2
_SMOOTHING = 0.1
_PIECEWISE_LINEAR_FACTOR = 0.3
_BETA_2 = 0.95
# From so many rows on, some can be left out.
_FEWEST_FOLDED = 100
# A table gets functions of its numbers if it has ten rows for each of their pieces,
# and if these are not too many to be quick.
_ROWS_A_PIECE = 10
_MOST_PIECES = 4096


@dataclass(frozen=True)
class Values:
    """What the recipe chooses by the number of rows.

    Parameters
    ----------
    n_folds : int
        Parts of which each member leaves one out; 0 for none.
    width : int
        Units of each hidden layer.
    bins : int
        Pieces of the functions of each number.
    n_plain : int
        Members that take numbers as they are, without functions of them.
    rate : float
        Highest learning rate.
    batch_size, epochs : int
        Rows a step; epochs at most.
    weight_decay : float
        Highest decoupled decay.
    """

    n_folds: int
    width: int
    bins: int
    n_plain: int
    rate: float
    batch_size: int
    epochs: int
    weight_decay: float


def values_for(n: int) -> Values:
    """Return the recipe's values for a number of training rows."""
    if n < _FEWEST_FOLDED:
        return Values(0, 64, 8, _MEMBERS // 2, 0.015, n, 48, 1.0)
    small = n < 3000
    return Values(
        n_folds=_FOLDS,
        width=64 if small else 128,
        bins=8 if small else 16 if n < 10_000 else 32,
        n_plain=_MEMBERS // 2 if small else 0,
        rate=0.02 if small else 0.04,
        batch_size=int(np.clip(1 << ((n // 32).bit_length() - 1), 16, 256)),
        epochs=int(np.clip(round(600_000 / n), 8, 64)),
        weight_decay=min(0.1, 100 / n),
    )


def serves(estimator, rows: Dataset, *, incremental: bool) -> bool:
    """Return whether the recipe is what an estimator is to be fitted by.

    It is not where training is to go on, where a row has several labels, where X is
    sparse, and where parameters are given that it has no place for.
    """
    has_place = (
        not callable(estimator.activation)
        and isinstance(estimator.solver, str)
        and estimator.solver in ELEMENTWISE
        and estimator.learning_rate in (None, "constant")
        and not estimator.callbacks
        and not estimator.batch_norm
    )
    return bool(
        estimator.hidden_layer_sizes is None
        and not (incremental or estimator.warm_start)
        and rows.y.ndim == 1
        and isinstance(rows.X, np.ndarray)
        and has_place
        and keras_backend.backend() in COMPILED_BACKENDS
    )


def n_epochs(estimator, n_samples: int) -> int:
    """Return how many epochs a fit trains at most, those of all members."""
    values = _given_values(estimator, values_for(n_samples))
    return values.epochs * _MEMBERS * (2 if values.n_folds else 1)


def train(
    estimator, rows: Dataset, validation: Dataset | None, progress: Progress
) -> tuple[TrainingTask, TrainingResult]:
    """Train by the recipe, and make the estimator fitted.

    Parameters
    ----------
    estimator : DNNClassifier
        With checked parameters and ``classes_``.
    rows, validation : Rows, Rows or None
        Checked data.
    progress : Progress
        Hears of every epoch.

    Returns
    -------
    fit, fitted
        As of one network, for the verdict on them.
    """
    random_state = check_random_state(estimator.random_state)
    rows = rows.astype(keras_backend.precision(rows.X.dtype.name))
    positions, held_out = _data.cut(
        estimator,
        rows,
        is_validated=validation is not None,
        random_state=random_state,
    )
    if estimator.bootstrap:
        positions = _data.drawn(positions, rows.weight, random_state)
    # rows of no weight are as rows that are not there: none is left out for judging
    positions = positions[rows.weight[positions] > 0]
    estimator._table = fit_table(
        estimator._columns, rows.X[positions], rows.weight[positions], recipe=True
    )
    table = _data.encoded(estimator._table, rows)
    if held_out is not None:
        validation = table.take(held_out)
    elif validation is not None:
        validation = _data.encoded(estimator._table, validation)
    plan = _RecipeTraining(
        estimator, table, positions, held_out, validation, random_state
    )
    return plan.run(progress)


class _RecipeTraining:
    """The stacks that a fit by the recipe trains."""

    def __init__(
        self,
        estimator,
        table: Dataset,
        positions: np.ndarray,
        held_out: np.ndarray | None,
        validation: Dataset | None,
        random_state: np.random.RandomState,
    ):
        self._estimator, self._whole, self._positions = estimator, table, positions
        self._dtype = table.X.dtype.name
        if len(positions) >= _FEWEST_FOLDED:
            # rounding is far below what a seed changes, and half the arithmetic
            table = table.astype("float32")
            validation = None if validation is None else validation.astype("float32")
        self._table = table
        self._held_out, self._validation = held_out, validation
        self._values = _given_values(estimator, values_for(len(positions)))
        rows = table.take(positions)
        self._spec = _spec(estimator, table, len(positions), self._values)
        edges = None
        encoding = self._spec.encoding
        assert encoding is not None
        if encoding.bins:
            numbers = rows.X[:, : encoding.n_numeric]
            edges = bin_edges(numbers, rows.weight, encoding.bins)
        self._starts = [
            data_driven_weights(self._spec, rows.X, rows.weight, edges, random_state)
            for _ in range(_MEMBERS)
        ]
        self._seeds = random_state.randint(2**31 - 1, size=_MEMBERS)
        self._folds = self._draw_folds(random_state)
        is_judged = validation is not None or self._folds is not None
        _parameters.check_calibration(estimator, table, is_judged=is_judged)

    def run(self, progress: Progress) -> tuple[TrainingTask, TrainingResult]:
        """Train, judge, train on all rows; keep what that leaves."""
        estimator, spec = self._estimator, self._spec
        epochs, history, reliability = self._values.epochs, None, None
        if self._folds is not None or self._validation is not None:
            fits = [self._fit(i, progress, judged=True) for i in range(_MEMBERS)]
            history, judgement = self._judge(fits, _trained(fits))
            losses = history["val_loss"].to_numpy()
            epochs = len(losses) - int(np.argmin(losses[::-1]))  # the last of equals
            reliability = judgement(epochs - 1).reliability()
            spec = replace(spec, inverse_temperature=reliability.inverse_temperature)
        fits = [self._fit(i, progress, epochs=epochs) for i in range(_MEMBERS)]
        fitted = _trained(fits)
        weights = [
            np.stack(arrays).astype(self._dtype)
            for arrays in zip(*(f.weights for f in fitted), strict=True)
        ]
        if history is None:
            history = _mean_history([f.history for f in fitted])
        whole = replace(
            fits[0],
            spec=replace(spec, members=_MEMBERS, dtype=self._dtype),
            table=self._whole,
            validation=self._validation,
            held_out=self._held_out,
            stopping=replace(fits[0].stopping, early=reliability is not None),
        )
        outcome = TrainingResult(
            weights=weights,
            optimizer_state=[],
            history=history.to_dict("records"),
            rows_seen=sum(f.rows_seen for f in fitted),
            stopped=True,
            interrupted=False,
        )
        how = {"resume": False, "incremental": False}
        prepare.keep(estimator, whole, outcome, **how)
        estimator._training_summary = replace(
            estimator._training_summary,
            ending=_ending(epochs, self._folds is not None, reliability is not None),
            members=f"{_MEMBERS} networks whose probabilities are averaged",
            reliability=reliability,
        )
        return whole, outcome

    def _draw_folds(self, random_state) -> np.ndarray | None:
        """Return for each partition the fold of each row; -1 if not trained on."""
        if self._validation is not None or not self._values.n_folds:
            return None
        trained_on = np.unique(self._positions)
        folds = np.full((_MEMBERS // self._values.n_folds, len(self._table)), -1)
        for partition in folds:
            partition[trained_on] = fold_of_rows(
                self._table.y[trained_on], self._values.n_folds, random_state
            )
        return folds

    def _held(self, member: int) -> np.ndarray:
        """Return positions of the rows that a member leaves out."""
        assert self._folds is not None
        partition, fold = divmod(member, self._values.n_folds)
        return np.flatnonzero(self._folds[partition] == fold)

    def _fit(
        self,
        member: int,
        progress: Progress,
        *,
        judged: bool = False,
        epochs: int | None = None,
    ) -> TrainingTask:
        """Return what a member is to do: be judged by rows it leaves out, or train."""
        values, positions = self._values, self._positions
        batch_size, validation = values.batch_size, None
        if self._folds is not None:
            held = self._held(member)
            validation = self._table.take(held)
            if judged:
                positions = positions[~np.isin(positions, held)]
                # as many steps as on all rows
                batch_size = max(1, batch_size * len(positions) // len(self._positions))
        else:
            validation = self._validation
        estimator = self._estimator
        penalties = _penalties(estimator, values)
        n_steps = -(-len(positions) // batch_size) * values.epochs
        piecewise_linear_factor = (
            0.0 if member < values.n_plain else _PIECEWISE_LINEAR_FACTOR
        )
        return TrainingTask(
            spec=self._spec,
            weights=self._starts[member],
            solver=_solver(estimator),
            optimizer_state=None,
            table=self._table,
            positions=positions,
            validation=validation,
            held_out=None,
            batch_size=batch_size,
            shuffle=bool(estimator.shuffle),
            random_state=np.random.RandomState(self._seeds[member]),
            dropout_seed=int(self._seeds[member]),
            rate=Rate(values.rate),
            penalties=penalties,
            stopping=Stopping(epochs or values.epochs, 0.0, np.inf, early=False),
            schedule=Schedule(
                rate=values.rate,
                n_steps=n_steps,
                weight_decay=penalties.weight_decay,
                smoothing=penalties.label_smoothing,
                l2=penalties.l2,
                l1=penalties.l1,
                piecewise_linear_factor=piecewise_linear_factor,
                cycles=estimator.learning_rate is None,
            ),
            # kept in both stages, so that one program serves both
            keeps_logits=validation is not None,
            on_epoch=lambda record: progress.step(prepare.figures(record)),
        )

    def _judge(self, fits: Sequence[TrainingTask], fitted: Sequence[TrainingResult]):
        """Return the history, its validation part of the mean, and its judgements."""
        if self._folds is None:
            assert self._validation is not None
            labels = self._validation
            rows = [np.arange(len(labels))] * _MEMBERS
        else:
            labels = self._table
            rows = [self._held(member) for member in range(_MEMBERS)]

        def judgement(epoch: int) -> OutOfFoldScores:
            logs = [log_softmax(member.logits[epoch]) for member in fitted]
            return OutOfFoldScores(rows, logs, labels.y, labels.weight)

        history = _mean_history([member.history for member in fitted])
        epochs = [judgement(epoch) for epoch in range(len(history))]
        history["val_loss"] = [judged.loss() for judged in epochs]
        history["val_accuracy"] = [judged.accuracy() for judged in epochs]
        return history, judgement


def _trained(fits: Sequence[TrainingTask]) -> list[TrainingResult]:
    """Return what a stack leaves; raise what a member failed by."""
    done = []
    for fitted in train_stack(fits):
        if isinstance(fitted, Exception):
            raise fitted
        done.append(fitted)
    return done


def _given_values(estimator, values: Values) -> Values:
    """Return the values with what the user has given in their place."""
    given: dict[str, Any] = {
        "rate": estimator.learning_rate_init,
        "epochs": estimator.max_iter,
        "weight_decay": estimator.weight_decay,
    }
    if estimator.batch_size != "auto":
        given["batch_size"] = int(estimator.batch_size)
    return replace(values, **{k: v for k, v in given.items() if v is not None})


def _penalties(estimator, values: Values) -> Penalties:
    alpha = estimator.alpha or 0.0
    smoothing = estimator.label_smoothing
    return Penalties(
        l2=float(alpha * (1 - estimator.l1_ratio)),
        l1=float(alpha * estimator.l1_ratio),
        weight_decay=float(values.weight_decay),
        label_smoothing=float(_SMOOTHING if smoothing is None else smoothing),
    )


def _solver(estimator):
    return solver_from_name(
        estimator.solver,
        momentum=estimator.momentum,
        nesterov=estimator.nesterovs_momentum,
        beta_1=estimator.beta_1,
        beta_2=_BETA_2 if estimator.beta_2 is None else estimator.beta_2,
        epsilon=estimator.epsilon,
        schedule=None,
    )


def _spec(estimator, table: Dataset, n_train: int, values: Values) -> NetworkSpec:
    fitted = estimator._table
    pieces = fitted.n_numbers * values.bins
    most_pieces = min(_MOST_PIECES, n_train // _ROWS_A_PIECE)
    activation = estimator.activation or "selu"
    if isinstance(activation, str):
        activation = ACTIVATION_ALIASES.get(activation, activation)
    rates = _parameters.dropout_rates(estimator, _DEPTH)
    return NetworkSpec(
        n_inputs=fitted.n_inputs,
        hidden=tuple(Hidden(values.width, activation, rate) for rate in rates),
        n_outputs=len(estimator.classes_),
        output="softmax",
        dtype=table.X.dtype.name,
        encoding=InputEncoding(
            n_numeric=fitted.n_numbers,
            n_flags=fitted.n_flags,
            code_sizes=fitted.code_sizes,
            bins=values.bins if 0 < pieces <= most_pieces else 0,
        ),
    )


def _mean_history(histories: Sequence[list[dict]]) -> pd.DataFrame:
    frames = pd.concat([pd.DataFrame(history) for history in histories])
    return frames.groupby(level=0).mean()


def _ending(epochs: int, folded: bool, judged: bool) -> str:
    if not judged:
        return "ended with its schedule"
    by = "rows left out in turn" if folded else "the validation rows"
    again = "on all of them " if folded else ""
    return f"best by {by}, then trained anew {again}for {epochs} epochs"
