"""Full-batch training by L-BFGS, as ``MLPClassifier(solver="lbfgs")`` does."""

import time
from dataclasses import astuple

import numpy as np

from skdnn._runtime import keras_backend
from skdnn._training.config import (
    COMPILED_BACKENDS,
    Execution,
    TrainingResult,
    TrainingTask,
    require_finite,
)
from skdnn._training.program import program


def train_lbfgs(fit: TrainingTask) -> TrainingResult:
    """Train one network by SciPy's L-BFGS-B.

    Parameters
    ----------
    fit : Fit
        Its rows are one batch; ``stopping.tol`` is the gradient's, ``stopping.max_fun``
        bounds the evaluations (Byrd et al., 1995).

    Returns
    -------
    Fitted
        One record for each iteration.
    """
    from scipy.optimize import minimize

    if keras_backend.backend() not in COMPILED_BACKENDS:
        raise ValueError(
            "solver='lbfgs' needs one of Keras's backends "
            f"{', '.join(COMPILED_BACKENDS)}. Got {keras_backend.backend()!r}; use "
            "solver='adam', or set KERAS_BACKEND before Keras is imported."
        )
    history: list[dict] = []
    latest: dict[str, float] = {}
    shapes = [array.shape for array in fit.spec.arrays]
    ends = np.cumsum([array.size for array in fit.spec.arrays])[:-1]
    # all rows are one batch, and a program of any length takes them as they are
    execution = Execution(xla=False, batch_rows=None, block_rows=0)
    compiled = program(fit.spec, fit.solver, fit.penalties.active, execution)
    state = compiled.start(fit)
    rows = compiled.put(fit.table.take(fit.positions).dense())

    def loss_and_gradient(flat):
        values = state._replace(weights=[compiled.tensor(flat.astype(fit.spec.dtype))])
        loss, accuracy, gradient = compiled.gradient(
            values, rows, astuple(fit.penalties)
        )
        latest["accuracy"] = accuracy
        require_finite(loss, len(history) + 1, np.nan)
        return loss, gradient

    def keep(intermediate_result):
        # the last evaluation of a line search is the one that is kept
        record = {
            "loss": float(intermediate_result.fun),
            "accuracy": latest["accuracy"],
            "val_loss": np.nan,
            "val_accuracy": np.nan,
            "learning_rate": np.nan,
            "seconds": clock.lap(),
        }
        history.append(record)
        fit.on_epoch(record)

    clock = _Clock()
    result = minimize(
        loss_and_gradient,
        np.concatenate([w.ravel() for w in fit.weights]).astype(np.float64),
        method="L-BFGS-B",
        jac=True,
        callback=keep,
        options={
            "maxiter": fit.stopping.max_iter,
            "maxfun": fit.stopping.max_fun,
            "gtol": fit.stopping.tol,
        },
    )
    if not history:  # the start was as good as it gets
        keep(result)
    weights = [
        part.reshape(shape).astype(fit.spec.dtype)
        for part, shape in zip(np.split(result.x, ends), shapes, strict=True)
    ]
    return TrainingResult(
        weights=weights,
        optimizer_state=[],
        history=history,
        rows_seen=fit.rows_seen,
        stopped=result.status != 1,  # 1: too many iterations or evaluations
        interrupted=False,
    )


class _Clock:
    """Tells the seconds since it was last asked."""

    def __init__(self):
        self._then = time.perf_counter()

    def lap(self) -> float:
        """Return the seconds since the last lap."""
        now = time.perf_counter()
        seconds, self._then = now - self._then, now
        return seconds
