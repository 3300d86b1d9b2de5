"""How the recipe trains: members leave rows out, are scored on them, and take them in.

The first stage trains each member without the rows that it leaves out. On these rows
the mean of all members is scored after each epoch. The second stage goes back to a
member as it was where the learning rate last fell, and lets the rate fall again, on all
rows, down to the epoch with the best score. With validation rows, or where members
leave few rows out, there is no second stage: the epoch with the best score is kept.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from skdnn._estimator.calibration import (
    OutOfFoldScores,
    PredictedLogProba,
    fold_of_rows,
)
from skdnn._estimator.member_rounds import MemberRows, RoundsOnWorkers
from skdnn._estimator.network_training import (
    TrainedNetwork,
    describe_training,
    mean_history,
    with_progress,
)
from skdnn._estimator.recipe_state import KeptStages, Stage
from skdnn._estimator.recipe_trial import Trial, Weights
from skdnn._estimator.stored_rows import RowsOnWorkers
from skdnn._network.initial_weights import bin_edges, data_driven_weights
from skdnn._network.numpy_activations import log_softmax
from skdnn._network.prediction import Predictor
from skdnn._network.spec import Hidden, InputEncoding, NetworkSpec
from skdnn._runtime import workers
from skdnn._runtime.progress import Progress
from skdnn._tabular.dataset import Dataset
from skdnn._training.schedules import CYCLE_ENDS, CYCLE_PEAKS, Schedule
from skdnn._training.stacks import Rounds
from skdnn._training.streamed_task import StreamedTask
from skdnn._training.task import Rate, Stopping, TrainingResult, TrainingTask

if TYPE_CHECKING:
    from skdnn._estimator.recipe import RecipeNetwork

N_MEMBERS = 8
FEWEST_FOLDED = 100  # from this number of rows on, some can be left out
_PIECEWISE_LINEAR_FACTOR = 0.3
# Piecewise-linear encodings need this many rows per bin, and few bins to be fast.
_ROWS_PER_BIN, _MOST_BINS = 10, 4096
# The logits of rows left out that are held at once, and copies of these rows, in bytes.
_HELD_BYTES = 2**26
AnyRounds = Rounds | RoundsOnWorkers


def train_recipe(network: "RecipeNetwork", progress: Progress) -> TrainedNetwork:
    """Train the members; return their average as one network."""
    return _RecipeTraining(network, progress).run()


class _RecipeTraining:
    """The members that a fit by the recipe trains."""

    def __init__(self, network: "RecipeNetwork", progress: Progress):
        self._network, self._progress = network, progress
        self._parameters, self._positions = network.parameters, network.split.positions
        table, validation = network.split.encode(network.data)
        weight = table.weight
        if len(self._positions) >= FEWEST_FOLDED:
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
            for _ in range(N_MEMBERS)
        ]
        self._seeds = random_state.randint(2**31 - 1, size=N_MEMBERS)
        self._left_out = self._draw_folds(random_state)
        # for how many epochs logits are held; 0: rows are predicted after each, as
        # members that hold logits also hold copies of the rows that they leave out
        self._logit_epochs = _HELD_BYTES // max(1, self._logit_bytes())
        if self._left_out_bytes() > _HELD_BYTES:
            self._logit_epochs = 0

        self._kept = KeptStages.load(network.checkpoint)
        self._trial: Trial | None = None
        self._ended: list[Stage] = []

    def run(self) -> TrainedNetwork:
        """Train in one or two stages; return the average as one network."""
        if not self._network.is_scored:
            tasks = [self._task(i, self._parameters.max_iter) for i in range(N_MEMBERS)]
            only = self._train(tasks)
            return self._describe(None, only.weights, only.history, only.n_trained, 0.0)
        trial, first = self._try_epochs()
        history, n_trained = first.history, first.n_trained
        best, start = trial.best_epoch, trial.start()
        seconds = history["seconds"].iloc[start:].sum()
        if self._network.keeps_best:
            weights, history = trial.kept[best], history.iloc[:best]
            seconds = 0.0
        else:
            tasks = [
                self._task(i, best - start, weights=own, n_done=start)
                for i, own in enumerate(trial.kept.get(start, self._starts))
            ]
            second = self._train(tasks)
            weights, parts = second.weights, [history.iloc[:start], second.history]
            history = pd.concat(parts, ignore_index=True)
            n_trained += second.n_trained
        history = history.assign(
            val_loss=trial.losses[:best], val_accuracy=trial.accuracies[:best]
        )
        return self._describe(trial, weights, history, n_trained, seconds)

    def _describe(
        self,
        trial: Trial | None,
        weights: Sequence[Weights],
        history: pd.DataFrame,
        n_trained: int,
        seconds: float,
    ) -> TrainedNetwork:
        """Return the members as one network."""
        spec, reliability, left_out = self._spec, None, None
        if trial is not None and trial.best is not None:
            reliability = trial.best.reliability()
            factor = reliability.inverse_temperature
            spec = replace(spec, inverse_temperature=factor)
            left_out = trial.best.left_out(factor)
            left_out = replace(left_out, is_by_all=not self._left_out)
            held_out = self._network.split.held_out
            if held_out is not None:
                positions = held_out[left_out.positions]
                left_out = replace(left_out, positions=positions)
        task = self._task(0, len(history))
        whole = replace(
            task,
            spec=replace(spec, members=N_MEMBERS),
            table=self._whole,
            validation=self._validation,
            held_out=self._network.split.held_out,
            stopping=replace(task.stopping, early=trial is not None),
        )
        result = TrainingResult(
            weights=[np.stack(arrays) for arrays in zip(*weights, strict=True)],
            optimizer_state=[],
            history=history.to_dict("records"),
            rows_trained=n_trained,
            stopped=True,
            interrupted=False,
        )
        return describe_training(
            whole,
            result,
            self._network.split.encoder,
            reliability=reliability,
            ending=_ending(trial, self._network),
            members=f"{N_MEMBERS} networks whose probabilities are averaged",
            tried_losses=None if trial is None else trial.losses,
            tried_seconds=None if trial is None else seconds,
            left_out=left_out,
        )

    def _draw_folds(self, random_state: np.random.RandomState) -> list[np.ndarray]:
        """Return positions of the rows that each member leaves out, if members do."""
        values, left_out = self._network.values, []
        if self._validation is not None or not values.n_folds:
            return []
        rows = np.unique(self._positions)
        if values.n_sections > 1:
            sections = fold_of_rows(
                self._table.y[rows], values.n_sections, random_state
            )
            rows = rows[sections == 0]
        for _ in range(N_MEMBERS // values.n_folds):
            folds = fold_of_rows(self._table.y[rows], values.n_folds, random_state)
            left_out += [rows[folds == fold] for fold in range(values.n_folds)]
        return left_out

    def _task(
        self,
        member: int,
        epochs: int,
        *,
        scored: bool = False,
        weights: Weights | None = None,
        n_done: int = 0,
    ) -> TrainingTask:
        """Return the training of a member; if `scored`, without the rows left out.

        It begins with the given weights, after `n_done` epochs of the schedule.
        """
        parameters, rate = self._parameters, self._parameters.learning_rate_init
        positions, validation = self._member_rows().of(member, scored=scored)
        batch_size = int(parameters.batch_size)
        if scored and self._left_out:
            # as many steps as on all rows
            batch_size = max(1, batch_size * len(positions) // len(self._positions))
        n_steps = -(-len(positions) // batch_size)
        is_plain = member < self._network.values.n_plain
        regularisation = parameters.penalties()
        task = TrainingTask(
            spec=self._spec,
            weights=self._starts[member] if weights is None else weights,
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
                n_steps=n_steps * parameters.max_iter,
                weight_decay=regularisation.weight_decay,
                smoothing=regularisation.label_smoothing,
                l2=regularisation.l2,
                l1=regularisation.l1,
                piecewise_linear_factor=0.0 if is_plain else _PIECEWISE_LINEAR_FACTOR,
                cycles=parameters.learning_rate is None,
                n_done=n_steps * n_done,
            ),
            # kept in both stages, so that one program serves both
            keeps_logits=validation is not None,
        )
        streamed = self._network.streamed
        return task if streamed is None else streamed(task, member)

    def _member_rows(self) -> MemberRows:
        """Return which rows each member is trained and scored on."""
        return MemberRows(
            self._table,
            self._validation,
            self._positions,
            self._left_out,
            keeps_logits=bool(self._logit_epochs),
        )

    def _train(
        self,
        tasks: Sequence[TrainingTask],
        after_round: Callable[[AnyRounds], bool] = lambda rounds: False,
        n_epochs: Callable[[], float] = lambda: np.inf,
        *,
        scored: bool = False,
    ) -> Stage:
        """Train the members, where an earlier run did not.

        A round is of `n_epochs`, or of as many as logits are held of. Training ends
        early if `after_round` returns true.
        """
        tasks = with_progress(tasks, self._progress)
        if len(self._kept.ended) > len(self._ended):
            stage = self._kept.ended[len(self._ended)]
            self._progress.step(n_steps=len(stage.history) * len(tasks))
            self._ended.append(stage)
            return stage
        rounds = self._rounds(tasks, scored=scored)
        most, is_over = tasks[0].stopping.max_iter, False
        while not is_over and rounds.n_epochs < most:
            held = self._logit_epochs or np.inf
            until_due = self._kept.epochs_until_due(rounds.n_epochs)
            rounds.advance(int(min(n_epochs(), held, until_due, most)))
            is_over = after_round(rounds)
            for training in rounds.trainings:
                training.take_logits()  # which are no longer needed
            if isinstance(rounds, Rounds) and self._kept.is_due and not is_over:
                self._kept.keep(self._ended, rounds.states(), self._trial)
        results = rounds.results()
        stage = Stage(
            [result.weights for result in results],
            mean_history([result.history for result in results]),
            sum(result.rows_trained for result in results),
        )
        self._ended.append(stage)
        self._kept.keep(self._ended, None, self._trial)
        return stage

    def _rounds(self, tasks: Sequence[TrainingTask], *, scored: bool) -> AnyRounds:
        """Return the members, here or on workers, where an earlier run left them."""
        # this process alone writes a checkpoint, and reads a table block by block
        is_local = self._network.checkpoint is not None
        rows = self._member_rows()
        if isinstance(tasks[0], StreamedTask):
            rows = replace(rows, stored=tasks[0].store)
            is_local = not isinstance(rows.stored, RowsOnWorkers)
        if workers.are_set() and not is_local:
            return RoundsOnWorkers(tasks, rows, scored=scored)
        rounds = Rounds(tasks)
        if self._kept.members:
            rounds.restore(self._kept.members)
            self._kept.members = None
        return rounds

    def _started_trial(self, labels: Dataset, rows: list[np.ndarray]) -> Trial:
        """Return a new trial, or that of an earlier run."""
        tree = self._kept.trial

        def scores_of(best: list[Any]) -> OutOfFoldScores:
            log_proba = [
                own["log_proba"]
                if "log_proba" in own
                else PredictedLogProba(
                    Predictor(self._spec, own["weights"]), labels, positions
                )
                for own, positions in zip(best, rows, strict=True)
            ]
            return self._scores(rows, log_proba, labels)

        return Trial() if tree is None else Trial.from_tree(tree, scores_of)

    def _scores(
        self, rows: list[np.ndarray], log_proba: Sequence[Any], labels: Dataset
    ) -> OutOfFoldScores:
        n_classes = self._spec.n_outputs
        return OutOfFoldScores(rows, log_proba, labels.y, labels.weight, n_classes)

    def _try_epochs(self) -> tuple[Trial, Stage]:
        """Train without the rows left out, and score on them after each epoch.

        Training ends at the end of a cycle of the learning rate that clearly made the
        loss larger.
        """
        epochs, rows = self._parameters.max_iter, self._scored_rows()
        tasks = [self._task(i, epochs, scored=True) for i in range(N_MEMBERS)]
        labels = self._table if self._validation is None else self._validation
        trial = self._trial = self._started_trial(labels, rows)
        has_cycles = self._parameters.learning_rate is None
        ends = {max(1, round(share * epochs)) for share in CYCLE_ENDS}
        marks = ends | {max(1, round(share * epochs)) for share in CYCLE_PEAKS}
        keeps_best = self._network.keeps_best
        one_by_one = keeps_best or not self._logit_epochs

        def until_mark() -> float:
            mark = min((m for m in marks if m > trial.n_epochs), default=epochs)
            return 1 if one_by_one else mark - trial.n_epochs

        def after_round(rounds: AnyRounds) -> bool:
            is_best = False
            for log_proba in self._log_proba(rounds, labels, rows):
                is_best = trial.add(self._scores(rows, log_proba, labels))
            n = trial.n_epochs
            if keeps_best:
                if is_best:
                    trial.kept = {n: [own.weights() for own in rounds.trainings]}
            elif n in marks:
                trial.kept[n] = [own.weights() for own in rounds.trainings]
                # those before the start that the best epoch needs now
                first = trial.start()
                trial.kept = {m: w for m, w in trial.kept.items() if m >= first}
            return has_cycles and n in ends and trial.is_clearly_worse()

        return trial, self._train(tasks, after_round, until_mark, scored=True)

    def _scored_rows(self) -> list[np.ndarray]:
        """Return positions of the rows that each member is scored on."""
        if self._validation is None:
            return self._left_out
        return [np.arange(len(self._validation))] * N_MEMBERS

    def _left_out_bytes(self) -> int:
        row_bytes = self._table.X.shape[1] * self._table.X.itemsize
        return sum(map(len, self._left_out)) * row_bytes

    def _logit_bytes(self) -> int:
        """Return the bytes of the logits of all rows that members are scored on."""
        row_bytes = self._spec.n_outputs * np.dtype(self._spec.dtype).itemsize
        return sum(len(rows) for rows in self._scored_rows()) * row_bytes

    def _log_proba(
        self, rounds: AnyRounds, labels: Dataset, rows: Sequence[np.ndarray]
    ) -> list[Sequence[Any]]:
        """Return log probabilities by each member, for each epoch of a round."""
        if self._logit_epochs:
            logits = [training.take_logits() for training in rounds.trainings]
            return [list(map(log_softmax, own)) for own in zip(*logits, strict=True)]
        weights = [training.weights() for training in rounds.trainings]
        return [
            [
                PredictedLogProba(Predictor(self._spec, own), labels, positions)
                for own, positions in zip(weights, rows, strict=True)
            ]
        ]


def _network_spec(network: "RecipeNetwork", dtype: str) -> NetworkSpec:
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


def _ending(trial: Trial | None, network: "RecipeNetwork") -> str:
    if trial is None:
        return "ended with its schedule"
    by = "the validation rows" if network.is_validated else "rows left out in turn"
    text = f"the best number of {trial.n_epochs} by {by}"
    return text if network.keeps_best else f"{text}; the last epochs on all rows"
