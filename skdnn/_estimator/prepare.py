"""Between the estimator and the trainer: what to do, and what a fit leaves."""

import warnings
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state

from skdnn._estimator import parameters as _parameters
from skdnn._estimator.calibration import OutOfFoldScores
from skdnn._estimator.summary import TrainingSummary
from skdnn._network import prediction
from skdnn._network.initial_weights import uniform_weights
from skdnn._network.spec import NetworkSpec
from skdnn._runtime import keras_backend
from skdnn._runtime.progress import Progress
from skdnn._tabular import validation as _data
from skdnn._tabular.dataset import Dataset
from skdnn._tabular.encoder import fit_table, has_missing
from skdnn._training.loss import class_share_loss, class_shares
from skdnn._training.optimizers import check_dtype
from skdnn._training.task import TrainingResult, TrainingTask
from skdnn.exceptions import BaselineWarning

# Rows that the check against the baseline looks at, at most.
_BASELINE_ROWS = 20_000


def plan(
    estimator,
    rows: Dataset,
    validation: Dataset | None,
    progress: Progress,
    *,
    resume: bool,
    incremental: bool,
) -> TrainingTask:
    """Return what the parameters ask to be done with the rows.

    Parameters
    ----------
    estimator : DNNClassifier
        With checked parameters and ``classes_``.
    rows, validation : Rows, Rows or None
        Checked data, categories as codes.
    progress : Progress
        Hears of every epoch.
    goes_on : bool
        Whether training goes on from the estimator's weights.
    incremental : bool
        Whether this is one epoch of `partial_fit`.
    """
    random_state = check_random_state(estimator.random_state)
    rows = rows.astype(keras_backend.precision(rows.X.dtype.name))
    spec, weights, positions, held_out = _begin(
        estimator,
        rows,
        random_state,
        is_validated=validation is not None,
        resume=resume,
    )
    table = _data.encoded(estimator._table, rows)
    if held_out is not None:
        validation = table.take(held_out)
    elif validation is not None:
        validation = _data.encoded(estimator._table, validation)
    _parameters.check_calibration(estimator, table, is_judged=validation is not None)
    rows_seen = estimator.t_ if resume else 0
    solver, rate = _parameters.solver_and_rate(estimator)
    check_dtype(solver, spec.dtype)
    return TrainingTask(
        spec=spec,
        weights=weights,
        solver=solver,
        optimizer_state=estimator._optimizer_state if resume and incremental else None,
        table=table,
        positions=positions,
        validation=validation,
        held_out=held_out,
        batch_size=_parameters.batch_size(estimator, len(positions)),
        shuffle=bool(estimator.shuffle),
        random_state=random_state,
        dropout_seed=_dropout_seed(spec, random_state, rows_seen),
        rate=rate,
        penalties=_parameters.penalties(estimator),
        stopping=_parameters.stopping(estimator, incremental),
        rows_seen=rows_seen,
        callbacks=_parameters.copied_callbacks(estimator),
        on_epoch=lambda record: progress.step(figures(record)),
    )


def prepare(estimator, X, y, sample_weight=None) -> TrainingTask:
    """Return what ``estimator.fit(X, y, sample_weight)`` would do, and check it all.

    For networks that are trained together: `finish` makes the estimator fitted.

    Raises
    ------
    ValueError
        For parameters or data that cannot be.
    """
    _parameters.check_parameters(estimator)
    rows = _data.take_rows(estimator, X, y, sample_weight, resume=False)
    silent = Progress(1, "epoch", False)
    return plan(estimator, rows, None, silent, resume=False, incremental=False)


def finish(estimator, fit: TrainingTask, fitted: TrainingResult) -> None:
    """Make an estimator fitted by what training left of its `prepare`."""
    keep(estimator, fit, fitted, resume=False, incremental=False)
    warn(estimator, fit, fitted, incremental=False)


