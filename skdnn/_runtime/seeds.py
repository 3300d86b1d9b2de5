"""Integer seeds, and NumPy's global generator for packages that draw from it."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from sklearn.utils import check_random_state


def as_seed(random_state: int | np.integer | np.random.RandomState | None) -> int:
    """Return an integer unchanged, or draw one from a generator (None: NumPy's)."""
    if isinstance(random_state, int | np.integer):
        return int(random_state)
    return int(check_random_state(random_state).randint(2**31 - 1))


@contextmanager
def global_numpy_seed(seed: int) -> Iterator[None]:
    """Seed NumPy's global generator for a block, and restore its state after it."""
    state = np.random.get_state()  # noqa: NPY002
    np.random.seed(seed)  # noqa: NPY002
    try:
        yield
    finally:
        np.random.set_state(state)  # noqa: NPY002
