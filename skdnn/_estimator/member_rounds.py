"""The rounds of a recipe's members on workers: what `Rounds` does in this process.

A member goes out with the arrays of its state, and comes back with those that it has
after the round. Rows go out once, or lie on the workers.
"""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from skdnn._runtime import keras_backend, workers
from skdnn._streaming.row_store import StoredRows
from skdnn._tabular.dataset import Dataset
from skdnn._training.loop import Training, require_finite_weights
from skdnn._training.saved_results import history_from_tree
from skdnn._training.streamed_task import StreamedTask
from skdnn._training.task import Record, TrainingResult, TrainingTask


@dataclass(frozen=True)
class MemberRows:
    """The rows of all members, and which of them each one takes.

    `positions` are those of the training rows; of these, each member leaves out
    `left_out`, if any do. `validation` are rows for all members.
    """

    table: Dataset
    validation: Dataset | None
    positions: np.ndarray
    left_out: Sequence[np.ndarray]
    keeps_logits: bool
    stored: StoredRows | None = None  # the rows of a table that is read block by block

    def of(self, member: int, *, scored: bool) -> tuple[np.ndarray, Dataset | None]:
        """Return positions to train on, and rows whose logits are kept.

        If `scored`, a member is trained without the rows that it leaves out.
        """
        positions, validation = self.positions, self.validation
        if self.left_out:
            validation = None
            left_out = self.left_out[member]
            if self.keeps_logits:
                validation = self.table.take(left_out)
            if scored:
                positions = positions[~np.isin(positions, left_out)]
        return positions, validation if self.keeps_logits else None


@dataclass
class _Member:
    """A member between two rounds, with methods of a `Training`.

    `last_weights` are those after the last round.
    """

    state: dict[str, Any] | None = None
    logits: Sequence[np.ndarray] = ()
    last_weights: Sequence[np.ndarray] = ()

    def take_logits(self) -> list[np.ndarray]:
        """Return the logits after each epoch since the last call."""
        logits, self.logits = list(self.logits), ()
        return logits

    def weights(self) -> list[np.ndarray]:
        return list(self.last_weights)

    @property
    def history(self) -> list[Record]:
        """The records of the epochs so far."""
        return history_from_tree(self.state["history"]) if self.state else []


class RoundsOnWorkers:
    """Members trained on workers, for some epochs at a time."""

    def __init__(
        self, tasks: Sequence[TrainingTask], rows: MemberRows, *, scored: bool
    ):
        self._tasks, self._shared = tasks, (rows, scored, len(tasks))
        self.trainings = [_Member() for _ in tasks]

    @property
    def n_epochs(self) -> int:
        return len(self.trainings[0].history)

    def advance(self, n_epochs: int) -> None:
        """Train each member for more epochs; raise the first error."""
        n_done = self.n_epochs
        parts = [
            (i, _without_rows(task), member.state, n_epochs)
            for i, (task, member) in enumerate(
                zip(self._tasks, self.trainings, strict=True)
            )
        ]

        def keep(trained: tuple[int, _Member]) -> None:
            i, member = trained
            self.trainings[i] = member
            for record in member.history[n_done:]:
                self._tasks[i].on_epoch(record)

        workers.run_parts(_train_member, self._shared, parts, keep)

    def results(self) -> list[TrainingResult]:
        """End training; see `Training.result`."""
        return [
            _result(task, member)
            for task, member in zip(self._tasks, self.trainings, strict=True)
        ]


def _result(task: TrainingTask, member: _Member) -> TrainingResult:
    require_finite_weights(task, member.weights())
    state = member.state
    assert state is not None
    return TrainingResult(
        weights=member.weights(),
        optimizer_state=[],  # the mean of the members has none
        history=member.history,
        rows_trained=state["rows_trained"],
        stopped=False,
        interrupted=False,
    )


def _without_rows(task: TrainingTask) -> TrainingTask:
    """Return a task as it is sent, its rows being there already."""
    few = slice(0, 0)
    if isinstance(task, StreamedTask):
        task = replace(task, store=None)  # type: ignore[arg-type]  # until it arrives
    return replace(
        task,
        table=task.table.take(few),
        positions=task.positions[few],
        validation=None,
        on_epoch=_no_report,
    )


def _no_report(record: Record) -> None:
    """Report nothing: the process of the user does when a member comes back."""


def _train_member(
    rows: MemberRows,
    scored: bool,
    n_members: int,
    number: int,
    task: TrainingTask,
    state: dict[str, Any] | None,
    n_epochs: int,
) -> tuple[int, _Member]:
    """Train a member for some epochs on a worker."""
    keras_backend.load()
    positions, validation = rows.of(number, scored=scored)
    if isinstance(task, StreamedTask) and rows.stored is not None:
        task = replace(task, store=rows.stored)
    task = replace(
        task,
        table=rows.table,
        positions=positions,
        validation=validation,
        # where a worker is a thread, this is the task of all rounds
        random_state=deepcopy(task.random_state),
    )
    training = Training(task, n_members)
    if state is not None:
        training.restore(state)
    training.run(n_epochs=n_epochs)
    logits, weights = training.take_logits(), training.weights()
    return number, _Member(training.state(), logits, weights)
