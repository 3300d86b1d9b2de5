"""The verdict on a fit, in words."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from skdnn._estimator.calibration import Reliability
from skdnn._network.spec import NetworkSpec


@dataclass(frozen=True)
class TrainingSummary:
    """How a fit went.

    Parameters
    ----------
    n_train, n_validation : int
        Rows of each kind.
    shares : ndarray of shape (n_classes,)
        Weighted class shares of the training rows.
    batch_size : int
        Rows a step.
    solver : str
        Name of the optimizer.
    ending : str
        Why training ended.
    best_epoch : int or None
        Epoch, from 1, whose weights were kept; None if the last one's were.
    members : str or None
        What the members of an ensemble are; None for one network.
    reliability : Reliability or None
        Of the probabilities; None where they were not calibrated.
    """

    n_train: int
    n_validation: int
    shares: np.ndarray
    batch_size: int
    solver: str
    ending: str
    best_epoch: int | None
    members: str | None = None
    reliability: Reliability | None = None


def verdict(history: pd.DataFrame, baseline: float, best_epoch: int | None) -> str:
    """Return one or two sentences on how well a fit converged.

    Parameters
    ----------
    history : DataFrame
        A row per epoch: loss, val_loss.
    baseline : float
        Loss of predicting the class shares.
    best_epoch : int or None
        Epoch whose weights were kept.
    """
    loss = history["loss"].to_numpy()
    watched = history["val_loss"].to_numpy()
    name = "validation loss"
    if np.isnan(watched).all():
        watched, name = loss, "training loss"
    at = len(watched) if best_epoch is None else best_epoch
    final = watched[at - 1]
    if not final < baseline:
        return (
            f"The network learned nothing: its {name}, {final:.4f}, is no better than "
            f"the baseline, {baseline:.4f}."
        )
    gain = 1 - final / baseline
    words = [f"The network learned: its {name} is {gain:.0%} below the baseline."]
    tail = max(2, len(watched) // 10)
    lowest = int(np.argmin(watched)) + 1
    if len(watched) >= 10 and watched[-1] - watched[lowest - 1] > 0.03 * baseline:
        what = "was restored" if best_epoch else "early_stopping=True would keep it"
        words.append(
            f"The {name} rose again after epoch {lowest}, its best, which {what}."
        )
    elif len(watched) >= 10 and watched[-1 - tail] - watched[-1] > 0.01 * baseline:
        words.append("The loss was still falling: a larger max_iter should help.")
    return " ".join(words)


def summarise(
    spec: NetworkSpec,
    course: TrainingSummary,
    history: pd.DataFrame,
    baseline: float,
    class_names: list[str],
    n_columns: int,
) -> str:
    """Return data, network, training and verdict as lines of text."""
    n_weights = sum(array.size for array in spec.arrays if array.trainable)
    data = f"{course.n_train} rows to train on"
    if course.n_validation:
        data += f", {course.n_validation} to validate on"
    data += f", {n_columns} column{'s' if n_columns > 1 else ''}"
    if spec.n_inputs != n_columns:
        data += f" as {spec.n_inputs} input{'s' if spec.n_inputs > 1 else ''}"
    shares = [
        f"{name} {share:.0%}"
        for name, share in zip(class_names, course.shares, strict=True)
    ]
    if len(shares) > 8:
        shares = [*shares[:7], f"and {len(shares) - 7} more"]
    epochs = len(history)
    at = epochs if course.best_epoch is None else course.best_epoch
    row = history.iloc[at - 1]
    losses = f"training {row['loss']:.4f}"
    if np.isfinite(row["val_loss"]):
        losses += f", validation {row['val_loss']:.4f}"
    members = {"members": course.members} if course.members else {}
    reliability = {}
    if course.reliability:
        reliability["reliability"] = _reliability(course.reliability)
    lines = {
        "data": data,
        "classes": ", ".join(shares),
        "network": f"{_layers(spec)}; {n_weights} weights, {spec.dtype}",
        **members,
        "training": (
            f"{course.solver}, batches of {course.batch_size}, {epochs} "
            f"epoch{'s' if epochs > 1 else ''} in {history['seconds'].sum():.1f} s; "
            f"{course.ending}"
        ),
        "best epoch": f"{at} of {epochs}",
        "loss": f"{losses}, baseline {baseline:.4f} (class shares only)",
        **reliability,
        "verdict": verdict(history, baseline, course.best_epoch),
    }
    return "\n".join(f"{name:<11} {text}" for name, text in lines.items())


def _reliability(told: Reliability) -> str:
    return (
        f"logits times {told.inverse_temperature:.2f}; expected calibration "
        f"error of rows not trained on {told.before:.3f} before, {told.after:.3f} after"
    )


def _layers(spec: NetworkSpec) -> str:
    parts = [str(spec.n_inputs)]
    for layer in spec.hidden:
        activation = layer.activation
        name = activation if isinstance(activation, str) else "function"
        extras = [name]
        extras += ["batch norm"] if layer.batch_norm else []
        extras += [f"dropout {layer.dropout:g}"] if layer.dropout else []
        parts.append(f"{layer.units} ({', '.join(extras)})")
    return " -> ".join([*parts, f"{spec.n_outputs} ({spec.output})"])
