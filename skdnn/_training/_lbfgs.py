"""Full-batch training by L-BFGS, as ``MLPClassifier(solver="lbfgs")`` does."""

import time

import numpy as np

from skdnn import _keras
from skdnn._training._plan import Fit, Fitted, require_finite


def train_lbfgs(fit: Fit) -> Fitted:
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

    if _keras.backend() != "tensorflow":
        raise ValueError(
            "solver='lbfgs' needs Keras's TensorFlow backend. Got KERAS_BACKEND="
            f"{_keras.backend()!r}; use solver='adam', or the backend 'tensorflow'."
        )
    from skdnn._training._epoch_tensorflow import program

    history: list[dict] = []
    latest: dict[str, float] = {}
    shapes = [array.shape for array in fit.spec.arrays]
    ends = np.cumsum([array.size for array in fit.spec.arrays])[:-1]
    with program(fit.spec, fit.solver, fit.penalties.active).running(fit) as compiled:
        rows = compiled.put(fit.train.dense())

        def loss_and_gradient(flat):
            loss, accuracy, gradient = compiled.gradient(rows, flat)
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
    return Fitted(
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
