"""The recipe that is used where no layers are given: see `DNNClassifier`'s notes."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from sklearn.utils import check_random_state

from skdnn._checkpoint.checkpoint import Part
from skdnn._estimator.network_training import TrainedNetwork
from skdnn._estimator.parameters import Parameters
from skdnn._estimator.recipe_training import FEWEST_FOLDED, N_MEMBERS, train_recipe
from skdnn._estimator.split import Split, split_rows
from skdnn._runtime.progress import Progress
from skdnn._tabular.validation import TrainingData
from skdnn._training.optimizers import ELEMENTWISE
from skdnn._training.task import TrainingTask

# From this number of rows on, members leave few rows out and repeat no epoch.
_LARGE = 10_000
# The fewest rows of a large table that are left out by some member.
_SCORED_ROWS = 4_000
# Of rows that are read in blocks, members share more than these.
_WHOLE_ROWS = 10_000_000

# What None stands for, beside the values that depend on the number of rows.
_DEFAULTS = {"activation": "selu", "alpha": 0.0, "beta_2": 0.95, "label_smoothing": 0.1}


@dataclass(frozen=True)
class RecipeValues:
    """Values of the recipe that depend on the number of rows.

    Each member leaves one of `n_folds` parts out (0: none) of all rows, or of one of
    `n_sections` sections of the rows: then no epoch is repeated on all rows. Hidden
    layers have `width` units, piecewise-linear encodings `bins`, which `n_plain`
    members do without. `rate` and `weight_decay` are the highest of their schedules,
    `epochs` the most trained.
    """

    n_folds: int
    n_sections: int
    width: int
    bins: int
    n_plain: int
    rate: float
    batch_size: int
    epochs: int
    weight_decay: float


def values_for(n: int, n_classes: int) -> RecipeValues:
    """Return the recipe's values for a number of training rows and of classes."""
    if n < FEWEST_FOLDED:
        return RecipeValues(0, 1, 64, 8, N_MEMBERS // 2, 0.015, n, 48, 1.0)
    if n >= _LARGE:
        # more classes are learned for longer
        epochs = 30 * (_LARGE / n) ** 0.75 * np.log2(n_classes) ** 0.5
        return RecipeValues(
            n_folds=4,
            n_sections=n // _SCORED_ROWS,
            width=128,
            bins=32,
            n_plain=0,
            rate=0.04,
            batch_size=256,
            epochs=int(np.clip(round(epochs), 8, 64)),
            weight_decay=100 / n,
        )
    small = n < 3000
    return RecipeValues(
        n_folds=4,
        n_sections=1,
        width=64 if small else 128,
        bins=8 if small else 16,
        n_plain=N_MEMBERS // 2 if small else 0,
        rate=0.02 if small else 0.04,
        batch_size=int(np.clip(1 << ((n // 32).bit_length() - 1), 16, 256)),
        epochs=min(64, round(600_000 / n)),
        weight_decay=min(0.1, 100 / n),
    )


def member_shares(n: int) -> int:
    """Return into how many parts rows that are read in blocks are divided.

    A member trains on one part. Up to 10 million rows that are all of them, and from
    70 million on an eighth.
    """
    return int(np.clip(-(-n // _WHOLE_ROWS), 1, N_MEMBERS))


def streamed_epochs(n: int, epochs: int) -> int:
    """Return the epochs of rows that are read in blocks.

    Beyond 80 million rows they are fewer the more rows there are, so that the number
    of steps stays the same, down to one epoch from 640 million rows on.
    """
    return int(np.clip(epochs * _WHOLE_ROWS * member_shares(n) // n, 1, epochs))


def serves(parameters: Parameters, data: TrainingData, *, incremental: bool) -> bool:
    """Return whether the recipe trains the network, not the plain one.

    It does not resume training, and does not support several labels per row, sparse X
    and some parameters.
    """
    return bool(
        parameters.hidden_layer_sizes is None
        and not (incremental or parameters.warm_start)
        and data.rows.y.ndim == 1
        and isinstance(data.rows.X, np.ndarray)
        and not callable(parameters.activation)
        and isinstance(parameters.solver, str)
        and parameters.solver in ELEMENTWISE
        and parameters.learning_rate in (None, "constant")
        and not parameters.callbacks
        and not parameters.batch_norm
    )


@dataclass(frozen=True)
class RecipeNetwork:
    """A recipe that is ready to train: filled parameters, split, and values.

    `checkpoint` is where its state is kept.
    """

    parameters: Parameters
    data: TrainingData
    split: Split
    values: RecipeValues
    random_state: np.random.RandomState
    # what makes of the training task of a member one that reads its rows in blocks
    streamed: Callable[[TrainingTask, int], TrainingTask] | None = None
    checkpoint: Part | None = None

    @property
    def n_epochs(self) -> int:
        """Epochs of its training, at most, those of all members."""
        stages = 1 + (self.is_scored and not self.keeps_best)
        return int(self.parameters.max_iter * N_MEMBERS * stages)

    @property
    def is_validated(self) -> bool:
        """Whether there are validation rows."""
        return self.split.held_out is not None or self.data.validation is not None

    @property
    def keeps_best(self) -> bool:
        """Whether no epoch is repeated on all rows."""
        return self.is_validated or self.values.n_sections > 1

    @property
    def is_scored(self) -> bool:
        """Whether there are rows that members are not trained on."""
        return self.is_validated or self.values.n_folds > 0

    def train(self, progress: Progress) -> TrainedNetwork:
        """Train the members; return their average as one network."""
        return train_recipe(self, progress)


def prepare_recipe(parameters: Parameters, data: TrainingData) -> RecipeNetwork:
    """Return what the recipe trains, its parameters checked and its rows split."""
    random_state = check_random_state(parameters.random_state)
    split = split_rows(parameters, data, random_state, recipe=True)
    # rows of weight 0 have no effect: none is left out for validation
    weight = data.rows.weight[split.positions]
    split = replace(split, positions=split.positions[weight > 0])
    n = len(split.positions) if data.n_streamed is None else data.n_streamed
    values = values_for(n, len(data.classes))
    if data.n_streamed is not None:
        values = replace(values, epochs=streamed_epochs(n, values.epochs))
    parameters = parameters.filled(
        **_DEFAULTS,
        learning_rate_init=values.rate,
        max_iter=values.epochs,
        weight_decay=values.weight_decay,
    )
    if parameters.batch_size == "auto":
        parameters = parameters.with_values(batch_size=values.batch_size)
    network = RecipeNetwork(parameters, data, split, values, random_state)
    parameters.check_calibration(data.rows.y, is_validated=network.is_scored)
    return network