def _begin(
    estimator,
    rows: Dataset,
    random_state: np.random.RandomState,
    *,
    is_validated: bool,
    resume: bool,
) -> tuple[NetworkSpec, Sequence[np.ndarray], np.ndarray, np.ndarray | None]:
    """Return the network, its starting weights, and positions of the rows.

    Those that are trained on, and those that are held out to validate on. Sets
    ``_table``, fitted on the former. As MLPClassifier draws weights before the cut, so
    does this, unless levels and missing cells of the training rows decide how many
    inputs there are.
    """
    spec_of = partial(
        _parameters.network_spec,
        estimator,
        n_classes=len(estimator.classes_),
        dtype=rows.X.dtype,
        multilabel=rows.y.ndim == 2,
    )
    is_as_wide = not estimator._columns.codes and not has_missing(rows.X)
    early_weights = None
    if is_as_wide and not resume:
        early_weights = uniform_weights(spec_of(rows.X.shape[1]), random_state)
    positions, held_out = _data.cut(
        estimator, rows, is_validated=is_validated, random_state=random_state
    )
    if estimator.bootstrap:  # after the cut: no copy of a row stands on both sides
        positions = _data.drawn(positions, rows.weight, random_state)
    if not resume:
        is_whole = held_out is None and not estimator.bootstrap
        X = rows.X if is_whole else rows.X[positions]
        weight = rows.weight if is_whole else rows.weight[positions]
        estimator._table = fit_table(estimator._columns, X, weight, recipe=False)
    spec = spec_of(estimator._table.n_inputs)
    if resume:
        _parameters.check_same_network(estimator._spec, spec)
        weights = estimator._weights
    else:
        weights = early_weights or uniform_weights(spec, random_state)
    return spec, weights, positions, held_out


def keep(
    estimator,
    fit: TrainingTask,
    fitted: TrainingResult,
    *,
    resume: bool,
    incremental: bool,
) -> None:
    """Set the attributes of the estimator that end in an underscore."""
    history = pd.DataFrame(fitted.history)
    if resume:
        history = pd.concat([estimator.history_, history], ignore_index=True)
    estimator._spec, estimator._weights = fit.spec, fitted.weights
    # kept where the next call goes on from it; a pickle is weights only otherwise
    estimator._optimizer_state = fitted.optimizer_state if incremental else None
    vars(estimator).pop("_model", None)
    keep_history(estimator, history, fit)
    estimator.t_ = fitted.rows_seen
    y, weight = fit.table.y[fit.positions], fit.table.weight[fit.positions]
    shares = class_shares(y, weight, len(estimator.classes_))
    estimator.baseline_loss_ = class_share_loss(y, weight, shares)
    estimator._training_summary = _training_summary(fit, fitted, history, shares)
    if estimator.calibration is not None and fit.spec.encoding is None:
        _calibrate(estimator, fit)


def _calibrate(estimator, fit: TrainingTask) -> None:
    """Set the inverse temperature fitted to the validation rows (not in the recipe)."""
    validation, spec = fit.validation, fit.spec
    assert validation is not None
    logits = prediction.predict_logits(spec, estimator._weights, validation.X)
    log_proba = prediction.log_probabilities(spec, logits)
    rows = [np.arange(len(validation))]
    judged = OutOfFoldScores(rows, [log_proba], validation.y, validation.weight)
    told = judged.reliability()
    estimator._spec = replace(spec, inverse_temperature=told.inverse_temperature)
    estimator._training_summary = replace(estimator._training_summary, reliability=told)


def keep_history(estimator, history: pd.DataFrame, fit: TrainingTask) -> None:
    """Set the attributes that tell of epochs and layers."""
    early = fit.stopping.early
    estimator.history_ = history
    estimator.n_iter_ = len(history)
    estimator.loss_curve_ = history["loss"].tolist()
    estimator.loss_ = estimator.loss_curve_[-1]
    estimator.best_loss_ = None if early else min(estimator.loss_curve_)
    validates = fit.validation is not None
    scores = history["val_accuracy"].tolist() if validates else None
    estimator.validation_scores_ = scores
    estimator.best_validation_score_ = max(scores) if scores else None
    estimator.n_layers_ = len(fit.spec.widths)
    estimator.n_outputs_ = fit.spec.n_outputs
    estimator.out_activation_ = fit.spec.output


