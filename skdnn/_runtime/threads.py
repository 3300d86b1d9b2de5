"""Blocks of work shared out among the cores."""

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import joblib
from threadpoolctl import ThreadpoolController

# Fewer blocks are done before threads have started.
_WORTH_THREADS = 8
_limited = threading.Lock()


def run_blocks(work: Callable[[int], None], starts: Iterable[int]) -> None:
    """Call `work` with every start, on as many threads as linear algebra may use.

    Meanwhile the linear algebra of a block has one thread: threads within threads
    wait for each other more than they work.

    Parameters
    ----------
    work : callable
        Does one block; most of it outside of Python's lock.
    starts : iterable of int
        Where each block begins.
    """
    starts = list(starts)
    n_threads = _thread_count() if len(starts) >= _WORTH_THREADS else 1
    if n_threads < 2 or not _limited.acquire(blocking=False):
        for start in starts:  # few blocks, one core, or another thread is at it
            work(start)
        return
    try:
        with _linear_algebra().limit(limits=1), ThreadPoolExecutor(n_threads) as pool:
            for _ in pool.map(work, starts):
                pass
    finally:
        _limited.release()


def _thread_count() -> int:
    """Return how many threads linear algebra would take, which joblib may limit."""
    libraries = _linear_algebra().lib_controllers
    return min(joblib.cpu_count(), *(library.num_threads for library in libraries))


@cache
def _linear_algebra() -> ThreadpoolController:
    """Return what sets the thread counts of the linear algebra libraries."""
    return ThreadpoolController().select(user_api="blas")
