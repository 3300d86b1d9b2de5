"""What a function that builds a network finds: seeds, and names for its layers.

Keras draws the start of weights and the seeds of dropout from Python's own random
numbers, and names layers by counting them in the process. Both are set for the time
that the function runs, and put back.
"""

import random
import threading
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from skdnn._runtime.compat import name_counts, set_name_counts

# One network at a time: the seeds belong to the process.
_lock = threading.RLock()
_first_counts: dict[Hashable, dict[str, int]] = {}


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Set the seeds of Python and NumPy for a block, and put their states back.

    Those of TensorFlow and Keras are left alone: layers and initialisers of Keras
    take theirs from Python's. Blocks in other threads wait.
    """
    with _lock:
        python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002
        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002
        try:
            yield
        finally:
            random.setstate(python)
            np.random.set_state(numpy)  # noqa: NPY002


def build_again(key: Hashable, build: Callable[[], Any]) -> Any:
    """Call a function that builds, so that names of layers are those of its first call.

    TensorFlow keeps something for every new name and never lets go, so that a hundred
    fits would keep a hundred. Networks whose names and settings are equal can share a
    compiled program, too.

    Parameters
    ----------
    key : hashable
        Of the function.
    build : callable
        Called without arguments; twice if a network made since the first call has
        taken a name.
    """
    with _lock:
        live = name_counts()
        if _first_counts.setdefault(key, live) == live:
            return build()
        set_name_counts(_first_counts[key])
        try:
            return build()
        except Exception:
            set_name_counts(live)
            return build()
        finally:
            now = name_counts()
            set_name_counts({n: max(live.get(n, 0), now.get(n, 0))
                               for n in live | now})  # fmt: skip
