"""Training of networks from plain values, and what is known of each afterwards."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from sklearn.exceptions import ConvergenceWarning

from skdnn._estimator.calibration import Reliability
from skdnn._estimator.conformal import LeftOut
from skdnn._estimator.summary import FinalLoss, TrainingSummary
from skdnn._network import prediction
from skdnn._network.spec import NetworkSpec
from skdnn._runtime.progress import Progress
from skdnn._tabular.encoder import TableEncoder
from skdnn._training.loss import class_share_loss, class_shares
from skdnn._training.stacks import train_stack
from skdnn._training.task import TrainingResult, TrainingTask
from skdnn.exceptions import BaselineWarning

# Rows on which the loss is compared with that of the class shares, at most.
_BASELINE_ROWS = 20_000


@dataclass(frozen=True)
class FittedState:
    """The parts of a fitted network; training may resume from them."""

    encoder: TableEncoder
    spec: NetworkSpec
    weights: Sequence[np.ndarray]
    optimizer_state: Sequence[np.ndarray] | None
    history: pd.DataFrame
    rows_trained: int


@dataclass(frozen=True)
class TrainedNetwork(FittedState):
    """A network after training, and how its training went."""

    summary: TrainingSummary
    baseline_loss: float
    known_rows: np.ndarray  # positions of the rows it was trained or validated on
    problems: list[Warning]
    n_epochs: int  # of this training
    interrupted: bool = False  # by the user
    left_out: LeftOut | None = None


def report_epoch(progress: Progress, record: dict[str, float]) -> None:
    """Advance by an epoch, and show its losses."""
    shown = ("loss", "val_loss") if np.isfinite(record["val_loss"]) else ("loss",)
    progress.step({name: record[name] for name in shown})


def with_progress(
    tasks: Sequence[TrainingTask], progress: Progress
) -> list[TrainingTask]:
    """Return tasks that report each of their epochs."""
    return [replace(task, on_epoch=partial(report_epoch, progress)) for task in tasks]


def train_networks(
    tasks: Sequence[TrainingTask], progress: Progress
) -> list[TrainingResult]:
    """Train networks side by side; raise the error of the first that failed."""
    results = []
    for result in train_stack(with_progress(tasks, progress)):
        if isinstance(result, Exception):
            raise result
        results.append(result)
    return results


def mean_history(histories: Sequence[pd.DataFrame | list[dict[str, float]]]) -> Any:
    """Return the mean of histories epoch by epoch, over those that are as long."""
    frames = pd.concat([pd.DataFrame(history) for history in histories])
    return frames.groupby(level=0).mean()


def best_epoch(history: pd.DataFrame) -> int:
    """Return the epoch, from 1, of the lowest validation loss."""
    return int(np.nanargmin(history["val_loss"])) + 1


def describe_training(
    task: TrainingTask,
    result: TrainingResult,
    encoder: TableEncoder,
    *,
    earlier: FittedState | None = None,
    incremental: bool = False,
    reliability: Reliability | None = None,
    ending: str | None = None,
    members: str | None = None,
    tried_losses: Sequence[float] | None = None,
    tried_seconds: float | None = None,
    left_out: LeftOut | None = None,
) -> TrainedNetwork:
    """Return a trained network with its history, losses, summary and problems.

    `earlier` is the state that training resumed from; the arguments after
    `reliability` are what the summary reports of the recipe.
    """
    history = pd.DataFrame(result.history)
    if earlier is not None:
        history = pd.concat([earlier.history, history], ignore_index=True)
    y, weight = task.labels()
    shares = class_shares(y, weight, max(2, task.spec.n_outputs))
    baseline, known_rows = class_share_loss(y, weight, shares), task.positions
    final = _final_loss(task, result, baseline, shares)
    if task.held_out is not None:
        known_rows = np.concatenate([known_rows, task.held_out])
    return TrainedNetwork(
        encoder=encoder,
        spec=task.spec,
        weights=result.weights,
        # kept where the next call resumes from it; else a pickle needs weights only
        optimizer_state=result.optimizer_state if incremental else None,
        history=history,
        rows_trained=result.rows_trained,
        summary=TrainingSummary(
            n_train=task.n_train,
            n_validation=0 if task.validation is None else len(task.validation),
            shares=shares,
            batch_size=task.batch_size,
            solver=task.solver.name,
            ending=ending or _ending(task, result),
            best_epoch=best_epoch(history) if task.stopping.early else None,
            members=members,
            reliability=reliability,
            final=final,
            tried_losses=tried_losses,
            tried_seconds=tried_seconds,
        ),
        baseline_loss=baseline,
        known_rows=known_rows,
        problems=_problems(task, result, final, incremental),
        n_epochs=len(result.history),
        interrupted=result.interrupted,
        left_out=left_out,
    )


def _ending(task: TrainingTask, result: TrainingResult) -> str:
    if result.interrupted:
        return "interrupted by the user"
    if not result.stopped:
        return "ended at max_iter"
    if task.solver.full_batch:
        return "ended as the gradient had vanished"
    monitored = "validation" if task.stopping.early else "training"
    or_callback = ", or by a callback" if task.callbacks else ""
    return (
        f"ended as the {monitored} loss had not improved for "
        f"{task.stopping.patience:g} epochs{or_callback}"
    )


def _problems(
    task: TrainingTask,
    result: TrainingResult,
    final: FinalLoss,
    incremental: bool,
) -> list[Warning]:
    """Return warnings of what went wrong in a fit that ended, with the remedies."""
    if incremental or result.interrupted:  # which the caller raises
        return []
    problems: list[Warning] = []
    stopping = task.stopping
    if not result.stopped and task.solver.full_batch:
        text = (
            f"Training reached max_iter={stopping.max_iter} iterations or "
            f"max_fun={stopping.max_fun} evaluations before the gradient fell "
            f"below tol={stopping.tol:g}. Raise them, or scale the columns."
        )
        problems.append(ConvergenceWarning(text))
    elif not result.stopped and stopping.can_converge:
        text = (
            f"Training reached max_iter={stopping.max_iter} before the loss stopped "
            f"falling by tol={stopping.tol:g}. Raise max_iter or learning_rate_init, "
            "or set n_iter_no_change=np.inf to always train that many epochs."
        )
        problems.append(ConvergenceWarning(text))
    if not final.is_below:
        remedy = (
            " Scale the columns (MinMaxScaler or StandardScaler in a Pipeline), train "
            "longer (max_iter), try another learning_rate_init or less "
            "regularisation, or check that the classes depend on the columns."
        )
        problems.append(BaselineWarning(final.failure + remedy))
    return problems


def _final_loss(
    task: TrainingTask, result: TrainingResult, baseline: float, shares: np.ndarray
) -> FinalLoss:
    """Return the loss of the kept weights beside the baseline.

    It is evaluated again where the outcome is open: the recorded training loss includes
    penalties, dropout and smoothing, so that one near the baseline overstates the
    cross-entropy.
    """
    loss, name = float(result.history[-1]["loss"]), "training loss"
    # a linear network has as many weights, apart from the intercepts
    df = task.spec.n_inputs * max(1, task.spec.n_outputs - 1)
    if task.validation is not None:
        rows = task.validation.take(slice(0, _BASELINE_ROWS))
        name, df = "validation loss", 1
    elif loss < 0.9 * baseline:
        n_rows = min(len(task.positions), _BASELINE_ROWS)
        return FinalLoss(name, loss, baseline, n_rows, df)
    else:
        rows = task.table.take(task.positions[:_BASELINE_ROWS])
    if rows.weight.sum() > 0:
        loss = prediction.mean_loss(
            task.spec, result.weights, rows.X, rows.y, rows.weight
        )
        baseline = class_share_loss(rows.y, rows.weight, shares)
    return FinalLoss(name, loss, baseline, len(rows), df)
