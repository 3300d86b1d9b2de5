"""The recipe that is trained where no layers are given: see `DNNClassifier`'s notes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from skdnn._estimator.calibration import (
    OutOfFoldScores,
    PredictedLogProba,
    Reliability,
    fold_of_rows,
)
from skdnn._estimator.network_training import (
    TrainedNetwork,
    describe_training,
    mean_history,
    with_progress,
)
from skdnn._estimator.parameters import Parameters
from skdnn._estimator.split import Split, split_rows
from skdnn._network.initial_weights import bin_edges, data_driven_weights
from skdnn._network.numpy_activations import log_softmax
from skdnn._network.spec import Hidden, InputEncoding, NetworkSpec
from skdnn._runtime import keras_backend
from skdnn._runtime.progress import Progress
from skdnn._tabular.dataset import Dataset
from skdnn._tabular.validation import TrainingData
from skdnn._training.execution import COMPILED_BACKENDS
from skdnn._training.optimizers import ELEMENTWISE
from skdnn._training.schedules import Schedule
from skdnn._training.stacks import Rounds
from skdnn._training.task import Rate, Stopping, TrainingResult, TrainingTask

_MEMBERS = 8
_PIECEWISE_LINEAR_FACTOR = 0.3
# What None stands for, beside the values that depend on the number of rows.
_DEFAULTS = {"activation": "selu", "alpha": 0.0, "beta_2": 0.95, "label_smoothing": 0.1}
_FEWEST_FOLDED = 100  # from this number of rows on, some can be left out
# Piecewise-linear encodings need this many rows per bin, and few bins to be fast.
_ROWS_PER_BIN, _MOST_BINS = 10, 4096
# The logits of rows left out that are held at once, and copies of these rows, in bytes.
_HELD_BYTES = 2**26


@dataclass(frozen=True)
class RecipeValues:
    """Values of the recipe that depend on the number of rows.

    Each member leaves one of `n_folds` parts out (0: none). Hidden layers have `width`
    units, piecewise-linear encodings `bins`, which `n_plain` members do without. `rate`
    and `weight_decay` are the highest of their schedules, `epochs` the most trained.
    """

    n_folds: int
    width: int
    bins: int
    n_plain: int
    rate: float
    batch_size: int
    epochs: int
    weight_decay: float


def values_for(n: int) -> RecipeValues:
    """Return the recipe's values for a number of training rows."""
    if n < _FEWEST_FOLDED:
        return RecipeValues(0, 64, 8, _MEMBERS // 2, 0.015, n, 48, 1.0)
    small = n < 3000
    return RecipeValues(
        n_folds=4,
        width=64 if small else 128,
        bins=8 if small else 16 if n < 10_000 else 32,
        n_plain=_MEMBERS // 2 if small else 0,
        rate=0.02 if small else 0.04,
        batch_size=int(np.clip(1 << ((n // 32).bit_length() - 1), 16, 256)),
        epochs=int(np.clip(round(600_000 / n), 8, 64)),
        weight_decay=min(0.1, 100 / n),
    )


def serves(parameters: Parameters, data: TrainingData, *, incremental: bool) -> bool:
    """Return whether the recipe trains the network, not the plain one.

    It does not resume training, and does not support several labels per row, sparse X
    and some parameters.
    """
    return bool(
        parameters.hidden_layer_sizes is None
        and not (incremental or parameters.warm_start)
        and data.rows.y.ndim == 1
        and isinstance(data.rows.X, np.ndarray)
        and not callable(parameters.activation)
        and isinstance(parameters.solver, str)
        and parameters.solver in ELEMENTWISE
        and parameters.learning_rate in (None, "constant")
        and not parameters.callbacks
        and not parameters.batch_norm
        and keras_backend.backend() in COMPILED_BACKENDS
    )


@dataclass(frozen=True)
class RecipeNetwork:
    """A recipe that is ready to train: filled parameters, split, and values."""

    parameters: Parameters
    data: TrainingData
    split: Split
    values: RecipeValues
    random_state: np.random.RandomState

    @property
    def n_epochs(self) -> int:
        """Epochs of its training, at most, those of all members."""
        return int(self.parameters.max_iter * _MEMBERS * (1 + self.is_scored))

    @property
    def is_scored(self) -> bool:
        """Whether there are rows that members are not trained on."""
        is_held_out = self.split.held_out is not None
        return bool(is_held_out or self.data.validation or self.values.n_folds)

    def train(self, progress: Progress) -> TrainedNetwork:
        """Train, score on rows left out, and train on all rows."""
        return _RecipeTraining(self, progress).run()


def prepare_recipe(parameters: Parameters, data: TrainingData) -> RecipeNetwork:
    """Return what the recipe trains, its parameters checked and its rows split."""
    random_state = check_random_state(parameters.random_state)
    split = split_rows(parameters, data, random_state, recipe=True)
    # rows of weight 0 have no effect: none is left out for validation
    weight = data.rows.weight[split.positions]
    split = replace(split, positions=split.positions[weight > 0])
    values = values_for(len(split.positions))
    parameters = parameters.filled(
        **_DEFAULTS,
        learning_rate_init=values.rate,
        max_iter=values.epochs,
        weight_decay=values.weight_decay,
    )
    if parameters.batch_size == "auto":
        parameters = parameters.with_values(batch_size=values.batch_size)
    network = RecipeNetwork(parameters, data, split, values, random_state)
    parameters.check_calibration(data.rows.y, is_validated=network.is_scored)
    return network


@dataclass(frozen=True)
class _Tried:
    """What training without the rows left out showed, epoch by epoch."""

    losses: list[float]
    accuracies: list[float]
    epochs: int  # the number with the lowest loss, the largest of equals
    reliability: Reliability
    seconds: float


class _RecipeTraining:
    """The members that a fit by the recipe trains, in two stages."""

    def __init__(self, network: RecipeNetwork, progress: Progress):
        self._network, self._progress = network, progress
        self._parameters, self._positions = network.parameters, network.split.positions
        table, validation = network.split.encode(network.data)
        self._dtype, weight = table.X.dtype.name, table.weight
        if len(self._positions) >= _FEWEST_FOLDED:
            # rounding is far below the differences between seeds; half the arithmetic
            table = table.astype("float32")
            validation = None if validation is None else validation.astype("float32")
        self._table, self._validation = table, validation
        # the table in both precisions would take memory; the weights keep their digits
        self._whole = replace(table, weight=weight)
        rows, random_state = table.take(self._positions), network.random_state
        self._spec = _network_spec(network, rows.X.dtype.name)
        encoding, edges = self._spec.encoding, None
        if encoding is not None and encoding.bins:
            numbers = rows.X[:, : encoding.n_numeric]
            edges = bin_edges(numbers, rows.weight, encoding.bins)
        self._starts = [
            data_driven_weights(self._spec, rows.X, rows.weight, edges, random_state)
            for _ in range(_MEMBERS)
        ]
        self._seeds = random_state.randint(2**31 - 1, size=_MEMBERS)
        self._left_out = self._draw_folds(random_state)
        # for how many epochs logits are held; 0: rows are predicted after each
        self._logit_epochs = _HELD_BYTES // max(1, self._logit_bytes())
        if self._left_out and self._table.X.nbytes > _HELD_BYTES:
            self._logit_epochs = 0  # members would hold copies of the rows left out

    def run(self) -> TrainedNetwork:
        """Train, score, train on all rows; return the average as one network."""
        spec, epochs, tried = self._spec, self._parameters.max_iter, None
        if self._network.is_scored:
            tried = self._try_epochs()
            epochs = tried.epochs
            factor = tried.reliability.inverse_temperature
            spec = replace(spec, inverse_temperature=factor)
        tasks = [self._task(i, epochs) for i in range(_MEMBERS)]
        results = self._train(tasks, lambda rounds: None)
        history = mean_history([result.history for result in results])
        if tried is not None:
            history["val_loss"] = tried.losses[:epochs]
            history["val_accuracy"] = tried.accuracies[:epochs]
        by_array = zip(*(result.weights for result in results), strict=True)
        whole = replace(
            tasks[0],
            spec=replace(spec, members=_MEMBERS, dtype=self._dtype),
            table=self._whole,
            validation=self._validation,
            held_out=self._network.split.held_out,
            stopping=replace(tasks[0].stopping, early=tried is not None),
        )
        result = TrainingResult(
            weights=[np.stack(arrays).astype(self._dtype) for arrays in by_array],
            optimizer_state=[],
            history=history.to_dict("records"),
            rows_trained=sum(result.rows_trained for result in results),
            stopped=True,
            interrupted=False,
        )
        return describe_training(
            whole,
            result,
            self._network.split.encoder,
            reliability=None if tried is None else tried.reliability,
            ending=_ending(tried, bool(self._left_out)),
            members=f"{_MEMBERS} networks whose probabilities are averaged",
            tried_losses=None if tried is None else tried.losses,
            tried_seconds=None if tried is None else tried.seconds,
        )

    def _draw_folds(self, random_state: np.random.RandomState) -> list[np.ndarray]:
        """Return positions of the rows that each member leaves out, if members do."""
        n_folds, left_out = self._network.values.n_folds, []
        if self._validation is not None or not n_folds:
            return []
        trained_on = np.unique(self._positions)
        for _ in range(_MEMBERS // n_folds):
            y = self._table.y[trained_on]
            folds = fold_of_rows(y, n_folds, random_state)
            left_out += [trained_on[folds == fold] for fold in range(n_folds)]
        return left_out

    def _task(self, member: int, epochs: int, *, scored: bool = False) -> TrainingTask:
        """Return the training of a member; if `scored`, without the rows left out."""
        parameters, rate = self._parameters, self._parameters.learning_rate_init
        positions = self._positions
        validation = self._validation if self._logit_epochs else None
        batch_size = int(parameters.batch_size)
        if self._left_out:
            left_out = self._left_out[member]
            validation = self._table.take(left_out) if self._logit_epochs else None
            if scored:
                positions = positions[~np.isin(positions, left_out)]
                # as many steps as on all rows
                batch_size = max(1, batch_size * len(positions) // len(self._positions))
        n_steps = -(-len(positions) // batch_size) * parameters.max_iter
        is_plain = member < self._network.values.n_plain
        regularisation = parameters.penalties()
        return TrainingTask(
            spec=self._spec,
            weights=self._starts[member],
            solver=parameters.named_solver(),
            optimizer_state=None,
            table=self._table,
            positions=positions,
            validation=validation,
            held_out=None,
            batch_size=batch_size,
            shuffle=bool(parameters.shuffle),
            random_state=np.random.RandomState(self._seeds[member]),
            dropout_seed=int(self._seeds[member]),
            rate=Rate(rate),
            penalties=regularisation,
            stopping=Stopping(epochs),
            schedule=Schedule(
                rate=rate,
                n_steps=n_steps,
                weight_decay=regularisation.weight_decay,
                smoothing=regularisation.label_smoothing,
                l2=regularisation.l2,
                l1=regularisation.l1,
                piecewise_linear_factor=0.0 if is_plain else _PIECEWISE_LINEAR_FACTOR,
                cycles=parameters.learning_rate is None,
            ),
            # kept in both stages, so that one program serves both
            keeps_logits=validation is not None and self._logit_epochs > 0,
        )

    def _train(
        self, tasks: Sequence[TrainingTask], on_round: Callable[[Rounds], None]
    ) -> list[TrainingResult]:
        """Train the members, calling `on_round` after as many epochs as are held."""
        rounds = Rounds(with_progress(tasks, self._progress))
        for _ in range(0, tasks[0].stopping.max_iter, max(1, self._logit_epochs)):
            rounds.advance(max(1, self._logit_epochs))
            on_round(rounds)
            for training in rounds.trainings:
                training.take_logits()  # which are no longer needed
        return rounds.results()

    def _try_epochs(self) -> _Tried:
        """Train without the rows left out, and score on them after each epoch."""
        epochs, rows = self._parameters.max_iter, self._scored_rows()
        tasks = [self._task(i, epochs, scored=True) for i in range(_MEMBERS)]
        labels = self._table if self._validation is None else self._validation
        losses: list[float] = []
        accuracies: list[float] = []
        best: OutOfFoldScores | None = None

        def on_round(rounds: Rounds) -> None:
            nonlocal best
            for log_proba in self._log_proba(rounds, labels, rows):
                scores = OutOfFoldScores(
                    rows, log_proba, labels.y, labels.weight, self._spec.n_outputs
                )
                losses.append(scores.loss())
                accuracies.append(scores.accuracy())
                if best is None or losses[-1] <= best.loss():
                    best = scores

        results = self._train(tasks, on_round)
        assert best is not None
        seconds = mean_history([result.history for result in results])["seconds"].sum()
        n_best = len(losses) - losses[::-1].index(best.loss())
        return _Tried(losses, accuracies, n_best, best.reliability(), seconds)

    def _scored_rows(self) -> list[np.ndarray]:
        """Return positions of the rows that each member is scored on."""
        if self._validation is None:
            return self._left_out
        return [np.arange(len(self._validation))] * _MEMBERS

    def _logit_bytes(self) -> int:
        """Return the bytes of the logits of all rows that members are scored on."""
        row_bytes = self._spec.n_outputs * np.dtype(self._spec.dtype).itemsize
        return sum(len(rows) for rows in self._scored_rows()) * row_bytes

    def _log_proba(
        self, rounds: Rounds, labels: Dataset, rows: Sequence[np.ndarray]
    ) -> list[Sequence[Any]]:
        """Return log probabilities by each member, for each epoch of a round."""
        if self._logit_epochs:
            logits = [training.take_logits() for training in rounds.trainings]
            return [list(map(log_softmax, own)) for own in zip(*logits, strict=True)]
        weights = [training.weights() for training in rounds.trainings]
        return [
            [
                PredictedLogProba(self._spec, own, labels, positions)
                for own, positions in zip(weights, rows, strict=True)
            ]
        ]


def _network_spec(network: RecipeNetwork, dtype: str) -> NetworkSpec:
    """Return the network of a member."""
    values, encoder = network.values, network.split.encoder
    n_bins = encoder.n_numeric * values.bins
    most_bins = min(_MOST_BINS, len(network.split.positions) // _ROWS_PER_BIN)
    activation = network.parameters.activation_name()
    rates = network.parameters.dropout_rates(2)
    return NetworkSpec(
        n_inputs=encoder.n_inputs,
        hidden=tuple(Hidden(values.width, activation, rate) for rate in rates),
        n_outputs=len(network.data.classes),
        output="softmax",
        dtype=dtype,
        encoding=InputEncoding(
            n_numeric=encoder.n_numeric,
            n_flags=encoder.n_flags,
            code_sizes=encoder.code_sizes,
            bins=values.bins if 0 < n_bins <= most_bins else 0,
        ),
    )


def _ending(tried: _Tried | None, folded: bool) -> str:
    if tried is None:
        return "ended with its schedule"
    by = "rows left out in turn" if folded else "the validation rows"
    rows = "all rows" if folded else "the training rows"
    return (
        f"the best number of {len(tried.losses)} by {by}, then from scratch on {rows}"
    )
