"""One network to train, as plain data, and what training returns."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import astuple, dataclass, field
from typing import Any

import numpy as np

from skdnn._checkpoint.checkpoint import Part
from skdnn._network.spec import NetworkSpec
from skdnn._tabular.dataset import Dataset
from skdnn._training.batching import Block, training_blocks
from skdnn._training.execution import Execution
from skdnn._training.nested_rows import NestedRows
from skdnn._training.optimizers import Solver
from skdnn._training.schedules import Schedule

Record = dict[str, Any]


@dataclass(frozen=True)
class Penalties:
    """Penalty factors, which a compiled program takes as input."""

    l2: float  # of half the sum of squared kernels, over the weight of a batch
    l1: float  # of the sum of absolute kernels, over the weight of a batch
    weight_decay: float  # per step and rate (Loshchilov and Hutter, 2019)
    label_smoothing: float  # share of a target spread evenly over the classes

    @property
    def active(self) -> tuple[bool, ...]:
        """Which of them are not zero: the part that a compiled program depends on."""
        return tuple(value != 0 for value in astuple(self))


@dataclass(frozen=True)
class Rate:
    """How the learning rate changes between epochs, as in ``MLPClassifier``.

    Policy "constant"; "invscaling" divides the initial rate by
    ``(training rows + 1) ** power``; "adaptive" divides it by 5, down to 1e-6, whenever
    training stalls.
    """

    initial: float
    policy: str = "constant"
    power: float = 0.5

    def after_epoch(self, rate: float, rows_trained: int) -> float:
        if self.policy == "invscaling":
            return float(self.initial / (rows_trained + 1) ** self.power)
        return rate

    def after_stall(self, rate: float) -> float | None:
        """Return the rate to continue with once training stalls, None to stop."""
        return rate / 5 if self.policy == "adaptive" and rate > 1e-6 else None


@dataclass(frozen=True)
class Stopping:
    """When a fit ends.

    After `max_iter` epochs, or more than `patience` in a row that did not lower the
    best loss by `tol`. With `early` that is the validation loss, and the best weights
    are restored. `max_fun` limits the evaluations of L-BFGS.
    """

    max_iter: int
    tol: float = 0.0
    patience: float = np.inf
    early: bool = False
    max_fun: int = 15_000

    @property
    def can_converge(self) -> bool:
        """Whether training could stop by itself before the last epoch."""
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
        return self.stalled > self.stopping.patience


@dataclass(frozen=True)
class TrainingTask:
    """A network from a spec, its starting weights, its rows, and how to train it.

    An epoch takes the rows of `table` at `positions` (repeated in a bootstrap sample);
    `held_out` are those set aside for `validation`. `optimizer_state` None is the
    initial one, `rate` None leaves the rate to the optimizer's own schedule;
    `schedule` replaces rate and penalties. `rows_trained` counts the training rows of
    earlier fits that this one continues; `checkpoint` is where its state is kept.
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
    rows_trained: int = 0
    callbacks: Sequence[Any] = ()
    schedule: Schedule | None = None
    keeps_logits: bool = False
    checkpoint: Part | None = None
    on_epoch: Callable[[Record], None] = field(default=lambda record: None)

    first_epoch = 0
    requires_finite_loss = True

    @property
    def n_train(self) -> int:
        return len(self.positions)

    @property
    def steps_per_epoch(self) -> int:
        """Steps per epoch; the last one may be short."""
        return -(-self.n_train // self.batch_size)

    @property
    def has_constant_rate(self) -> bool:
        constant = self.rate is not None and self.rate.policy == "constant"
        return constant or self.schedule is not None

    def labels(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the classes of the training rows, and their weights."""
        return self.table.y[self.positions], self.table.weight[self.positions]

    def blocks(self, orders: np.ndarray, execution: Execution) -> Iterator[Block]:
        """Yield the rows of epochs, given what `orders` yields for each."""
        return training_blocks(self.table, orders, self.batch_size, execution)

    def orders(self) -> Iterator[np.ndarray]:
        """Yield the positions of the rows in the order of each epoch, int32."""
        order = self.positions.astype(np.int32)
        while True:
            if self.shuffle:
                self.random_state.shuffle(order)
            yield order.copy()


@dataclass(frozen=True)
class ModelTask:
    """A compiled `keras.Model`, its rows, and arguments of ``Model.fit``.

    Training ends at `epochs`, wherever it begins; `seed` fixes the order of the rows.
    """

    model: Any
    table: NestedRows
    validation: NestedRows | None
    seed: int
    epochs: int = 1
    first_epoch: int = 0
    batch_size: int = 32
    validation_batch_size: int = 32
    shuffle: bool = True
    verbose: Any = 1
    callbacks: Sequence[Any] = ()
    other: dict[str, Any] = field(default_factory=dict)

    # what a TrainingTask decides and Keras leaves to its optimizer and callbacks
    rate = None
    has_constant_rate = True
    keeps_logits = False
    checkpoint = None
    rows_trained = 0
    requires_finite_loss = False

    @property
    def stopping(self) -> Stopping:
        """The last epoch; nothing else ends training but a callback."""
        return Stopping(self.epochs - self.first_epoch)

    @property
    def n_train(self) -> int:
        return len(self.table)

    @property
    def steps_per_epoch(self) -> int:
        """Steps per epoch; the last one may be short."""
        return -(-self.n_train // self.batch_size)

    def on_epoch(self, record: Record) -> None:
        """Do nothing: Keras's own callbacks report progress."""

    def order(self, epoch: int) -> np.ndarray:
        if not self.shuffle:
            return np.arange(self.n_train)
        return np.random.default_rng([self.seed, epoch]).permutation(self.n_train)

    def orders(self) -> Iterator[np.ndarray]:
        yield from map(self.order, itertools.count(self.first_epoch))


@dataclass(frozen=True)
class TrainingResult:
    """A trained network.

    `history` has one record per epoch. A rule or a callback `stopped`, or the user
    `interrupted` training before ``max_iter``.
    """

    weights: list[np.ndarray]
    optimizer_state: list[np.ndarray]
    history: list[Record]
    rows_trained: int
    stopped: bool
    interrupted: bool
