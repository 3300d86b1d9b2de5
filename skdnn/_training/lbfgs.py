"""Full-batch training by L-BFGS, as ``MLPClassifier(solver="lbfgs")`` does."""

import time
from dataclasses import astuple
from typing import Any

import numpy as np

from skdnn._training.backend_functions import tensor
from skdnn._training.batching import dense_arrays
from skdnn._training.execution import Execution
from skdnn._training.loss import epoch_record, require_finite
from skdnn._training.spec_functions import spec_program
from skdnn._training.task import Record, TrainingResult, TrainingTask


def train_lbfgs(task: TrainingTask) -> TrainingResult:
    """Train by SciPy's L-BFGS-B (Byrd et al., 1995); one record per iteration."""
    from scipy.optimize import minimize

    spec, history = task.spec, list[Record]()
    latest: dict[str, float] = {}
    # one batch of all rows, in a program for any length
    execution = Execution(xla=False, batch_rows=None, block_rows=0)
    program = spec_program(spec, task.solver, task.penalties.active, execution)
    state = program.functions.start(task)
    rows = list(map(tensor, dense_arrays(task.table, task.positions)))
    numbers = tensor(np.array((0.0, *astuple(task.penalties), 1.0), dtype=spec.dtype))

    def loss_and_gradient(flat: np.ndarray) -> tuple[float, np.ndarray]:
        now = state._replace(weights=[tensor(flat.astype(spec.dtype))])
        loss, accuracy, gradient = program.of_weights("gradient", now, rows, numbers)
        latest["accuracy"] = float(accuracy)
        require_finite(float(loss), len(history) + 1, np.nan)
        return float(loss), gradient.astype(np.float64)

    started = [time.perf_counter()]

    def keep(intermediate_result: Any) -> None:
        # the last evaluation of a line search is the one that is kept
        started.append(time.perf_counter())
        record = epoch_record(float(intermediate_result.fun), 1, latest["accuracy"], 1)
        record |= {"learning_rate": np.nan, "seconds": started[-1] - started[-2]}
        history.append(record)
        task.on_epoch(record)

    result = minimize(
        loss_and_gradient,
        np.concatenate([w.ravel() for w in task.weights]).astype(np.float64),
        method="L-BFGS-B",
        jac=True,
        callback=keep,
        options={
            "maxiter": task.stopping.max_iter,
            "maxfun": task.stopping.max_fun,
            "gtol": task.stopping.tol,
        },
    )
    if not history:  # the starting weights were optimal
        keep(result)
    ends = np.cumsum([array.size for array in spec.arrays])[:-1]
    return TrainingResult(
        weights=[
            part.reshape(array.shape).astype(spec.dtype)
            for part, array in zip(np.split(result.x, ends), spec.arrays, strict=True)
        ],
        optimizer_state=[],
        history=history,
        rows_trained=task.rows_trained,
        stopped=result.status != 1,  # 1: too many iterations or evaluations
        interrupted=False,
    )
