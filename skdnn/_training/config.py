"""What a fit is to do, as plain data, and the rules that follow from sizes alone."""

from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass, field
from typing import Any

import numpy as np

from skdnn._network.spec import NetworkSpec
from skdnn._tabular.dataset import Dataset
from skdnn._training.optimizers import Solver
from skdnn._training.schedules import Schedule

# Backends of Keras that have a compiled epoch.
COMPILED_BACKENDS = ("tensorflow", "jax")
# One call of a compiled program takes rows of about this many bytes, which stay in the
# cache, and no more than so many rows and steps.
_BLOCK_BYTES = 2 * 2**20
_BLOCK_ROWS = 2**15
_BLOCK_STEPS = 2**11
_EVALUATION_ROWS = 2**12
# One call tells what validation rows come to after so many epochs, at most.
_TOLD_EPOCHS = 2**6
_TOLD_BYTES = 8 * 2**20
# XLA takes half a second longer to compile a program and saves some 0.1 ms a step.
_XLA_PAYS_STEPS = 1_500


@dataclass(frozen=True)
class Execution:
    """How an epoch is compiled, and what its calls take: part of a program's shape.

    Parameters
    ----------
    xla : bool
        Whether XLA compiles it. A program of XLA is made for fixed lengths, so that
        blocks are filled up with rows of weight 0 behind their end.
    batch_rows : int or None
        Rows that a batch is filled up to; None takes it as it is.
    block_rows : int
        Rows that one call takes at most.
    """

    xla: bool
    batch_rows: int | None
    block_rows: int

    @property
    def padding(self) -> int | None:
        """Length that training blocks are filled up to: a batch may begin anywhere."""
        return None if self.batch_rows is None else self.block_rows + self.batch_rows

    @property
    def evaluation_rows(self) -> int:
        """Rows that are evaluated at once, at most."""
        return _EVALUATION_ROWS

    def evaluation_padding(self, n_samples: int, n_taken: int) -> int | None:
        """Return the length that a block of `n_taken` of the rows is filled up to."""
        if self.batch_rows is None:
            return None
        if n_samples > _EVALUATION_ROWS:
            return _EVALUATION_ROWS
        return max(64, 1 << (n_taken - 1).bit_length())

    def told_epochs(self, n_samples: int, row_bytes: int) -> int:
        """Return of how many epochs one call can tell what validation rows come to.

        0 if there are more of these rows than are evaluated at once.
        """
        if n_samples > _EVALUATION_ROWS:
            return 0
        padding = self.evaluation_padding(n_samples, n_samples) or n_samples
        epochs = min(_TOLD_EPOCHS, _TOLD_BYTES // (padding * row_bytes))
        return 1 << max(0, epochs.bit_length() - 1)

    def padded_steps(self, n_steps: int) -> int:
        """Return how many steps the numbers of a call are filled up to."""
        return n_steps if self.batch_rows is None else _BLOCK_STEPS

    def epochs_at_once(self, n_samples: int, batch_size: int) -> int:
        """Return how many epochs fit into one block; 0 if not even one does."""
        steps = -(-n_samples // batch_size)
        return min(self.block_rows // n_samples, _BLOCK_STEPS // steps)


def choose_execution(
    n_inputs: int, itemsize: int, batch_size: int, n_steps: int, *, backend: str
) -> Execution:
    """Return the road for a table and a batch size, from sizes alone.

    Parameters
    ----------
    n_inputs, itemsize : int
        Numbers in a row, and bytes in a number.
    batch_size : int
        Rows a step.
    n_steps : int
        Steps of all networks of this shape that are about to be trained, at most.
    backend : {"tensorflow", "jax"}
        JAX always goes through XLA.
    """
    xla = backend == "jax" or n_steps >= _XLA_PAYS_STEPS
    batch_rows = _filled_up(batch_size) if xla else None
    fitting = max(1, _BLOCK_BYTES // (n_inputs * itemsize))
    rows = min(_BLOCK_ROWS, 1 << (fitting.bit_length() - 1))
    rows = max(rows, 4 * _filled_up(batch_size))
    return Execution(xla, batch_rows, min(rows, _BLOCK_STEPS * batch_size))


def _filled_up(batch_size: int) -> int:
    """Return the next size that programs are made for: a power of two, or 200.

    Few sizes are few programs; 200 is what ``batch_size="auto"`` comes to.
    """
    power = 1 << (batch_size - 1).bit_length()
    return 200 if 128 < batch_size <= 200 else power


@dataclass(frozen=True)
class Penalties:
    """Numbers that a compiled program takes as input.

    Parameters
    ----------
    l2, l1 : float
        Factors of half the sum of squared, and of the sum of absolute kernel weights,
        each divided by the total weight of the batch.
    weight_decay : float
        Share of the kernels taken off at each step, times the learning rate
        (Loshchilov and Hutter, 2019).
    label_smoothing : float
        Share of each target spread evenly over the classes.
    """

    l2: float
    l1: float
    weight_decay: float
    label_smoothing: float

    @property
    def active(self) -> tuple[bool, ...]:
        """Which of them are not zero: the part that a compiled program depends on."""
        return tuple(value != 0 for value in astuple(self))


@dataclass(frozen=True)
class Rate:
    """How the learning rate moves between epochs, as in ``MLPClassifier``.

    Parameters
    ----------
    initial : float
        The rate of the first epoch.
    policy : {"constant", "invscaling", "adaptive"}
        Constant; divided by ``(rows seen + 1) ** power``; divided by 5 whenever
        training stalls, down to 1e-6.
    power : float
        Exponent of ``"invscaling"``.
    """

    initial: float
    policy: str = "constant"
    power: float = 0.5

    def after_epoch(self, rate: float, rows_seen: int) -> float:
        """Return the rate of the next epoch."""
        if self.policy == "invscaling":
            return self.initial / (rows_seen + 1) ** self.power
        return rate

    def after_stall(self, rate: float) -> float | None:
        """Return the rate to go on with once training stalls, None to stop."""
        return rate / 5 if self.policy == "adaptive" and rate > 1e-6 else None


@dataclass(frozen=True)
class Stopping:
    """When a fit ends.

    Parameters
    ----------
    max_iter : int
        Epochs at most.
    tol : float
        An epoch that lowers the best loss by less counts as none.
    patience : float
        Epochs without improvement that are borne.
    early : bool
        Whether the validation loss is watched and the best weights are restored; else
        the training loss is.
    max_fun : int
        Evaluations of the loss at most, for L-BFGS.
    """

    max_iter: int
    tol: float
    patience: float
    early: bool
    max_fun: int = 15_000

    @property
    def can_converge(self) -> bool:
        """Whether training could be judged converged before the last epoch."""
        return self.patience < self.max_iter


@dataclass
class EarlyStoppingMonitor:
    """The loss that decides when to stop, epoch by epoch."""

    stopping: Stopping
    best: float = np.inf
    stalled: int = 0

    def update(self, loss: float) -> bool:
        """Take the loss of an epoch; return whether it is the best so far."""
        # written so that a NaN counts as no improvement
        self.stalled = 0 if loss <= self.best - self.stopping.tol else self.stalled + 1
        improved = loss < self.best
        if improved:
            self.best = loss
        return improved

    @property
    def epochs_to_stall(self) -> float:
        """After how many epochs patience can be used up at the earliest."""
        return self.stopping.patience - self.stalled + 1

    @property
    def is_stalled(self) -> bool:
        """Whether patience is used up."""
        return self.stalled > self.stopping.patience


@dataclass(frozen=True)
class TrainingTask:
    """One network to train.

    Parameters
    ----------
    spec : NetworkSpec
        The network.
    weights : list of ndarray
        Its starting weights, in the order of ``spec.arrays``.
    solver : Solver
        The optimizer.
    optimizer_state : list of ndarray or None
        The optimizer's variables to go on from; None starts anew.
    table : Rows
        The rows it is trained on, and others that it is not.
    positions : ndarray of shape (n_train,)
        Positions in the table of the rows that an epoch takes, int32; a bootstrap
        sample names some more than once.
    validation : Rows or None
        The rows it is validated on.
    held_out : ndarray or None
        Their positions, where they were cut off the table.
    batch_size : int
        Rows a step, at most the number of rows.
    shuffle : bool
        Whether rows are shuffled before every epoch.
    random_state : RandomState
        Draws the order of the rows, one draw an epoch.
    dropout_seed : int
        Seed of every dropout layer.
    rate : Rate or None
        None leaves the learning rate to the optimizer's own schedule.
    penalties : Penalties
        Regularisation.
    stopping : Stopping
        When to end.
    rows_seen : int
        Training rows seen in earlier fits that this one goes on from.
    callbacks : sequence of keras.callbacks.Callback
        Our own copies.
    schedule : Schedule or None
        What each step is taken with, in place of rate and penalties.
    keeps_logits : bool
        Whether what the validation rows come to is kept for every epoch.
    on_epoch : callable
        Called with the record of each epoch (a dict) after it.
    """

    spec: NetworkSpec
    weights: Sequence[np.ndarray]
    solver: Solver
    optimizer_state: Sequence[np.ndarray] | None
    table: Dataset
    positions: np.ndarray
    validation: Dataset | None
    held_out: np.ndarray | None
    batch_size: int
    shuffle: bool
    random_state: np.random.RandomState
    dropout_seed: int
    rate: Rate | None
    penalties: Penalties
    stopping: Stopping
    rows_seen: int = 0
    callbacks: Sequence[Any] = ()
    schedule: Schedule | None = None
    keeps_logits: bool = False
    on_epoch: Callable[[dict], None] = field(default=lambda record: None)

    @property
    def n_train(self) -> int:
        """Rows of an epoch."""
        return len(self.positions)

    @property
    def steps_an_epoch(self) -> int:
        """Steps of an epoch; the last one may be short."""
        return -(-self.n_train // self.batch_size)


@dataclass(frozen=True)
class TrainingResult:
    """What a fit leaves.

    Parameters
    ----------
    weights : list of ndarray
        In the order of ``spec.arrays``.
    optimizer_state : list of ndarray
        The optimizer's variables after the last step.
    history : list of dict
        One record an epoch: loss, accuracy, val_loss, val_accuracy, learning_rate,
        seconds.
    rows_seen : int
        Training rows seen, earlier fits included.
    stopped : bool
        Whether a rule or a callback ended training before ``max_iter``.
    interrupted : bool
        Whether the user did.
    logits : list of ndarray of shape (n_validation, n_outputs)
        What the validation rows came to after each epoch, if that was to be kept.
    """

    weights: list[np.ndarray]
    optimizer_state: list[np.ndarray]
    history: list[dict]
    rows_seen: int
    stopped: bool
    interrupted: bool
    logits: list[np.ndarray] = field(default_factory=list)


def class_shares(y: np.ndarray, weight: np.ndarray, n_classes: int) -> np.ndarray:
    """Return the weighted share of each class, or of the rows with each label."""
    if y.ndim == 2:
        return weight @ y / weight.sum()
    shares = np.bincount(y, weights=weight, minlength=n_classes)
    return shares / shares.sum()


def class_share_loss(y: np.ndarray, weight: np.ndarray, shares: np.ndarray) -> float:
    """Return the cross-entropy of predicting the same shares for every row, in nats.

    Parameters
    ----------
    y, weight : ndarray of shape (n_samples,) or (n_samples, n_outputs), (n_samples,)
        As in ``Rows``.
    shares : ndarray of shape (n_classes,)
        Shares of the training rows.
    """
    total = weight.sum()
    seen = class_shares(y, weight, len(shares))
    losses = -_xlogy(seen, shares)
    if y.ndim == 2:
        losses -= _xlogy(1 - seen, 1 - shares)
    return float(losses.sum()) if total > 0 else np.nan


def _xlogy(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return x log y, and 0 where x is; a y of 0 counts as 1e-12."""
    return np.where(x > 0, x * np.log(np.maximum(y, 1e-12)), 0.0)


def require_finite(loss: float, epoch: int, rate: float) -> None:
    """Raise ``ValueError`` if training has left the finite numbers."""
    if not np.isfinite(loss):
        raise ValueError(
            f"Training must keep the loss finite; it became {loss} in epoch {epoch}, "
            f"at learning rate {rate:.3g}. Scale the columns (MinMaxScaler or "
            "StandardScaler in a Pipeline), or lower learning_rate_init."
        )
