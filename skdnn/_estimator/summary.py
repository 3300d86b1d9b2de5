"""The summary of a fit as text."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from skdnn._estimator.calibration import Reliability
from skdnn._network.spec import Hidden, NetworkSpec

if TYPE_CHECKING:
    from skdnn._estimator.fitted_network import FittedNetwork


@dataclass(frozen=True)
class TrainingSummary:
    """How a fit went.

    `shares` are the weighted class shares of the training rows, `ending` is why
    training ended, `best_epoch`, from 1, the epoch whose weights were kept, None for
    the last one, and `members` describes the members of an ensemble.
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


def learned_nothing(name: str, loss: float, baseline: float) -> str:
    """Return a sentence if a loss is not below that of the class shares, else ""."""
    if loss < baseline:
        return ""
    return (
        f"The network learned nothing: its {name}, {loss:.4f}, is no better than "
        f"{baseline:.4f}, that of predicting the class shares for every row."
    )


def _verdict(history: pd.DataFrame, baseline: float, best_epoch: int | None) -> str:
    """Return one or two sentences on how well a fit converged."""
    monitored, name = history["val_loss"].to_numpy(), "validation loss"
    if np.isnan(monitored).all():
        monitored, name = history["loss"].to_numpy(), "training loss"
    n = len(monitored)
    final = monitored[(best_epoch or n) - 1]
    failure = learned_nothing(name, final, baseline)
    if failure:
        return failure
    gain = f"{1 - final / baseline:.0%}"
    text = f"The network learned: its {name} is {gain} below the baseline."
    lowest = int(np.argmin(monitored)) + 1
    if n < 10:
        return text
    if monitored[-1] - monitored[lowest - 1] > 0.03 * baseline:
        what = "was restored" if best_epoch else "early_stopping=True would keep it"
        text += f" The {name} rose again after epoch {lowest}, its best, which {what}."
    elif monitored[-1 - max(2, n // 10)] - monitored[-1] > 0.01 * baseline:
        text += " The loss was still falling: a larger max_iter should help."
    return text


def summarise(network: "FittedNetwork") -> str:
    """Return data, network, training and verdict as lines of text."""
    spec, summary = network._spec, network._training_summary
    history, baseline = network.history_, network.baseline_loss_
    n_weights = sum(array.size for array in spec.arrays if array.trainable)
    n_epochs = len(history)
    at = summary.best_epoch or n_epochs
    row = history.iloc[at - 1]
    losses = f"training {row['loss']:.4f}"
    if np.isfinite(row["val_loss"]):
        losses += f", validation {row['val_loss']:.4f}"
    pairs = zip(network.classes_, summary.shares, strict=True)
    classes = [f"{name!s} {share:.0%}" for name, share in pairs]
    if len(classes) > 8:
        classes = [*classes[:7], f"and {len(classes) - 7} more"]
    lines = {
        "data": _data(spec, summary, network.n_features_in_),
        "classes": ", ".join(classes),
        "network": f"{_layers(spec)}; {n_weights} weights, {spec.dtype}",
        "members": summary.members,
        "training": (
            f"{summary.solver}, batches of {summary.batch_size}, "
            f"{count(n_epochs, 'epoch')} in {history['seconds'].sum():.1f} s; "
            f"{summary.ending}"
        ),
        "best epoch": f"{at} of {n_epochs}",
        "loss": f"{losses}, baseline {baseline:.4f} (class shares only)",
        "reliability": summary.reliability,
        "verdict": _verdict(history, baseline, summary.best_epoch),
    }
    return "\n".join(f"{name:<11} {text}" for name, text in lines.items() if text)


def extras_of(layer: Hidden) -> list[str]:
    """Return what a layer has beside units and activation, as texts."""
    texts = ["batch norm"] if layer.batch_norm else []
    return texts + ([f"dropout {layer.dropout:g}"] if layer.dropout else [])


def count(n: int, noun: str) -> str:
    """Return a number with its noun, in the plural unless it is one."""
    return f"{n} {noun}{'s' if n > 1 else ''}"


def _data(spec: NetworkSpec, summary: TrainingSummary, n_columns: int) -> str:
    text = f"{summary.n_train} rows to train on"
    if summary.n_validation:
        text += f", {summary.n_validation} to validate on"
    text += f", {count(n_columns, 'column')}"
    if spec.n_inputs != n_columns:
        text += f" as {count(spec.n_inputs, 'input')}"
    return text


def _layers(spec: NetworkSpec) -> str:
    parts = [str(spec.n_inputs)]
    for layer in spec.hidden:
        name = layer.activation if isinstance(layer.activation, str) else "function"
        parts.append(f"{layer.units} ({', '.join([name, *extras_of(layer)])})")
    return " -> ".join([*parts, f"{spec.n_outputs} ({spec.output})"])
