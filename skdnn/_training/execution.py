"""How an epoch is compiled and how many rows one call takes, from sizes alone."""

from dataclasses import dataclass
from typing import Any

from skdnn._runtime import keras_backend
from skdnn._training import devices

# One call of a compiled program takes rows of about this many bytes, which stay in the
# cache, and at most this many rows and steps.
_BLOCK_BYTES = 2 * 2**20
BLOCK_ROWS = 2**15
_BLOCK_STEPS = 2**11
EVALUATION_ROWS = 2**12  # at most, at once
# One call returns the logits of the validation rows for at most this many epochs.
_LOGIT_EPOCHS = 2**6
_LOGIT_BYTES = 8 * 2**20
# XLA takes half a second longer to compile a program and saves about 0.1 ms per step.
XLA_PAYS_STEPS = 1_500
# Steps on arrays, not on one vector of all weights, take XLA half a second longer to
# compile and save it about 0.02 ms each; much more where the vector is large, as it
# then joins the gradients in a slow loop (28 ms, not 3, of 290,000 weights).
ARRAYS_PAY_STEPS = 30_000
LARGE_VECTOR = 50_000


@dataclass(frozen=True)
class Execution:
    """How an epoch is compiled and what its calls take: part of a program's key."""

    xla: bool  # compiled for fixed lengths
    batch_rows: int | None  # padded with rows of weight 0; None: any number
    block_rows: int  # in a call, at most, for any batch size of this program
    by_array: bool = False  # steps on arrays, where they could be on one vector
    sharding: Any = None  # of the rows of a batch over the devices of JAX

    @property
    def padding(self) -> int | None:
        """Length that training blocks are padded to: a batch may begin anywhere."""
        return None if self.batch_rows is None else self.block_rows + self.batch_rows

    def evaluation_padding(self, n_samples: int) -> int | None:
        if self.batch_rows is None:
            return None
        return max(64, 1 << (min(n_samples, EVALUATION_ROWS) - 1).bit_length())

    def logit_epochs(self, n_samples: int, row_bytes: int) -> int:
        """Return for how many epochs one call can return the validation logits.

        0 if there are more validation rows than are evaluated at once.
        """
        if n_samples > EVALUATION_ROWS:
            return 0
        padding = self.evaluation_padding(n_samples) or n_samples
        epochs = min(_LOGIT_EPOCHS, _LOGIT_BYTES // (padding * row_bytes))
        return 1 << max(0, epochs.bit_length() - 1)

    def padded_steps(self, n_steps: int) -> int:
        return n_steps if self.batch_rows is None else _BLOCK_STEPS

    def rows_at_once(self, batch_size: int) -> int:
        """Return how many rows of an epoch one block takes: those of whole batches."""
        rows = min(self.block_rows, _BLOCK_STEPS * batch_size)
        return rows - rows % batch_size

    def epochs_at_once(self, n_samples: int, batch_size: int) -> int:
        """Return how many epochs fit into one block; 0 if not even one does."""
        steps = -(-n_samples // batch_size)
        return min(self.block_rows // n_samples, _BLOCK_STEPS // steps)


def choose_execution(
    row_bytes: int, batch_size: int, n_steps: int | None, n_weights: int = 0
) -> Execution:
    """Return how to compile an epoch.

    `n_steps` counts those of all networks of this shape that are about to be trained;
    None never takes XLA on TensorFlow. JAX always goes through XLA.
    """
    backend = keras_backend.backend()
    pays = n_steps is not None and n_steps >= XLA_PAYS_STEPS
    xla = backend == "jax" or (pays and backend == "tensorflow")
    sharding = devices.row_sharding()
    batch_rows = _padded_size(batch_size) if xla else None
    if sharding is not None:  # as many rows for each device
        batch_rows = -(-_padded_size(batch_size) // sharding.num_devices)
        batch_rows *= sharding.num_devices
    fitting = max(1, _BLOCK_BYTES // row_bytes)
    rows = min(BLOCK_ROWS, 1 << (fitting.bit_length() - 1))
    block_rows = max(rows, 4 * _padded_size(batch_size))
    if batch_rows is not None:  # the length that is compiled for
        block_rows = min(block_rows, _BLOCK_STEPS * batch_rows)
    is_long = (n_steps or 0) >= ARRAYS_PAY_STEPS
    by_array = xla and (is_long or n_weights >= LARGE_VECTOR)
    return Execution(xla, batch_rows, block_rows, by_array, sharding)


def _padded_size(batch_size: int) -> int:
    """Return the next size that programs are compiled for: a power of two, or 200.

    Few sizes are few programs; 200 is the default of ``batch_size="auto"``.
    """
    power = 1 << (batch_size - 1).bit_length()
    return 200 if 128 < batch_size <= 200 else power
