"""The summary of a fit as text."""

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.special import chdtri

from skdnn._estimator.calibration import Reliability
from skdnn._network.spec import Hidden, NetworkSpec
from skdnn._runtime.names import visible

_MOST_NAMED = 20  # columns of one kind
_NAME = 11  # characters of the name of a line

if TYPE_CHECKING:
    from skdnn._estimator.fitted_network import FittedNetwork


@dataclass(frozen=True)
class FinalLoss:
    """The mean loss of a network beside that of predicting the class shares.

    `name` is the kind of rows, `n_rows` their number; `df` is the number of weights
    that even a linear network would fit to them, 1 if it was not fitted to them.
    """

    name: str
    loss: float
    baseline: float
    n_rows: int
    df: int

    @property
    def is_below(self) -> bool:
        """Whether the loss is below that of the class shares."""
        return self.loss < self.baseline

    @property
    def may_be_chance(self) -> bool:
        """Whether labels drawn at random would give such a loss in 5 of 100 fits.

        Twice the gain in log likelihood is chi-squared then (Wilks, 1938).
        """
        statistic = 2 * self.n_rows * (self.baseline - self.loss)
        return bool(statistic < chdtri(self.df, 0.05))

    @property
    def failure(self) -> str:
        """The sentence on a network whose loss is not below."""
        return (
            f"The network learned nothing: its {self.name}, {self.loss:.4f}, is no "
            f"better than {self.baseline:.4f}, that of predicting the class shares for "
            "every row."
        )

    @classmethod
    def mean(cls, losses: "Sequence[FinalLoss]") -> "FinalLoss":
        """Return the mean over the members of an ensemble."""
        first = losses[0]
        loss = float(np.mean([one.loss for one in losses]))
        baseline = float(np.mean([one.baseline for one in losses]))
        return cls(first.name, loss, baseline, first.n_rows, first.df)


@dataclass(frozen=True)
class TrainingSummary:
    """How a fit went.

    `shares` are the weighted class shares of the training rows, `ending` is why
    training ended, `best_epoch`, from 1, the epoch whose weights were kept, None for
    the last one, and `members` describes the members of an ensemble. `tried_losses` are
    the validation losses of the epochs among which the recipe chose their number, in
    `tried_seconds`.
    """

    n_train: int
    n_validation: int
    shares: np.ndarray
    batch_size: int
    solver: str
    ending: str
    best_epoch: int | None
    final: FinalLoss
    members: str | None = None
    reliability: Reliability | None = None
    tried_losses: Sequence[float] | None = None
    tried_seconds: float | None = None


def _verdict(history: pd.DataFrame, summary: TrainingSummary) -> str:
    """Return one or two sentences on how well a fit converged."""
    final = summary.final
    if not final.is_below:
        return final.failure
    name, baseline = final.name, final.baseline
    gain = f"its {name} is {1 - final.loss / baseline:.1%} below the baseline"
    if final.may_be_chance:
        return (
            f"Whether the network learned is open: {gain}, which rows without any "
            f"relation to the classes would also give ({final.n_rows} rows)."
        )
    text = f"The network learned: {gain}."
    monitored = history["val_loss"].to_numpy()
    what = "early_stopping=True would keep it"
    if summary.tried_losses is not None:
        monitored, what = np.asarray(summary.tried_losses), "is the last of training"
        name = "validation loss"
    elif summary.best_epoch is not None:
        what = "was restored"
    if np.isnan(monitored).all():
        monitored = history["loss"].to_numpy()
    n = len(monitored)
    lowest = int(np.argmin(monitored)) + 1
    if n < 10:
        return text
    if monitored[-1] - monitored[lowest - 1] > 0.03 * baseline:
        text += f" The {name} rose again after epoch {lowest}, its best, which {what}."
    elif monitored[-1 - max(2, n // 10)] - monitored[-1] > 0.01 * baseline:
        text += " The loss was still falling: a larger max_iter should help."
    return text


class SummaryText(str):
    """Lines of a name and a text, which notebooks show as a table."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        cell = '<td style="text-align:left">{}</td>'
        rows = [
            cell.format(f"<strong>{html.escape(line[:_NAME].strip())}</strong>")
            + cell.format(html.escape(line[_NAME:].strip()))
            for line in self.split("\n")
        ]
        table = "".join(f"<tr>{row}</tr>" for row in rows)
        return visible(f"<table>{table}</table>")


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
    time = f"{history['seconds'].sum():.1f} s"
    if summary.tried_seconds is not None:
        time += f", after {summary.tried_seconds:.1f} s to find the number of epochs"
    lines = {
        "data": _data(spec, summary, network.n_features_in_),
        "columns": _columns(network),
        "classes": ", ".join(classes),
        "network": f"{_layers(spec)}; {n_weights} weights, {spec.dtype}",
        "members": summary.members,
        "training": (
            f"{summary.solver}, batches of {summary.batch_size}, "
            f"{count(n_epochs, 'epoch')}; {summary.ending}"
        ),
        "time": time,
        "best epoch": f"{at} of {len(summary.tried_losses or history)}",
        "loss": f"{losses}, baseline {baseline:.4f} (class shares only)",
        "reliability": summary.reliability,
        "verdict": _verdict(history, summary),
    }
    return SummaryText(
        "\n".join(f"{name:<{_NAME}} {text}" for name, text in lines.items() if text)
    )


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


def _columns(network: "FittedNetwork") -> str:
    """Return which columns were taken as numbers, categories and booleans."""
    columns, n = network._columns, network.n_features_in_
    names = getattr(network, "feature_names_in_", [f"x{j}" for j in range(n)])
    kinds: dict[str, list[str]] = {"numbers": [], "categories": [], "booleans": []}
    for j, name in enumerate(names):
        if j in columns.codes:
            kinds["categories"].append(f"{name} ({len(columns.codes[j])})")
        else:
            kinds["booleans" if j in columns.booleans else "numbers"].append(str(name))
    parts = []
    for kind, of_kind in kinds.items():
        if len(of_kind) > _MOST_NAMED:
            of_kind = [*of_kind[:_MOST_NAMED], f"and {len(of_kind) - _MOST_NAMED} more"]
        if of_kind:
            parts.append(f"{kind}: {', '.join(of_kind)}")
    return "; ".join(parts)


def _layers(spec: NetworkSpec) -> str:
    parts = [str(spec.n_inputs)]
    for layer in spec.hidden:
        name = layer.activation if isinstance(layer.activation, str) else "function"
        parts.append(f"{layer.units} ({', '.join([name, *extras_of(layer)])})")
    return " -> ".join([*parts, f"{spec.n_outputs} ({spec.output})"])