def warn(
    estimator, fit: TrainingTask, fitted: TrainingResult, *, incremental: bool
) -> None:
    """Say what went wrong in a fit that ended, and what to do about it."""
    if fitted.interrupted:
        warnings.warn("Training interrupted by user.", stacklevel=4)
        return
    may_converge = fit.stopping.can_converge or fit.solver.full_batch
    if not incremental and not fitted.stopped and may_converge:
        warnings.warn(
            _not_converged(fit),
            ConvergenceWarning,
            stacklevel=4,
        )
    if incremental:
        return
    loss, baseline = _final_losses(estimator, fit)
    if not loss < baseline:
        warnings.warn(
            f"The network learned nothing: its loss, {loss:.4f}, is no better than "
            f"{baseline:.4f}, that of predicting the class shares for every row. "
            "Scale the columns (MinMaxScaler or StandardScaler in a Pipeline), train "
            "longer (max_iter), try another learning_rate_init or less "
            "regularisation, or check that the columns tell the classes apart.",
            BaselineWarning,
            stacklevel=4,
        )


def _not_converged(fit: TrainingTask) -> str:
    if fit.solver.full_batch:
        return (
            f"Training reached max_iter={fit.stopping.max_iter} iterations or "
            f"max_fun={fit.stopping.max_fun} evaluations before the gradient fell "
            f"below tol={fit.stopping.tol:g}. Raise them, or scale the columns."
        )
    return (
        f"Training reached max_iter={fit.stopping.max_iter} before the loss stopped "
        f"falling by tol={fit.stopping.tol:g}. Raise max_iter or learning_rate_init, "
        "or set n_iter_no_change=np.inf to mean that many epochs."
    )


def _dropout_seed(
    spec: NetworkSpec, random_state: np.random.RandomState, rows_seen: int
) -> int:
    """Return a seed that differs between the parts of a training that goes on.

    It is drawn only where there is dropout, so that all else is drawn as in
    MLPClassifier.
    """
    if not any(layer.dropout for layer in spec.hidden):
        return 0
    entropy = [int(random_state.randint(2**31 - 1)), rows_seen]
    return int(np.random.SeedSequence(entropy).generate_state(1)[0])


def _final_losses(estimator, fit: TrainingTask) -> tuple[float, float]:
    """Return loss and baseline where the former was recorded, or, in doubt, anew.

    The recorded training loss holds penalties, dropout and smoothing: one that is
    near the baseline may be better than it looks.
    """
    baseline = estimator.baseline_loss_
    if fit.validation is None and estimator.loss_ < 0.9 * baseline:
        return estimator.loss_, baseline
    if fit.validation is None:
        rows = fit.table.take(fit.positions[:_BASELINE_ROWS])
    else:
        rows = fit.validation.take(slice(0, _BASELINE_ROWS))
    total = rows.weight.sum()
    if not total > 0:
        return estimator.loss_, baseline
    logits = prediction.predict_logits(estimator._spec, estimator._weights, rows.X)
    loss = prediction.mean_loss(estimator._spec, logits, rows.y, rows.weight)
    return loss, class_share_loss(
        rows.y, rows.weight, estimator._training_summary.shares
    )


def _training_summary(
    fit: TrainingTask, fitted: TrainingResult, history, shares: np.ndarray
) -> TrainingSummary:
    stopping = fit.stopping
    watched = "validation" if stopping.early else "training"
    if fitted.interrupted:
        ending = "interrupted by the user"
    elif fitted.stopped and fit.solver.full_batch:
        ending = "ended as the gradient had vanished"
    elif fitted.stopped:
        ending = (
            f"ended as the {watched} loss had not improved for "
            f"{stopping.patience:g} epochs"
        )
        ending += ", or by a callback" if fit.callbacks else ""
    else:
        ending = "ended at max_iter"
    best = int(np.nanargmin(history["val_loss"])) + 1 if stopping.early else None
    return TrainingSummary(
        n_train=fit.n_train,
        n_validation=0 if fit.validation is None else len(fit.validation),
        shares=shares,
        batch_size=fit.batch_size,
        solver=fit.solver.name,
        ending=ending,
        best_epoch=best,
    )


def figures(record: dict) -> dict[str, float]:
    """Return what the progress line shows of an epoch."""
    figures = {"loss": record["loss"]}
    if np.isfinite(record["val_loss"]):
        figures["val_loss"] = record["val_loss"]
    return figures
