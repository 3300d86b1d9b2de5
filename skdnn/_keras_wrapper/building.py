"""Seeds and layer names while a function builds a network.

Keras draws initial weights and the seeds of dropout from Python's own random numbers,
and names layers by counting them in the process. Both are set while the function runs,
and restored after it.
"""

import random
import threading
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import Any

from skdnn._runtime.compat import name_counts, set_name_counts
from skdnn._runtime.seeds import global_numpy_seed

# One network at a time: the seeds belong to the process.
_lock = threading.RLock()
_first_counts: dict[Hashable, dict[str, int]] = {}


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Set the seeds of Python and NumPy for a block; other threads wait."""
    with _lock, global_numpy_seed(seed):
        state = random.getstate()
        random.seed(seed)
        try:
            yield
        finally:
            random.setstate(state)


def build_again(key: Hashable, build: Callable[[], Any]) -> Any:
    """Call a function that builds, with the layer names of the first call for its key.

    TensorFlow never releases what it keeps for a new name, and networks of equal names
    can share a program. If one has taken a name since, the function is called twice.
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
