"""Results and histories of training as trees of a checkpoint."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from skdnn._training.task import Record, TrainingResult, TrainingTask

# Keys of a part: the result of a training, or the state of an unfinished one.
_RESULT, _STATE = "result", "training"


def keep_result(task: TrainingTask, result: TrainingResult) -> None:
    """Keep the result of a training, unless the user has interrupted it."""
    if task.checkpoint is None or result.interrupted:
        return
    tree = {
        "weights": result.weights,
        "optimizer_state": result.optimizer_state,
        "history": history_as_tree(result.history),
        "rows_trained": int(result.rows_trained),
        "stopped": bool(result.stopped),
    }
    task.checkpoint.put({_RESULT: tree})


def kept_result(task: TrainingTask) -> TrainingResult | None:
    """Return the result that an earlier run has kept of this training, if any."""
    tree = _kept(task).get(_RESULT)
    if tree is None:
        return None
    history = history_from_tree(tree.pop("history"))
    for record in history:
        task.on_epoch(record)
    return TrainingResult(**tree, history=history, interrupted=False)


def keep_state(task: TrainingTask, state: Any) -> None:
    """Keep the state of a training between two epochs."""
    assert task.checkpoint is not None
    task.checkpoint.put({_STATE: state})


def kept_state(task: TrainingTask) -> Any:
    """Return the state that an earlier run has left this training in, if any."""
    return _kept(task).get(_STATE)


def _kept(task: TrainingTask) -> Any:
    return {} if task.checkpoint is None else task.checkpoint.load() or {}


def history_as_tree(history: Sequence[Record]) -> dict[str, np.ndarray]:
    """Return a column for each figure of the records of epochs."""
    names = history[0] if history else ()
    return {name: np.array([record[name] for record in history]) for name in names}


def history_from_tree(columns: dict[str, np.ndarray]) -> list[Record]:
    """Return a record for each epoch."""
    lists = [column.tolist() for column in columns.values()]
    return [dict(zip(columns, own, strict=True)) for own in zip(*lists, strict=True)]
