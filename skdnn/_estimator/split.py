"""The rows of one network: trained on or held out, and encoded as its inputs."""

from dataclasses import dataclass

import numpy as np
from sklearn.model_selection import train_test_split

from skdnn._estimator.parameters import Parameters
from skdnn._tabular.dataset import Dataset
from skdnn._tabular.encoder import TableEncoder, fit_encoder
from skdnn._tabular.validation import TrainingData


@dataclass(frozen=True)
class Split:
    """Positions of the rows that a network trains on, and the encoder fitted to them.

    A bootstrap sample names some positions more than once. `held_out` are positions of
    the rows held out for validation, None if there are none.
    """

    positions: np.ndarray
    held_out: np.ndarray | None
    encoder: TableEncoder

    def encode(self, data: TrainingData) -> tuple[Dataset, Dataset | None]:
        """Return all rows, and the validation rows, as the network receives them."""
        rows = self._encode(data.rows)
        if self.held_out is not None:
            return rows, rows.take(self.held_out)
        return rows, None if data.validation is None else self._encode(data.validation)

    def _encode(self, rows: Dataset) -> Dataset:
        weight = rows.weight.astype(self.encoder.dtype, copy=False)
        return Dataset(self.encoder.encode(rows.X), rows.y, weight)


def split_rows(
    parameters: Parameters,
    data: TrainingData,
    random_state: np.random.RandomState,
    *,
    recipe: bool = False,
    encoder: TableEncoder | None = None,
) -> Split:
    """Hold validation rows out, draw a bootstrap sample, and fit an encoder if none."""
    rows = data.rows
    positions, held_out = _hold_out(parameters, data, random_state)
    if parameters.bootstrap:  # of what remains: no copy of a row is on both sides
        positions = random_state.choice(positions, len(positions))
        if not np.any(rows.weight[positions] > 0):
            raise ValueError(
                "`sample_weight` must be positive for a row of every bootstrap sample. "
                "Got a sample with only zeros; leave the rows of weight 0 out."
            )
    if encoder is None:
        is_whole = held_out is None and not parameters.bootstrap
        own = rows if is_whole else rows.take(positions)
        encoder = fit_encoder(
            data.columns, own.X, own.weight, recipe=recipe, is_sample=data.is_sample
        )
    return Split(positions, held_out, encoder)


def _hold_out(
    parameters: Parameters, data: TrainingData, random_state: np.random.RandomState
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return positions of the training rows and of the rows held out, if any are.

    The split is stratified and shuffled; a class of one row stays in training.
    """
    rows, fraction = data.rows, parameters.validation_fraction
    if fraction is None and parameters.early_stopping:
        fraction = 0.1
    positions = np.arange(len(rows))
    if data.validation is not None or fraction is None:
        return positions, None
    if rows.y.ndim == 2:  # labels overlap: there is nothing to stratify by
        lone, strata = np.zeros(len(rows), dtype=bool), None
    else:
        lone = np.bincount(rows.y)[rows.y] < 2
        strata = rows.y[~lone]
    try:
        kept, held_out = train_test_split(
            positions[~lone],
            test_size=fraction,
            random_state=random_state,
            stratify=strata,
        )
    except ValueError as error:
        raise ValueError(
            f"There must be at least one validation row per class. Got {len(rows)} "
            f"rows of {len(data.classes)} classes, validation_fraction={fraction}. "
            "Raise validation_fraction, pass X_val and y_val, or train without "
            "early_stopping."
        ) from error
    kept = np.concatenate([kept, positions[lone]])
    if not np.any(rows.weight[kept] > 0) or not np.any(rows.weight[held_out] > 0):
        raise ValueError(
            "`sample_weight` must be positive for a row of the training and of the "
            f"validation part; validation_fraction={fraction} left only zeros in one."
        )
    return kept, held_out
