"""How many threads to use, and blocks of work shared among them."""

import os
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any

import joblib
from threadpoolctl import ThreadpoolController

# Fewer blocks are finished before threads have started.
_WORTH_THREADS = 8
_limited = threading.Lock()
_limit: ContextVar[int | None] = ContextVar("limit", default=None)


def thread_count() -> int:
    """Return how many threads this process may use: one per core, or a limit."""
    return _limit.get() or _threads_of_worker() or int(joblib.cpu_count())


@contextmanager
def limited(n_threads: int) -> Iterator[None]:
    """Let `thread_count` return at most this number, in this thread."""
    token = _limit.set(min(n_threads, thread_count()))
    try:
        yield
    finally:
        _limit.reset(token)


def limit_tensorflow_threads() -> None:
    """Give TensorFlow the thread count that joblib set for this worker process."""
    if threads := _threads_of_worker():
        os.environ.setdefault("TF_NUM_INTRAOP_THREADS", str(threads))
        os.environ.setdefault("TF_NUM_INTEROP_THREADS", str(threads))


def _threads_of_worker() -> int | None:
    """Return the thread count that joblib gave this worker; None if it is no worker."""
    threads = os.environ.get("OMP_NUM_THREADS", "")
    is_worker = "LOKY_WORKER_NUMBER" in os.environ
    return int(threads) if is_worker and threads.isdigit() else None


def run_blocks(
    work: Callable[[int], None], starts: Iterable[int], *, small: bool = True
) -> None:
    """Call `work` with the start of every block, in as many threads as BLAS may use.

    Most of `work` must run outside of Python's lock. Meanwhile the linear algebra of a
    block has one thread: threads within threads wait for each other more than they
    work. Few blocks are worked on in this thread; if they are not `small`, the linear
    algebra of each keeps its threads.
    """
    starts = list(starts)
    n_threads = blas_thread_count() if len(starts) >= _WORTH_THREADS else 1
    with one_blas_thread(small or n_threads > 1) as is_limited:
        if n_threads < 2 or not is_limited:
            for start in starts:
                work(start)
            return
        left = iter(starts)  # each thread takes the next when it is done with one

        def work_on() -> None:
            for start in left:
                work(start)

        with ThreadPoolExecutor(n_threads) as pool:
            for done in [pool.submit(work_on) for _ in range(n_threads)]:
                done.result()


@contextmanager
def one_blas_thread(wanted: bool = True) -> Iterator[bool]:
    """Give linear algebra one thread; yield whether that was possible.

    Not while another thread of this process does: both would restore what they found.
    """
    if not wanted or not _limited.acquire(blocking=False):
        yield False
        return
    try:
        with _linear_algebra().limit(limits=1):
            yield True
    finally:
        _limited.release()


def blas_thread_count() -> int:
    """Return how many threads linear algebra would use, which joblib may limit."""
    counts = [library.num_threads for library in _linear_algebra().lib_controllers]
    return int(min(joblib.cpu_count(), *counts))


def without_openmp(wanted: bool = True) -> AbstractContextManager[Any]:
    """Return a context in which PyTorch, if called from this thread, uses no other.

    Other threads of this process, and those of other libraries, keep their number.
    """
    context: AbstractContextManager[Any] = _openmp().limit(limits=1 if wanted else None)
    return context


@cache
def _openmp() -> ThreadpoolController:
    return ThreadpoolController().select(user_api="openmp")


@cache
def _linear_algebra() -> ThreadpoolController:
    """Return the control over the thread counts of the linear algebra libraries."""
    return ThreadpoolController().select(user_api="blas")
